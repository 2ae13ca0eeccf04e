"""The Prover-Delayer game: n points for n holes, what may be said when, and the ends."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation.solver import solve
from games import OVER, Game
from tests.proofs.prover_delayer import clauses


def _points(holes: int) -> int:
    """What Delayer gets, by trying everything on the clauses."""
    refuted = clauses(holes)
    known: dict[tuple[tuple[int, bool], ...], int] = {}

    def value(answers: dict[int, bool]) -> int:
        key = tuple(sorted(answers.items()))
        if key not in known:
            ended = any(clause.items() <= answers.items() for clause in refuted)
            known[key] = 0 if ended else min(map(gain, [answers] * holes * (holes + 1), range(99)))
        return known[key]

    def gain(answers: dict[int, bool], asked: int) -> int:
        if asked in answers:
            return 99
        no, yes = (value(answers | {asked: answer}) for answer in (False, True))
        return max(no, yes, 1 + min(no, yes))

    return value({})


@pytest.mark.parametrize("holes", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_delayer_gets_as_many_points_as_there_are_holes(holes: int):
    # J. Esteban and J. Torán 2003: tree-like resolution needs space n + 1.
    assert _points(holes) == holes


@pytest.mark.parametrize("holes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_rules_have_the_value_of_the_theorem(holes: int):
    assert solve(games.load(f"prover_delayer:holes={holes}")).value[0] == 0


def _after(game: Game, *labels: str) -> Any:
    state = game.init()
    for label in labels:
        state = game.step(state, jnp.int32(game.parse(state, label)))
    return state


def test_what_is_said():
    game = games.load("prover_delayer")
    state = _after(game, "3-1", "either")
    assert game.mover(state) == 0
    assert game.show(state).splitlines()[3:] == ["3  ? .", "Delayer's points: 1, Prover chooses"]
    for text in ("either", "1-1"):
        with pytest.raises(ValueError, match=rf"^'{text}' cannot be said here; no can, for one$"):
            game.parse(state, text)
    state = _after(game, "3-1", "either", "yes", "2-2")
    assert game.mover(state) == 1
    seen = np.asarray(game.observe(state, jnp.int32(0)))
    assert seen[..., 1].tolist() == [[0, 0], [0, 0], [1, 0]]
    assert seen[..., 2].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert (seen[..., 4] == 0.25).all()


@pytest.mark.parametrize(
    ("said", "payoff"),
    [
        (["3-1", "either", "yes", "2-1", "yes"], 1),  # two pigeons in hole 1
        (["1-1", "no", "1-2", "no"], 2),  # pigeon 1 is nowhere
        (["1-1", "either", "no", "2-2", "either", "yes", "1-2", "either", "no"], -1),
        (
            ["1-1", "either", "no", "2-1", "either", "no", "3-1", "either", "no", "3-2", "either"],
            -2,
        ),
    ],
)
def test_ends(said: list[str], payoff: float):
    game = games.load("prover_delayer")
    assert game.mover(_after(game, *said[:-1])) != OVER
    state = _after(game, *said)
    assert game.mover(state) == OVER
    assert game.payoff(state) == payoff


@pytest.mark.parametrize("holes", [0, 6])
def test_options_are_checked(holes: int):
    with pytest.raises(ValueError, match=r"^prover_delayer: holes must lie between 1 and 5$"):
        games.load(f"prover_delayer:holes={holes}")
