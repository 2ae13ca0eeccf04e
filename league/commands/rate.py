"""Play more matches among a run's snapshots and print their ratings."""

from dataclasses import dataclass
from typing import Annotated

import jax
import tyro

from arena import match, ratings
from arena.core import Agent
from league import console, device, names, pages, summary
from league.errors import UserError
from league.pool import Run
from league.results import MatchResult, Results

_MATCHES, _PAIRS = 8, 16  # of one round, after which the ratings are fitted anew


@dataclass(frozen=True)
class Command:
    """Play more matches among a run's snapshots, the least certain first, and print the ratings.

    Attributes:
      run: name of the run.
      games: at least so many more games; 0 only prints.
      json: print one JSON object.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    games: int = 1024
    json: bool = False

    def __post_init__(self):
        if self.games < 0:
            raise UserError(f"games must not be negative, not {self.games}")


def run(command: Command) -> None:
    """Plays round after round, each where the last left most doubt."""
    device.prepare()
    work = names.run(command.run)
    with work.lock(), work.results() as results:
        if len(results.digests()) < 2:
            raise UserError(f"run {command.run!r} has fewer than two snapshots to compare")
        rounds = -(-command.games // (2 * _MATCHES * _PAIRS))
        with console.bar() as bar:
            task = bar.add_task("rounds of matches", total=rounds, note="")
            for _ in range(rounds):
                _round(work, results)
                bar.advance(task)
        pages.show(work, results, None, command.json)
    work.close()


def _round(work: Run, results: Results) -> None:
    """One call of the device loop: the matches that teach most about the ratings."""
    ids, fit = summary.rate(results)
    chosen = ratings.schedule(fit, _MATCHES, 2 * _PAIRS)
    # Games played before settle the key, so that no two rounds are the same.
    key = jax.random.fold_in(jax.random.key(work.config.seed), results.count("rate"))
    act = work.player(0)
    agents = {i: Agent(str(ids[i]), act, work.weights(ids[i])) for pair in chosen for i in pair}
    scores = match.play(
        [agents[i] for i, _ in chosen],
        [agents[j] for _, j in chosen],
        work.game,
        key,
        _PAIRS,
        work.config.measure.opening_plies,
        _MATCHES,
        _PAIRS,
    )
    rows = [
        MatchResult("rate", agents[i].name, agents[j].name, score)
        for (i, j), score in zip(chosen, scores, strict=True)
    ]
    results.write(ids[-1], rows)
