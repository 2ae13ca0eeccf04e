"""Search: against mctx, against planted and exact answers, and what it promises of itself."""

from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import search
from agents.search import Edges, Kernel, PolicyOutput, Root, RootSummary
from agents.search.gumbel import _halving
from arena.evaluation.solver import solve
from arena.judges.rules import Rules
from arena.types import Judge
from games import OVER, Facts, Game
from tests.helpers.false_judge import Inverted
from tests.helpers.playouts import playouts

mctx: Any = import_module("mctx")  # its types, by chex, do not say what it takes
TIC_TAC_TOE = games.load("tic_tac_toe")
LOWEST = float(np.finfo(np.float32).min)


def uninformed(game: Game, keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
    """No opinion of anything."""
    count = jax.tree.leaves(states)[0].shape[0]
    return jnp.zeros((count, game.num_actions)), jnp.zeros(count)


@cache
def _weights(cells: int, columns: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2**32, (cells, columns), np.uint32)


def scrambled(game: Game, keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
    """Arbitrary logits in [-3, 3) and values in [-1, 1) that depend on the position alone.

    An integer hash of the mover's view: free of rounding, however it is compiled.
    """
    mover = jnp.maximum(jax.vmap(game.mover)(states), 0)
    seen = jax.vmap(game.observe)(states, mover)
    seen = seen.reshape(seen.shape[0], -1).astype(jnp.uint32)
    mixed = seen @ _weights(seen.shape[1], game.num_actions + 1)
    mixed = (mixed ^ (mixed >> 15)) * jnp.uint32(0x2C1B3C6D)
    mixed = (mixed ^ (mixed >> 12)) * jnp.uint32(0x297A2D39)
    random = (mixed >> 8).astype(jnp.float32) / 2**23 - 1
    return 3 * random[:, :-1], random[:, -1]


@cache
def _gumbel(game: Game, evaluate: Any, simulations: int, judge: Judge, prove: bool):
    """Jitted: positions [B, ...] and noise f32[B, A] to what the search makes of them."""

    def run(states: Any, noise: jax.Array) -> PolicyOutput:
        keys = jax.random.split(jax.random.key(0), 1)
        return search.gumbel(
            game,
            partial(evaluate, game),
            states,
            keys=keys,
            simulations=simulations,
            noise=noise,
            judge=judge,
            prove=prove,
        )

    return jax.jit(run)


def gumbel(
    game: Game,
    evaluate: Any,
    states: Any,
    simulations: int,
    noise: Any = None,
    judge: Judge | None = None,
    prove: bool = False,
) -> PolicyOutput:
    if noise is None:
        noise = np.zeros((len(jax.tree.leaves(states)[0]), game.num_actions), np.float32)
    run = _gumbel(game, evaluate, simulations, judge or Rules(game), prove)
    return jax.tree.map(np.asarray, run(states, noise))


def positions(game: Game, count: int) -> Any:
    """Distinct positions of random games in which a seat is to move."""
    played = playouts(game, 400, seed=1)
    states = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), played.states)
    words = np.stack([np.asarray(x) for x in jax.tree.leaves(states)], -1)
    _, first = np.unique(words, axis=0, return_index=True)
    first = first[played.movers.reshape(-1)[first] != OVER]
    rows = np.random.default_rng(2).choice(first, count, replace=False)
    return jax.tree.map(lambda x: x[rows], states)


def legal_of(game: Game, states: Any) -> np.ndarray:
    return np.asarray(jax.jit(jax.vmap(game.legal))(states))


# --- mctx -----------------------------------------------------------------------------------


def _choose(where: jax.Array, old: jax.Array, new: jax.Array) -> jax.Array:
    return jnp.where(where.reshape(-1, *(1,) * (new.ndim - 1)), old, new)


def _mctx_model(game: Game, evaluate: Any):
    """The rules as mctx wants them.

    A value is the mover's, so it changes sign with the seat (discount -1); an ended game pays a
    reward to who ended it and stays as it is, worth nothing more (discount 0). So mctx goes on
    below ended games, where nothing happens, and both searches count the same values.
    """

    def model(params: Any, key: jax.Array, action: jax.Array, before: Any):
        seat = jax.vmap(game.mover)(before)
        ended = seat == OVER
        after = jax.vmap(game.step)(before, action)
        after = jax.tree.map(partial(_choose, ended), before, after)
        next_seat = jax.vmap(game.mover)(after)
        over = next_seat == OVER
        payoff = Rules(game).verdict(after)
        logits, value = evaluate(game, key, after)
        output = mctx.RecurrentFnOutput(
            reward=jnp.where(over & ~ended, jnp.where(seat == 0, payoff, -payoff), 0.0),
            discount=jnp.where(over, 0.0, jnp.where(next_seat == seat, 1.0, -1.0)),
            prior_logits=jnp.where(jax.vmap(game.legal)(after), logits, LOWEST),
            value=jnp.where(over, 0.0, value),
        )
        return output, after

    return model


