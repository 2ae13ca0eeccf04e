"""How fast the rules are: random legal play, with other people's implementations beside it.

    python -m benchmarks.games --games othello go:size=19 --peers

A step is one move: what is legal, a uniform choice among it, the position after it, and a new game
where one has ended; dice and cards that follow are part of it. `bare` does just that; `observed`
also computes the mover's observation at every step, writes it to memory and reads it. All steps of
a batch run in one compiled loop. Everything is measured in turn, five times, and the median
counts. Pinned to `--cores` cores, the first that this process may use.

Prints one JSON line a figure, and one a game with the ratios to the peers: our best batch against
theirs, `observed` against pgx (whose step always observes), `bare` against OpenSpiel.
"""

import json
import os
import platform
import sys
import time
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import tyro

from arena.chance import resolve_chance
from arena.sampling import choose, unit
from benchmarks import peers
from benchmarks.sides import Runner
from games import OVER, Game, load, names


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: as in `arena games`, options and all.
      peers: measure pgx and OpenSpiel too, where they have the game.
      batches: games at once.
      cores: how many to use.
      rounds: how often everything is measured.
      seconds: how long one measurement takes, about.
      save: also write the lines, with versions and command, to this JSON file.
    """

    games: tuple[str, ...] = names()
    peers: bool = False
    batches: tuple[int, ...] = (64, 1024, 4096, 16384)
    cores: int = 1
    rounds: int = 5
    seconds: float = 0.5
    save: Path | None = None


def _iterate(game: Game, observed: bool, carry: Any, draw: jax.Array) -> Any:
    """One step of one game under a draw u32[]: (state, steps u32[], sum f32[]) to the same."""
    state, steps, total = carry
    mover = game.mover(state)
    if observed:
        seen = jax.lax.optimization_barrier(game.observe(state, mover))
        total = total + seen.sum()
    after = game.step(state, choose(unit(draw), game.legal(state)))
    over = mover == OVER
    state = jax.tree.map(lambda new, old: jnp.where(over, new, old), game.init(), after)
    state = resolve_chance(game, jax.random.key(draw), state)
    return state, steps + (1 - over.astype(jnp.uint32)), total


def ours(game: Game, batch: int, *, observed: bool) -> Runner:
    """Our rules."""

    def start(key):
        return resolve_chance(game, key, game.init()), jnp.uint32(0), jnp.float32(0)

    def step(now, carry):
        draws = jax.random.bits(jax.random.fold_in(jax.random.key(0), now), (batch,))
        return jax.vmap(partial(_iterate, game, observed))(carry, draws)

    def loop(carry, length):
        return jax.lax.fori_loop(0, length, step, carry)

    carry = jax.jit(jax.vmap(start))(jax.random.split(jax.random.key(0), batch))
    began = time.perf_counter()
    compiled = jax.jit(loop).lower(carry, 1).compile()
    compile_s = time.perf_counter() - began

    def run(steps: int) -> int:
        return int(compiled(carry, jnp.int32(max(1, steps // batch)))[1].sum())

    state_bytes = sum(x.nbytes for x in jax.tree.leaves(game.init()))
    return Runner("arena", "observed" if observed else "bare", batch, run, compile_s, state_bytes)


def measure(runner: Runner, steps: int) -> tuple[float, int]:
    """Steps per second, and steps made."""
    began = time.perf_counter()
    made = runner.run(steps)
    return made / (time.perf_counter() - began), made


def _sized(runner: Runner, seconds: float) -> int:
    """How many steps take about so many seconds."""
    steps = runner.batch * 4
    runner.run(steps)  # warms everything up
    while True:
        began = time.perf_counter()
        runner.run(steps)
        took = time.perf_counter() - began
        if took > seconds / 8:
            return int(steps * seconds / took)
        steps *= 4


def _runners(spec: str, options: Options) -> list[Runner]:
    game = load(spec)
    each = [(batch, observed) for batch in options.batches for observed in (False, True)]
    found = [ours(game, batch, observed=observed) for batch, observed in each]
    if options.peers:
        found += [peers.pgx(spec, b) for b in options.batches if peers.in_pgx(spec)]
        found += [peers.open_spiel(spec)] if peers.in_open_spiel(spec) else []
    return found


def _ratio(rates: dict[Runner, list[float]], ours: str, who: str, mode: str) -> dict[str, Any]:
    """The ratio of the best medians, and the least and largest ratio of any round."""

    def best(who: str, mode: str) -> list[float]:
        some = [r for runner, r in rates.items() if (runner.who, runner.mode) == (who, mode)]
        return max(some, key=median, default=[])

    a, b = best("arena", ours), best(who, mode)
    if not b:
        return {}
    each = [x / y for x, y in zip(a, b, strict=True)]
    name = f"ratio_{who}"
    return {
        name: round(median(a) / median(b), 2),
        f"{name}_spread": [round(min(each), 2), round(max(each), 2)],
    }


def bench(spec: str, options: Options) -> list[dict[str, Any]]:
    """Measures one game; prints its lines and returns them."""
    runners = _runners(spec, options)
    sizes = {runner: _sized(runner, options.seconds) for runner in runners}
    rates: dict[Runner, list[float]] = {runner: [] for runner in runners}
    for _ in range(options.rounds):
        for runner in runners:
            rates[runner].append(measure(runner, sizes[runner])[0])
    common = {"cores": options.cores, "device": jax.devices()[0].device_kind}
    lines = [_line(spec, runner, found) | common for runner, found in rates.items()]
    last = {"bench": "games", "game": spec}
    last |= _ratio(rates, "observed", "pgx", "observed")
    last |= _ratio(rates, "bare", "openspiel", "bare")
    lines.append(last | common)
    for line in lines:
        print(json.dumps(line), flush=True)
    return lines


def _line(spec: str, runner: Runner, found: list[float]) -> dict[str, Any]:
    return {
        "bench": "games",
        "game": spec,
        "who": runner.who,
        "mode": runner.mode,
        "batch": runner.batch,
        "steps_per_s": round(median(found)),
        "spread": [round(min(found)), round(max(found))],
        "compile_s": round(runner.compile_s, 2),
        "state_bytes": runner.state_bytes,
    }


def main() -> None:
    """Measures every game that was asked for."""
    options = tyro.cli(Options, description=__doc__)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    document = {
        "command": " ".join(["python -m benchmarks.games", *sys.argv[1:]]),
        "processor": processor(),
        "versions": {p: version(p) for p in ("jax", "jaxlib", "numpy", "pgx", "open_spiel")},
        "lines": [],
    }
    for spec in options.games:
        document["lines"] += bench(spec, options)
        if options.save:  # after every game: a long run that is cut leaves what it has measured
            options.save.write_text(json.dumps(document, indent=1) + "\n")


def processor() -> str:
    """What the system calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


if __name__ == "__main__":
    main()
