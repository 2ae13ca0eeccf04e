"""How fast self-play is from end to end, with mctx over pgx's rules beside it.

    python -m benchmarks.selfplay --games connect_four othello --cores 2

A residual tower of 64 channels and 4 blocks with random weights, the same on both sides where pgx
shows as many planes as we do (it does in Connect Four and othello), Gumbel search of 32 simulations
from at most 16 root moves, noise and all, as many games in flight. `arena` plays matches as
training does: recorded, an XLA device for each core, with a cache of evaluations and proven values,
and the time until the last game has ended counts. `mctx` is `mctx.gumbel_muzero_policy` over pgx's
environment with its `auto_reset`, vmapped and compiled, as its users write it; it has been playing
for a while when the clock starts. Both play in turn.

Prints one JSON line a side, and one with the ratio of their moves per second (games are as long on
both sides, but for chance).
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import tyro

from agents.nn import networks
from agents.policies import SearchPolicy
from arena.judges.rules import Rules
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import stack
from benchmarks import peers
from benchmarks.games import processor
from benchmarks.sides import CONSIDERED
from games import load

_WARM = 24
"""Moves of every game in flight before the clock starts, at least: one game, about."""


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: which games.
      channels: of the tower.
      blocks: of the tower.
      simulations: of a move.
      batch: games in flight, a multiple of four times the cores.
      moves: of each game in flight, in one measurement of mctx.
      refills: how often each of our slots takes a new game in one measurement, on average.
      peer: measure mctx too.
      cores: how many to use, the first that this process may use; ignored on an accelerator.
      rounds: how often each side is measured.
      save: also write the lines, with versions and command, to this JSON file.
    """

    games: tuple[str, ...] = ("connect_four",)
    channels: int = 64
    blocks: int = 4
    simulations: int = 32
    batch: int = 128
    moves: int = 24
    refills: int = 4
    peer: bool = True
    cores: int = 2
    rounds: int = 3
    save: Path | None = None


class Rate(NamedTuple):
    """One measurement: moves and games per second."""

    moves: float
    games: float


def ours(spec: str, options: Options, config: networks.NetworkConfig) -> Callable[[int], Rate]:
    """Self-play matches; a function of the round."""
    game, matches = load(spec), jax.device_count()
    params = networks.initialise(game, config, jax.random.key(0))
    # As in the paper and in mctx: values are stretched, however close together.
    policy = SearchPolicy(
        game,
        config,
        options.simulations,
        max_considered_actions=CONSIDERED,
        explore=True,
        min_value_range=1e-8,
    )
    slots = options.batch // (2 * matches)
    table = device_loop.Match(game, policy, policy, judge=Rules(game), slots=slots, record=True)
    weights = stack([params] * matches)

    def run(number: int) -> Rate:
        key = jax.random.fold_in(jax.random.key(1), number)
        starts = random_openings(game, key, shape=(matches, slots * options.refills), plies=0)
        jax.block_until_ready(starts)
        began = time.perf_counter()
        played = table.play(weights, weights, keys=jax.random.split(key, matches), openings=starts)
        assert played.moves is not None
        made = int(played.moves.sum())
        took = time.perf_counter() - began
        return Rate(made / took, played.scores.size / took)

    return run


class _Shapes:
    """As much of a game as a network looks at: pgx's planes and moves."""

    def __init__(self, env: Any):
        self.num_actions = env.num_actions
        self._seen = env.observation_shape

    def template(self) -> Any:
        """Nothing is needed."""

    def observe(self, state: Any, seat: Any) -> jax.Array:
        """Of the right shape."""
        return jnp.zeros(self._seen)


