"""Play more matches among a run's snapshots and print their ratings."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

import tyro

from arena.errors import UserError
from league.cli import closing, console, device, names
from league.evaluation import external_ratings, leaderboard
from league.evaluation.tournament import Plan, Tournament
from league.report import build
from league.store.database import Results
from league.store.run import Run

_GAMES = 1024
_VISIT = 128


@dataclass(frozen=True)
class Command:
    """Play more matches among a run's snapshots, the least certain first, and print the ratings.

    If a kill cuts it off, the same command goes on with it: no game is lost or counted twice.

    Attributes:
      run: name of the run.
      games: at least so many more games, in whole matches, where they teach most; 1024 by default,
        and 0 only prints.
      round_robin: every two snapshots meet once instead.
      pairs: pairs of games in each match.
      anchor: whose Elo is 0: a snapshot's id, or uniform; the first snapshot by default.
      guests: agents from outside the run, such as mcts:100 or gnugo:level=1, to be rated instead:
        each plays raw networks of snapshots, 128 games unless --games says otherwise.
      json: print one JSON object.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    games: int | None = None
    round_robin: bool = False
    pairs: int = 16
    anchor: str = ""
    guests: tuple[str, ...] = ()
    json: bool = False

    def __post_init__(self):
        if self.guests and (self.round_robin or self.anchor):
            raise UserError("guests are rated above the first snapshot, and in no round robin")
        if self.games is not None and self.round_robin:
            raise UserError(
                "a round robin says by itself how many games it takes: leave games away"
            )
        if self.games is not None and self.games < 0:
            raise UserError(f"games must not be negative, not {self.games}")
        if self.pairs <= 0:
            raise UserError(f"pairs must be positive, not {self.pairs}")


def run(command: Command) -> None:
    """Plays, then prints the table of snapshots."""
    device.prepare()
    work = names.run(command.run)
    with work.lock(), work.results() as results:
        if len(results.digests()) < 2:
            raise UserError(f"run {command.run!r} has fewer than two snapshots to compare")
        if command.guests:
            _visit(command, work, results)
            work.close()
            return
        leaderboard.fitted(results, command.anchor)  # a wrong anchor is told before any game
        if command.round_robin or command.games != 0:
            _play(command, work, results)
        found = leaderboard.of(results, work.config.measure.max_elo_step, command.anchor)
        build.show(work, results, found, None, command.json)
    work.close()


def _visit(command: Command, work: Run, results: Results) -> None:
    """Rates agents from outside."""
    visitors = [names.agent(spec, work.game)[1] for spec in command.guests]
    games = _VISIT if command.games is None else command.games
    with closing.seated(*visitors), console.bar() as bar:
        task = bar.add_task("games", total=games * len(visitors), note="")
        for guest in visitors:
            external_ratings.play(
                work, results, guest, games, command.pairs, lambda n: bar.advance(task, n)
            )
    found = external_ratings.rated(results, [guest.name for guest in visitors])
    if command.json:
        console.emit({"guests": [dataclasses.asdict(row) for row in found]})
        return
    console.table(
        f"Guests of {work.name}: Elo above snapshot {min(results.digests())}",
        ["agent", "Elo", "±", "games"],
        [[row.name, f"{row.elo:+.0f}", f"{row.half_width:.0f}", str(row.games)] for row in found],
    )


def _play(command: Command, work: Run, results: Results) -> None:
    """Plays the tournament that was asked for, or the rest of it."""
    games = None if command.round_robin else _GAMES if command.games is None else command.games
    event = Tournament(work, results, Plan(command.pairs, games))
    with console.bar() as bar:
        task = bar.add_task("matches", total=event.matches, completed=event.done, note="")
        event.play(lambda done: bar.update(task, completed=done))
