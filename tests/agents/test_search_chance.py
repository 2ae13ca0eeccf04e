"""Search where chance moves: against exact expectations."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import mcts, search, uniform
from agents.search import Edges, Kernel, Root, RootSummary
from arena.evaluation import score
from arena.judges.rules import Rules
from arena.play import match
from arena.types import Judge
from games import CHANCE, OVER, Facts, Game
from games.backgammon import Backgammon
from games.backgammon import State as Position
from tests.helpers.playouts import playouts


def _evenly(edges: Edges) -> tuple[jax.Array, jax.Array]:
    """Every move as often as the others."""
    return -edges.visits, jnp.full_like(edges.next_prior, jnp.inf)


def _ucb(edges: Edges) -> tuple[jax.Array, jax.Array]:
    n = jnp.log(jnp.maximum(edges.node_visits - 1.0, 1.0))
    bound = edges.q + jnp.sqrt(n / jnp.maximum(edges.visits, 1.0))
    return bound, jnp.full_like(n, jnp.inf)


def _search(game: Game, judge: Judge, simulations: int, seed: int, roots: Any) -> RootSummary:
    """All root moves evenly, UCB below, no opinion of anything."""
    legal = jax.vmap(game.legal)(roots)

    def evaluate(keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros(legal.shape), jnp.zeros(len(legal))

    root = Root(legal.astype(jnp.float32), jnp.zeros(len(legal)))
    keys = jax.random.split(jax.random.key(seed), 1)
    kernel = Kernel(game, judge, _evenly, _ucb)
    return search.search(kernel, evaluate, roots, keys=keys, simulations=simulations, root=root)


# --- a wager ---------------------------------------------------------------------------------


class Wager(NamedTuple):
    """Seat 0 chooses a die of four sides, it is thrown, and seat 1 chooses what that pays."""

    ply: Any  # i32[]
    place: Any  # i32[]
    dice: Any  # f32[2, 4], chances
    worth: Any  # f32[2 · 4 · 2]


@dataclass(frozen=True)
class Wagers(Game):
    """Games whose value can be added up by hand."""

    num_actions = 2
    num_outcomes = 4
    max_plies = 3
    facts = Facts()

    def init(self) -> Wager:
        return Wager(jnp.int32(0), jnp.int32(0), jnp.full((2, 4), 0.25), jnp.zeros(16))

    def mover(self, state: Wager) -> jax.Array:
        return jnp.array([0, CHANCE, 1, OVER])[state.ply]

    def legal(self, state: Wager) -> jax.Array:
        return jnp.ones(2, bool)

    def chance(self, state: Wager) -> jax.Array:
        return state.dice[state.place]

    def step(self, state: Wager, move: jax.Array) -> Wager:
        sides = jnp.where(state.ply == 1, 4, 2)
        return state._replace(ply=state.ply + 1, place=state.place * sides + move)

    def payoff(self, state: Wager) -> jax.Array:
        return jnp.where(state.ply == 3, state.worth[state.place], 0.0)

    def observe(self, state: Wager, seat: jax.Array) -> jax.Array:
        return jnp.zeros(1)

    def show(self, state: Wager) -> str:
        return str(state.place)

    def draw(self, state: Wager) -> str:
        return "<svg/>"

    def label(self, state: Wager, move: int) -> str:
        return str(move)

    def parse(self, state: Wager, text: str) -> int:
        return int(text)


def test_a_chance_node_is_worth_its_expectation():
    rng, count = np.random.default_rng(0), 100
    dice = rng.dirichlet(np.ones(4), (count, 2)).astype(np.float32)
    worth = rng.uniform(-1, 1, (count, 2, 4, 2)).astype(np.float32)
    exact = (dice * worth.min(-1)).sum(-1)  # seat 1 takes what is worst for seat 0
    nothing = np.zeros(count, np.int32)
    roots = Wager(nothing, nothing, dice, worth.reshape(count, -1))
    error = []
    for simulations in (200, 2000):
        run = jax.jit(partial(_search, Wagers(), Rules(Wagers()), simulations, 0))
        edges, moves, _ = jax.tree.map(np.asarray, run(roots))
        assert (moves[:2] == np.arange(2)[:, None]).all()
        error.append(np.abs(edges.q[:2].T - exact).mean())
    # What UCT gives up while exploring falls like log n / n, from 25 visits of a side to 250:
    # (log 250 / 250) / (log 25 / 25) = 0.17; twice that is granted.
    assert error[1] < 0.34 * error[0]
    clear = np.abs(exact[:, 0] - exact[:, 1]) > 0.1
    assert clear.sum() > 50
    np.testing.assert_array_equal(edges.q[:2, clear].argmax(0), exact[clear].argmax(1))


# --- backgammon ------------------------------------------------------------------------------


class Rolled(NamedTuple):
    """A position of backgammon, and whether the dice have been thrown since."""

    position: Position
    rolled: Any  # bool[]


@dataclass(frozen=True)
class OneRoll(Backgammon):
    """Backgammon that ends with the next roll of the dice."""

    def mover(self, state: Any) -> jax.Array:
        return jnp.where(state.rolled, OVER, super().mover(state.position))

    def legal(self, state: Any) -> jax.Array:
        return super().legal(state.position)

    def chance(self, state: Any) -> jax.Array:
        return super().chance(state.position)

    def step(self, state: Any, move: jax.Array) -> Any:
        rolling = super().mover(state.position) == CHANCE
        return Rolled(super().step(state.position, move), rolling)


@dataclass(frozen=True)
class Arbitrary(Judge):
    """A fixed evaluation in [-1, 1] that has no reason: a hash of board and dice."""

    def verdict(self, finals: Any) -> jax.Array:
        words = jax.tree.leaves(finals.position)
        odd = np.random.default_rng(0).integers(0, 2**31, len(words), np.uint32) * 2 + 1
        mixed = sum((a * x for a, x in zip(odd, words, strict=True)), jnp.uint32(0))
        mixed = (mixed ^ mixed >> 15) * jnp.uint32(0x2C1B3C6D)
        mixed = (mixed ^ mixed >> 12) * jnp.uint32(0x297A2D39)
        return (mixed >> 8).astype(jnp.float32) / 2**23 - 1


def _last_checkers(count: int) -> Any:
    """Positions of backgammon in which one die is left, so that a roll follows any move."""
    game = games.load("backgammon")
    played = playouts(game, 200, seed=1)
    states = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), played.states)
    several = np.asarray(jax.vmap(game.legal)(states)).sum(1) > 3
    last = (states.dice > 0) & (states.dice < 7) & (played.movers.reshape(-1) >= 0) & several
    rows = np.random.default_rng(0).choice(np.flatnonzero(last), count, replace=False)
    return jax.tree.map(lambda x: jnp.asarray(x[rows]), states)


def _expected(game: Game, roots: Any) -> tuple[np.ndarray, np.ndarray]:
    """The exact worth of every move to the mover, f32[B, 51], and which moves are legal."""
    moves, outcomes = jnp.arange(game.num_actions), jnp.arange(game.num_outcomes)

    def worth(state: Any, move: jax.Array) -> jax.Array:
        after = game.step(state, move)
        finals = jax.vmap(game.step, (None, 0))(after, outcomes)
        return (game.chance(after) * Arbitrary().verdict(finals)).sum()

    def each(state: Any) -> jax.Array:
        signs = jnp.where(game.mover(state) == 0, 1.0, -1.0)
        return signs * jax.vmap(partial(worth, state))(moves)

    return np.asarray(jax.jit(jax.vmap(each))(roots)), np.asarray(jax.vmap(game.legal)(roots))


@pytest.mark.slow
def test_backgammon_moves_are_worth_the_expectation_over_all_dice():
    game, count = OneRoll(), 32
    roots = Rolled(_last_checkers(count), jnp.zeros(count, bool))
    exact, legal = _expected(game, roots)
    error = []
    for simulations in (300, 3000):
        run = jax.jit(partial(_search, game, Arbitrary(), simulations, 0))
        edges, moves, _ = jax.tree.map(np.asarray, run(roots))
        slot, row = np.nonzero(moves < game.num_actions)
        assert len(slot) == legal.sum()
        deviation = edges.q[slot, row] - exact[row, moves[slot, row]]
        error.append(np.sqrt(np.square(deviation).mean()))
    # Independent draws would leave 1/√10 of the error, and draws spread evenly leave 1/10.
    assert error[1] < 0.25 * error[0]
    # Independent draws of values with a deviation of 1/√3 would leave this, for the mean move.
    assert error[1] < 0.5 / np.sqrt(3 * 3000 / legal.sum(1).mean())


@pytest.mark.slow
def test_mcts_plays_backgammon_better_than_chance():
    game = games.load("backgammon")
    agent, floor = mcts.make(game, "20"), uniform.make(game, "")
    played = match.play(
        [agent], [floor], game, key=jax.random.key(0), pairs=16, plies=16, groups=1, slots=16
    )
    assert score.of(played[0]).score > 0.7
