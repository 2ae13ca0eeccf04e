"""Weights that a run begins with, where they are not random: those of another snapshot."""

from dataclasses import dataclass
from pathlib import Path

import jax

from agents.learners.base import LearnerConfig
from agents.nn.networks import NetworkConfig
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.types import Params
from games import Game
from league.settings.json_object import JsonObject
from league.store.checkpoints import digest, store

FOLDER = "initial"


@dataclass(frozen=True)
class InitialWeights:
    """Weights to go on from, and what they are weights of.

    Attributes:
      name: as a user types it, `RUN:ID` or `pretrained:GAME`.
      learner: the name of the learner that made them.
      network: their kind and size.
      params: the weights.
    """

    name: str
    learner: str
    network: NetworkConfig
    params: Params

    def check(self, game: Game, config: LearnerConfig) -> None:
        """Raises UserError, in one line, if a learner's network has no room for them."""
        wanted = jax.eval_shape(
            lambda: config.make(game, Rules(game)).init(jax.random.key(0)).params
        )
        if jax.tree.map(lambda x: x.shape, wanted) != jax.tree.map(lambda x: x.shape, self.params):
            raise UserError(
                f"{self.name} has a network of another size: {self.network} of {self.learner}"
            )

    def card(self) -> JsonObject:
        """What a run card says of them."""
        return {"from": {"name": self.name, "digest": digest(self.params)}}

    def save(self, place: Path | str) -> None:
        """Keeps them among a run's files, in place of what a kill may have left there."""
        kept = store(place, FOLDER)
        kept.clear()
        kept.save(0, self.params)


def load(place: Path | str, card: JsonObject, like: Params) -> Params | None:
    """The weights that a run begins with; None if they are random.

    Args:
      place: of the run's files, a folder or a URL.
      card: its card.
      like: their shapes.

    Raises:
      UserError: they are not there, or not what was saved.
    """
    if "from" not in card:
        return None
    kept = store(place, FOLDER)
    params = kept.load(0, like)
    if digest(params) != card["from"]["digest"]:
        raise UserError(f"{kept.title(0)} is damaged: wrong digest")
    return params
