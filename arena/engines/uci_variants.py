"""Engines that play variants of chess by UCI, among them other games of moves from cell to cell.

python-chess speaks to engines of chess alone, so this is the protocol itself: `UCI_Variant`,
`position startpos moves …`, `go nodes N`, `bestmove`. The names of variants and the way that moves
are written are Fairy-Stockfish's.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from arena.engines.process import TIMEOUT, Engine, Pipe, short
from arena.play.session import Session
from arena.types import Forfeit, Position
from games import Game
from games.animal_shogi import AnimalShogi
from games.breakthrough import Breakthrough
from games.gardner_chess import GardnerChess

_RANKS = 4
"""Of animal shogi, whose first player counts them from the other side than engines do."""


def variant(game: Game) -> str:
    """What engines call a game.

    Raises:
      ValueError: they do not know it; in one line.
    """
    if isinstance(game, AnimalShogi):
        return "dobutsu"
    if isinstance(game, GardnerChess):
        return "gardner"
    if isinstance(game, Breakthrough):
        return "breakthrough"
    raise ValueError("of games other than chess it plays animal_shogi, breakthrough, gardner_chess")


def move_text(game: Game, label: str) -> str:
    """A move as engines write it, from its label.

    Args:
      game: one that has a `variant`.
      label: of the move.
    """
    if not isinstance(game, AnimalShogi):
        return label.replace("x", "")
    match = re.fullmatch(r"([A-Z])(?:\*|(\w\d)[-x])(\w\d)(\+?)", label)
    assert match
    piece, start, end, promoted = match.groups()
    target = _turned(end)
    return f"{_turned(start)}{target}{promoted}" if start else f"{piece}@{target}"


def _turned(cell: str) -> str:
    return f"{cell[0]}{_RANKS + 1 - int(cell[1])}"


class VariantUCI(Engine):
    """A process that plays a variant of chess; it gets every game from its start.

    Args:
      name: what the player is called.
      command: starts the process.
      game: what it plays; one that has a `variant`.
      options: of the engine, by the names that it gives them.
      go: the limit of a search, as `go` takes it.
      timeout: seconds that an answer may take.

    Raises:
      Forfeit: it cannot be started, or does not know the variant.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        game: Game,
        options: Mapping[str, int],
        go: str,
        timeout: float = TIMEOUT,
    ):
        self._name, self._go = name, go
        self._pipe = Pipe(name, command, timeout=timeout)
        try:
            self._begin(game, options)
        except Forfeit:
            self.close()
            raise

    def _begin(self, game: Game, options: Mapping[str, int]) -> None:
        self._pipe.send("uci")
        known = self._until("uciok", "uci")
        combo = next((x for x in known if x.startswith("option name UCI_Variant ")), "")
        if f" var {variant(game)} " not in f"{combo} ":
            raise Forfeit(f"{self._name} does not know the variant {variant(game)}")
        for option, value in {"UCI_Variant": variant(game), **options}.items():
            self._pipe.send(f"setoption name {option} value {value}")
        self._pipe.send("isready")
        self._until("readyok", "isready")

    def _until(self, last: str, command: str) -> list[str]:
        """The lines up to one that begins with a word, itself included."""
        found = []
        for line in self._pipe.lines(command):
            found.append(line)
            if line.split()[:1] == [last]:
                break
        return found

    def choose(self, game: Game, position: Position) -> int:
        """The engine's move."""
        moves = position.moves_from_init(self._name)
        texts = _texts(game, moves)
        self._pipe.send("position startpos" + "".join([" moves ", " ".join(texts)] * bool(texts)))
        self._pipe.send(self._go)
        answer = self._until("bestmove", "go")[-1].split()
        found = answer[1] if len(answer) > 1 else ""
        session = _session(game, moves)
        legal = {move_text(game, label): move for label, move in session.legal_moves.items()}
        # A chick that reaches the last rank promotes; to these engines that is a choice.
        move = legal.get(found, legal.get(f"{found}+"))
        if move is not None:
            return move
        raise Forfeit(f"{self._name} played {short(found)!r}, which is not legal")

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close("quit")


@lru_cache(maxsize=1024)
def _session(game: Game, moves: tuple[int, ...]) -> Session:
    """The game after these moves; from that a ply ago where it is still in the cache."""
    if not moves:
        return Session(game)
    session = copy.deepcopy(_session(game, moves[:-1]))
    session.push(moves[-1])
    return session


def _texts(game: Game, moves: tuple[int, ...]) -> list[str]:
    """A game's moves as engines write them."""
    return [move_text(game, label) for label in _session(game, moves).record.labels]
