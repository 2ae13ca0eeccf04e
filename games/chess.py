"""Chess."""

from dataclasses import dataclass
from typing import NamedTuple

import chess
import jax
import jax.numpy as jnp
import numpy as np

from games import _chess, _chess_picture
from games._chess import Board, CheckInfo, History, Key, Pieces
from games._turned import turned
from games.core import OVER, Fact, Facts, Game

_SIZE = 8
_RIGHT, _LEFT = 2, 6  # in _chess.RAYS
_CORNERS = 0x8100000000000081
_KING = 0x10


class _Castling(NamedTuple):
    """One of the two directions to castle, as sets of squares.

    Attributes:
      ray: where the king goes.
      corner: where the rook comes from.
      between: must be empty.
      safe: must not be attacked.
      target: where the king ends.
      rook: where the rook comes from and ends.
    """

    ray: int
    corner: int
    between: int
    safe: int
    target: int
    rook: int


_CASTLINGS = (
    _Castling(_RIGHT, 0x80, 0x60, 0x70, 0x40, 0xA0),
    _Castling(_LEFT, 0x01, 0x0E, 0x1C, 0x04, 0x09),
)


class State(NamedTuple):
    """864 bytes. All squares are as the seat to move sees them.

    Attributes:
      pieces: of both seats.
      rights: rooks that may still castle, and the square where a pawn may be taken en passant.
      clock: i32[], plies since the last capture or pawn's move.
      ply: i32[], plies since the start; White moves at even ones.
      history: the positions that may occur again.
    """

    pieces: Pieces
    rights: Board
    clock: jax.Array
    ply: jax.Array
    history: History


def _board(squares: int) -> Board:
    return Board.of(_SIZE, squares)


def _rank(rank: int) -> Board:
    return Board.rank(_SIZE, rank - 1)


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
def _options(pieces: Pieces, rights: Board) -> _Options:
    info = _chess.check_info(pieces)
    left, ahead, right = _chess.pawn_targets(pieces, info)
    # A pawn's first step may be no evasion and the second one.
    first = (pieces.pawns & info.free(0) & _rank(2)).to((0, 1)) & ~pieces.all()
    ahead = ahead | first.to((0, 1)) & ~pieces.all() & info.evasions
    # Where a capture en passant is possible at all, it leaves no check; but another pawn may be
    # pinned.
    passed = rights & _rank(6)
    left = left | (pieces.pawns & info.free(7)).to((-1, 1)) & passed
    right = right | (pieces.pawns & info.free(1)).to((1, 1)) & passed
    pawns = [left, ahead, right]
    directions = _chess.targets(pieces, info, pawns)
    for side in _CASTLINGS:
        ready = (rights & _board(side.corner)).any()
        blocked = (pieces.all() & _board(side.between)).any()
        unsafe = (info.attacked & _board(side.safe)).any()
        directions[side.ray] = directions[side.ray] | _board(side.target).when(
            ready & ~blocked & ~unsafe
        )
    return _Options(info, pawns, directions)


def _passed(pieces: Pieces, pawn: Board) -> Board:
    """The square behind their pawn, which has just made two steps, if it can be taken there.

    Whoever takes it leaves two squares at once, so that pins do not tell whether the king is safe.
    """
    target, king = pawn.to((0, 1)), pieces.mine & pieces.kings()
    left, right = (pawn.to(step) & pieces.mine & pieces.pawns for step in ((-1, 0), (1, 0)))
    empty = ~(pieces.all() & ~(pawn | left | right) | target)
    view = [_chess.slide(king, empty, ray) for ray in range(8)]
    seen = [(view[ray] & pieces.theirs & pieces.sliders(ray)).any() for ray in range(8)]
    legal = jnp.bool_(False)
    for taker, other in ((left, right), (right, left)):
        # The other one still stands in the way.
        checks = [seen[ray] & ~(view[ray] & other).any() for ray in range(8)]
        legal = legal | taker.any() & ~jnp.stack(checks).any()
    return target.when(legal)


def _key(state: State) -> Key:
    words = [word for board in (*state.pieces, state.rights) for word in board.words]
    return _chess.key([*words, (state.ply & 1).astype(jnp.uint32)])


