"""Four rooms, one direction: games ← arena ← agents ← league (DESIGN.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("games", "arena", "agents", "league")
OUTSIDE = ("tests", "benchmarks")


def _start(node: ast.expr) -> str:
    """The text a string expression is known to begin with: "games." for f"games.{name}"."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _modules(node: ast.AST, package: tuple[str, ...]) -> list[str]:
    """Dotted names that a statement or a call inside `package` imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package[: len(package) + 1 - node.level] if node.level else ()
        return [".".join([*above, *filter(None, [node.module]), a.name]) for a in node.names]
    if isinstance(node, ast.Call) and node.args:
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        if called in ("import_module", "__import__"):
            return [_start(node.args[0])]
    return []


def backward_arrows(root: Path) -> Iterator[str]:
    """Every import in the rooms under `root` that the direction forbids, one line each."""
    for place, room in enumerate(ROOMS):
        forbidden = {*ROOMS[place + 1 :], *OUTSIDE}
        for path in sorted((root / room).rglob("*.py")):
            package = path.relative_to(root).parent.parts
            for node in ast.walk(ast.parse(path.read_text())):
                for module in _modules(node, package):
                    if module.partition(".")[0] in forbidden:
                        line = getattr(node, "lineno", 0)
                        yield f"{path.relative_to(root)}:{line} imports {module}"


def test_no_arrow_runs_back():
    assert [room for room in ROOMS if not (ROOT / room / "__init__.py").exists()] == []
    assert list(backward_arrows(ROOT)) == []


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("games/bad.py", "import arena"),
        ("games/bad.py", "import numpy, league.pool as p"),
        ("games/bad.py", "from agents.search import search"),
        ("games/bad.py", "def f():\n    from league import pool"),
        ("games/deep/bad.py", "from ... import arena"),
        ("arena/bad.py", "from ..agents import search"),
        ("arena/bad.py", "importlib.import_module(f'agents.{name}')"),
        ("agents/bad.py", "__import__('league.pool')"),
        ("league/web/bad.py", "from tests.helpers import solver"),
        ("agents/bad.py", "import benchmarks.speed"),
    ],
)
def test_a_planted_arrow_is_found(tmp_path: Path, place: str, line: str):
    bad = tmp_path / place
    bad.parent.mkdir(parents=True)
    bad.write_text(line)
    assert len(list(backward_arrows(tmp_path))) == 1


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("games/good.py", "import jax\nfrom games.core import Game\nfrom . import core"),
        ("arena/good.py", "import games\nfrom .tree import perft\nfrom open_spiel import games"),
        ("league/good.py", "import agents, arena, games, gamesome\nfrom league import pool"),
    ],
)
def test_a_forward_arrow_passes(tmp_path: Path, place: str, line: str):
    good = tmp_path / place
    good.parent.mkdir(parents=True)
    good.write_text(line)
    assert list(backward_arrows(tmp_path)) == []
