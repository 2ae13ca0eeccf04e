"""The commands of `arena`, one file each.

A file defines a frozen dataclass `Command`, whose fields are the command's arguments, and a
function `run(command)`; its docstring's first line is the help. JAX is imported only here.
"""