@cache
def _mctx(recipe: str, game: Game, evaluate: Any, simulations: int):
    """Jitted: positions, key and scale of the noise to what mctx makes of them."""

    def run(states: Any, key: jax.Array, scale: jax.Array) -> PolicyOutput:
        logits, value = evaluate(game, key, states)
        logits = jnp.where(jax.vmap(game.legal)(states), logits, LOWEST)
        common = {
            "params": (),
            "rng_key": key,
            "root": mctx.RootFnOutput(prior_logits=logits, value=value, embedding=states),
            "recurrent_fn": _mctx_model(game, evaluate),
            "num_simulations": simulations,
            "invalid_actions": ~jax.vmap(game.legal)(states),
        }
        if recipe == "gumbel":
            out = mctx.gumbel_muzero_policy(
                **common, max_num_considered_actions=16, gumbel_scale=scale
            )
        else:
            out = mctx.muzero_policy(**common, dirichlet_fraction=0.25, temperature=0.0)
        return PolicyOutput(out.action, out.action_weights, out.search_tree.summary().value, ())

    # The peer runs once, so it is compiled in haste.
    return jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})


def _agrees_by_gumbel(game: Game, evaluate: Any, states: Any, simulations: int) -> None:
    """Without and with noise; nothing is left out of the comparison."""
    key, batch = jax.random.key(5), len(jax.tree.leaves(states)[0])
    for scale in (0.0, 1.0):
        # mctx/_src/policies.py: `rng_key, gumbel_rng = jax.random.split(rng_key)`.
        noise = scale * jax.random.gumbel(jax.random.split(key)[1], (batch, game.num_actions))
        ours = gumbel(game, evaluate, states, simulations, noise)
        with jax.numpy_dtype_promotion("standard"):
            theirs = _mctx("gumbel", game, evaluate, simulations)(states, key, scale)
        np.testing.assert_array_equal(ours.move, theirs.move)
        # Values are stretched, and times 0.1 times 50 plus the most visits: so is their rounding.
        rounding = 1e-7 * (50 + simulations)
        np.testing.assert_allclose(ours.policy, theirs.policy, atol=max(2e-5, 2 * rounding))
        np.testing.assert_allclose(ours.value, theirs.value, atol=1e-5)


def _agrees_by_puct(game: Game, evaluate: Any, states: Any, simulations: int) -> None:
    """The same visits under the same noise."""
    key, batch = jax.random.key(5), len(jax.tree.leaves(states)[0])
    # mctx/_src/policies.py: `rng_key, dirichlet_rng_key, search_rng_key = split(rng_key, 3)`.
    concentration = jnp.full(game.num_actions, 0.3)
    noise = jax.random.dirichlet(jax.random.split(key, 3)[1], concentration, (batch,))

    def run(states: Any) -> PolicyOutput:
        return search.puct(
            game,
            partial(evaluate, game),
            states,
            keys=key[None],
            simulations=simulations,
            noise=noise,
            gumbels=jnp.zeros_like(noise),
        )

    ours = jax.jit(run)(states)
    with jax.numpy_dtype_promotion("standard"):
        theirs = _mctx("puct", game, evaluate, simulations)(states, key, 0.0)
    visits = np.rint(simulations * np.asarray(ours.policy))
    assert (visits.sum(1) == simulations).all()
    np.testing.assert_array_equal(visits, np.rint(simulations * theirs.policy))
    np.testing.assert_array_equal(ours.move, visits.argmax(1))
    np.testing.assert_allclose(ours.value, theirs.value, atol=1e-5)


AGREES = {"gumbel": _agrees_by_gumbel, "puct": _agrees_by_puct}


@pytest.mark.parametrize(
    ("recipe", "name", "simulations"), [("gumbel", "connect_four", 16), ("puct", "tic_tac_toe", 32)]
)
def test_agrees_with_mctx(recipe: str, name: str, simulations: int):
    game = games.load(name)
    AGREES[recipe](game, scrambled, positions(game, 64), simulations)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["gumbel", "puct"])
