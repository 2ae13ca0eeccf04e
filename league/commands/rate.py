"""Play more matches among a run's snapshots and print their ratings; rate results of a file."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from arena.errors import PAIRS, UserError, check_not_negative, check_positive
from arena.evaluation import scale
from league.cli import closing, console, device, interrupts, names
from league.cli.progress import Progress
from league.cluster import connection
from league.cluster.config import IN_PROCESS, ClusterConfig, ClusterFlags
from league.evaluation import external_ratings, external_results, leaderboard
from league.evaluation.tournament import Plan, Tournament
from league.report import terminal
from league.store.database import Results
from league.store.run import Run

_GAMES = 1024
_GUEST_GAMES = 128


@dataclass(frozen=True)
class Command:
    """Play more matches among a run's snapshots, the least certain first, and print the ratings.

    If a kill cuts it off, the same command goes on with it: no game is lost or counted twice. Where
    the run's record is in a shared database, the same command may be given several times at once,
    on several machines: they share the games.

    With --results FILE instead of a run, results of games that were played elsewhere are rated: a
    PGN with any number of games, or a CSV with the columns white,black,result (1-0, 0-1, 1/2-1/2)
    or first,second,score (the score of the first: 1, 0.5, 0).

    Attributes:
      run: name of the run.
      results: PGN or CSV file of results from elsewhere.
      games: at least so many more games, in whole matches, where they teach most; 1024 by default,
        and 0 only prints.
      round_robin: every two snapshots meet once instead.
      pairs: pairs of games in each match.
      anchor: whose Elo is 0: a snapshot's id, or uniform; the first snapshot by default. Of results
        from elsewhere a player; the first in the file by default.
      guests: agents from outside the run, such as mcts:100 or gnugo:level=1, to be rated instead:
        each plays raw networks of snapshots, 128 games unless --games says otherwise.
      cluster: where the games are played.
      json: print one JSON object.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")] = ""
    results: Path | None = None
    games: int | None = None
    round_robin: bool = False
    pairs: int = 16
    anchor: str = ""
    guests: tuple[str, ...] = ()
    cluster: Annotated[ClusterFlags, tyro.conf.arg(name="")] = IN_PROCESS
    json: bool = False

    def __post_init__(self):
        if bool(self.run) == (self.results is not None):
            raise UserError("rate takes RUN, or --results FILE")
        if self.results and (self.guests or self.round_robin or self.games is not None):
            raise UserError("with --results no games are played: leave their options away")
        if self.results and self.cluster != IN_PROCESS:
            raise UserError("with --results no games are played: leave --cluster away")
        if self.guests and (self.round_robin or self.anchor):
            raise UserError("guests are rated above the first snapshot, and in no round robin")
        if self.games is not None and self.round_robin:
            raise UserError("the number of games of a round robin is fixed: leave games away")
        check_not_negative(self, "games")
        check_positive(self, "pairs", most=PAIRS)


def run(command: Command) -> None:
    """Plays, then prints the table of snapshots; or that of a file's players."""
    if command.results:
        _rate_file(command.results, command.anchor, command.json)
        return
    cluster = command.cluster.config()
    device.prepare()
    work = names.run(command.run)
    # Several processes may play rounds of one tournament; guests are rated by one at a time.
    with work.lock(alone=bool(command.guests)), work.results() as results:
        if len(results.digests()) < 2:
            raise UserError(f"run {command.run!r} has fewer than two snapshots to compare")
        if command.guests:
            _rate_guests(command, work, results, cluster)
            work.close()
            return
        leaderboard.fitted(results, anchor=command.anchor)  # an error before any game is played
        if command.round_robin or command.games != 0:
            _play(command, work, results, cluster)
        planned = work.config.measure.max_elo_step
        found = leaderboard.compute(results, planned, anchor=command.anchor)
        terminal.show(work, results, found, report=None, json=command.json)
    work.close()


def _rate_file(path: Path, anchor: str, json: bool) -> None:
    """Rates the players of a file."""
    results = external_results.read_results(path)
    found = external_results.rate_results(results, anchor=anchor)
    first_move = (found.fit.first_move, found.fit.first_move_half_width)
    if results.unfinished:
        console.stderr.print(f"note: games without a result, left out: {results.unfinished}")
    if json:
        elo, half = first_move if found.first_move else (None, None)
        console.emit(
            {
                "anchor": found.anchor,
                "players": [dataclasses.asdict(player) for player in found.players],
                "first_move": {"elo": elo, "half_width": half},
                "unfinished": results.unfinished,
            }
        )
        return
    console.table(
        f"{path.name}: Elo above {found.anchor}\n{scale.IN_WORDS}",
        ["player", "Elo", "± 95 %", "games", "score"],
        [
            [p.name, f"{p.elo:+z.0f}", f"{p.half_width:.0f}", str(p.games), f"{p.score:.1%}"]
            for p in found.players
        ],
    )
    if found.first_move:
        print("first move: {:+z.0f} ± {:.0f} Elo (95 %)".format(*first_move))


def _rate_guests(
    command: Command, work: Run, results: Results, cluster: ClusterConfig | None
) -> None:
    """Rates agents from outside."""
    guests = [names.agent(spec, work.game)[1] for spec in command.guests]
    games = _GUEST_GAMES if command.games is None else command.games
    with (
        interrupts.closing_line("matches that were over are kept"),
        closing.seated(*guests),
        connection.executor(cluster, "rate", work, console.stderr.print) as executor,
        Progress("games", games * len(guests)) as progress,
    ):
        for guest in guests:
            external_ratings.play(
                work,
                results,
                guest,
                games=games,
                pairs=command.pairs,
                callback=progress.advance,
                executor=executor,
            )
    found = external_ratings.rated(results, [guest.name for guest in guests])
    if command.json:
        console.emit({"guests": [dataclasses.asdict(row) for row in found]})
        return
    console.table(
        f"Guests of {work.name}: Elo above snapshot {min(results.digests())}\n{scale.IN_WORDS}",
        ["agent", "Elo", "±", "games"],
        [[row.name, f"{row.elo:+z.0f}", f"{row.half_width:.0f}", str(row.games)] for row in found],
    )


def _play(command: Command, work: Run, results: Results, cluster: ClusterConfig | None) -> None:
    """Plays the tournament that was asked for, or the rest of it."""
    games = None if command.round_robin else _GAMES if command.games is None else command.games
    kept = "matches that were over are kept, the same command plays the others"
    with (
        interrupts.closing_line(kept),
        connection.executor(cluster, "rate", work, console.stderr.print) as executor,
    ):
        event = Tournament(work, results, Plan(command.pairs, games), executor=executor)
        with Progress("matches", event.matches, done=event.done) as progress:
            event.play(progress.update)
