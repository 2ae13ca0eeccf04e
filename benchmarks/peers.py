"""Other people's implementations, as sides of `benchmarks.games` and `benchmarks.search`."""

import time
import warnings
from functools import cache
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.sides import CONSIDERED, Runner, Searcher, Setting, compiled

_PGX = {
    "animal_shogi": "animal_shogi",
    "backgammon": "backgammon",
    "chess": "chess",
    "connect_four": "connect_four",
    "gardner_chess": "gardner_chess",
    "go:size=9": "go_9x9",
    "go": "go_9x9",
    "go:size=19": "go_19x19",
    "hex": "hex",
    "hex:size=11": "hex",
    "hex:swap=true": "hex",
    "kuhn_poker": "kuhn_poker",
    "leduc_poker": "leduc_holdem",
    "othello": "othello",
    "tic_tac_toe": "tic_tac_toe",
}
_OPEN_SPIEL = {
    "backgammon": "backgammon",
    "breakthrough": "breakthrough",
    "chess": "chess",
    "connect_four": "connect_four",
    "dark_hex": "dark_hex",
    "english_draughts": "checkers",
    "go": "go(board_size=9)",
    "go:size=9": "go(board_size=9)",
    "go:size=13": "go(board_size=13)",
    "go:size=19": "go(board_size=19)",
    "gomoku": "gomoku",
    "hex": "hex(board_size=11)",
    "hex:size=11": "hex(board_size=11)",
    "hex:size=19": "hex(board_size=19)",
    "hex:swap=true": "hex(board_size=11,swap=True)",
    "kuhn_poker": "kuhn_poker",
    "leduc_poker": "leduc_poker",
    "liars_dice": "liars_dice",
    "matrix": "turn_based_simultaneous_game(game=matrix_mp())",
    "nim": "nim(is_misere=False)",
    "nim:misere=true": "nim",
    "othello": "othello",
    "phantom_tic_tac_toe": "phantom_ttt",
    "rock_paper_scissors": "turn_based_simultaneous_game(game=matrix_rps())",
    "tic_tac_toe": "tic_tac_toe",
}


def in_pgx(spec: str) -> bool:
    """Whether pgx has the game."""
    return spec in _PGX


def in_open_spiel(spec: str) -> bool:
    """Whether OpenSpiel has the game."""
    return spec in _OPEN_SPIEL


