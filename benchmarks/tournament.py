"""A tournament of a pool, and how fast the same games go in other people's loops.

    python -m benchmarks.tournament --save benchmarks/results/tournament_cpu.json

32 snapshots of Connect Four, networks of the default size with random weights, meet in a round
robin of 64 pairs: what `arena rate RUN --round-robin --pairs 64` plays, record and all, without the
time to compile. Beside it OpenSpiel's and PettingZoo's games are played one move after the other
from Python, as their own examples do it, by the same networks through a jitted function of one
position, on the same processors. Openings are up to four random moves long everywhere.

That the games are the same is checked: from the empty board, where nothing is random, both peers
end some matches with our scores. Rounds of the three take turns, and medians count. Prints one JSON
line a side and one with the ratios of games per second.
"""

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from agents.nn import networks
from arena.play import match
from benchmarks.games import processor
from games import load
from league.cli import device
from league.evaluation.tournament import Plan, Tournament
from league.settings import defaults
from league.store import card
from league.store.checkpoints import digest
from league.store.run import Run

_GAME = "connect_four"
_PLIES = 4


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      snapshots: in the pool.
      pairs: pairs of games in each match.
      channels: width of the networks.
      blocks: residual blocks of the networks.
      rounds: how often everything is measured.
      seconds: that each peer plays in each round, about.
      checked: matches whose games the peers must end as we do.
      save: also write the lines, with versions and command, to this JSON file.
    """

    snapshots: int = 32
    pairs: int = 64
    channels: int = 32
    blocks: int = 3
    rounds: int = 3
    seconds: float = 20.0
    checked: int = 8
    save: Path | None = None


Move = Callable[[int, np.ndarray, np.ndarray], int]
"""`move(snapshot, observation f32[6, 7, 2], legal bool[7]) -> column`."""
Loop = Callable[[tuple[int, int], list[int], Move], float]
"""Plays one game of two snapshots from some opening moves; the score of the first to move then."""


def main(options: Options) -> None:
    """Prints the lines."""
    device.prepare()
    with tempfile.TemporaryDirectory() as folder:
        size = networks.ResNetConfig(options.channels, options.blocks)
        run = pool(Path(folder) / "pool", options.snapshots, size)
        weights = [jax.device_put(run.weights(i)) for i in range(options.snapshots)]
        move = mover(run, weights)
        for loop in PEERS.values():
            _check(run, weights, options.checked, loop, move)
        rates: dict[str, list[float]] = {who: [] for who in ("arena", *PEERS)}
        ours(run, options.pairs)  # compiles
        for number in range(options.rounds):
            rates["arena"].append(ours(run, options.pairs))
            for who, loop in PEERS.items():
                rates[who].append(_rate(loop, options, move, number))
        run.close()
    lines = [_line(options, who, found) for who, found in rates.items()]
    lines.append({"bench": "tournament", **ratios(rates)})
    for line in lines:
        print(json.dumps(line), flush=True)
    if options.save:
        document = {
            "command": " ".join(["python -m benchmarks.tournament", *sys.argv[1:]]),
            "processor": processor(),
            "versions": {
                p: metadata.version(p) for p in ("jax", "jaxlib", "open_spiel", "pettingzoo")
            },
            "lines": lines,
        }
        options.save.write_text(json.dumps(document, indent=1) + "\n")


def pool(folder: Path, count: int, size: networks.ResNetConfig) -> Run:
    """A run of so many snapshots with random weights."""
    config = defaults.default(_GAME, load(_GAME))
    config = replace(config, learner=replace(config.learner, network=size))
    folder.mkdir(parents=True)
    card.write(folder, card.new(_GAME, config, "rules"))
    run = Run(folder)
    with run.results(create=True) as results:
        for number in range(count):
            key = jax.random.key(number)
            params = networks.initialise(run.game, size, key)
            params = jax.tree.map(np.asarray, params)
            results.write(number, [], (number, digest(params)))
            run.snapshots.save(number, params)
    return run


def ours(run: Run, pairs: int) -> float:
    """Games per second of one more round robin."""
    with run.results() as results:
        event = Tournament(run, results, Plan(pairs, None))
        began = time.perf_counter()
        event.play()
        return event.matches * 2 * pairs / (time.perf_counter() - began)


def mover(run: Run, weights: list[Any]) -> Move:
    """The favourite move of a snapshot's network in one position."""
    network = run.config.learner.network

    @jax.jit
    def favourite(params: Any, seen: jax.Array, legal: jax.Array) -> jax.Array:
        logits, _ = networks.apply(run.game, network, params, seen[None])
        return jnp.argmax(jnp.where(legal, logits[0], -jnp.inf))

    return lambda number, seen, legal: int(favourite(weights[number], seen, legal))


