"""What an actor of a cluster does: it plays requests of one run, on one device."""

from pathlib import Path

import jax

from arena.errors import UserError
from arena.play.device_loop import Match
from arena.types import Params
from league.cluster.kept import KeptWeights
from league.cluster.weights import WeightsInMemory
from league.settings.json_object import JsonObject
from league.store.objects import Files
from league.store.run import Run
from league.training import step
from league.training.actors import LocalActors
from league.training.requests import Request, Result, Shape, WeightsRef


class Player:
    """Plays requests of a run.

    Args:
      card: of the run.
      files: of the run, where weights lie.

    Raises:
      UserError: its game, learner or judge is not to be found.
    """

    def __init__(self, card: JsonObject, files: Files):
        run = Run(Path(), card=card)
        check_judge(run)
        self._judge, self._judged = run.judge, (0.0, 0)
        self._learner = run.learner
        self._template = run.template().params
        self._weights = WeightsInMemory()
        self._kept = KeptWeights(files)
        self._actors = LocalActors(self._match)

    def play(self, request: Request) -> Result:
        """The result of a request, of numpy arrays."""
        [result] = self._actors.play([request], self._find)
        return Result(result.key, jax.device_get(result.played))

    def fetched(self) -> tuple[int, float]:
        """Bytes of weights that were fetched since the last call, and seconds that this took."""
        return self._weights.spent()

    def judged(self) -> tuple[float, int]:
        """Seconds of the judge's own code since the last call, and positions that it was given."""
        seconds, positions = self._judged
        self._judged = now = self._judge.seconds_spent() or 0.0, self._judge.positions_judged()
        return now[0] - seconds, now[1] - positions

    def _match(self, shape: Shape) -> Match:
        return step.recorded_match(self._learner, slots=shape.slots, pairs=shape.pairs)

    def _find(self, ref: WeightsRef) -> Params:
        return self._weights.find(ref.digest, lambda: self._kept.read(ref.digest, self._template))


def check_judge(run: Run) -> None:
    """Raises UserError if a run's judge has weights that change, which actors are not told."""
    if run.judge.weighted is not None:
        raise UserError(f"the judge {run.card['judge']} learns: it plays in one process only")