@pytest.mark.parametrize(
    ("name", "simulations"), [("connect_four", 100), ("tic_tac_toe", 200), ("othello", 32)]
)
def test_agrees_with_mctx_on_a_thousand_positions(recipe: str, name: str, simulations: int):
    game = games.load(name)
    AGREES[recipe](game, scrambled, positions(game, 1000), simulations)


def test_halving_is_that_of_mctx():
    theirs = import_module("mctx._src.seq_halving").get_sequence_of_considered_visits
    for moves in range(20):
        for simulations in (*range(1, 40), 64, 100, 200, 333):
            assert tuple(_halving(moves, simulations)) == theirs(moves, simulations)


# --- planted trees --------------------------------------------------------------------------

INSIDE, LEAVES = 1 + 3 + 9, 27  # the children of node n are 3n + 1, 3n + 2, 3n + 3


class Spot(NamedTuple):
    """A node of a tree of depth 3, three moves each, that the position itself carries."""

    node: Any
    movers: Any  # i32[13]
    worth: Any  # f32[40], of each node to seat 0 under perfect play


@dataclass(frozen=True)
class PlantedTree(Game):
    """Any tree of depth 3; the seats need not alternate."""

    num_actions = 3
    max_plies = 3
    facts = Facts()

    def init(self) -> Spot:
        return Spot(jnp.int32(0), jnp.zeros(INSIDE, jnp.int32), jnp.zeros(INSIDE + LEAVES))

    def mover(self, state: Spot) -> jax.Array:
        inside = state.movers[jnp.minimum(state.node, INSIDE - 1)]
        return jnp.where(state.node < INSIDE, inside, OVER)

    def legal(self, state: Spot) -> jax.Array:
        return jnp.ones(3, bool)

    def step(self, state: Spot, move: jax.Array) -> Spot:
        return state._replace(node=3 * state.node + 1 + move)

    def payoff(self, state: Spot) -> jax.Array:
        return jnp.where(state.node < INSIDE, 0.0, state.worth[state.node])

    def observe(self, state: Spot, seat: jax.Array) -> jax.Array:
        return jnp.zeros(1)

    def show(self, state: Spot) -> str:
        return str(state.node)

    def draw(self, state: Spot) -> str:
        return "<svg/>"

    def label(self, state: Spot, move: int) -> str:
        return str(move)

    def parse(self, state: Spot, text: str) -> int:
        return int(text)


TREE = PlantedTree()
BY_PLY = {"XOX": (0, 1, 0), "OXO": (1, 0, 1), "XXO": (0, 0, 1), "OOX": (1, 1, 0), "XXX": (0, 0, 0)}


def _plant(seats: tuple[int, ...] | None, count: int) -> tuple[Spot, np.ndarray]:
    """Random trees, and what each root move is worth to the seat at the root f32[B, 3].

    The best root move is better than the next by 0.2 or more.
    """
    rng = np.random.default_rng(8)
    size = 20 * count
    if seats is None:
        movers = rng.integers(0, 2, (size, INSIDE), np.int32)
    else:
        movers = np.repeat(np.array([seats], np.int32), [1, 3, 9], 1).repeat(size, 0)
    worth = np.zeros((size, INSIDE + LEAVES), np.float32)
    worth[:, INSIDE:] = rng.uniform(-1, 1, (size, LEAVES))
    for node in reversed(range(INSIDE)):
        after = worth[:, 3 * node + 1 : 3 * node + 4]
        worth[:, node] = np.where(movers[:, node] == 0, after.max(1), after.min(1))
    moves = np.where(movers[:, :1] == 0, worth[:, 1:4], -worth[:, 1:4])
    clear = np.flatnonzero(np.diff(np.sort(moves), axis=1)[:, -1] > 0.2)[:count]
    assert len(clear) == count
    return Spot(np.zeros(count, np.int32), movers[clear], worth[clear]), moves[clear]


def oracle(game: Game, keys: jax.Array, states: Spot) -> tuple[jax.Array, jax.Array]:
    """What the mover gets under perfect play, and no prior."""
    worth = jnp.take_along_axis(states.worth, states.node[:, None], 1)[:, 0]
    first = jax.vmap(game.mover)(states) == 0
    return jnp.zeros((len(worth), 3)), jnp.where(first, worth, -worth)


