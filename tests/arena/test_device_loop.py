"""The compiled loop: against a slow replay in plain Python, and what a record promises."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import uniform
from agents.learners import alphazero
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.types import Decision, Judge
from games import OVER, Game
from tests.helpers.false_judge import Inverted
from tests.helpers.plain_match import EvenKeepsTheTurn, FirstLegal, Ranked, Side, Slow, ranks, slow

ROOT = Path(__file__).parents[2]
TIC_TAC_TOE, CONNECT_FOUR = games.load("tic_tac_toe"), games.load("connect_four")


class Setting(NamedTuple):
    game: Game
    policy_a: type
    policy_b: type
    groups: int
    pairs: int
    slots: int
    plies: int

    def openings(self) -> Any:
        drawn = random_openings(
            self.game, jax.random.key(self.pairs), shape=(self.groups, self.pairs), plies=self.plies
        )
        return jax.tree.map(np.asarray, drawn)

    def match(
        self, record: bool = False, judge: Judge | None = None, finals: bool = False
    ) -> Match:
        acts = self.policy_a(self.game), self.policy_b(self.game)
        return Match(
            self.game,
            *acts,
            judge=judge or Rules(self.game),
            slots=self.slots,
            record=record,
            finals=finals,
        )

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        return ranks(self.game, self.groups, 1), ranks(self.game, self.groups, 2)

    def keys(self) -> jax.Array:
        return jax.random.split(jax.random.key(0), self.groups)

    def slow(self, g: int, p: int, j: int) -> Slow:
        a, b = self.weights()
        sides = Side(self.policy_a(self.game), a[g]), Side(self.policy_b(self.game), b[g])
        opening = jax.tree.map(lambda x: x[g, p], self.openings())
        return slow(self.game, *sides, opening, a_begins=j == 0)

    def slow_scores(self) -> np.ndarray:
        shape = self.groups, self.pairs, 2
        return np.array([self.slow(*index).score for index in np.ndindex(*shape)]).reshape(shape)

    def scores(self) -> np.ndarray:
        table = self.match()
        played = table.play(*self.weights(), keys=self.keys(), openings=self.openings())
        return np.asarray(played.scores)


SETTINGS = [
    Setting(TIC_TAC_TOE, Ranked, Ranked, groups=3, pairs=7, slots=3, plies=3),
    Setting(TIC_TAC_TOE, Ranked, FirstLegal, groups=2, pairs=6, slots=6, plies=4),
    Setting(TIC_TAC_TOE, FirstLegal, Ranked, groups=1, pairs=5, slots=1, plies=2),
    Setting(CONNECT_FOUR, FirstLegal, Ranked, groups=2, pairs=9, slots=4, plies=6),
    Setting(EvenKeepsTheTurn(), Ranked, Ranked, groups=3, pairs=9, slots=3, plies=2),
    Setting(EvenKeepsTheTurn(), FirstLegal, Ranked, groups=2, pairs=12, slots=6, plies=5),
]
each = pytest.mark.parametrize(
    "setting", SETTINGS, ids=lambda s: f"{type(s.game).__name__}-G{s.groups}-P{s.pairs}-S{s.slots}"
)


@each
def test_scores_are_those_of_a_slow_replay(setting: Setting):
    expected = setting.slow_scores()
    assert {0.0, 1.0} <= set(expected.ravel().tolist())
    assert (expected.sum(2) != 1).any()  # pairs in which it matters who is who
    np.testing.assert_array_equal(setting.scores(), expected)


@dataclass(frozen=True)
class TakesFive:
    """A policy by the last move, legal or not."""

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        return Decision(jnp.full(len(states.left), 4, jnp.int32))


@pytest.mark.parametrize("record", [False, True])
def test_illegal_moves_keep_no_match_going(record: bool):
    # Of 23 coins none are left after 5 moves by the rules: here it is less than none, for ever.
    setting = Setting(EvenKeepsTheTurn(), TakesFive, TakesFive, 1, 2, 2, plies=0)
    run = partial(setting.match(record).play, keys=setting.keys(), openings=setting.openings())
    with pytest.raises(UserError, match=r"has not ended after max_plies \(23\) moves"):
        run(*setting.weights())


@pytest.mark.parametrize("setting", SETTINGS[:2], ids=["one policy", "two acts"])
def test_swapping_the_agents_mirrors_the_scores(setting: Setting):
    a, b = setting.weights()
    swapped = setting._replace(policy_a=setting.policy_b, policy_b=setting.policy_a)
    played = swapped.match().play(b, a, keys=setting.keys(), openings=setting.openings())
    np.testing.assert_array_equal(played.scores, 1 - setting.scores()[:, :, ::-1])


# --- the record -------------------------------------------------------------------------------

RECORDED = SETTINGS[0]
IDLE = 2 * RECORDED.pairs


@cache
def _recorded() -> tuple[np.ndarray, device_loop.Record]:
    played = RECORDED.match(record=True, finals=True).play(
        *RECORDED.weights(), keys=RECORDED.keys(), openings=RECORDED.openings()
    )
    return jax.tree.map(np.asarray, (played.scores, played.record))


def _rows(states: Any) -> np.ndarray:
    """Positions as comparable rows of numbers."""
    return np.stack([np.asarray(x) for x in jax.tree.leaves(states)], -1)


def test_recording_changes_no_score():
    np.testing.assert_array_equal(_recorded()[0], RECORDED.scores())


def test_every_game_is_recorded_once_from_its_opening_to_its_end():
    _, record = _recorded()
    for g, p, j in np.ndindex(RECORDED.groups, RECORDED.pairs, 2):
        time, side, slot = np.nonzero(record.game[:, :, g] == j * RECORDED.pairs + p)
        expected = RECORDED.slow(g, p, j)
        assert (np.diff(time) == 1).all()  # one move a turn, from the first to the last
        assert side.tolist() == [(j + n) % 2 for n in range(len(expected.moves))]
        states = jax.tree.map(lambda x, at=(time, side, g, slot): x[at], record.state)
        np.testing.assert_array_equal(
            _rows(states), np.stack([_rows(state) for state in expected.states[:-1]])
        )
        policy = record.aux[time, side, g, slot]
        np.testing.assert_array_equal(policy.argmax(1), expected.moves)
        final = jax.tree.map(lambda x, at=(g, j * RECORDED.pairs + p): x[at], record.finals)
        jax.tree.map(np.testing.assert_array_equal, final, expected.states[-1])


def test_a_record_is_the_same_in_whatever_pieces(monkeypatch: pytest.MonkeyPatch):
    scores, whole = _recorded()
    monkeypatch.setattr(device_loop, "_PIECE", 7)
    device_loop._compiled.cache_clear()
    again = _recorded.__wrapped__()
    device_loop._compiled.cache_clear()
    assert len(whole.game) > 7
    np.testing.assert_array_equal(again[0], scores)
    for x, y in zip(jax.tree.leaves(again[1]), jax.tree.leaves(whole), strict=True):
        np.testing.assert_array_equal(x, y)


def test_nothing_else_is_recorded():
    _, record = _recorded()
    plies = sum(
        len(RECORDED.slow(*index).moves) for index in np.ndindex(RECORDED.groups, RECORDED.pairs, 2)
    )
    assert (record.game < IDLE).sum() == plies
    assert record.game.min() >= 0
    assert record.game.max() == IDLE
    busy = jax.tree.map(lambda x: x[record.game < IDLE], record.state)
    assert (jax.vmap(TIC_TAC_TOE.mover)(busy) != OVER).all()


def test_slots_do_not_idle_while_openings_are_left():
    game = _recorded()[1].game
    for side, numbers in ((0, range(7)), (1, range(7, 14))):
        for g in range(RECORDED.groups):
            for t, row in enumerate(game[:, side, g]):
                begun = set(game[: t + 1, :, g].ravel().tolist())
                assert set(numbers) <= begun or (row < IDLE).all()


def _outcomes(learns: list[list[bool]]) -> tuple[alphazero.Dataset, np.ndarray]:
    """The dataset of one side or both, and which seats are to move in its positions."""
    scores, record = _recorded()
    policy = record.aux
    search_target = alphazero.SearchTarget(
        np.argsort(policy), np.sort(policy), policy[..., 0], policy[..., 0] > 2
    )
    record = record._replace(aux=search_target)
    # The results count, not what was expected meanwhile.
    learner = alphazero.AlphaZeroConfig(td_lambda=1.0).make(TIC_TAC_TOE, Rules(TIC_TAC_TOE))
    data = learner.make_dataset(record, scores, np.array(learns))
    return data, np.asarray(jax.vmap(TIC_TAC_TOE.mover)(data.state))


@pytest.mark.parametrize("side", [0, 1])
def test_a_dataset_gives_each_position_the_outcome_for_its_mover(side: int):
    # Only the second match is learnt from, and only the moves of one side.
    learns = np.zeros((2, 3), bool)
    learns[side, 1] = True
    data, movers = _outcomes(learns.tolist())
    a, b = (Side(Ranked(TIC_TAC_TOE), weights[1]) for weights in RECORDED.weights())
    for n in range(len(data.outcome)):
        state = jax.tree.map(lambda x, n=n: x[n], data.state)
        rest = slow(TIC_TAC_TOE, a, b, state, a_begins=side == 0)
        mine = rest.score if side == 0 else 1 - rest.score
        assert data.outcome[n] == pytest.approx(2 * mine - 1, abs=1e-6)
        assert data.search_target.move[n, -1] == rest.moves[0]
        final = jax.tree.map(lambda x, n=n: x[n], data.final)
        jax.tree.map(np.testing.assert_array_equal, final, rest.states[-1])
    assert {0, 1} == set(movers.tolist())
    assert {-1.0, 1.0} <= set(np.rint(data.outcome).tolist())
    moves = [RECORDED.slow(1, p, j).moves for p, j in np.ndindex(7, 2)]
    begins = [(j == 0) == (side == 0) for _, j in np.ndindex(7, 2)]
    assert len(data.outcome) == sum(
        len(m[0 if b else 1 :: 2]) for m, b in zip(moves, begins, strict=True)
    )


def test_a_dataset_leaves_out_who_does_not_learn():
    every, none = [[True] * 3] * 2, [[False] * 3] * 2
    sides = [[[True] * 3, [False] * 3], [[False] * 3, [True] * 3]]
    counts = [len(_outcomes(learns)[0].outcome) for learns in (every, none, *sides)]
    assert counts[0] == (_recorded()[1].game < IDLE).sum() == counts[2] + counts[3]
    assert counts[1] == 0


# --- the judge ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class SecondWins(Judge):
    """Says that seat 1 has won, whatever happened."""

    def verdict(self, finals: Any) -> jax.Array:
        return jnp.full(jax.tree.leaves(finals)[0].shape[0], -1.0)


def test_the_judge_alone_says_who_won():
    setting = SETTINGS[1]
    openings = setting.openings()
    table = setting.match(judge=SecondWins())
    played = table.play(*setting.weights(), keys=setting.keys(), openings=openings)
    begins = np.asarray(jax.vmap(jax.vmap(setting.game.mover))(openings))
    assert {0, 1} == set(begins.ravel().tolist())
    np.testing.assert_array_equal(played.scores, np.stack([begins == 1, begins == 0], -1))


def test_a_judge_that_gives_the_loser_the_win_mirrors_the_scores():
    setting = SETTINGS[4]
    table = setting.match(judge=Inverted(setting.game))
    played = table.play(*setting.weights(), keys=setting.keys(), openings=setting.openings())
    np.testing.assert_array_equal(played.scores, 1 - setting.slow_scores())


# --- what results depend on --------------------------------------------------------------------


def test_results_do_not_depend_on_the_number_of_devices(tmp_path: Path):
    script = (
        "from league.cli import device; device.prepare(); import jax;"
        "from tests.arena import test_device_loop as t;"
        "print(jax.device_count(), t.SETTINGS[1].scores().ravel().tolist())"
    )
    runs = []
    for devices in (1, 2):
        settings = {"ARENA_CPU_DEVICES": str(devices), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        environment = {**os.environ, **settings, "JAX_PLATFORMS": "cpu"}
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE
            )
        )
    expected = SETTINGS[1].slow_scores().ravel().tolist()
    for devices, run in zip((1, 2), runs, strict=True):
        said, _ = run.communicate(timeout=120)
        assert said.decode().strip() == f"{devices} {expected}"


# --- chance ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker", "backgammon"])
def test_with_chance_each_agent_moves_in_its_own_seat_and_games_are_scored_by_the_rules(name: str):
    game, pairs = games.load(name), 6
    policy = uniform.Uniform(game)
    starts = random_openings(game, jax.random.key(0), shape=(2, pairs), plies=0)
    table = Match(game, policy, policy, judge=Rules(game), slots=4, record=True)
    played = table.play((), (), keys=jax.random.split(jax.random.key(1), 2), openings=starts)
    scores, record = jax.tree.map(np.asarray, (played.scores, played.record))
    asked = record.game < 2 * pairs
    first = np.asarray(jax.vmap(jax.vmap(game.mover))(starts))
    assert np.isin(first, (0, 1)).all()  # cards are dealt, dice are thrown
    mover = np.asarray(jax.jit(_over_grid(game.mover))(record.state))
    _, side, group, _ = np.nonzero(asked)
    number = record.game[asked]
    seat_of_a = first[group, number % pairs] ^ (number // pairs)
    np.testing.assert_array_equal(mover[asked] == seat_of_a, side == 0)
    best = np.abs(2 * scores - 1).max()
    assert 0 < best <= 1
    assert len(np.unique(number * 2 + group)) == 4 * pairs  # each game of each match was played


def _over_grid(function: Any) -> Any:
    for _ in range(4):
        function = jax.vmap(function)
    return function
