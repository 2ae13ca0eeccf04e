"""Play two agents against each other."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jax
import tyro

import games
from arena.errors import PAIRS, PLIES, check_not_negative, check_positive, check_seed
from arena.evaluation import scale, score
from arena.play import book, match, recording, records
from arena.play.recording import Opening, PlayedGame
from arena.play.records.saved import LoadGame
from arena.shards import SHARDS, fitting
from arena.types import Agent, HostAgent
from games import Game
from league.cli import closing, console, device, interrupts, names
from league.cli.recording import kept_games
from league.cluster import connection
from league.cluster.config import IN_PROCESS, ClusterFlags
from league.settings import game_names

_LEAST_SHARE = 256
"""Pairs of a share, at least, where a match has more than one for each device."""
_MOST_RECORDED = 10_000
"""Pairs of games of which a record can be kept in memory."""


@dataclass(frozen=True)
class Command:
    """Play two agents against each other, every opening twice with the seats swapped.

    An agent is RUN:ID (a snapshot's network) or pretrained:GAME (a net that comes with Arena),
    either with ,simulations=32 (search); uniform; mcts:100 (Monte-Carlo tree search with 100
    rollouts); an engine: stockfish:nodes=1,skill=0 (chess), gnugo:level=1 (go), gnubg:plies=0
    (backgammon), openspiel_mcts:100; or policy:FILE.py[:NAME] (your own: a function
    policy(observation, mask) that gives a move, or an object with predict(observation,
    action_masks=mask)).

    Attributes:
      a: the first agent.
      b: the second agent.
      game: what they play; a snapshot says it by itself.
      pairs: pairs of games to play.
      opening_plies: openings are up to so many random moves long, 4 if it is not given; those of a
        book are cut after so many moves.
      openings: a book, of which each opening is played once at most: an .epd of chess, or games in
        a .pgn, .sgf or .jsonl file.
      record: a .pgn, .sgf or .jsonl file, to which the games are added.
      seed: of openings and of agents that play at random.
      cluster: where the games are played.
      json: print one JSON object.
    """

    a: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    b: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    game: str = ""
    pairs: int = 64
    opening_plies: int | None = None
    openings: Path | None = None
    record: Path | None = None
    seed: int = 0
    cluster: Annotated[ClusterFlags, tyro.conf.arg(name="")] = IN_PROCESS
    json: bool = False

    def __post_init__(self):
        check_positive(self, "pairs", most=PAIRS)
        check_not_negative(self, "opening_plies", most=PLIES)
        check_seed(self.seed)
        if self.record:
            check_positive(self, "pairs", most=_MOST_RECORDED)


def run(command: Command) -> None:
    """Plays the match and prints scores, Elo, likelihood of superiority and pair counts."""
    cluster = command.cluster.config()
    device.prepare()
    rules = names.game(command.game) if command.game else None
    game, a, b = _agents(command.a, command.b, rules)
    if command.record:
        records.check_writable(command.record, game)
        recording.check_recordable(game)
    openings = _book(command, game) if command.openings else None
    played: list[PlayedGame] = []
    outside = isinstance(a, HostAgent) or isinstance(b, HostAgent)
    shares, together = (1, 1) if outside else _shares(command.pairs)
    with (
        interrupts.closing_line("nothing of the match is kept"),
        closing.seated(a, b),
        connection.executor(cluster, "match", None, console.stderr.print) as executor,
        console.stderr.status(f"{a.name} against {b.name}"),
    ):
        scores = match.play(
            [a] * shares,
            [b] * shares,
            game,
            key=jax.random.key(command.seed),
            pairs=command.pairs // shares,
            plies=4 if command.opening_plies is None else command.opening_plies,
            groups=together,
            slots=64,
            openings=openings,
            recorder=played.append if command.record else None,
            executor=executor,
        )
    if command.record:
        kept = kept_games(played, game, a, b)
        records.append_games(command.record, kept, load=game_names.load)
    result = score.of(scores.reshape(-1, 2))
    if command.json:
        console.emit({"a": a.name, "b": b.name, **dataclasses.asdict(result)})
        return
    print(f"{a.name} against {b.name}: {result.score:.1%} ± {result.half_width:.1%}")
    print(f"Games W/D/L: {result.wins}/{result.draws}/{result.losses}")
    print(f"Elo: {result.elo:+z.0f} [{result.elo_low:+z.0f}, {result.elo_high:+z.0f}] (95 %)")
    print(f"nElo: {result.nelo:+z.0f} ± {result.nelo_half_width:.0f} (95 %)")
    print(f"LOS: {result.los:.1%}")
    if result.pairs is not None:
        print(f"Ptnml(0-2): {list(result.pairs)}")
    console.stderr.print(f"{scale.IN_WORDS}.\n{score.IN_WORDS}.")


def _agents(
    one: str, two: str, game: Game | None
) -> tuple[Game, Agent | HostAgent, Agent | HostAgent]:
    """Both agents; a snapshot on either side settles the game."""
    try:
        game, a = names.agent(one, game)
        return game, a, names.agent(two, game)[1]
    except names.AnyGame:
        game, b = names.agent(two, None)
        return game, names.agent(one, game)[1], b


def _book(command: Command, game: Game) -> list[Opening]:
    """The openings to be played; says how many of the book are not."""
    assert command.openings
    skipped = records.Skipped()
    found = book.draw_openings(
        command.openings,
        game,
        count=command.pairs,
        seed=command.seed,
        plies=command.opening_plies,
        load=_known(game),
        skipped=skipped,
    )
    if skipped.count:
        console.stderr.print(f"{command.openings}: {skipped.describe()}")
    return found


def _known(game: Game) -> LoadGame:
    """Finds native games and the one that is played; a book has no other code loaded."""
    own = game_names.name_of(game)
    return lambda name: game if name == own else games.load(name)


def _shares(pairs: int) -> tuple[int, int]:
    """Equal shares of a match, and how many of them one call of the device loop plays.

    These are one for each device, where they come out even. A match of many pairs has more shares,
    which a cluster plays at once.
    """
    together = fitting(pairs, SHARDS)
    each = pairs // together
    return together * fitting(each, max(1, each // _LEAST_SHARE)), together
