"""The imports of the four rooms as a picture: rooms are columns, packages boxes, imports arrows.

Within a room packages are in such an order that imports run upwards; one that cannot is drawn in
another colour. Arrows between rooms run to the left, which `tests/test_rooms.py` guarantees.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOMS = ("games", "arena", "agents", "league")

Arrows = Mapping[tuple[str, str], int]
"""How many modules of one package import from another, by their names: `league.cli`."""


def arrows(root: Path) -> Arrows:
    """The imports between the packages of the rooms below a folder."""
    found: Counter[tuple[str, str]] = Counter()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            here = _package(path.relative_to(root).with_suffix("").parts, root)
            aims = {_package(tuple(name.split(".")), root) for name in _imported(path)}
            found.update((here, aim) for aim in aims - {here, ""})
    return found


def _imported(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, but for its types alone.

    The rooms have no relative imports.
    """
    for node in _statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All that runs, and so nothing that stands under `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield from _statements(child)


def _package(parts: tuple[str, ...], root: Path) -> str:
    """The package in a room that holds a module: `arena.play`, or the room for a file of its own.

    Empty for a module outside the rooms.
    """
    room, *inner = parts
    if room not in ROOMS:
        return ""
    if inner and (root / room / inner[0] / "__init__.py").exists():
        return f"{room}.{inner[0]}"
    return room


def backward(found: Arrows) -> list[tuple[str, str]]:
    """The arrows between rooms that run from a room to one on its right; there are none."""
    return [pair for pair in found if _column(pair[0]) < _column(pair[1])]


def _column(package: str) -> int:
    return ROOMS.index(package.partition(".")[0])


def order(found: Arrows, packages: list[str]) -> list[str]:
    """The packages of a room so that those that others import come first, as far as possible."""
    left, placed = sorted(packages), []
    while left:

        def waits(package: str, left: list[str] = left) -> tuple[int, str]:
            return sum(found.get((package, other), 0) for other in left), package

        placed.append(min(left, key=waits))
        left.remove(placed[-1])
    return placed


@dataclass(frozen=True)
class Box:
    """Where a package is drawn, in pixels: its left edge, its top and its label."""

    x: float
    y: float
    label: str


_WIDTH, _HEIGHT, _ROW, _COLUMN, _TOP = 132, 28, 46, 236, 64


def layout(found: Arrows) -> dict[str, Box]:
    """A box for every package, by name."""
    packages = {package for pair in found for package in pair} | set(ROOMS)
    boxes = {}
    for column, room in enumerate(ROOMS):
        members = [p for p in packages if p.partition(".")[0] == room]
        for row, package in enumerate(order(found, members)):
            label = package.partition(".")[2] or _files(room)
            boxes[package] = Box(24 + column * _COLUMN, _TOP + row * _ROW, label)
    return boxes


def _files(room: str) -> str:
    return {"games": "one file a game", "agents": "one file an agent"}.get(room, "files")


def draw(root: Path) -> str:
    """The picture as SVG."""
    found = arrows(root)
    boxes = layout(found)
    width = 24 + _COLUMN * (len(ROOMS) - 1) + _WIDTH + 64
    height = max(box.y for box in boxes.values()) + _HEIGHT + 24
    lines = [_line(boxes[a], boxes[b], count) for (a, b), count in sorted(found.items())]
    names = [
        f'<text x="{24 + i * _COLUMN + _WIDTH / 2}" y="40" class="room">{room}/</text>'
        for i, room in enumerate(ROOMS)
    ]
    shapes = [_box(box) for box in boxes.values()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif" font-size="13">{_STYLE}'
        + "".join([*lines, *shapes, *names])
        + "</svg>\n"
    )


_STYLE = """<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"
markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"
fill="#5b7fa6"/></marker></defs><style>path.line{fill:none;stroke:#5b7fa6;stroke-opacity:.5}
path.back{stroke:#c4573a;stroke-opacity:.9}rect{fill:#eef3f8;stroke:#5b7fa6}
text{text-anchor:middle;fill:#1d2b3a}text.room{font-size:16px;font-weight:600;fill:#5b7fa6}
</style>"""


def _box(box: Box) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{box.x + _WIDTH / 2}" y="{box.y + 19}">{escape(box.label)}</text>'
    )


def _line(a: Box, b: Box, count: int) -> str:
    """A curve from the package that imports to the one that is imported; wide for many modules."""
    y, z = a.y + _HEIGHT / 2, b.y + _HEIGHT / 2
    kind = "line"
    if a.x == b.x:  # an arc on the right of the column
        x, out = a.x + _WIDTH, a.x + _WIDTH + 14 + abs(y - z) / 6
        curve = f"M{x} {y}C{out} {y} {out} {z} {x + 2} {z}"
        kind += " back" if y < z else ""
    else:
        x, to = a.x, b.x + _WIDTH + 2
        bend = (x - to) / 2
        curve = f"M{x} {y}C{x - bend} {y} {to + bend} {z} {to} {z}"
    wide = min(0.8 + count / 4, 3.5)
    return f'<path class="{kind}" stroke-width="{wide}" marker-end="url(#tip)" d="{curve}"/>'