def theirs(spec: str, options: Options, config: networks.NetworkConfig) -> Callable[[int], Rate]:
    """mctx over pgx; a function of the round, which goes on where the last one stopped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mctx: Any = import_module("mctx")
        wrappers: Any = import_module("pgx.experimental.wrappers")
    env = peers.pgx_env(spec)
    step = wrappers.auto_reset(env.step, env.init)
    shapes: Any = _Shapes(env)
    params = networks.initialise(shapes, config, jax.random.key(0))
    evaluate = partial(networks.apply, shapes, config)
    # As long as a game: then some of those in flight end at any time.
    warm = max(_WARM, load(spec).typical_plies)

    def expand(weights: Any, key: jax.Array, action: jax.Array, states: Any) -> Any:
        mover = states.current_player
        states = jax.vmap(env.step)(states, action)
        logits, value = evaluate(weights, states.observation.astype(jnp.float32))
        logits = jnp.where(states.legal_action_mask, logits, jnp.finfo(jnp.float32).min)
        ended = states.terminated
        output = mctx.RecurrentFnOutput(
            reward=states.rewards[jnp.arange(options.batch), mover],
            discount=jnp.where(ended, 0.0, -1.0),
            prior_logits=logits,
            value=jnp.where(ended, 0.0, value),
        )
        return output, states

    def move(weights: Any, states: Any, key: jax.Array) -> Any:
        think, deal = jax.random.split(key)
        logits, value = evaluate(weights, states.observation.astype(jnp.float32))
        found = mctx.gumbel_muzero_policy(
            params=weights,
            rng_key=think,
            root=mctx.RootFnOutput(prior_logits=logits, value=value, embedding=states),
            recurrent_fn=expand,
            num_simulations=options.simulations,
            max_num_considered_actions=CONSIDERED,
            invalid_actions=~states.legal_action_mask,
        )
        keys = jax.random.split(deal, options.batch)
        states = jax.vmap(step)(states, found.action, keys)
        return states, found.action_weights, states.terminated.sum()

    program = jax.jit(move)
    states = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.key(2), options.batch))

    def play(number: int, moves: int) -> Rate:
        nonlocal states
        began, ended = time.perf_counter(), []
        for ply in range(moves):
            key = jax.random.fold_in(jax.random.fold_in(jax.random.key(3), number), ply)
            states, policy, over = program(params, states, key)
            jax.device_get(policy)  # our record comes to the host too
            ended.append(int(over))
        took = time.perf_counter() - began
        return Rate(moves * options.batch / took, sum(ended) / took)

    play(0, warm)
    return partial(play, moves=options.moves)


def bench(spec: str, options: Options) -> list[dict[str, Any]]:
    """Measures both sides of a game; the lines."""
    config = networks.ResNetConfig(options.channels, options.blocks)
    sides = {"arena": ours(spec, options, config)}
    sides["arena"](0)  # compiles, and warms everything up
    if options.peer:
        # pgx mixes types that our own code keeps apart.
        with jax.numpy_dtype_promotion("standard"):
            sides["mctx"] = theirs(spec, options, config)
    rates: dict[str, list[Rate]] = {side: [] for side in sides}
    for number in range(1, options.rounds + 1):
        for side, run in sides.items():
            with jax.numpy_dtype_promotion("standard"):
                rates[side].append(run(number))
    keys = ("channels", "blocks", "simulations", "batch")
    common: dict[str, Any] = {"bench": "selfplay", "game": spec}
    common |= {key: getattr(options, key) for key in keys}
    common |= {"cores": options.cores, "device": jax.devices()[0].device_kind}
    lines = [
        common
        | {
            "who": side,
            "games_per_s": round(median(r.games for r in found), 2),
            "moves_per_s": round(median(r.moves for r in found), 1),
            "spread": [round(min(r.moves for r in found), 1), round(max(found).moves, 1)],
        }
        for side, found in rates.items()
    ]
    if options.peer:
        each = [a.moves / b.moves for a, b in zip(rates["arena"], rates["mctx"], strict=True)]
        ratio = lines[0]["moves_per_s"] / lines[1]["moves_per_s"]
        spread = [round(min(each), 2), round(max(each), 2)]
        lines.append(common | {"ratio_mctx": round(ratio, 2), "ratio_mctx_spread": spread})
    return lines


def main() -> None:
    """Measures, prints and saves."""
    options = tyro.cli(Options, description=__doc__)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    jax.config.update("jax_num_cpu_devices", options.cores)
    lines = []
    for spec in options.games:
        for line in bench(spec, options):
            print(json.dumps(line), flush=True)
            lines.append(line)
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.selfplay", *sys.argv[1:]]),
            "processor": processor(),
            "versions": {p: version(p) for p in ("jax", "jaxlib", "flax", "pgx", "mctx")},
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
