"""A game's proof: its published numbers hold, and it has a partner to play in lockstep with."""

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest

import games
from games import Fact, Facts
from tests.helpers.proofs import REPRODUCE, given, missing
from tests.proofs import proven

PROVEN = proven()


def _beyond_reach(name: str) -> dict[str, str]:
    return getattr(PROVEN.get(name), "BEYOND_REACH", {})


def _cases() -> list[Any]:
    cases = []
    for name in games.names():
        for kind in given(games.load(name)):
            why = _beyond_reach(name).get(kind)
            marks = [pytest.mark.skip(reason=why)] if why else []
            cases.append(pytest.param(name, kind, marks=marks, id=f"{name}-{kind}"))
    return cases


@pytest.mark.parametrize(("name", "kind"), _cases())
def test_the_rules_reproduce_the_fact(name: str, kind: str):
    game = games.load(name)
    fact = getattr(game.facts, kind)
    reproduce = REPRODUCE | getattr(PROVEN.get(name), "REPRODUCE", {})
    measured = reproduce[kind](game, fact.value)
    if isinstance(fact.value, float):
        assert measured == pytest.approx(fact.value, abs=1e-6)
    else:
        assert (
            tuple(measured) == fact.value if isinstance(measured, list) else measured == fact.value
        )


@pytest.mark.parametrize("name", games.names())
def test_every_fact_names_its_source(name: str):
    game = games.load(name)
    assert all(getattr(game.facts, kind).source.strip() for kind in given(game))


def test_every_kind_of_fact_can_be_reproduced():
    assert set(REPRODUCE) == {f.name for f in fields(Facts)}


@pytest.mark.parametrize("name", games.names())
def test_no_game_lacks_its_proof(name: str):
    assert missing(name, games.load(name), PROVEN) == []
    assert set(given(games.load(name))) - set(_beyond_reach(name))


def test_a_game_without_proof_is_found():
    planted: Any = SimpleNamespace()
    assert missing("planted", planted, {}) == [
        "planted gives no facts",
        "planted has no module in tests/proofs",
    ]
    planted.facts = Facts(value=Fact(1.0, "a page"))
    empty = SimpleNamespace(LOCKSTEP={"other": None}, STATE_BYTES=1)
    assert missing("planted", planted, {"planted": empty}) == ["planted has no lockstep partner"]
    whole = SimpleNamespace(LOCKSTEP={"planted:size=3": None}, STATE_BYTES=1)
    assert missing("planted", planted, {"planted": whole}) == []