@cache
def pgx_env(spec: str) -> Any:
    """A game of pgx."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgx

        return pgx.make(_PGX[spec])  # pyright: ignore[reportArgumentType]


def pgx(spec: str, batch: int) -> Runner:
    """pgx's `step` with its own `auto_reset`; a step always computes observation and legal mask."""
    env = pgx_env(spec)
    step = import_module("pgx.experimental.wrappers").auto_reset(env.step, env.init)

    def iterate(carry, key):
        state, total = carry
        draw, key = jax.random.split(key)
        logits = jnp.where(state.legal_action_mask, 0.0, -jnp.inf)
        state = step(state, jax.random.categorical(draw, logits), key)
        return state, total + state.observation.sum(dtype=jnp.float32)

    def loop(carry, length):
        def body(now, carry):
            keys = jax.random.split(jax.random.fold_in(jax.random.key(0), now), batch)
            return jax.vmap(iterate)(carry, keys)

        return jax.lax.fori_loop(0, length, body, carry)

    states = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.key(0), batch))
    carry = states, jnp.zeros(batch)
    began = time.perf_counter()
    compiled = jax.jit(loop).lower(carry, 1).compile()
    compile_s = time.perf_counter() - began

    def run(steps: int) -> int:
        length = max(1, steps // batch)
        jax.block_until_ready(compiled(carry, jnp.int32(length)))
        return length * batch

    state_bytes = sum(x.nbytes for x in jax.tree.leaves(states)) // batch
    return Runner("pgx", "observed", batch, run, compile_s, state_bytes)


@cache
def _mean_length(name: str, count: int = 3000) -> float:
    """Mean number of moves in a random game of OpenSpiel, chance left out."""
    import pyspiel

    game, rng, total = pyspiel.load_game(name), np.random.default_rng(0), 0
    count = min(count, 3_000_000 // game.max_game_length())
    for _ in range(count):
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                _draw(state, rng)
                continue
            legal = state.legal_actions()
            action = legal[int(rng.integers(len(legal)))]
            total += _moves(state, action)
            state.apply_action(action)
    return total / count


def _draw(state: Any, rng: np.random.Generator) -> None:
    """One chance outcome."""
    outcomes, chances = zip(*state.chance_outcomes(), strict=True)
    state.apply_action(int(rng.choice(outcomes, p=chances)))


def _moves(state: Any, action: int) -> int:
    """How many of our moves an action of OpenSpiel is: in backgammon it moves two checkers."""
    if not hasattr(state, "spiel_move_to_checker_moves"):
        return 1
    halves = state.spiel_move_to_checker_moves(state.current_player(), action)
    return max(1, sum(half.num > 0 for half in halves))


def open_spiel(spec: str) -> Runner:
    """OpenSpiel's own C++ loop of random games to the end; one thread, no Python in between.

    A search of one simulation does nothing but evaluate its root, here by random games.
    """
    import pyspiel

    game, rng = pyspiel.load_game(_OPEN_SPIEL[spec]), np.random.default_rng(0)
    length = _mean_length(_OPEN_SPIEL[spec])

    def run(steps: int) -> int:
        count = max(1, round(steps / length))
        evaluator = pyspiel.RandomRolloutEvaluator(count, steps)
        bot = pyspiel.MCTSBot(game, evaluator, 1.0, 1, 100, False, 0, False)
        root = game.new_initial_state()
        while root.is_chance_node():  # it searches only where a player is to move
            _draw(root, rng)
        bot.mcts_search(root)
        return round(count * length)

    return Runner("openspiel", "bare", 1, run)


def mctx_bytes(setting: Setting) -> int:
    """What the tree of a search by mctx takes: six arrays of moves, and pgx's whole state."""
    env = pgx_env(setting.game)
    state = jax.eval_shape(jax.vmap(env.init), jax.random.split(jax.random.key(0), 1))
    state_bytes = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state))
    nodes = setting.batch * (setting.simulations + 1)
    return nodes * (6 * 4 * env.num_actions + state_bytes)


def mctx(setting: Setting, plies: int) -> Searcher:
    """A search by mctx over pgx's rules."""
    mctx: Any = import_module("mctx")  # its types, by chex, do not say what it takes
    env, rows = pgx_env(setting.game), jnp.arange(setting.batch)
    nothing = jnp.zeros(setting.batch)

    def logits(state: Any) -> jax.Array:
        return jnp.where(state.legal_action_mask, 0.0, jnp.finfo(jnp.float32).min)

    def recurrent(params: Any, key: jax.Array, action: jax.Array, state: Any) -> tuple[Any, Any]:
        after = jax.vmap(env.step)(state, action)
        output = mctx.RecurrentFnOutput(
            reward=after.rewards[rows, state.current_player],
            discount=jnp.where(after.terminated, 0.0, -1.0),
            prior_logits=logits(after),
            value=nothing,
        )
        return output, after

    def run(state: Any, key: jax.Array) -> Any:
        root = mctx.RootFnOutput(prior_logits=logits(state), value=nothing, embedding=state)
        common = {
            "params": (),
            "rng_key": key,
            "root": root,
            "recurrent_fn": recurrent,
            "num_simulations": setting.simulations,
            "invalid_actions": ~state.legal_action_mask,
        }
        if setting.recipe == "gumbel":
            considered = min(CONSIDERED, env.num_actions)
            found = mctx.gumbel_muzero_policy(**common, max_num_considered_actions=considered)
        else:
            found = mctx.muzero_policy(**common)
        return found.action, found.action_weights

    return compiled("mctx", run, _opened(env, setting.batch, plies))


def _opened(env: Any, batch: int, plies: int) -> Any:
    """Positions after random moves; one that would have ended stays as it was."""

    def play(state: Any, key: jax.Array) -> tuple[Any, None]:
        draw = jnp.where(state.legal_action_mask, 0.0, -jnp.inf)
        after = env.step(state, jax.random.categorical(key, draw))
        return jax.tree.map(lambda a, b: jnp.where(after.terminated, a, b), state, after), None

    def start(key: jax.Array) -> Any:
        return jax.lax.scan(play, env.init(key), jax.random.split(key, plies))[0]

    return jax.jit(jax.vmap(start))(jax.random.split(jax.random.key(1), batch))
