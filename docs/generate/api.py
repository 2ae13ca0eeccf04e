"""The pages of the API: every room, and every package of it that says what is public."""

import ast
from pathlib import Path

from docs.generate import facts
from docs.generate.imports import ROOMS

_TYPES = {"arena": "types"}
"""The module whose contents are public where the room's `__init__` does not say what is."""


def pages() -> dict[str, str]:
    """Markdown for mkdocstrings, by the name of the room."""
    return {room: _page(room) for room in ROOMS}


def _page(room: str) -> str:
    lines = [f"# {room}", "", *_entry(room, 2)]
    for module in _modules(room):
        lines += [f"## {module}", "", *_entry(module, 3)]
    return "\n".join(lines)


def _entry(module: str, level: int) -> list[str]:
    options = ["    options:", f"      heading_level: {level}", "      show_root_heading: false"]
    return [f"::: {module}", *options, ""]


def _modules(room: str) -> list[str]:
    """The packages whose `__init__` defines `__all__`, sorted, and see `_TYPES`."""
    folder = facts.ROOT / room
    named = room in _TYPES and not _says_what_is_public(folder / "__init__.py")
    found = [f"{room}.{_TYPES[room]}"] if named else []
    packages = [
        ".".join(path.parent.relative_to(facts.ROOT).parts)
        for path in folder.glob("*/__init__.py")
        if _says_what_is_public(path)
    ]
    return found + sorted(packages)


def _says_what_is_public(path: Path) -> bool:
    assigned = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Assign)]
    return any(getattr(target, "id", "") == "__all__" for n in assigned for target in n.targets)