@dataclass(frozen=True)
class Chess(Game[State]):
    """Chess.

    Rules:
      FIDE's; seat 0 plays White and begins. Draws come at once and without a claim, unless the last
      move mates: stalemate; the third occurrence of a position; 100 plies in a row without a
      capture or a pawn's move; material with which no sequence of moves mates; a game of `plies`
      plies. Positions are the same if the same pieces are on the same squares, the same seat is to
      move, and the same castling rights and legal captures en passant remain.

    Moves:
      1096 in all. The first 1024 are `64 * direction + target`, squares numbered from the mover's
      first rank, each rank from file a. Directions 0 to 7 are the queen's, clockwise from straight
      up the board, 8 to 15 the knight's, clockwise from two up and one right. Castling is the
      king's move of two squares; a pawn that reaches the last rank so becomes a queen. The last 72,
      `1024 + 24 * piece + 8 * way + file`, are promotions to a knight, a bishop, a rook, by a
      capture to the left, a step, a capture to the right, and the target's file.

    Observation:
      f32[8, 8, 16], by rank from the seat's own first rank, and by file from a. Planes 13 to 15 are
      the same on every square.

      - 0 to 5: own pawns, knights, bishops, rooks, queens, king.
      - 6 to 11: the opponent's.
      - 12: rooks with the right to castle, and the target square of a legal capture en passant.
      - 13: earlier occurrences of the position.
      - 14: plies since the last capture or pawn's move, divided by 100.
      - 15: plies since the start, divided by `plies`.

    Attributes:
      plies: maximal length of a game in plies.

    Source:
      FIDE Laws of Chess, handbook.fide.com/chapter/E012023
    """

    plies: int = 500

    position_format = "FEN"
    num_actions = _chess.num_actions(_SIZE)
    facts = Facts(
        perft=Fact((1, 20, 400, 8_902, 197_281, 4_865_609), "oeis.org/A048987"),
        positions=Fact((1, 20, 400, 5_362, 72_078), "oeis.org/A083276"),
    )

    def __post_init__(self):
        if not 1 <= self.plies <= 100_000:
            raise ValueError(f"chess: plies={self.plies} is not one of 1 to 100,000")
        object.__setattr__(self, "max_plies", self.plies)
        object.__setattr__(self, "typical_plies", min(332, self.plies))

    def init(self) -> State:
        """The usual position."""
        return self.from_fen(chess.STARTING_FEN)

    def mover(self, state: State) -> jax.Array:
        """The seats alternate."""
        over = (
            ~_options(state.pieces, state.rights).any()
            | _chess.insufficient(state.pieces)
            | (state.history.occurrences(_key(state)) >= 2)
            | (state.clock >= _chess.CLOCK)
            | (state.ply >= self.plies)
        )
        return _chess.materialize(jnp.where(over, OVER, state.ply & 1))

    def legal(self, state: State) -> jax.Array:
        """All moves that do not leave the king in check, bool[1096]."""
        _, pawns, directions = _options(state.pieces, state.rights)
        return _chess.mask(directions, pawns)

    def step(self, state: State, move: jax.Array) -> State:
        """Moves a piece, then turns the board to the other seat."""
        pieces, made = state.pieces, _chess.decode(_SIZE, move)
        source, target = _chess.origin(pieces, made), made.target
        pawn, king = ((kind & source).any() for kind in (pieces.pawns, pieces.kings()))
        passing = (target & state.rights & _rank(6)).when(pawn)
        captured = target & pieces.theirs | passing.to((0, -1))
        after = _chess.play(pieces, made, source=source, captured=captured)
        for side in _CASTLINGS:
            castles = king & (source & _board(_KING)).any() & (target & _board(side.target)).any()
            rook = _board(side.rook).when(castles)
            after = after._replace(mine=after.mine ^ rook, straight=after.straight ^ rook)
        rights = state.rights & _board(_CORNERS) & ~(source | target) & ~_rank(1).when(king)
        twice = pawn & (source & _rank(2)).any() & (target & _rank(4)).any()
        reset = pawn | captured.any()
        after, rights, pushed, reset = _chess.materialize(
            (after.turned(), rights.turned(), target.turned().when(twice), reset)
        )
        return State(
            after,
            rights | _passed(after, pushed),
            jnp.where(reset, 0, state.clock + 1),
            state.ply + 1,
            state.history.after(state.clock, _key(state), reset),
        )

    def payoff(self, state: State) -> jax.Array:
        """Mate wins, all else is a draw."""
        options = _options(state.pieces, state.rights)
        mated = options.info.checked & ~options.any()
        return jnp.where(mated, jnp.where(state.ply & 1 == 1, 1.0, -1.0), 0.0)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Sixteen planes f32[8, 8, 16], the own first rank first.

        Own pawns, knights, bishops, rooks, queens, king; the opponent's; rooks that may castle and
        squares of captures en passant; how often the position has been there; shares of the 100
        plies without progress and of all plies that are gone.
        """
        turned = state.pieces.turned(), state.rights.turned()
        own = (state.ply & 1) == seat
        pieces, rights = jax.tree.map(
            lambda a, b: jnp.where(own, a, b), (state.pieces, state.rights), turned
        )
        boards = [side & kind for side in (pieces.mine, pieces.theirs) for kind in pieces.kinds()]
        scalars = [
            state.history.occurrences(_key(state)).astype(jnp.float32),
            state.clock.astype(jnp.float32) / _chess.CLOCK,
            state.ply.astype(jnp.float32) / self.plies,
        ]
        return _chess.planes([*boards, rights], scalars)

    def move_planes(self) -> np.ndarray:
        """Where a piece ends, i64[A]; a plane for each direction, and for underpromotions."""
        return _chess.move_planes(_SIZE)

    def show(self, state: State) -> str:
        """White below, in capitals."""
        rows = str(self._board(state)).splitlines()
        return "\n".join([*(f"{8 - k}  {row}" for k, row in enumerate(rows)), "   a b c d e f g h"])

    def view(self, state: State, seat: int) -> str:
        """As `show`, Black's side below for Black."""
        return turned(self.show(state)) if seat else self.show(state)

    def draw(self, state: State) -> str:
        """White below; a king in check is marked."""
        return self._draw(state, turned=False)

    def draw_view(self, state: State, seat: int) -> str:
        """As `draw`, Black's side below for Black."""
        return self._draw(state, turned=seat == 1)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The squares it leaves and reaches, the king's in castling; `=q` to promote."""
        pieces, _, _, ply, _ = jax.tree.map(np.asarray, state)
        flip = 56 if ply % 2 else 0
        source, target, promotion = _chess.squares(_chess.letters(pieces), int(move))
        names = [chess.square_name(square ^ flip) for square in (source, target)]
        return *names, *([f"={promotion}"] if promotion else [])

    def _draw(self, state: State, *, turned: bool) -> str:
        board = self._board(state)
        letters = [p.symbol() if (p := board.piece_at(k)) else "." for k in range(64)]
        king = ("K" if board.turn else "k") if board.is_check() else ""
        return _chess_picture.draw(8, letters, turned=turned, king=king)

    def label(self, state: State, move: int) -> str:
        """Standard algebraic notation, as `Nf3`."""
        board, flip = self._board(state), 56 * (int(state.ply) % 2)
        letters = _chess.letters(jax.tree.map(np.asarray, state.pieces))
        source, target, promotion = _chess.squares(letters, int(move))
        piece = chess.PIECE_SYMBOLS.index(promotion) if promotion else None
        return board.san(chess.Move(source ^ flip, target ^ flip, piece))

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`; understands `g1f3` too."""
        board, text = self._board(state), text.strip()
        for read in (board.parse_san, board.parse_uci):
            try:
                if move := read(text):  # a null move is none
                    return number(board, move)
            except ValueError:
                continue
        raise ValueError(f"{text!r} is not a legal move here; moves are written as Nf3 or g1f3")

    def from_fen(self, text: str) -> State:
        """The position that a FEN gives; what was before it is not known.

        Raises:
          ValueError: it is no FEN, or no position that a game can reach.
        """
        try:
            board = chess.Board(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a FEN: {error}") from None
        if not board.is_valid():
            flaw = str(board.status().name).lower().replace("_", " ")
            raise ValueError(f"{text!r} is not a legal position: {flaw}")
        rights = board.castling_rights
        if board.ep_square is not None and board.has_legal_en_passant():
            rights |= 1 << board.ep_square
        pieces = _chess.from_letters(
            [p.symbol() if (p := board.piece_at(k)) else "." for k in range(64)]
        )
        rights = _board(rights)
        if board.turn == chess.BLACK:
            pieces, rights = pieces.turned(), rights.turned()
        clock, ply = jnp.int32(board.halfmove_clock), jnp.int32(board.ply())
        return jax.tree.map(jnp.asarray, State(pieces, rights, clock, ply, History.empty()))

    def from_text(self, text: str) -> State:
        """As `from_fen`."""
        return self.from_fen(text)

    def to_text(self, state: State) -> str:
        """As `to_fen`."""
        return self.to_fen(state)

    def to_fen(self, state: State) -> str:
        """The position as FEN."""
        return self._board(state).fen(en_passant="legal")

    def _board(self, state: State) -> chess.Board:
        pieces, rights, clock, ply, _ = jax.tree.map(np.asarray, state)
        if ply % 2:
            pieces, rights = pieces.turned(), rights.turned()
        board = chess.Board(None)
        for square, letter in enumerate(_chess.letters(pieces)):
            if letter != ".":
                board.set_piece_at(square, chess.Piece.from_symbol(letter))
        board.castling_rights = int(rights) & _CORNERS
        passed = int(rights) & ~_CORNERS
        board.ep_square = passed.bit_length() - 1 if passed else None
        board.turn = bool(ply % 2 == 0)
        board.halfmove_clock, board.fullmove_number = int(clock), int(ply) // 2 + 1
        return board


def moves(board: chess.Board) -> dict[int, chess.Move]:
    """All legal moves by their numbers."""
    return {number(board, move): move for move in board.legal_moves}


def number(board: chess.Board, move: chess.Move) -> int:
    """The number of a legal move."""
    flip = 0 if board.turn else 56
    promotion = chess.piece_symbol(move.promotion) if move.promotion else ""
    return _chess.encode(_SIZE, move.from_square ^ flip, move.to_square ^ flip, promotion=promotion)
