"""The matches of a gate, on the device and on the host, by any judge."""

from typing import Any

import jax
import numpy as np
import pytest

import games
from agents import uniform
from arena.play.executor import LocalExecutor
from arena.types import Agent, HostAgent, Position
from league.gate.heldout import Openings
from league.gate.match import GateMatch, Stage
from league.gate.matches import GateMatches
from league.gate.rule import Rule
from tests.helpers.false_judge import Inverted

GAME = games.load("tic_tac_toe")


class Last(HostAgent):
    """Takes the last legal move."""

    name = "last"

    def choose(self, game: games.Game, position: Position) -> int:
        return int(np.flatnonzero(game.legal(position.state))[-1])


def matches(opponent: Agent | HostAgent, **options: Any) -> GateMatches:
    """Uniform play against an opponent, four pairs in a call."""
    agents = {"uniform": uniform.make(GAME, ""), "opponent": opponent}
    keys = jax.random.split(jax.random.key(0), 3)
    openings = tuple(Openings(GAME, set(), key, 3) for key in keys[:2])
    return GateMatches(GAME, Rule(pairs=4), agents, openings, keys[2], **options)  # type: ignore


@pytest.mark.parametrize("opponent", [uniform.make(GAME, ""), Last()], ids=["device", "host"])
def test_a_match_has_the_scores_that_the_judge_gives(opponent: Agent | HostAgent):
    match = GateMatch(Stage.HELDOUT, 0, "uniform", "opponent", 10)
    scores, passes = matches(opponent)(match)
    assert scores.shape == (10, 2)
    assert passes == 0
    assert 0 < scores.mean() < 1
    inverted, _ = matches(opponent, judge=Inverted(GAME))(match)
    np.testing.assert_array_equal(inverted, 1 - scores)


class Ahead(LocalExecutor):
    """Begins three calls before it is asked for the first, and knows how many it has begun."""

    begun = 0

    @property
    def ahead(self) -> int:
        """Three."""
        return 3

    def on_device(self, *arguments: Any, **options: Any) -> Any:
        """As `Executor.on_device`."""
        self.begun += 1
        return super().on_device(*arguments, **options)


def test_matches_that_were_begun_ahead_are_the_same():
    asked = [GateMatch(Stage.TEST, number, "uniform", "opponent", 4) for number in range(5)]
    executor = Ahead()
    play, other = (
        matches(uniform.make(GAME, "")),
        matches(uniform.make(GAME, ""), executor=executor),
    )
    other.begin(asked)
    other.begin(asked)
    assert executor.begun == 3
    found = [other(match)[0] for match in asked]
    assert executor.begun == 5
    np.testing.assert_array_equal(found, [play(match)[0] for match in asked])


def test_a_match_depends_on_its_stage_and_number_alone():
    test = GateMatch(Stage.TEST, 1, "uniform", "opponent", 4)
    scores, _ = matches(uniform.make(GAME, ""))(test)
    again, _ = matches(uniform.make(GAME, ""))(test)
    np.testing.assert_array_equal(scores, again)
    other, _ = matches(uniform.make(GAME, ""))(test._replace(number=2))
    assert not np.array_equal(scores, other)
