"""The picture of the imports: what it shows is what the code does."""

from pathlib import Path
from xml.etree import ElementTree

from docs.generate import imports
from tests.docs.pages import ROOT


def _code(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for room in imports.ROOMS:
        (folder / room).mkdir(exist_ok=True)
        (folder / room / "__init__.py").touch()
    return folder


def test_arrows_between_rooms_run_one_way():
    found = imports.arrows(ROOT)
    assert imports.backward(found) == []
    assert found["agents.learners", "games"] > 0


def test_arrows_count_modules_that_import(tmp_path: Path):
    files = {
        "games/hex.py": "import numpy",
        "arena/play/__init__.py": "",
        "arena/play/match.py": "import games\nfrom games.core import Game",
        "arena/play/openings.py": "from games import hex",
        "agents/uniform.py": "def f():\n    from arena.play import match",
    }
    code = _code(tmp_path, files)
    found = imports.arrows(code)
    assert found == {("arena.play", "games"): 2, ("agents", "arena.play"): 1}


def test_a_backward_arrow_is_found(tmp_path: Path):
    code = _code(tmp_path, {"games/hex.py": "import league.cli", "league/cli/__init__.py": ""})
    assert imports.backward(imports.arrows(code)) == [("games", "league.cli")]


def test_packages_that_others_import_come_first():
    found = {("a.y", "a.z"): 1, ("a.x", "a.y"): 3, ("a.x", "a.z"): 1}
    assert imports.order(found, ["a.x", "a.y", "a.z"]) == ["a.z", "a.y", "a.x"]


def test_the_picture_has_every_package_and_arrow():
    found = imports.arrows(ROOT)
    picture = ElementTree.fromstring(imports.draw(ROOT))
    names = {"{http://www.w3.org/2000/svg}" + kind: kind for kind in ("rect", "path")}
    kinds = [names.get(element.tag) for element in picture.iter()]
    packages = {package for pair in found for package in pair}
    assert kinds.count("rect") == len(packages | set(imports.ROOMS))
    assert kinds.count("path") == len(found) + 1  # and the tip of the arrows


def test_the_packages_of_every_room_have_an_order():
    found = imports.arrows(ROOT)
    boxes = imports.layout(found)
    inside = [(boxes[a].y, boxes[b].y) for a, b in found if boxes[a].x == boxes[b].x]
    assert len(inside) > 20
    assert all(importer > imported for importer, imported in inside)
