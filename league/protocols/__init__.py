"""Servers of the protocols by which other programs reach an agent: UCI and GTP.

What stands in a module's head is imported before the server answers its first command; JAX, and all
that needs it, is imported by the thread that thinks.
"""
