"""What an actor of a cluster does: it plays requests of one run, on one device."""

from collections import OrderedDict

import jax

from agents import judges
from arena.errors import UserError
from arena.play.device_loop import Match
from arena.types import Params
from league.cluster.kept import KeptWeights
from league.settings import game_names
from league.settings.config import from_card
from league.settings.json_object import JsonObject
from league.store.objects import Files
from league.training import step
from league.training.actors import LocalActors
from league.training.requests import Request, Result, Shape, WeightsRef

_WEIGHTS = 32
"""Weights that are kept in memory, the newest ones."""


class Player:
    """Plays requests of a run.

    Args:
      card: of the run.
      files: of the run, where weights lie.

    Raises:
      UserError: its game, learner or judge is not to be found.
    """

    def __init__(self, card: JsonObject, files: Files):
        try:
            game = game_names.load(card["game"], card.get("env"))
        except ValueError as error:
            raise UserError(str(error)) from None
        config = from_card(card)
        judge = judges.make(card["judge"], game, config.learner, seed=config.seed)
        if judge.weighted is not None:
            raise UserError(f"the judge {card['judge']} learns: it plays in one process only")
        self._learner = config.learner.make(game, judge)
        self._template = jax.eval_shape(lambda: self._learner.init(jax.random.key(0))).params
        self._weights: OrderedDict[str, Params] = OrderedDict()
        self._kept = KeptWeights(files)
        self._actors = LocalActors(self._match)

    def play(self, request: Request) -> Result:
        """The result of a request, of numpy arrays."""
        [result] = self._actors.play([request], self._find)
        return Result(result.key, jax.device_get(result.played))

    def _match(self, shape: Shape) -> Match:
        return step.recorded_match(self._learner, slots=shape.slots, pairs=shape.pairs)

    def _find(self, ref: WeightsRef) -> Params:
        if ref.digest not in self._weights:
            self._weights[ref.digest] = self._kept.read(ref.digest, self._template)
            while len(self._weights) > _WEIGHTS:
                self._weights.popitem(last=False)
        self._weights.move_to_end(ref.digest)
        return self._weights[ref.digest]
