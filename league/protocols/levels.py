"""The strengths between which a client may choose: the snapshots of a run, and their ratings.

They are measured: a snapshot has its rating from the games that its raw network has played in the
run. So at limited strength a raw network plays, without search.
"""

from dataclasses import dataclass
from pathlib import Path

from arena.errors import UserError


@dataclass(frozen=True)
class Level:
    """One strength.

    Attributes:
      snapshot: its id.
      elo: its rating, above the run's first snapshot.
      half_width: of the 95 % interval.
    """

    snapshot: str
    elo: float
    half_width: float


@dataclass(frozen=True)
class Levels:
    """The strengths of a run.

    Attributes:
      levels: one at the least.
    """

    levels: tuple[Level, ...]

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest rating."""
        ratings = [level.elo for level in self.levels]
        return round(min(ratings)), round(max(ratings))

    def nearest(self, elo: float) -> Level:
        """The snapshot whose rating is nearest, of equals the newest."""
        return min(reversed(self.levels), key=lambda level: abs(level.elo - elo))


def of_run(name: str) -> Levels | None:
    """The strengths of a run in ./runs; None if it has no two snapshots that have played.

    Imports no JAX.
    """
    from league.store import record

    place = record.find(Path("runs") / name) if name else None
    if place is None:
        return None
    from league.evaluation import leaderboard
    from league.store.database import Results

    try:
        with Results(place) as results:
            names, _, fit = leaderboard.fitted(results)
            count = len(results.digests())
    except UserError:
        return None
    found = [
        Level(names[n], float(fit.elo[n]), float(fit.half_width[n]))
        for n in range(count)
        if fit.games[n]
    ]
    return Levels(tuple(found)) if len(found) > 1 else None
