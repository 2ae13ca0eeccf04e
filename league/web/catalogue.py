"""Lists of what can be chosen: runs, snapshots with their ratings, nets, engines."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import registry
from agents.search.evaluation import check_searchable
from arena.errors import UserError
from games import Game
from league.evaluation import leaderboard
from league.store import card as cards
from league.store import pretrained, runs
from league.store.run import Run
from league.web import runs as web_runs
from league.web.site import Settings

_ENGINES = (
    ("stockfish:nodes=100,skill=0", "Stockfish, weakest"),
    ("stockfish:nodes=10000", "Stockfish, 10,000 nodes"),
    ("gnugo:level=1", "GNU Go, level 1"),
    ("gnugo:level=10", "GNU Go, level 10"),
    ("grhino:level=1", "GRhino, level 1"),
    ("grhino:level=5", "GRhino, level 5"),
    ("gnubg:plies=0", "GNU Backgammon, 0 plies"),
    ("gnubg:plies=1", "GNU Backgammon, 1 ply"),
    ("openspiel_mcts:100", "OpenSpiel's MCTS, 100 simulations"),
)
_MOST_SNAPSHOTS = 60


@dataclass(frozen=True)
class Choice:
    """An agent that can be chosen.

    Attributes:
      name: as a user types it.
      text: as a list shows it.
      group: what kind of agent it is.
      searches: whether simulations or seconds a move can be chosen for it.
    """

    name: str
    text: str
    group: str
    searches: bool = False


class Catalogue:
    """What there is, read anew whenever it is asked for; ratings when a record has changed.

    Args:
      settings: of the server.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._ratings: dict[Path, tuple[tuple[Any, ...], dict[str, str]]] = {}

    def runs(self) -> Iterator[Run]:
        """The runs that can be read."""
        for path in sorted(self._settings.folder.glob(f"*/{cards.NAME}")):
            with contextlib.suppress(UserError):
                yield runs.by_name(path.parent.name, self._settings.folder)

    def run_games(self) -> tuple[str, ...]:
        """The names of the games of all runs."""
        return tuple(dict.fromkeys(str(run.card["game"]) for run in self.runs()))

    def agents(self, name: str, game: Game) -> list[Choice]:
        """All agents that play a game, the likeliest choice first.

        Args:
          name: of the game.
          game: its rules.
        """
        found = [*self._snapshots(name), *self._nets(name, game), *self._plain(game)]
        return found + [Choice(agent, agent, "Named at start") for agent in self._settings.agents]

    def _snapshots(self, name: str) -> Iterator[Choice]:
        for run in self.runs():
            if run.card["game"] != name:
                continue
            try:
                ratings = self._rated(run)
            except UserError:
                continue
            for number in list(reversed(ratings))[:_MOST_SNAPSHOTS]:
                text = f"{run.name}:{number}{ratings[number]}"
                yield Choice(f"{run.name}:{number}", text, f"Run {run.name}", True)

    def _rated(self, run: Run) -> dict[str, str]:
        """Snapshots of a run, oldest first, and what is said of their ratings."""
        changed = web_runs.version(run.folder)
        kept = self._ratings.get(run.folder)
        if kept and kept[0] == changed:
            return kept[1]
        with run.results() as results:
            ids = [str(number) for number in results.digests()]
            found = dict.fromkeys(ids, "")
            with contextlib.suppress(UserError, ValueError):
                names, _, fit = leaderboard.fitted(results)
                for at, number in enumerate(names):
                    if number in found and math.isfinite(fit.elo[at]):
                        found[number] = _elo(fit.elo[at], fit.half_width[at])
        self._ratings[run.folder] = changed, found
        return found

    def _nets(self, name: str, game: Game) -> Iterator[Choice]:
        if pretrained.file(name) in pretrained.files():
            spec = f"{pretrained.KIND}:{name}"
            yield Choice(spec, "The net that comes with Arena", "Nets", True)

    def _plain(self, game: Game) -> Iterator[Choice]:
        with contextlib.suppress(ValueError):
            check_searchable(game)
            for count in (100, 1000, 4000):
                text = f"Tree search, {count:,} random games a move"
                yield Choice(f"mcts:{count}", text, "Without learning")
        yield Choice("uniform", "Random moves", "Without learning")
        for spec, text in _ENGINES:
            with contextlib.suppress(UserError, ImportError):
                registry.make(spec, game)
                yield Choice(spec, text, "Engines")


def _elo(elo: float, half_width: float) -> str:
    width = f" ± {half_width:.0f}" if math.isfinite(half_width) else ""
    return f" · {elo:+z.0f}{width} Elo"
