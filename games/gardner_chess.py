"""Gardner's minichess."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _chess, _chess_picture
from games._chess import Board, CheckInfo, History, Key, Pieces
from games._turned import turned
from games.core import OVER, Fact, Facts, Game

_SIZE = 5


class State(NamedTuple):
    """832 bytes. All squares are as the seat to move sees them.

    Attributes:
      pieces: of both seats.
      clock: i32[], plies since the last capture or pawn's move.
      ply: i32[], plies since the start; White moves at even ones.
      history: the positions that may occur again.
    """

    pieces: Pieces
    clock: jax.Array
    ply: jax.Array
    history: History


class _Options(NamedTuple):
    """The moves of the seat to move.

    Attributes:
      info: check and pins.
      pawns: target squares of pawns, by `_chess.PAWN_RAYS`.
      directions: target squares of all pieces, by `_chess.DIRECTIONS`.
    """

    info: CheckInfo
    pawns: list[Board]
    directions: list[Board]

    def any(self) -> jax.Array:
        """Whether there is a move, bool[]."""
        return _chess.union(self.directions).any()


@jax.jit
def _options(pieces: Pieces) -> _Options:
    info = _chess.check_info(pieces)
    pawns = _chess.pawn_targets(pieces, info)
    return _Options(info, pawns, _chess.targets(pieces, info, pawns))


@jax.jit
def _legal(pieces: Pieces) -> jax.Array:
    _, pawns, directions = _options(pieces)
    return _chess.mask(directions, pawns)


@jax.jit
def _checked(pieces: Pieces) -> jax.Array:
    return _chess.check_info(pieces).checked


def _key(state: State) -> Key:
    words = [word for board in state.pieces for word in board.words]
    return _chess.key([*words, (state.ply & 1).astype(jnp.uint32)])


@dataclass(frozen=True)
class GardnerChess(Game[State]):
    """Gardner's minichess: chess on 5×5.

    Rules:
      The pieces move as in chess, without double steps of pawns, captures en passant and castling.
      Both seats begin with rook, knight, bishop, queen and king from the left behind five pawns;
      seat 0 plays White and begins. Draws come at once, unless the last move mates: stalemate; the
      third occurrence of a position; 100 plies in a row without a capture or a pawn's move;
      material with which no sequence of moves mates; a game of `plies` plies.

    Moves:
      445 in all. The first 400 are `25 * direction + target`, squares numbered from the mover's
      first rank, each rank from file a. Directions 0 to 7 are the queen's, clockwise from straight
      up the board, 8 to 15 the knight's, clockwise from two up and one right; a pawn that reaches
      the last rank so becomes a queen. The last 45, `400 + 15 * piece + 5 * way + file`, are
      promotions to a knight, a bishop, a rook, by a capture to the left, a step, a capture to the
      right, and the target's file.

    Observation:
      f32[5, 5, 15], by rank from the seat's own first rank, and by file from a. Planes 12 to 14 are
      the same on every square.

      - 0 to 5: own pawns, knights, bishops, rooks, queens, king.
      - 6 to 11: the opponent's.
      - 12: earlier occurrences of the position.
      - 13: plies since the last capture or pawn's move, divided by 100.
      - 14: plies since the start, divided by `plies`.

    Attributes:
      plies: maximal length of a game in plies.

    Source:
      en.wikipedia.org/wiki/Minichess; draws as in pgx, whose games have at most 256 plies
    """

    plies: int = 256

    position_format = "FEN"
    num_actions = _chess.num_actions(_SIZE)
    facts = Facts(
        perft=Fact(
            (1, 7, 53, 506, 4_775, 52_512, 572_874),
            "Fairy-Stockfish, variant gardner (pyffish 0.0.90, perft 1 to 6)",
        ),
        value=Fact(0.0, "M. Mhalla, F. Prost: Gardner's Minichess Variant is solved, 1307.7118"),
    )

    def __post_init__(self):
        if not 1 <= self.plies <= 100_000:
            raise ValueError(f"gardner_chess: plies={self.plies} is not one of 1 to 100,000")
        object.__setattr__(self, "max_plies", self.plies)
        object.__setattr__(self, "typical_plies", min(87, self.plies))

    def init(self) -> State:
        """Rook, knight, bishop, queen and king from the left, on both sides."""
        return _state(_unpacked("rnbqk/ppppp/5/PPPPP/RNBQK"), 0, 0)

    def mover(self, state: State) -> jax.Array:
        """The seats alternate."""
        over = (
            ~_options(state.pieces).any()
            | _chess.insufficient(state.pieces)
            | (state.history.occurrences(_key(state)) >= 2)
            | (state.clock >= _chess.CLOCK)
            | (state.ply >= self.plies)
        )
        return _chess.materialize(jnp.where(over, OVER, state.ply & 1))

    def legal(self, state: State) -> jax.Array:
        """All moves that do not leave the king in check, bool[445]."""
        return _legal(state.pieces)

    def step(self, state: State, move: jax.Array) -> State:
        """Moves a piece, then turns the board to the other seat."""
        made = _chess.decode(_SIZE, move)
        source = _chess.origin(state.pieces, made)
        captured = made.target & state.pieces.theirs
        reset = captured.any() | (state.pieces.pawns & source).any()
        after = _chess.play(state.pieces, made, source=source, captured=captured).turned()
        after, reset = _chess.materialize((after, reset))
        return State(
            after,
            jnp.where(reset, 0, state.clock + 1),
            state.ply + 1,
            state.history.after(state.clock, _key(state), reset),
        )

    def payoff(self, state: State) -> jax.Array:
        """Mate wins, all else is a draw."""
        options = _options(state.pieces)
        mated = options.info.checked & ~options.any()
        return jnp.where(mated, jnp.where(state.ply & 1 == 1, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Fifteen planes f32[5, 5, 15], the own first rank first.

        Own pawns, knights, bishops, rooks, queens, king; the opponent's; how often the position has
        been there; shares of the 100 plies without progress and of all plies that are gone.
        """
        own = (state.ply & 1) == seat
        pieces = jax.tree.map(
            lambda a, b: jnp.where(own, a, b), state.pieces, state.pieces.turned()
        )
        boards = [side & kind for side in (pieces.mine, pieces.theirs) for kind in pieces.kinds()]
        scalars = [
            state.history.occurrences(_key(state)).astype(jnp.float32),
            state.clock.astype(jnp.float32) / _chess.CLOCK,
            state.ply.astype(jnp.float32) / self.plies,
        ]
        return _chess.planes(boards, scalars)

    def move_planes(self) -> np.ndarray:
        """Where a piece ends, i64[A]; a plane for each direction, and for underpromotions."""
        return _chess.move_planes(_SIZE)

    def show(self, state: State) -> str:
        """White below, in capitals."""
        letters = _letters(state)
        rows = [f"{k + 1}  {' '.join(letters[5 * k : 5 * k + 5])}" for k in range(4, -1, -1)]
        return "\n".join([*rows, "   a b c d e"])

    def view(self, state: State, seat: int) -> str:
        """As `show`, Black's side below for Black."""
        return turned(self.show(state)) if seat else self.show(state)

    def draw(self, state: State) -> str:
        """White below, with the pieces of python-chess; a king in check is marked."""
        return self._draw(state, turned=False)

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, Black's side below for Black."""
        return self._draw(state, turned=seat == 1)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The squares it leaves and reaches, and `=q` or the like for what a pawn becomes."""
        source, target, promotion = self._squares(state, move)
        return source, target, *([f"={promotion}"] if promotion else [])

    def label(self, state: State, move: int) -> str:
        """The squares it leaves and reaches, and what a pawn becomes: `b1c3`, `a4a5q`."""
        return "".join(self._squares(state, move))

    def _squares(self, state: State, move: int) -> tuple[str, str, str]:
        """The names of the squares that a move leaves and reaches, and what a pawn becomes."""
        turned = 5 * (int(state.ply) % 2)
        source, target, promotion = _chess.squares(_chess.letters(_host(state).pieces), int(move))
        first, second = (
            f"{'abcde'[k % 5]}{abs(turned - k // 5 - (not turned))}" for k in (source, target)
        )
        return first, second, promotion

    def _draw(self, state: State, *, turned: bool) -> str:
        king = "Kk"[int(state.ply) % 2] if bool(_checked(state.pieces)) else ""
        return _chess_picture.draw(5, _letters(state), turned=turned, king=king)

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        text = text.strip()
        for move in np.flatnonzero(_legal(state.pieces)).tolist():
            if self.label(state, move) == text.lower():
                return move
        raise ValueError(f"{text!r} is not a legal move here; moves are written as b1c3 or a4a5q")

    def from_fen(self, text: str) -> State:
        """The position that a FEN gives; what was before it is not known.

        Raises:
          ValueError: it is no FEN of a board of 5×5, or no position that a game can reach.
        """
        try:
            rows, turn, castling, passed, clock, move = text.split()
            letters, black = _unpacked(rows), "wb".index(turn)
            state = _state(letters, int(clock), 2 * int(move) - 2 + black)
        except ValueError:
            raise ValueError(f"{text!r} is not a FEN of a board of 5×5") from None
        if (castling, passed) != ("-", "-"):
            raise ValueError(
                f"{text!r} is not a legal position: nobody castles or takes en passant"
            )
        if letters.count("K") != 1 or letters.count("k") != 1:
            raise ValueError(f"{text!r} is not a legal position: there must be one king each")
        if {*"Pp"} & {*letters[:5], *letters[-5:]}:
            raise ValueError(f"{text!r} is not a legal position: pawns on the last rank")
        if _checked(state.pieces.turned()):
            raise ValueError(f"{text!r} is not a legal position: the king can be taken")
        return state

    def from_text(self, text: str) -> State:
        """As `from_fen`."""
        return self.from_fen(text)

    def to_text(self, state: State) -> str:
        """As `to_fen`."""
        return self.to_fen(state)

    def to_fen(self, state: State) -> str:
        """The position as FEN."""
        letters, ply = _letters(state), int(state.ply)
        rows = "/".join("".join(letters[k : k + 5]) for k in range(20, -1, -5))
        for count in range(5, 0, -1):
            rows = rows.replace("." * count, str(count))
        return f"{rows} {'wb'[ply % 2]} - - {int(state.clock)} {ply // 2 + 1}"


def _state(letters: list[str], clock: int, ply: int) -> State:
    """A position with an empty history, from letters in White's view."""
    pieces = _chess.from_letters(letters)
    pieces = pieces.turned() if ply % 2 else pieces
    return jax.tree.map(
        jnp.asarray, State(pieces, jnp.int32(clock), jnp.int32(ply), History.empty())
    )


def _letters(state: State) -> list[str]:
    """The piece on every square, in White's view and as FEN writes it."""
    pieces, _, ply, _ = _host(state)
    return _chess.letters(pieces.turned() if ply % 2 else pieces)


def _host(state: State) -> State:
    return jax.tree.map(np.asarray, state)


def _unpacked(rows: str) -> list[str]:
    """The squares that the first field of a FEN describes; ValueError if it does not."""
    for count in range(1, 6):
        rows = rows.replace(str(count), "." * count)
    ranks = rows.split("/")
    if [len(rank) for rank in ranks] != [5] * 5 or set("".join(ranks)) - set("PNBRQKpnbrqk."):
        raise ValueError(rows)
    return list("".join(reversed(ranks)))
