"""What a kind of SGF game is: how its moves become properties of nodes, and back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from arena.play.session import Session
from games import Game

Node = dict[str, list[str]]
"""Properties of a node: their values as text, without escapes, by their names."""


@dataclass
class FoundMoves:
    """The moves of a game.

    Attributes:
      labels: of the moves of the seats.
      outcomes: of chance.
    """

    labels: list[str] = field(default_factory=list)
    outcomes: list[int] = field(default_factory=list)


class SgfGame(ABC):
    """A kind of game, as SGF numbers them.

    Attributes:
      number: its `GM`.
      rules: the class of the games.
      colours: of seat 0 and seat 1, as SGF calls them.
    """

    number: ClassVar[int]
    rules: ClassVar[type[Game]]
    colours: ClassVar[str] = "BW"

    @abstractmethod
    def root(self, game: Any) -> Node:
        """Properties of the first node that tell what is played."""

    @abstractmethod
    def name(self, root: Node) -> str:
        """The game that the first node tells of; raises ValueError if there is none."""

    def size(self, game: Any) -> int:
        """What must be the same in two games for moves of one to be moves of the other."""
        return getattr(game, "size", 0)

    def setup(self, start: str) -> Node:
        """Properties of the first node for a position as text; raises ValueError if it has none."""
        if start:
            raise ValueError("SGF has no such position")
        return {}

    def start(self, game: Any, nodes: Sequence[Node]) -> str:
        """The position in which a game begins, as text; "" if it is the initial one.

        Raises:
          ValueError: the game has no such position; in one line.
        """
        if any({"AB", "AW", "AE"} & set(node) for node in nodes):
            raise ValueError("it begins with stones set up, which is read in go alone")
        return ""

    @abstractmethod
    def write(self, session: Session, labels: Sequence[str]) -> list[Node]:
        """The nodes of all moves; makes the moves in a session that is at the start."""

    @abstractmethod
    def read(self, game: Game, start: str, nodes: Sequence[Node]) -> FoundMoves:
        """The moves of nodes, up to the end of the game.

        Raises:
          ValueError: one is not legal; in one line.
        """


def board_size(root: Node, default: int) -> int:
    """The side of a square board; raises ValueError if it is none."""
    text = (root.get("SZ") or [str(default)])[0].strip() or str(default)
    sides = {side.strip() for side in text.split(":")}
    side = sides.pop()
    if sides or not side.isdecimal() or len(side) > 3:
        raise ValueError(f"a board of size {text:.20} is not read")
    return int(side)