def open_spiel(players: tuple[int, int], opening: list[int], move: Move) -> float:
    """A game in OpenSpiel's loop."""
    import pyspiel

    state = pyspiel.load_game(_GAME).new_initial_state()
    for column in opening:
        state.apply_action(column)
    first = state.current_player()
    while not state.is_terminal():
        seat = state.current_player()
        planes = np.array(state.observation_tensor(seat), np.float32).reshape(3, 6, 7)
        seen = np.stack([planes[seat], planes[1 - seat]], -1)[::-1]  # it has the lowest row first
        legal = np.array(state.legal_actions_mask(seat), bool)
        state.apply_action(move(players[seat ^ first], seen, legal))
    return (1 + state.returns()[first]) / 2


def pettingzoo(players: tuple[int, int], opening: list[int], move: Move) -> float:
    """A game in PettingZoo's loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pettingzoo.classic import connect_four_v3

    env = connect_four_v3.raw_env()
    env.reset()
    for column in opening:
        env.step(column)
    first = env.agent_selection
    for agent in env.agent_iter():
        seen, _, terminated, truncated, _ = env.last()
        if seen is None or terminated or truncated:
            break
        legal = seen["action_mask"].astype(bool)
        env.step(move(players[agent != first], seen["observation"].astype(np.float32), legal))
    return (1 + env.rewards[first]) / 2


PEERS: dict[str, Loop] = {"openspiel": open_spiel, "pettingzoo": pettingzoo}


def _check(run: Run, weights: list[Any], count: int, loop: Loop, move: Move) -> None:
    """From the empty board a peer's games must end as ours."""
    chosen = list(islice(_meetings(len(weights)), count))
    policy = run.eval_policy(0)
    a, b = (
        [match.Agent(str(i), policy, weights[i]) for i in side]
        for side in zip(*chosen, strict=True)
    )
    scores = match.play(a, b, run.game, jax.random.key(0), 1, 0, count, 1)[:, 0]
    for (one, two), (first, second) in zip(chosen, scores, strict=True):
        found = loop((one, two), [], move), 1 - loop((two, one), [], move)
        if found != (first, second):
            raise RuntimeError(f"{loop.__name__}: {one} against {two} ended {found}")


def _rate(loop: Loop, options: Options, move: Move, number: int) -> float:
    """Games per second of a peer, on a sample of the meetings."""
    rng = np.random.default_rng(number)
    meetings, games = _meetings(options.snapshots), 0
    began = time.perf_counter()
    while (took := time.perf_counter() - began) < options.seconds:
        one, two = next(meetings)
        opening = rng.integers(7, size=rng.integers(_PLIES + 1)).tolist()
        loop((one, two), opening, move)
        loop((two, one), opening, move)
        games += 2
    return games / took


def _meetings(snapshots: int) -> Any:
    """Pairs of different snapshots, all over the pool."""
    steps = range(1, snapshots // 2)
    return cycle((i, (i + step) % snapshots) for step in steps for i in range(snapshots))


def _line(options: Options, who: str, found: list[float]) -> dict[str, Any]:
    return {
        "bench": "tournament",
        "who": who,
        "game": _GAME,
        "snapshots": options.snapshots,
        "pairs": options.pairs,
        "channels": options.channels,
        "blocks": options.blocks,
        "games_per_s": round(median(found), 1),
        "spread": [round(min(found), 1), round(max(found), 1)],
        "devices": jax.device_count(),
        "device": jax.devices()[0].device_kind,
    }


def ratios(rates: dict[str, list[float]]) -> dict[str, float]:
    """Of our games per second to each peer's, of medians."""
    return {f"ratio_{who}": round(median(rates["arena"]) / median(rates[who]), 1) for who in PEERS}


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
