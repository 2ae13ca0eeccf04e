"""A judge that was learnt from comparisons, in a file that `arena judge train` has written.

The file is an `.npz`: the weights of the ensemble, stacked, and a card in JSON of what they are.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np

from agents import learners
from agents.judges import preference
from agents.nn.networks import NetworkConfig
from arena.digests import digest, nested
from arena.errors import UserError
from arena.judges.names import JudgeContext
from arena.types import Judge, Params, State
from games import Game

FORMAT = "arena-judge-1"


@dataclass(frozen=True)
class LearnedJudge(Judge):
    """Who won, or stands better, as an ensemble of networks has learnt it.

    Attributes:
      game: what is played.
      network: of each of its members.
      digest: of their weights.
      pessimism: standard deviations of the ensemble by which a verdict is nearer to 0.
      params: the weights [K, ...], of which the digest tells which they are.
    """

    game: Game
    network: NetworkConfig
    digest: str
    pessimism: float = 0.0
    params: Params = field(default=(), compare=False, repr=False)
    any_position = True

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "LearnedJudge":
        """`learned:FILE` or `learned:FILE,pessimism=NUMBER`."""
        path, _, option = argument.partition(",pessimism=")
        try:
            pessimism = float(option or 0)
        except ValueError:
            pessimism = -1.0
        if not path or not 0 <= pessimism < 1e6:
            raise ValueError("learned:FILE or learned:FILE,pessimism=NUMBER")
        card, params = read(Path(path))
        check_game(path, card, game)
        network = learners.find_network(card["network"])(**card["size"])
        return cls(game, network, card["digest"], pessimism, params)

    @staticmethod
    def with_files(argument: str, change: Callable[[str], str], other: Callable[[str], str]) -> str:
        """See `Judge`."""
        path, option, number = argument.partition(",pessimism=")
        return change(path) + option + number

    @property
    def evaluations(self) -> int:
        """Of every member one in either seat."""
        return 2 * len(jax.tree.leaves(self.params)[0])

    def identity(self) -> str:
        """See `Judge`."""
        return self.digest

    def verdict(self, finals: State) -> jax.Array:
        """See `Judge`; of any positions."""
        return preference.verdict(
            self.game, self.network, self.params, finals, pessimism=self.pessimism
        )


def read(path: Path) -> tuple[dict[str, Any], Params]:
    """The card and the weights of a judge.

    Raises:
      UserError: the file is not there, is none, or is damaged.
    """
    try:
        with path.open("rb") as whole, np.load(whole) as file:
            arrays = dict(file)
        card = json.loads(arrays.pop("card").item())
        if card["format"] != FORMAT:
            raise ValueError("it is of another version of Arena")
        params = nested(arrays)
        if digest(params) != card["digest"]:
            raise ValueError("it is damaged: wrong digest")
    except FileNotFoundError:
        raise UserError(f"there is no judge {str(path)!r}: arena judge train makes one") from None
    except Exception as error:  # a cut zip file shows in many ways
        raise UserError(f"{path} is not a judge that can be read: {error}") from None
    return card, params


def read_card(path: Path) -> dict[str, Any]:
    """The card of a judge without its weights; {} if the file is no judge."""
    try:
        with path.open("rb") as whole, np.load(whole) as file:
            found = json.loads(file["card"].item())
        return found if found["format"] == FORMAT else {}
    except Exception:  # any file may lie there
        return {}


def check_game(path: str, card: dict[str, Any], game: Game) -> None:
    """Raises UserError if a judge was learnt on another game."""
    if card["game_version"] != game.version or card["rules"] != repr(game):
        raise UserError(f"{path} judges {card['game']}, not this game")
