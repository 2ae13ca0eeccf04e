"""Boards of single points as GTP writes them: go, hex, othello, gomoku, tic-tac-toe.

A vertex is a letter, of which there is no I, and a row from 1 at the bottom. Black is seat 0.
"""

import dataclasses
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arena.errors import UserError

if TYPE_CHECKING:
    from arena.play.session import Session
    from games import Game

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
COLOURS = ("black", "white")
_PASS = "pass"


@dataclass(frozen=True)
class Board:
    """How a game's points and its labels belong together.

    Attributes:
      game: the game's name.
      title: what GoGui calls it: a capital, then small letters.
      columns: the letters of its labels.
      from_top: its rows are numbered from the top.
      geometry: of the board, `rect` or `hex`.
      sized: its size is an option.
    """

    game: str
    title: str
    columns: str = string.ascii_lowercase
    from_top: bool = False
    geometry: str = "rect"
    sized: bool = True

    def size(self, game: "Game") -> int:
        """Points on each side."""
        fixed = {"othello": 8, "tic_tac_toe": 3}
        return fixed.get(self.game) or int(getattr(game, "size", 0))

    def vertex(self, game: "Game", label: str) -> str:
        """A move of the game as a vertex; `pass` and other words stay what they are."""
        if not label[1:].isdecimal():
            return label.lower()
        row = int(label[1:])
        row = self.size(game) + 1 - row if self.from_top else row
        return f"{LETTERS[self.columns.index(label[0].lower())]}{row}"

    def label(self, game: "Game", vertex: str) -> str:
        """The inverse of `vertex`; raises ValueError, in one line, if it is no point."""
        text = vertex.strip().upper()
        if not text[1:].isdecimal():
            return text.lower()
        size = self.size(game)
        column, row = LETTERS.find(text[:1]), int(text[1:4])
        if not (0 <= column < size and 1 <= row <= size):
            raise ValueError("invalid vertex")
        return f"{self.columns[column]}{size + 1 - row if self.from_top else row}"

    def points(self, session: "Session") -> list[list[str]]:
        """`X` for black, `O` for white, `.`: rows from the top, each from the left."""
        size = self.size(session.game)
        rows = []
        for line in session.game.show(session.state).splitlines():
            marks = [word for word in line.split() if word in ("X", "O", ".")]
            if len(marks) == size:
                rows.append(marks)
        return rows

    def resized(self, game: Any, size: int) -> "Game":
        """The same game on a board of another size.

        Raises:
          ValueError: there is none.
        """
        if size == self.size(game):
            return game
        if not self.sized:
            raise ValueError("unacceptable size")
        try:
            return dataclasses.replace(game, size=size)
        except ValueError:
            raise ValueError("unacceptable size") from None


BOARDS = (
    Board("go", "Go", columns=LETTERS.lower()),
    Board("hex", "Hex", from_top=True, geometry="hex"),
    Board("othello", "Othello", from_top=True, sized=False),
    Board("gomoku", "Gomoku"),
    Board("tic_tac_toe", "Tictactoe", sized=False),
)
"""All games that GTP can serve."""


def board(game: str) -> Board:
    """The board of a game by its name; raises UserError if GTP cannot serve the game."""
    kind = game.partition(":")[0]
    for found in BOARDS:
        if found.game == kind:
            return found
    known = ", ".join(found.game for found in BOARDS)
    raise UserError(f"GTP is spoken by programs of {known}, not of {kind}; try arena uci")


def colour(text: str) -> int:
    """The seat of a colour; raises ValueError if it is none."""
    for seat, name in enumerate(COLOURS):
        if text.lower() in (name, name[0]):
            return seat
    raise ValueError("invalid color")


def handicap(size: int, count: int) -> list[str]:
    """The points of a fixed handicap, as section 4.1.1 of the GTP 2 draft places them.

    Raises:
      ValueError: there is no such handicap on this board; in one line.
    """
    most = 0 if size < 7 else 4 if size % 2 == 0 or size == 7 else 9
    if not 2 <= count <= most:
        raise ValueError("invalid number of stones")
    edge = 3 if size < 13 else 4
    low, middle, high = edge, (size + 1) // 2, size + 1 - edge
    corners = [(low, low), (high, high), (high, low), (low, high)]
    sides = [(low, middle), (high, middle), (middle, low), (middle, high)]
    points = corners[: min(count, 4)]
    if count >= 6:
        points += sides[:2]
    if count >= 8:
        points += sides[2:]
    if count in (5, 7, 9):
        points.append((middle, middle))
    return [f"{LETTERS[x - 1]}{y}" for x, y in points]