def _ucb(simulations: int, roots: Spot) -> RootSummary:
    """UCT below the root, and every root move as often as the others."""

    def inside(edges: Edges) -> tuple[jax.Array, jax.Array]:
        n = jnp.log(jnp.maximum(edges.node_visits - 1.0, 1.0))
        bound = edges.q + jnp.sqrt(n / jnp.maximum(edges.visits, 1.0))
        return bound, jnp.full_like(n, jnp.inf)

    def at_root(edges: Edges) -> tuple[jax.Array, jax.Array]:
        return -edges.visits, jnp.full_like(edges.next_prior, jnp.inf)

    keys = jax.random.split(jax.random.key(0), 1)
    count = roots.node.shape[0]
    return search.search(
        Kernel(TREE, Rules(TREE), at_root, inside),
        partial(uninformed, TREE),
        roots,
        keys=keys,
        simulations=simulations,
        root=Root(jnp.ones((count, 3)), jnp.zeros(count)),
    )


@cache
def planted() -> tuple[Spot, np.ndarray]:
    """40 trees of each kind, and the worth of their root moves to the seat at the root."""
    roots, worth = zip(*[_plant(seats, 40) for seats in (*BY_PLY.values(), None)], strict=True)
    return jax.tree.map(lambda *x: np.concatenate(x), *roots), np.concatenate(worth)


def test_the_kernel_converges_to_minimax_whoever_moves():
    roots, worth = planted()
    error = []
    for simulations in (150, 1500):
        edges, moves, _ = jax.tree.map(np.asarray, jax.jit(partial(_ucb, simulations))(roots))
        assert (edges.visits == simulations / 3).all()
        assert (moves == np.arange(3)[:, None]).all()
        error.append(np.abs(edges.q.T - worth).reshape(-1, 40, 3).mean((1, 2)))
    np.testing.assert_array_equal(edges.q.argmax(0), worth.argmax(1))
    # What UCT gives up while exploring falls like log n / n, here from 50 visits to 500:
    # (log 500 / 500) / (log 50 / 50) = 0.16; twice that is granted.
    assert (error[1] < 0.32 * error[0]).all()
    assert (error[1] < 0.1).all()


def by_node(game: Game, keys: jax.Array, states: Spot) -> tuple[jax.Array, jax.Array]:
    """Arbitrary logits and values, by the number of the node."""
    table = np.random.default_rng(6).uniform(-1, 1, (INSIDE + LEAVES, 4)).astype(np.float32)
    # A node below the leaves is one that mctx asks about before it sees that the game is over.
    row = jnp.asarray(table)[jnp.minimum(states.node, len(table) - 1)]
    return 3 * row[:, :3], row[:, 3]


def test_gumbel_agrees_with_mctx_whoever_moves():
    _agrees_by_gumbel(TREE, by_node, planted()[0], 32)


def test_gumbel_finds_the_planted_move_by_a_perfect_evaluator():
    # Where the same seat moves again and again it may fail, as mctx does: a node's values are
    # stretched the more, the more it is visited, so what looks bad at first is not tried again.
    roots, worth = planted()
    found = gumbel(TREE, oracle, roots, 64)
    right = (found.move == worth.argmax(1)).reshape(-1, 40).mean(1)
    np.testing.assert_array_equal(right[:4], 1)
    assert (right > 0.8).all()


# --- exact answers ---------------------------------------------------------------------------


def test_more_simulations_play_tic_tac_toe_better():
    solution = solve(TIC_TAC_TOE)
    rows = np.random.default_rng(0).choice(len(solution.value), 250, replace=False)
    states = jax.tree.map(lambda x: x[rows], solution.states)
    legal = legal_of(TIC_TAC_TOE, states)
    chance = (solution.optimal[rows].sum(1) / legal.sum(1)).mean()
    share = []
    for simulations in (8, 64, 512):
        found = gumbel(TIC_TAC_TOE, uninformed, states, simulations)
        share.append(solution.optimal[rows, found.move].mean())
    assert share[0] > chance + 0.1
    assert share == sorted(share)
    assert share[2] > 0.98


def _after(game: Game, *moves: int) -> Any:
    """The position after these moves, as a batch of one."""
    state = game.init()
    for move in moves:
        state = game.step(state, jnp.int32(move))
    return jax.tree.map(lambda x: np.asarray(x)[None], state)


