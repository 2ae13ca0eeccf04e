"""No module imports itself by way of others."""

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PLACES = ("games", "arena", "agents", "league", "benchmarks")
ENVS = "arena.pettingzoo"


def modules(root: Path) -> dict[str, Path]:
    """Every module in the rooms and the benchmarks under `root`, by its dotted name."""
    found = {}
    for path in (path for place in PLACES for path in sorted((root / place).rglob("*.py"))):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _statements(node: ast.AST, *, lazy: bool) -> Iterator[ast.AST]:
    """What is run when a module is imported; with `lazy` also what its functions hold."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazy:
            continue
        yield child
        yield from _statements(child, lazy=lazy)


def imported(name: str, files: dict[str, Path], *, lazy: bool) -> set[str]:
    """Which of these modules one of them imports."""
    package = name if files[name].name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _statements(ast.parse(files[name].read_text()), lazy=lazy):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            start = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            whole = {f"{start}.{alias.name}" for alias in node.names}
            # A name is a submodule, or else something that the module itself defines.
            found |= {full if full in files else start for full in whole}
    return (found & files.keys()) - {name}


def circles(root: Path, *, lazy: bool, below: str = "") -> list[list[str]]:
    """Groups of modules that import each other; only those of the package `below`, if given."""
    files = modules(root)
    graph = nx.DiGraph(
        (name, other) for name in files for other in imported(name, files, lazy=lazy)
    )
    groups = [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]
    return [group for group in groups if any(name.startswith(below) for name in group)]


def test_no_module_imports_itself_by_way_of_others():
    assert circles(ROOT, lazy=False) == []


def test_nor_do_envs_by_imports_in_functions():
    assert circles(ROOT, lazy=True, below=ENVS) == []


@pytest.mark.parametrize(
    ("one", "two", "lazy"),
    [
        ("import arena.two", "from arena import one", False),
        ("from arena.two import x", "from .one import y", False),
        ("if x:\n    from . import two", "class C:\n    import arena.one", False),
        ("from arena.two import x", "def f():\n    from arena.one import y", True),
    ],
)
def test_a_planted_circle_is_found(tmp_path: Path, one: str, two: str, lazy: bool):
    (tmp_path / "arena").mkdir()
    (tmp_path / "arena" / "one.py").write_text(one)
    (tmp_path / "arena" / "two.py").write_text(two)
    assert circles(tmp_path, lazy=True) == [["arena.one", "arena.two"]]
    assert bool(circles(tmp_path, lazy=False)) is not lazy


def test_a_type_is_no_circle(tmp_path: Path):
    (tmp_path / "arena").mkdir()
    (tmp_path / "arena" / "one.py").write_text("import arena.two")
    (tmp_path / "arena" / "two.py").write_text("if TYPE_CHECKING:\n    import arena.one")
    assert circles(tmp_path, lazy=True) == []
