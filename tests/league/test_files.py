"""Files are written whole or not at all, and nothing but a file is replaced."""

import os
from pathlib import Path

import pytest

from arena.errors import UserError
from league.store.files import replacing


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ("/dev/full", "no regular file"),
        ("/", "no regular file"),
        (".", "no regular file"),
        ("folder", "no regular file"),
        ("pipe", "no regular file"),
        ("circle", "no regular file"),
        ("to_folder", "no regular file"),
        ("none/x", "no folder none"),
    ],
)
def test_only_a_file_is_replaced(tmp_path: Path, monkeypatch, there: str, says: str):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("circle").symlink_to("circle")
    Path("to_folder").symlink_to("folder")
    before = sorted(os.listdir())
    with pytest.raises(UserError, match=says), replacing(Path(there)):
        pytest.fail("it was opened")
    assert sorted(os.listdir()) == before


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path):
    path = tmp_path / "page"
    path.write_text("old")

    def fail(stop: type[BaseException]) -> None:
        with replacing(path, "w") as file:
            file.write("new")
            raise stop

    for stop in (KeyboardInterrupt, ValueError, OSError):
        with pytest.raises(stop):
            fail(stop)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path):
    link, path = tmp_path / "link", tmp_path / "file"
    link.symlink_to("file")
    for text in ("one ±", "two"):  # it is made, then replaced
        with replacing(link, "w") as file:
            file.write(text)
        assert (link.is_symlink(), path.read_text("utf-8")) == (True, text)
