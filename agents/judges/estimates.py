"""Judges that are other programs: what an engine thinks of a position in which the game goes on."""

import atexit
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from arena.engines.process import Engines
from arena.errors import UserError
from arena.judges.hosted import HostedJudge
from arena.judges.names import JudgeContext
from arena.judges.rules import Rules
from arena.types import Forfeit, PyTree, State
from games import OVER, Game

_MOST = 1 << 18
"""Positions whose estimates a process remembers, of each judge; then it begins anew."""
_ENGINES: dict["EstimateJudge", Engines] = {}
_KNOWN: dict["EstimateJudge", dict[Hashable, float]] = {}


@dataclass(frozen=True)
class EstimateJudge(HostedJudge):
    """The rules where a game is over; where it goes on, what an engine expects of the position.

    Of one position an engine is asked once in a process, and it says the same in any other.

    Attributes:
      game: what is played.
      argument: the engine's options, as a user types them.
    """

    game: Game
    argument: str = ""
    any_position = True

    @classmethod
    def from_text(cls, game: Game, argument: str, context: JudgeContext) -> "EstimateJudge":
        """The judge NAME or NAME:OPTIONS."""
        judge = cls(game, argument)
        judge.engines()  # what is wrong with the options, or not installed, is told now
        return judge

    @property
    def title(self) -> str:
        """See `HostedJudge`."""
        return f"{super().title}:{self.argument}".rstrip(":")

    @abstractmethod
    def engines(self) -> Engines:
        """Its processes, none of which is started yet; raises ValueError if there can be none."""

    @abstractmethod
    def positions(self, given: PyTree) -> Sequence[Hashable]:
        """What is asked about each of N positions, of which `prepare` made `given`; no JAX."""

    @abstractmethod
    def estimate(self, engine: Any, position: Any) -> float:
        """What seat 0 expects, in [-1, 1], of one of `positions`; raises Forfeit for no answer."""

    def verdicts_where(self, wanted: jax.Array, states: State) -> jax.Array:
        """See `Judge`."""
        over = jax.vmap(self.game.mover)(states) == OVER
        estimated = super().verdicts_where(wanted & ~over, states)
        return jax.numpy.where(over, Rules(self.game).verdict(states), estimated)

    def judge_on_host(self, given: PyTree) -> np.ndarray:
        """See `HostedJudge`."""
        positions, known = self.positions(given), _KNOWN.setdefault(self, {})
        if len(known) + len(positions) > _MOST:
            known.clear()
        if new := [one for one in dict.fromkeys(positions) if one not in known]:
            try:
                found = self._running().ask_all(self.estimate, new)
            except Forfeit as error:
                raise UserError(f"the judge gives no verdict: {error}") from None
            known.update(zip(new, found, strict=True))
        return np.array([known[one] for one in positions], np.float32)

    def _running(self) -> Engines:
        if self not in _ENGINES:
            _ENGINES[self] = self.engines()
        return _ENGINES[self]


def close() -> None:
    """Ends all engines; they start again where they are needed."""
    while _ENGINES:
        _ENGINES.popitem()[1].close(in_turn=True)


atexit.register(close)
