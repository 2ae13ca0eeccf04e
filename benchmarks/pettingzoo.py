"""How fast imported envs are stepped while a network chooses the moves: our host runner and peers.

    python -m benchmarks.pettingzoo --save

A step is one move that the network has chosen, by sampling from its policy under the mask. `arena`
plays matches of the imported env; `pettingzoo` is PettingZoo's own loop over `agent_iter` with the
same compiled network, one position a call; `native` is the port in `games/`, its matches on the
device. Everything is measured in turn, five times, and the median counts. Prints one JSON line a
game, with the ratios to PettingZoo's own loop.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import jax
import numpy as np
import tyro

from agents.learners import ppo
from agents.nn import networks
from arena.judges.rules import Rules
from arena.pettingzoo.as_game import ImportedGame, load
from arena.pettingzoo.env_state import EnvState
from arena.play import device_loop
from arena.play.openings import random_openings
from arena.types import stack
from games import Game
from games import load as native

_RESULTS = Path(__file__).parent / "results" / "pettingzoo.json"
_PORTS = {
    "pettingzoo:classic/tictactoe-v3": "tic_tac_toe",
    "pettingzoo:classic/connect_four-v3": "connect_four",
}


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      pairs: of games in one of our matches.
      slots: games in flight, of each half.
      games: of PettingZoo's loop, in one measurement.
      rounds: how often everything is measured.
      save: also write the lines to benchmarks/results/pettingzoo.json.
    """

    pairs: int = 1024
    slots: int = 256
    games: int = 100
    rounds: int = 5
    save: bool = False


def ours(game: Game, params: Any, options: Options) -> Callable[[int], int]:
    """Plays matches of a game, imported or native; returns the moves made."""
    policy = ppo.NetworkPolicy(game, networks.suitable(game), explore=True)
    table = device_loop.Match(
        game, policy, policy, judge=Rules(game), slots=options.slots, record=True
    )
    weights = stack([params])

    def run(seed: int) -> int:
        keys = jax.random.split(jax.random.key(seed), 1)
        starts = random_openings(game, keys[0], shape=(1, options.pairs), plies=0)
        record: Any = table.play(weights, weights, keys=keys, openings=starts).record
        return int((np.asarray(record.game) < 2 * options.pairs).sum())

    return run


def theirs(game: ImportedGame, params: Any, games: int) -> Callable[[int], int]:
    """PettingZoo's own loop; returns the moves made."""
    import pettingzoo

    env = pettingzoo.make("aec", game.name.removeprefix("pettingzoo:"))
    seats = {agent: np.int32(seat) for seat, agent in enumerate(env.possible_agents)}
    policy, weights = ppo.NetworkPolicy(game, networks.suitable(game)), stack([params])

    @jax.jit
    def choose(seed: jax.Array, number: jax.Array, state: EnvState[jax.Array]) -> jax.Array:
        key = jax.random.fold_in(jax.random.key(seed), number)
        return policy(weights, key[None], jax.tree.map(lambda x: x[None], state)).move[0]

    def run(seed: int) -> int:
        steps = 0
        for number in range(games):
            env.reset(seed=seed + number)
            for agent in env.agent_iter():
                last: Any = env.last()
                seen, _, terminated, truncated, _ = last
                if terminated or truncated:
                    env.step(None)
                    continue
                mask, planes = seen["action_mask"].astype(bool), seen["observation"]
                fields: Any = seats[agent], mask, planes, np.float32(0)
                env.step(int(choose(np.uint32(seed), np.uint32(steps), EnvState(*fields))))
                steps += 1
        return steps

    return run


def measure(name: str, port: str, options: Options) -> dict[str, Any]:
    """Steps a second of all runners on one game."""
    game, ported = load(name), native(port)
    network = networks.suitable(game)
    params = networks.initialise(game, network, jax.random.key(0))
    of_port = networks.initialise(ported, networks.suitable(ported), jax.random.key(0))
    runners = {
        "arena": ours(game, params, options),
        "pettingzoo": theirs(game, params, options.games),
        "native": ours(ported, of_port, options),
    }
    for run in runners.values():  # compiles, and starts the workers
        run(0)
    rates: dict[str, list[float]] = {who: [] for who in runners}
    for number in range(1, options.rounds + 1):
        for who, run in runners.items():
            began = time.perf_counter()
            steps = run(number)
            rates[who].append(steps / (time.perf_counter() - began))
    found = {who: round(median(rate)) for who, rate in rates.items()}
    game.pool.close()
    return {
        "bench": "pettingzoo",
        "env": name,
        "steps_per_s": found,
        "arena_over_pettingzoo": round(found["arena"] / found["pettingzoo"], 2),
        "native_over_arena": round(found["native"] / found["arena"], 1),
        "spread": {who: [round(min(rate)), round(max(rate))] for who, rate in rates.items()},
        "cores": len(os.sched_getaffinity(0)),
        "device": str(jax.devices()[0].device_kind),
        "processor": platform.processor() or platform.machine(),
        "versions": {p: version(p) for p in ("jax", "pettingzoo", "gymnasium", "numpy")},
        "command": "python -m benchmarks.pettingzoo",
    }


def main(options: Options) -> None:
    """Prints a line a game."""
    lines = []
    for name, port in _PORTS.items():
        lines.append(measure(name, port, options))
        print(json.dumps(lines[-1]), flush=True)
    if options.save:
        _RESULTS.parent.mkdir(exist_ok=True)
        _RESULTS.write_text(json.dumps(lines, indent=2) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
