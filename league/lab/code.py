"""What the results of an experiment's parts follow from: its code, as a digest."""

import ast
import hashlib
import inspect
import sys
from types import ModuleType
from typing import Any

from league.lab.experiment import Experiment

_READERS = ("figures", "charts", "tables")
"""Methods that only read results, and how the names of functions end that help them."""


def digest(experiment: Experiment[Any]) -> str:
    """SHA-256 of the file of an experiment and of those of the same folder that it imports from.

    Docstrings, comments, and what only reads results do not count: the methods `figures`, `charts`
    and `tables`, and functions of the file whose names end so.
    """
    modules = [experiment.module, *_helpers(experiment.module)]
    text = "\n".join(_without_words(ast.parse(inspect.getsource(one))) for one in modules)
    return hashlib.sha256(text.encode()).hexdigest()


def _helpers(module: ModuleType) -> list[ModuleType]:
    """Files of the same package from which a module has something."""
    package = module.__name__.rpartition(".")[0] + "."
    found = set()
    for value in vars(module).values():
        name = value.__name__ if isinstance(value, ModuleType) else _home(value)
        if package != "." and name.startswith(package) and name != module.__name__:
            found.add(name)
    return [sys.modules[name] for name in sorted(found)]


def _home(value: object) -> str:
    return str(getattr(value, "__module__", None) or "")


def _without_words(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.Module):
            node.body = [part for part in node.body if not _reads(part)]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [part for part in node.body if not _is_word(part)]
    return ast.dump(tree)


def _reads(node: ast.stmt) -> bool:
    name = node.name if isinstance(node, ast.FunctionDef) else ""
    return name.rpartition("_")[2] in _READERS


def _is_word(node: ast.stmt) -> bool:
    """Whether a statement is a text that nobody uses: a docstring."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
