"""A game's proof: its published numbers hold, and it has a partner to play in lockstep with."""

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest

import games
from games import Fact, Facts
from tests.helpers.lockstep import LOCKSTEP
from tests.helpers.proofs import REPRODUCE, given, missing

# Facts that no test reproduces, and why.
BEYOND_REACH = {
    # 4,531,985,219,092 positions (oeis.org/A212693); solving them takes a dedicated
    # alpha-beta program minutes and this suite's enumeration forever.
    ("connect_four", "value"): "4.5e12 positions cannot be enumerated",
}


def _cases() -> list[Any]:
    cases = []
    for name in games.names():
        for kind in given(games.load(name)):
            why = BEYOND_REACH.get((name, kind))
            marks = [pytest.mark.skip(reason=why)] if why else []
            cases.append(pytest.param(name, kind, marks=marks, id=f"{name}-{kind}"))
    return cases


@pytest.mark.parametrize(("name", "kind"), _cases())
def test_the_rules_reproduce_the_fact(name: str, kind: str):
    game = games.load(name)
    fact = getattr(game.facts, kind)
    measured = REPRODUCE[kind](game, fact.value)
    assert (tuple(measured) if isinstance(measured, list) else measured) == fact.value


@pytest.mark.parametrize("name", games.names())
def test_every_fact_names_its_source(name: str):
    game = games.load(name)
    assert all(getattr(game.facts, kind).source.strip() for kind in given(game))


def test_every_kind_of_fact_can_be_reproduced():
    assert set(REPRODUCE) == {f.name for f in fields(Facts)}


@pytest.mark.parametrize("name", games.names())
def test_no_game_lacks_its_proof(name: str):
    assert missing(name, games.load(name), LOCKSTEP) == []
    assert any((name, kind) not in BEYOND_REACH for kind in given(games.load(name)))


def test_a_game_without_proof_is_found():
    planted: Any = SimpleNamespace()
    assert missing("nim", planted, LOCKSTEP) == [
        "nim gives no facts",
        "nim has no lockstep partner",
    ]
    planted.facts = Facts(value=Fact(1.0, "a page"))
    assert missing("nim", planted, ["nim"]) == []
