"""How fast the tree search is, with mctx over pgx's rules beside it.

    python -m benchmarks.search --games othello --simulations 32 128 --recipes puct

A simulation adds one node to one tree. Both sides search a batch of positions, each after `plies`
random moves by its own rules, with a network that costs nothing: the same prior for every legal
move, and every position worth 0. `gumbel` is Gumbel search from the same number of root moves,
against `mctx.gumbel_muzero_policy`; `puct` is AlphaZero's, against `mctx.muzero_policy`. Each
side's whole search is one compiled program. They run in turn, and medians count. Pinned to
`--cores` cores, the first that this process may use.

Prints one JSON line a figure, and one a setting with the ratio to mctx. Where mctx's tree would
not fit into the memory that is free, its line says so instead.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import tyro

from agents import search
from arena.chance import resolve_chance
from arena.sampling import choose, unit
from benchmarks import peers
from benchmarks.games import processor
from benchmarks.sides import CONSIDERED, Searcher, Setting, compiled
from games import OVER, Game, load


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      games: as in `arena games`, options and all.
      recipes: gumbel, puct.
      simulations: budgets of a position.
      batches: positions at once.
      plies: random moves before the search.
      peer: measure mctx too.
      cores: how many to use.
      rounds: how often everything is measured.
      seconds: how long one measurement takes, at least.
      save: also write the lines, with versions and command, to this JSON file.
    """

    games: tuple[str, ...] = ("connect_four", "othello", "go:size=9", "chess")
    recipes: tuple[str, ...] = ("gumbel", "puct")
    simulations: tuple[int, ...] = (32, 128, 800)
    batches: tuple[int, ...] = (64, 256)
    plies: int = 8
    peer: bool = True
    cores: int = 1
    rounds: int = 5
    seconds: float = 0.5
    save: Path | None = None


def ours(setting: Setting, plies: int) -> Searcher:
    """The search of this project."""
    game = load(setting.game)

    def evaluate(keys: jax.Array, states: Any) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros((setting.batch, game.num_actions)), jnp.zeros(setting.batch)

    def run(states: Any, key: jax.Array) -> Any:
        common: dict[str, Any] = {"keys": key[None], "simulations": setting.simulations}
        gumbels = jax.random.gumbel(key, (setting.batch, game.num_actions))
        if setting.recipe == "gumbel":
            common |= {"noise": gumbels, "max_considered_actions": CONSIDERED}
            found = search.gumbel(game, evaluate, states, **common)
        else:
            common |= {"noise": search.dirichlet(game, key[None], states), "gumbels": gumbels}
            found = search.puct(game, evaluate, states, **common)
        return found.move, found.policy

    return compiled("arena", run, positions(game, setting.batch, plies))


def positions(game: Game, batch: int, plies: int) -> Any:
    """Positions [B, ...] after random moves; one that would have ended stays as it was."""

    def play(ply: jax.Array, carry: tuple[Any, jax.Array]) -> tuple[Any, jax.Array]:
        state, key = carry
        draw = jax.random.bits(jax.random.fold_in(key, ply))
        after = game.step(state, choose(unit(draw), game.legal(state)))
        after = resolve_chance(game, jax.random.key(draw), after)
        over = game.mover(after) == OVER
        return jax.tree.map(lambda old, new: jnp.where(over, old, new), state, after), key

    def start(key: jax.Array) -> Any:
        return jax.lax.fori_loop(0, plies, play, (resolve_chance(game, key, game.init()), key))[0]

    return jax.jit(jax.vmap(start))(jax.random.split(jax.random.key(1), batch))


def measure(searcher: Searcher, times: int) -> float:
    """Seconds of one search."""
    began = time.perf_counter()
    for _ in range(times):
        jax.block_until_ready(searcher.run())
    return (time.perf_counter() - began) / times


def bench(setting: Setting, options: Options) -> Iterator[dict[str, Any]]:
    """Measures one setting; its lines."""
    searchers, missing = [ours(setting, options.plies)], []
    if options.peer:
        needs = peers.mctx_bytes(setting)
        if needs < available():
            searchers.append(peers.mctx(setting, options.plies))
        else:
            missing.append(f"its tree would take {needs / 2**30:.0f} GiB")
    common = {"bench": "search"} | setting.__dict__
    place = {"cores": options.cores, "device": jax.devices()[0].device_kind}
    rates = _rates(searchers, setting, options)
    for searcher in searchers:
        found = rates[searcher.who]
        yield (
            common
            | {
                "who": searcher.who,
                "simulations_per_s": round(median(found)),
                "spread": [round(min(found)), round(max(found))],
                "compile_s": round(searcher.compile_s, 2),
            }
            | place
        )
    for why in missing:
        yield common | {"who": "mctx", "simulations_per_s": None, "why": why} | place
    if "mctx" in rates:
        each = [a / b for a, b in zip(rates["arena"], rates["mctx"], strict=True)]
        yield (
            common
            | {
                "ratio_mctx": round(median(rates["arena"]) / median(rates["mctx"]), 2),
                "ratio_mctx_spread": [round(min(each), 2), round(max(each), 2)],
            }
            | place
        )


def _rates(searchers: list[Searcher], setting: Setting, options: Options) -> dict[str, list[float]]:
    """Simulations per second of each side in each round, the sides in turn."""
    times = []
    for searcher in searchers:
        measure(searcher, 1)  # warms everything up
        times.append(max(1, round(options.seconds / measure(searcher, 1))))
    rounds = [
        [measure(s, n) for s, n in zip(searchers, times, strict=True)]
        for _ in range(options.rounds)
    ]
    made = setting.batch * setting.simulations
    columns = zip(searchers, zip(*rounds, strict=True), strict=True)
    return {s.who: [made / took for took in column] for s, column in columns}


def available() -> float:
    """Bytes of memory that a search may take: of the accelerator, or of this machine."""
    stats = jax.devices()[0].memory_stats()
    if stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measures every setting that was asked for."""
    options = tyro.cli(Options, description=__doc__)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    document = {
        "command": " ".join(["python -m benchmarks.search", *sys.argv[1:]]),
        "processor": processor(),
        "versions": {p: version(p) for p in ("jax", "jaxlib", "numpy", "pgx", "mctx")},
        "lines": [],
    }
    every = product(options.games, options.recipes, options.simulations, options.batches)
    for setting in (Setting(*chosen) for chosen in every):
        for line in bench(setting, options):
            print(json.dumps(line), flush=True)
            document["lines"].append(line)
        if options.save:  # after every setting: a long run that is cut leaves what it has measured
            options.save.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
