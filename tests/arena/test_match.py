"""Matches: against a slow replay in plain Python, and what a record and an opening promise."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import uniform
from agents.learners import alphazero
from arena.evaluation.enumeration import raw
from arena.evaluation.solver import solve
from arena.judges.rules import Rules
from arena.play import device_loop, match
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.types import Agent, Decision, Judge
from games import OVER, Game

ROOT = Path(__file__).parents[2]
TIC_TAC_TOE, CONNECT_FOUR = games.load("tic_tac_toe"), games.load("connect_four")


# --- a game in which the seats do not alternate -------------------------------------------------


class Heap(NamedTuple):
    left: jax.Array  # i32[], coins on the heap
    seat: jax.Array  # i32[], who is to move, or who moved last


@dataclass(frozen=True)
class EvenKeepsTheTurn(Game):
    """Take one to five of 23 coins; who takes an even number moves again; the last coin wins."""

    num_actions = 5
    max_plies = 23
    facts = games.Facts()

    def init(self) -> Heap:
        return Heap(jnp.int32(23), jnp.int32(0))

    def mover(self, state: Heap) -> jax.Array:
        return jnp.where(state.left == 0, OVER, state.seat)

    def legal(self, state: Heap) -> jax.Array:
        return jnp.arange(1, 6) <= state.left

    def step(self, state: Heap, move: jax.Array) -> Heap:
        left = state.left - move - 1
        stays = (move % 2 == 1) | (left == 0)
        return Heap(left, jnp.where(stays, state.seat, 1 - state.seat))

    def payoff(self, state: Heap) -> jax.Array:
        return jnp.where(state.left == 0, 1.0 - 2.0 * state.seat.astype(jnp.float32), 0.0)

    def observe(self, state: Heap, seat: jax.Array) -> jax.Array:
        return state.left.astype(jnp.float32)[None]

    def show(self, state: Heap) -> str:
        return str(state)

    draw = show

    def label(self, state: Heap, move: int) -> str:
        return str(move + 1)

    def parse(self, state: Heap, text: str) -> int:
        return int(text) - 1


# --- agents that leave nothing to chance ------------------------------------------------------


@dataclass(frozen=True)
class Ranked:
    """Plays the legal move of the highest rank; its weights are the ranks f32[A].

    The ranks move on by one place with every stone. It notes its move as a one-hot policy.
    """

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        stones = jax.vmap(lambda s: self.game.observe(s, jnp.int32(0)).sum())(states)
        place = jnp.arange(self.game.num_actions) + stones.astype(jnp.int32)[:, None]
        ranks = jnp.repeat(params, len(stones) // keys.shape[0], 0)
        ranks = jnp.take_along_axis(ranks, place % self.game.num_actions, 1)
        ranks = jnp.where(jax.vmap(self.game.legal)(states), ranks, -1.0)
        move = jnp.argmax(ranks, -1).astype(jnp.int32)
        return Decision(move, jax.nn.one_hot(move, self.game.num_actions))


@dataclass(frozen=True)
class FirstLegal:
    """Plays the first legal move, whatever its weights."""

    game: Game

    def __call__(self, params: Any, keys: jax.Array, states: Any) -> Decision:
        move = jnp.argmax(jax.vmap(self.game.legal)(states), -1).astype(jnp.int32)
        return Decision(move, jax.nn.one_hot(move, self.game.num_actions))


def ranks(game: Game, groups: int, seed: int) -> np.ndarray:
    """Weights of `groups` different agents."""
    rows = np.tile(np.arange(game.num_actions, dtype=np.float32), (groups, 1))
    return np.random.default_rng(seed).permuted(rows, axis=1)


# --- the same in plain Python, one game and one move at a time --------------------------------


class Side(NamedTuple):
    policy: Any
    weights: np.ndarray


class Slow(NamedTuple):
    """A game: its positions, the last one over; its moves; what agent A scored."""

    states: list[Any]
    moves: list[int]
    score: float


@cache
def _rules(game: Game):
    def look(state: Any) -> tuple[jax.Array, ...]:
        stones = game.observe(state, jnp.int32(0)).sum()
        return game.mover(state), game.legal(state), game.payoff(state), stones

    return jax.jit(look), jax.jit(game.step)


def _slow_move(side: Side, legal: np.ndarray, stones: int) -> int:
    moves = np.flatnonzero(legal).tolist()
    if isinstance(side.policy, FirstLegal):
        return moves[0]
    return max(moves, key=lambda move: side.weights[(move + stones) % len(legal)])


def slow(game: Game, a: Side, b: Side, opening: Any, a_begins: bool) -> Slow:
    look, step = _rules(game)
    states, moves = [opening], []
    seat = int(look(opening)[0])
    a_seat = seat if a_begins else 1 - seat
    while True:
        mover, legal, payoff, stones = (np.asarray(x) for x in look(states[-1]))
        if mover == OVER:
            won = payoff if a_seat == 0 else -payoff
            return Slow(states, moves, {1.0: 1.0, 0.0: 0.5, -1.0: 0.0}[float(won)])
        moves.append(_slow_move(a if mover == a_seat else b, legal, int(stones)))
        states.append(step(states[-1], np.int32(moves[-1])))


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
            self.game, jax.random.key(self.pairs), (self.groups, self.pairs), self.plies
        )
        return jax.tree.map(np.asarray, drawn)

    def match(
        self, record: bool = False, judge: Judge | None = None, finals: bool = False
    ) -> Match:
        acts = self.policy_a(self.game), self.policy_b(self.game)
        return Match(self.game, *acts, judge or Rules(self.game), self.slots, record, finals)

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
        return np.asarray(self.match().play(*self.weights(), self.keys(), self.openings()).scores)


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


@pytest.mark.parametrize("setting", SETTINGS[:2], ids=["one policy", "two acts"])
def test_swapping_the_agents_mirrors_the_scores(setting: Setting):
    a, b = setting.weights()
    swapped = setting._replace(policy_a=setting.policy_b, policy_b=setting.policy_a)
    played = swapped.match().play(b, a, setting.keys(), setting.openings())
    np.testing.assert_array_equal(played.scores, 1 - setting.scores()[:, :, ::-1])


# --- the record -------------------------------------------------------------------------------

RECORDED = SETTINGS[0]
IDLE = 2 * RECORDED.pairs


@cache
def _recorded() -> tuple[np.ndarray, device_loop.Record]:
    played = RECORDED.match(record=True, finals=True).play(
        *RECORDED.weights(), RECORDED.keys(), RECORDED.openings()
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
    monkeypatch.setattr(match, "_PIECE", 7)
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
    """The harvest of one side or both, and which seats its positions have to move."""
    scores, record = _recorded()
    policy = record.aux
    search_target = alphazero.SearchTarget(
        np.argsort(policy), np.sort(policy), policy[..., 0], policy[..., 0] > 2
    )
    record = record._replace(aux=search_target)
    patient = alphazero.AlphaZeroConfig(
        trace=1.0
    )  # the results count, not what was expected meanwhile
    data = alphazero.harvest(TIC_TAC_TOE, patient, record, scores, np.array(learns))
    return data, np.asarray(jax.vmap(TIC_TAC_TOE.mover)(data.state))


@pytest.mark.parametrize("side", [0, 1])
def test_harvest_gives_each_position_the_outcome_for_its_mover(side: int):
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


def test_harvest_leaves_out_who_does_not_learn():
    every, none = [[True] * 3] * 2, [[False] * 3] * 2
    sides = [[[True] * 3, [False] * 3], [[False] * 3, [True] * 3]]
    counts = [len(_outcomes(learns)[0].outcome) for learns in (every, none, *sides)]
    assert counts[0] == (_recorded()[1].game < IDLE).sum() == counts[2] + counts[3]
    assert counts[1] == 0


# --- the judge --------------------------------------------------------------------------------


@dataclass(frozen=True)
class SecondWins(Judge):
    """Says that seat 1 has won, whatever happened."""

    def verdict(self, finals: Any) -> jax.Array:
        return jnp.full(jax.tree.leaves(finals)[0].shape[0], -1.0)


def test_the_judge_alone_says_who_won():
    setting = SETTINGS[1]
    openings = setting.openings()
    played = setting.match(judge=SecondWins()).play(*setting.weights(), setting.keys(), openings)
    begins = np.asarray(jax.vmap(jax.vmap(setting.game.mover))(openings))
    assert {0, 1} == set(begins.ravel().tolist())
    np.testing.assert_array_equal(played.scores, np.stack([begins == 1, begins == 0], -1))


# --- what results depend on -------------------------------------------------------------------


def test_results_do_not_depend_on_the_number_of_devices(tmp_path: Path):
    script = (
        "from league import device; device.prepare(); import jax;"
        "from tests.arena import test_match as t;"
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


def test_a_match_depends_on_the_key_and_its_number_alone():
    agents = [uniform.make(TIC_TAC_TOE, "")] * 3
    one, two, other = (
        match.play(agents, agents, TIC_TAC_TOE, jax.random.key(seed), 20, 2, groups, 8)
        for seed, groups in ((3, 1), (3, 2), (4, 2))
    )
    assert one.shape == (3, 20, 2)
    np.testing.assert_array_equal(one, two)
    assert (one[0] != one[1]).any()
    assert (one != other).any()


def test_play_meets_each_agent_with_its_own_opponent():
    a, b = (
        [Agent(str(n), Ranked(TIC_TAC_TOE), row) for n, row in enumerate(ranks(TIC_TAC_TOE, 3, s))]
        for s in (1, 2)
    )
    scores = match.play(a, b, TIC_TAC_TOE, jax.random.key(3), 6, 3, groups=2, slots=4)
    for i in range(3):
        start = jax.random.fold_in(jax.random.fold_in(jax.random.key(3), i), 1)
        openings = random_openings(TIC_TAC_TOE, start, (6,), 3)
        for p, j in np.ndindex(6, 2):
            opening = jax.tree.map(lambda x, p=p: x[p], openings)
            first, second = (Side(agent.policy, agent.params) for agent in (a[i], b[i]))
            expected = slow(TIC_TAC_TOE, first, second, opening, a_begins=j == 0)
            assert scores[i, p, j] == expected.score


# --- chance and games in which the seats do not alternate ----------------------------------------


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker", "backgammon"])
def test_with_chance_each_agent_moves_in_its_own_seat_and_games_are_scored_by_the_rules(name: str):
    game, pairs = games.load(name), 6
    policy = uniform.Uniform(game)
    starts = random_openings(game, jax.random.key(0), (2, pairs), 0)
    table = Match(game, policy, policy, Rules(game), slots=4, record=True)
    played = table.play((), (), jax.random.split(jax.random.key(1), 2), starts)
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


def test_pairs_of_poker_hands_are_the_same_cards():
    """Two uniform players, each hand dealt twice with the seats swapped: nobody gains."""
    game = games.load("kuhn_poker")
    agent = uniform.make(game, "")
    scores = match.play([agent], [agent], game, jax.random.key(0), 4000, 0, 1, 500)[0]
    pairs = scores.mean(1)
    assert abs(pairs.mean() - 0.5) < 4 * pairs.std() / np.sqrt(len(pairs))
    # Uniform play gives seat 0 an eighth of a chip a hand, by enumeration; the most is two.
    seat_0 = np.concatenate([scores[:, 0], 1 - scores[:, 1]])
    assert seat_0.mean() == pytest.approx(0.5 + 0.5 * 0.125 / 2, abs=4 * float(seat_0.std()) / 89)


# --- openings ---------------------------------------------------------------------------------


def _stones(states: Any) -> np.ndarray:
    look = jax.vmap(lambda s: TIC_TAC_TOE.observe(s, jnp.int32(0)).sum())
    return np.asarray(look(states)).astype(int)


def test_openings_are_never_over_and_legal():
    states = random_openings(TIC_TAC_TOE, jax.random.key(0), (2000,), 8)
    assert (jax.vmap(TIC_TAC_TOE.mover)(states) != OVER).all()
    assert set(raw(states).tolist()) <= set(raw(solve(TIC_TAC_TOE).states).tolist())
    assert set(_stones(states).tolist()) == set(range(9))


def test_openings_are_of_every_length_equally_often():
    # No game ends within four plies, so none is drawn anew.
    states = random_openings(TIC_TAC_TOE, jax.random.key(1), (5, 500), 4)
    assert states.mine.shape == (5, 500)
    counts = np.bincount(_stones(jax.tree.map(jnp.ravel, states)))
    # Chi-square with 4 degrees of freedom: below 23.5 in all but one of 10,000 cases.
    assert len(counts) == 5
    assert ((counts - 500) ** 2 / 500).sum() < 23.5


def test_openings_depend_on_the_key_alone():
    draw = [
        _rows(random_openings(TIC_TAC_TOE, jax.random.key(seed), (5, 500), 4)) for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert (draw[0] != draw[2]).any()


def test_without_plies_every_opening_is_the_start():
    states = random_openings(CONNECT_FOUR, jax.random.key(1), (3, 4), 0)
    assert all((np.asarray(x) == 0).all() for x in jax.tree.leaves(states))
