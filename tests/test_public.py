"""What each package says is public is there, and importing a room starts nothing."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

ROOMS = ("games", "arena", "agents", "league")
PACKAGES = [
    *ROOMS,
    *(
        f"{room}.{module.name}"
        for room in ROOMS
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__)
        if module.ispkg and not module.name.startswith("_")
    ),
]


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_public_is_there(name: str):
    package = importlib.import_module(name)
    assert package.__doc__
    for public in getattr(package, "__all__", ()):
        assert getattr(package, public) is not None
    with pytest.raises(AttributeError):
        _ = package.no_such_name


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_is_public(room: str):
    assert importlib.import_module(room).__all__


@pytest.mark.parametrize("room", ["arena", "league"])
def test_a_room_is_imported_without_jax(room: str):
    code = f"import sys, {room}; assert 'jax' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
