"""The README and the pages: links lead somewhere, and `arena` takes every command they show."""

import importlib
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from league.cli import entry
from tests.docs.pages import DOCS, ROOT, commands

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")])


_OWN = ("--resume", "--from", "my_nim")
"""Words of commands that need a run or a file of the user's."""


def _cases() -> list:
    """Commands that can be parsed without such."""
    return [
        pytest.param(words, id=f"{page.stem}: {' '.join(words)}")
        for page in PAGES
        for words in commands(page)
        if not any("./" in word or "…" in word or word in _OWN for word in words)
    ]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


@pytest.mark.parametrize("words", _cases())
def test_the_command_takes_what_a_page_shows(words: list[str]):
    name, *arguments = words
    assert name in entry.COMMANDS
    module = importlib.import_module(f"league.commands.{name}")
    assert isinstance(entry._parse(module, name, arguments), _kinds(module.Command))


def _kinds(command: Any) -> tuple[type, ...]:
    """A command's class, or those of its subcommands."""
    return tuple(get_args(one)[0] for one in get_args(command)) or (command,)


def test_all_commands_are_shown():
    assert {words[0] for words in commands(DOCS / "commands.md")} == set(entry.COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files(page: Path):
    """Those of the site's generated pages are checked by mkdocs when it builds."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)[^)]*\)", page.read_text())
    generated = ("images/", "games/", "api/", "laboratory/")
    folder = DOCS / "games" if page == DOCS / "games.md" else page.parent
    for link in links:
        if link and not link.startswith(generated):
            assert (folder / link).resolve().exists(), link
