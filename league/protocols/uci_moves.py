"""How UCI writes moves and positions: of chess, and of the variants that other programs know.

`cfour` and `dobutsu` are written as Cute Chess and Fairy-Stockfish write them, `gardner` and
`breakthrough` as Fairy-Stockfish does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arena.errors import UserError

if TYPE_CHECKING:
    from arena.play.session import Session

_FILES = "abcdefgh"


class Dialect:
    """One variant: how its moves and positions are written. This one is that of chess.

    Attributes:
      variant: the value of `UCI_Variant`.
      game: the name of the game in Arena.
    """

    variant, game = "chess", "chess"

    def write(self, session: "Session", move: int) -> str:
        """A legal move in a position."""
        from games.chess import moves

        return moves(_board(session))[move].uci()

    def read(self, session: "Session", text: str) -> int:
        """The legal move that a text means; raises ValueError, in one line, if there is none."""
        for move, name in self.legal(session):
            if name.lower() == text.lower():
                return move
        raise ValueError(f"{text!r} is not a legal move")

    def legal(self, session: "Session") -> Iterator[tuple[int, str]]:
        """All legal moves, and how they are written."""
        from games.chess import moves

        return ((number, move.uci()) for number, move in moves(_board(session)).items())

    def line(self, session: "Session", moves: Sequence[int]) -> list[str]:
        """A sequence of legal moves from a position."""
        from games import chess

        board, texts = _board(session), []
        for number in moves:
            move = chess.moves(board)[number]
            texts.append(move.uci())
            board.push(move)
        return texts

    def start(self, session: "Session", fen: str) -> Any:
        """The position that a FEN gives.

        Rights that the pieces contradict are dropped, and so is a square where nothing can be
        taken en passant.

        Args:
          session: any game of the same rules.
          fen: fields that are missing in the end have their defaults.

        Raises:
          ValueError: it is no position; in one line.
        """
        import chess

        try:
            board = chess.Board(fen)
        except ValueError as error:
            raise ValueError(f"{fen!r} is not a FEN: {error}") from None
        board.castling_rights = board.clean_castling_rights()
        if not board.has_legal_en_passant():
            board.ep_square = None
        game: Any = session.game
        # What the rules count as the end of a game may lie before this move, or soon after it.
        board.fullmove_number = max(1, min(board.fullmove_number, game.plies // 4))
        board.halfmove_clock = min(board.halfmove_clock, 99)
        return game.from_fen(board.fen())

    def goes_on(self, session: "Session") -> Any:
        """A position to choose a move from where the rules have ended the game.

        Programs go on where the rules draw at once: after the third occurrence of a position, for
        instance.

        Returns:
          the same position without what has ended the game, or None if there is no legal move.
        """
        board = _board(session)
        if not any(board.legal_moves):
            return None
        return self.start(session, " ".join([*board.fen().split()[:4], "0", "1"]))


class _Plain(Dialect):
    """A variant whose moves are written one by one."""

    def write(self, session: "Session", move: int) -> str:
        from arena.engines.uci_variants import move_text

        return move_text(session.game, session.label(move))

    def legal(self, session: "Session") -> Iterator[tuple[int, str]]:
        return ((move, self.write(session, move)) for move in session.legal_moves.values())

    def line(self, session: "Session", moves: Sequence[int]) -> list[str]:
        import copy

        twin, texts = copy.deepcopy(session), []
        for move in moves:
            texts.append(self.write(twin, move))
            twin.push(move)
        return texts

    def start(self, session: "Session", fen: str) -> Any:
        raise ValueError(f"games of {self.variant} begin in their initial position")

    def goes_on(self, session: "Session") -> Any:
        return None


class _ConnectFour(_Plain):
    """Drops, `P@d1`: the column and the row where the stone comes to lie."""

    variant, game = "cfour", "connect_four"

    def write(self, session: "Session", move: int) -> str:
        # Six bits a column; see games/connect_four.py.
        mine, theirs = session.state
        word = (mine.low | theirs.low) >> 7 * move if move < 4 else 0
        if move >= 4:
            word = (mine.high | theirs.high) >> 7 * (move - 4)
        return f"P@{_FILES[move]}{(int(word) & 0x3F).bit_count() + 1}"


class _AnimalShogi(_Plain):
    """`b2b3`, `a3a4+` for a promotion, `C@b2` for a drop; seat 0 plays up from row 1."""

    variant, game = "dobutsu", "animal_shogi"


class _Gardner(_Plain):
    """`a2a3`, `a4a5q`, as Arena writes them, and FEN."""

    variant, game = "gardner", "gardner_chess"

    def start(self, session: "Session", fen: str) -> Any:
        game: Any = session.game
        return game.from_fen(fen)


class _Breakthrough(_Plain):
    """`a2b3`, the same whether something is taken."""

    variant, game = "breakthrough", "breakthrough"


DIALECTS: tuple[Dialect, ...] = (
    Dialect(),
    _ConnectFour(),
    _AnimalShogi(),
    _Gardner(),
    _Breakthrough(),
)
"""All variants."""


@dataclass(frozen=True)
class Choice:
    """What may be played: a variant each, the first by default.

    Attributes:
      dialects: the variants.
      game: the name of the game with its options, if there is only one.
    """

    dialects: tuple[Dialect, ...]
    game: str = ""

    def rules(self, dialect: Dialect) -> str:
        """The name of a variant's game."""
        return self.game or dialect.game


def choice(game: str) -> Choice:
    """The variants of a game by its name, or all if it is empty.

    Raises:
      UserError: no program knows the game.
    """
    if not game:
        return Choice(DIALECTS)
    kind = game.partition(":")[0]
    for dialect in DIALECTS:
        if dialect.game == kind:
            return Choice((dialect,), game)
    known = ", ".join(dialect.game for dialect in DIALECTS)
    raise UserError(f"UCI is spoken by programs of {known}, not of {kind}; try arena gtp")


def _board(session: "Session") -> Any:
    """The position as python-chess has it, without what was before."""
    import chess

    game: Any = session.game
    return chess.Board(game.to_fen(session.state))
