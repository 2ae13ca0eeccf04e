"""What a cluster is doing, for others to read: `cluster.json` among the files of a run.

Whoever directs the actors knows it, and writes it whole every few seconds, to where the run's
weights lie; so it can be read from every machine that reaches these. Nothing of it goes into the
record, and a run does not depend on it. Imports neither JAX nor Ray.
"""

import contextlib
import json
import time
from dataclasses import asdict, dataclass, field

from arena.errors import UserError
from league.settings.json_object import JsonObject
from league.store.objects import Files

NAME = "cluster.json"
EVERY = 2.0
"""Seconds between two writes."""


@dataclass
class ActorFigures:
    """One actor.

    Attributes:
      number: from 0.
      state: starting, idle, playing, or lost: it died, and is being started again.
      place: its machine and process there; empty before it has started.
      playing: what it plays; empty if it does not.
      playing_seconds: for how long.
      requests: that it has played.
      games: in them.
      seconds: that they took.
      losses: how often it was lost.
      weights_bytes: weights that it fetched.
      weights_seconds: that it waited for them.
      judge_seconds: that the code of the run's judge took there, if it has some.
      judge_positions: that this code was given.
    """

    number: int
    state: str = "starting"
    place: str = ""
    playing: str = ""
    playing_seconds: float = 0.0
    requests: int = 0
    games: int = 0
    seconds: float = 0.0
    losses: int = 0
    weights_bytes: int = 0
    weights_seconds: float = 0.0
    judge_seconds: float = 0.0
    judge_positions: int = 0

    @property
    def games_per_s(self) -> float:
        """Games a second of the time in which it played."""
        return self.games / self.seconds if self.seconds else 0.0


@dataclass
class ClusterFigures:
    """All actors of one command.

    Attributes:
      command: that plays, such as `train`.
      address: of the cluster.
      actors: by their numbers.
      queue: requests that nobody plays yet.
      lost: calls whose results did not come.
      repeated: calls made once more, for those and for slow ones.
      duplicates: results that came when there was one already.
      reused: results that were in the store, of a trainer that was stopped.
      waited_seconds: that the command waited for games.
      seconds: since it began.
      told: when this was written, seconds since 1970 by the clock of that machine.
      ended: the command is over.
    """

    command: str
    address: str
    actors: list[ActorFigures] = field(default_factory=list)
    queue: int = 0
    lost: int = 0
    repeated: int = 0
    duplicates: int = 0
    reused: int = 0
    waited_seconds: float = 0.0
    seconds: float = 0.0
    told: float = 0.0
    ended: bool = False

    def to_json(self) -> JsonObject:
        """As the file and programs hold it; sums over all actors stand beside them."""
        actors = [{**asdict(one), "games_per_s": one.games_per_s} for one in self.actors]
        return {
            **asdict(self),
            "actors": actors,
            "games_per_s": sum(one.games_per_s for one in self.actors),
            "weights_bytes": sum(one.weights_bytes for one in self.actors),
            "weights_seconds": sum(one.weights_seconds for one in self.actors),
        }

    @property
    def faults(self) -> str:
        """What was lost, repeated and found, in words; empty if nothing was."""
        counts = {
            "lost": self.lost,
            "made again": self.repeated,
            "answered twice": self.duplicates,
            "found in the store": self.reused,
        }
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def write(files: Files, figures: ClusterFigures) -> None:
    """Writes them, whole; what cannot be written is left out."""
    figures.told = time.time()
    with contextlib.suppress(UserError, OSError), files.writing(NAME) as file:
        file.write(json.dumps(figures.to_json()).encode())


def read(files: Files) -> JsonObject | None:
    """Those that were written last; None if none were."""
    try:
        with files.reading(NAME) as file:
            found = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "actors" in found else None