def test_search_believes_the_judge():
    # X at 0 and 1, O at 3 and 4: X to move completes the top row at 2.
    state = _after(TIC_TAC_TOE, 0, 3, 1, 4)
    right = gumbel(TIC_TAC_TOE, uninformed, state, 32)
    wrong = gumbel(TIC_TAC_TOE, uninformed, state, 32, judge=Inverted(TIC_TAC_TOE))
    assert right.move[0] == 2
    assert right.policy[0, 2] > 0.9
    assert wrong.move[0] != 2
    assert wrong.policy[0, 2] < 0.1


def test_what_is_proven_is_true_whoever_moves():
    roots, worth = planted()
    found = gumbel(TREE, by_node, roots, 100, prove=True)
    assert found.proven.sum() > 20
    right = worth.max(1)[found.proven]
    np.testing.assert_array_equal(found.value[found.proven], right)
    moved = worth[np.arange(len(worth)), found.move][found.proven]
    np.testing.assert_array_equal(moved, right)


def test_proofs_solve_tic_tac_toe():
    """Against priors and values that mean nothing."""
    solution = solve(TIC_TAC_TOE)
    late = np.flatnonzero(legal_of(TIC_TAC_TOE, solution.states).sum(1) <= 5)
    states = jax.tree.map(lambda x: x[late], solution.states)
    found = gumbel(TIC_TAC_TOE, scrambled, states, 200, prove=True)
    proven = found.proven
    assert proven.mean() > 0.9
    np.testing.assert_array_equal(found.value[proven], solution.value[late][proven])
    assert solution.optimal[late, found.move][proven].all()
    # A move that is proven to be worse is not to be learnt.
    right = (found.policy * solution.optimal[late]).sum(1)
    won = proven & (solution.value[late] == 1)
    assert won.sum() > 1000
    assert (right[won] > 0.999).mean() > 0.9


def test_proofs_are_found_while_the_best_line_is_read():
    # X at 0 and 1, O at 3 and 4: whoever is to move wins at once; a reply to the threat draws.
    winning = gumbel(TIC_TAC_TOE, scrambled, _after(TIC_TAC_TOE, 0, 3, 1, 4), 200, prove=True)
    assert winning.proven[0]
    assert winning.move[0] == 2
    assert winning.value[0] == 1
    assert winning.policy[0, 2] > 0.999
    lost = gumbel(TIC_TAC_TOE, scrambled, _after(TIC_TAC_TOE, 0, 3, 1, 8, 4), 200, prove=True)
    assert lost.proven[0]
    assert lost.value[0] == -1


# --- what it promises of itself --------------------------------------------------------------


@cache
def _searched(seed: int | None) -> PolicyOutput:
    """Every position of tic-tac-toe searched, under noise by seed."""
    states = solve(TIC_TAC_TOE).states
    if seed is None:
        return gumbel(TIC_TAC_TOE, scrambled, states, 16)
    noise = np.random.default_rng(seed).gumbel(size=(len(states.mine), 9))
    return gumbel(TIC_TAC_TOE, scrambled, states, 16, noise.astype(np.float32))


@pytest.mark.parametrize("seed", [None, 4])
def test_moves_are_legal_and_policies_are_distributions(seed: int | None):
    legal = legal_of(TIC_TAC_TOE, solve(TIC_TAC_TOE).states)
    found = _searched(seed)
    assert legal[np.arange(len(legal)), found.move].all()
    assert (found.policy[~legal] == 0).all()
    np.testing.assert_allclose(found.policy.sum(1), 1, atol=1e-6)
    single = legal.sum(1) == 1
    assert single.sum() > 100
    np.testing.assert_allclose(found.policy[single][legal[single]], 1)
    assert (np.abs(found.value) <= 1).all()


def test_search_repeats_itself_and_noise_changes_it():
    once, again = _searched(4), _searched.__wrapped__(4)
    for x, y in zip(once, again, strict=True):
        np.testing.assert_array_equal(x, y)
    assert 0.1 < (_searched(None).move != once.move).mean() < 0.9


def test_a_position_does_not_care_for_its_neighbours():
    states = solve(TIC_TAC_TOE).states
    order = np.random.default_rng(7).permutation(len(states.mine))
    mixed = gumbel(TIC_TAC_TOE, scrambled, jax.tree.map(lambda x: x[order], states), 16)
    for x, y in zip(mixed[:3], _searched(None)[:3], strict=True):
        np.testing.assert_array_equal(x, y[order])
