"""Go."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from games import _go_picture, _go_setup
from games._go_picture import COLUMNS
from games._go_setup import EMPTY, KO, padded_size, stone_keys
from games.core import OVER, Fact, Facts, Game

# Each point has a tag of 16 bits, the same for all stones of a group:
#   bits 0, 1: whether a stone of seat 0, of seat 1 could live beside this point. It can beside an
#     empty point, a group of its own with two liberties or more, and a group of the other side with
#     a single one, which it would take. So of a group's two bits just one is set.
#   bits 2, 3: a stone of seat 0, of seat 1.
#   bits 4 …: of stones, the least point of the group.
# Beyond the edge all bits are 0.
_FLIP = np.uint16(0b11)  # puts a group into atari and takes it out
_NEW = np.uint16(0xFFFF)  # of a stone whose group is not determined yet

# The mark of a point with respect to a move, in 8 bits: bits 0 to 3 are groups of the other side
# that stay on the board, by where they touch the move's point.
_OWN, _TAKEN = np.uint8(0b10000), np.uint8(0b100000)
_GROUPS = np.uint8(0b11111)

# For each seat and plane of its observation: a mask of a tag's bits, and the value wanted there.
_MASKS = np.array([[4, 8, 15, 15, 0xFFFF, 0, 0, 0], [8, 4, 15, 15, 0xFFFF, 0, 0, 0]], np.uint16)
_WANTED = np.array([[4, 8, 6, 9, KO, 0, 1, 0], [8, 4, 9, 6, KO, 1, 1, 0]], np.uint16)


class State(NamedTuple):
    """236 bytes on 9×9 and 852 on 19×19; superko adds 1,296 and 5,776.

    Attributes:
      points: u16[...], tags of the points row by row from A1, with `size` or more tags of points
        beyond the edge before them and behind them.
      plies: i32[].
      passes: i32[], how many there have been in a row.
      keys: u32[2, max_plies], the key after each ply, 0 for those to come and for an empty board;
        () without superko.
    """

    points: jax.Array
    plies: jax.Array
    passes: jax.Array
    keys: Any


@cache
def _sides(size: int) -> tuple[np.ndarray, np.ndarray]:
    """All bits for every point that has one to its left, and to its right, u8[width] each."""
    row, column = np.divmod(np.arange(padded_size(size)), size)
    left, right = (row < size) & (column > 0), (row < size) & (column < size - 1)
    return np.where(left, 0xFF, 0).astype(np.uint8), np.where(right, 0xFF, 0).astype(np.uint8)


@cache
def _places(size: int) -> np.ndarray:
    """Where in `State.points` a move's neighbours lie, and last its own point, i32[moves, 5].

    Left, right, below, above; those beyond the edge are at 0. A pass lies behind all points.
    """
    row, column = np.divmod(np.arange(size**2), size)
    steps = ((row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column))
    places = [
        np.where((np.minimum(r, c) >= 0) & (np.maximum(r, c) < size), (r + 1) * size + c, 0)
        for r, c in (*steps, (row, column))
    ]
    beyond = [0, 0, 0, 0, padded_size(size) + 2 * size]
    return np.vstack([np.stack(places, 1), beyond]).astype(np.int32)


def _fold(operation: Callable[[jax.Array, jax.Array], jax.Array], x: jax.Array) -> jax.Array:
    """All of x [6·2ᵏ] under an associative operation with the neutral element 0.

    Six parts side by side, then halves: a plain reduction along the row runs one by one on a CPU.
    """
    x = jax.lax.reduce(x.reshape(6, -1), np.zeros((), x.dtype), operation, (0,))
    while len(x) > 1:
        x = operation(*jnp.split(x, 2))
    return x[0]


def _tally(x: jax.Array, y: jax.Array) -> jax.Array:
    """Adds up eight counts: bit k of u16[...] is count k at 1 or more, bit 8 + k at 2 or more."""
    return x | y | (x & y & 0xFF) << 8


def _stones(seat: jax.Array) -> jax.Array:
    """The bit of a tag that is set for stones of a seat u16[]."""
    return np.uint16(4) << seat


def _kind(seat: jax.Array, atari: jax.Array | bool) -> jax.Array:
    """The low four bits of the tag of a group of a seat u16[]."""
    return _stones(seat) | jnp.where(atari, np.uint16(2) >> seat, np.uint16(1) << seat)


def _marked(points: jax.Array, tags: jax.Array, means: jax.Array) -> jax.Array:
    """What points u16[N] mean, given what the tags u16[k] mean u8[k]; u8[N], 0 for other tags.

    As a reduction, so that the compiler does not work it out anew for all that is made of it.
    """
    each = jnp.where(points == tags[:, None], means[:, None], 0)
    return jax.lax.reduce(each, np.uint8(0), jax.lax.bitwise_or, (0,))


def _for_groups(
    stones: jax.Array, visit: Callable[[jax.Array, jax.Array], jax.Array], carry: jax.Array
) -> jax.Array:
    """Calls visit(carry, tag) for each group with a stone among u16[width], tags or 0."""

    def below(tag: jax.Array) -> jax.Array:
        return _fold(jnp.maximum, jnp.where(stones < tag, stones, 0))

    return jax.lax.while_loop(
        lambda loop: loop[1] != 0,
        lambda loop: (visit(*loop), below(loop[1])),
        (carry, _fold(jnp.maximum, stones)),
    )[0]


@dataclass(frozen=True)
class Go(Game[State]):
    """Go, with area scoring.

    Rules:
      The seats place stones on empty points in turn, or pass; seat 0 plays Black and begins. Groups
      without liberties are taken; suicide is forbidden. A single stone that has just taken a single
      stone may not be retaken at once (ko). Longer cycles are allowed, unless `superko` is on: then
      no stone may bring back any earlier board, whoever was to move. Two passes in a row end the
      game, and so does ply 2·size². Then the board is scored as it stands, as Tromp and Taylor do:
      a side's stones count, and so do empty regions that touch its stones only. White gets `komi`
      points.

    Moves:
      `row * size + column`, rows from the bottom, columns from the left; labels are `A1` at the
      bottom left, without the letter I. The last move, size², is the pass.

    Observation:
      f32[size, size, 8], by row from the bottom and column from the left. Planes 5 to 7 are the
      same on every point.

      - 0: own stones.
      - 1: the opponent's stones.
      - 2: own stones in atari.
      - 3: the opponent's stones in atari.
      - 4: the point closed by ko.
      - 5: 1 if the seat is Black.
      - 6: 1 if the last move was a pass.
      - 7: plies since the start, divided by 2·size².

    Attributes:
      size: length of the board's sides, 2 to 19.
      komi: points that White gets for moving second; with a whole number draws are possible.
      superko: forbid every repetition of the board, not only retaking a ko at once. The rules then
        keep 64 bits of every board: up to 5×5 the board itself, else a Zobrist key, with which the
        probability that a whole game takes any board for another is below 1e-10.

    Source:
      tromp.github.io/go.html, without suicide. OpenSpiel's go draws a game whose board comes back.
    """

    size: int = 9
    komi: float = 7.5
    superko: bool = False

    position_format = "SGF setup"
    facts = Facts(
        perft=Fact(
            (1, 81, 6480, 511_920, 39_929_136),
            "P. McKenzie on the computer-go list, January 2005; passes left out",
        ),
    )

    def __post_init__(self) -> None:
        if not 2 <= self.size <= 19:
            raise ValueError(f"go: size={self.size} is not one of 2 to 19")
        if not math.isfinite(self.komi):
            raise ValueError(f"go: komi={self.komi} is not a finite number")
        object.__setattr__(self, "num_actions", self.size**2 + 1)
        object.__setattr__(self, "max_plies", 2 * self.size**2)
        # Uniformly random games have 1.4 to 1.6 plies a point on all sizes.
        object.__setattr__(self, "typical_plies", 3 * self.size**2 // 2)
        if self.size != Go.size:
            object.__setattr__(self, "facts", Facts())

    def init(self) -> State:
        """An empty board."""
        points = np.zeros(padded_size(self.size) + 2 * self.size, np.uint16)
        points[self.size : self.size + self.size**2] = EMPTY
        keys = jnp.zeros((2, self.max_plies), jnp.uint32) if self.superko else ()
        return State(jnp.asarray(points), jnp.int32(0), jnp.int32(0), keys)

    def mover(self, state: State) -> jax.Array:
        """Seats alternate, until both have passed or the plies are used up."""
        over = (state.passes == 2) | (state.plies == self.max_plies)
        return jnp.where(over, OVER, state.plies & 1)

    def legal(self, state: State) -> jax.Array:
        """Empty points where a stone can live, bool[size² + 1]; the last move is to pass."""
        seat = (state.plies & 1).astype(jnp.uint16)
        lives = self._beside((state.points >> seat & 1).astype(jnp.uint8)) != 0
        free = lives & (self._board(state.points) == EMPTY)
        if self.superko:
            free &= ~self._repeats(state)
        moves = np.arange(self.num_actions)
        return free[: len(moves)] | (moves == self.size**2)

    def step(self, state: State, move: jax.Array) -> State:
        """Set a stone, take what it takes, and give the groups around it their new tags."""
        # What is around lies in four scalars, not in an array: a batch of each is one long vector.
        seat = (state.plies & 1).astype(jnp.uint16)
        *sides, point = jnp.asarray(_places(self.size))[move]
        around = [state.points[side] for side in sides]
        own, other = ([tag & _stones(s) != 0 for tag in around] for s in (seat, 1 - seat))
        taken = [yes & (tag >> seat & 1 != 0) for tag, yes in zip(around, other, strict=True)]
        points = jnp.where(state.points == KO, EMPTY, state.points)
        points = points.at[point].set(_NEW, mode="drop")

        means = [
            jnp.where(own[k], _OWN, jnp.where(taken[k], _TAKEN, jnp.where(other[k], 1 << k, 0)))
            for k in range(4)
        ]
        marks = _marked(points, jnp.stack([*around, _NEW]), jnp.stack([*means, _OWN]))
        single = self._single(points, marks)
        atari = single & _OWN != 0
        ko = atari & (single & _TAKEN != 0) & ~(own[0] | own[1] | own[2] | own[3])

        least = (point - self.size).astype(jnp.uint16)
        for tag, yes in zip(around, own, strict=True):
            least = jnp.where(yes, jnp.minimum(least, tag >> 4), least)
        group = least << 4 | _kind(seat, atari)
        after = jnp.where(points == _NEW, group, points)
        for k, tag in enumerate(around):
            new = jnp.where(other[k] & (single >> k & 1 != 0), tag ^ _FLIP, tag)
            new = jnp.where(own[k], group, jnp.where(taken[k], jnp.where(ko, KO, EMPTY), new))
            after = jnp.where(points == tag, new, after)
        return State(
            self._saved(after, marks, seat),
            state.plies + 1,
            jnp.where(move == self.size**2, state.passes + 1, 0),
            self._remembered(state, move, marks) if self.superko else (),
        )

    def _single(self, points: jax.Array, marks: jax.Array) -> jax.Array:
        """Which of the marked groups has a single liberty, and whether a single stone is taken.

        Args:
          points: u16[...], with the new stone, and with those that it takes.
          marks: u8[...], what they mean.

        Returns:
          u8[], bits as in the marks.
        """
        here = self._board(marks)
        free = (self._board(points) == EMPTY) | (here == _TAKEN)
        liberties = jnp.where(free, self._beside(marks) & _GROUPS, 0)
        counts = _fold(_tally, (liberties | here & _TAKEN).astype(jnp.uint16))
        return (counts & ~(counts >> 8)).astype(jnp.uint8)

    def _saved(self, points: jax.Array, marks: jax.Array, seat: jax.Array) -> jax.Array:
        """The points when groups of a seat u16[] beside taken stones are no longer in atari.

        Of the groups that do not touch a move's point only these gain liberties, and none loses
        any. They had one that is not the move's point, so now they have two at the least.
        """
        tags = self._board(points)
        saved = (self._beside(marks) & _TAKEN != 0) & (self._board(marks) != _OWN)
        stones = jnp.where(saved & (tags & 15 == _kind(seat, True)), tags, 0)
        return _for_groups(stones, lambda p, tag: jnp.where(p == tag, tag ^ _FLIP, p), points)

    def _board(self, points: jax.Array) -> jax.Array:
        """[width], without what lies before and behind."""
        return points[self.size : -self.size]

    def _beside(self, marks: jax.Array) -> jax.Array:
        """All bits of the marks u8[...] beside each point, u8[width]."""
        n, width = self.size, padded_size(self.size)
        left, right, below, above = (marks[n + k : n + k + width] for k in (-1, 1, -n, n))
        has_left, has_right = _sides(n)
        return left & has_left | right & has_right | below | above

    def _remembered(self, state: State, move: jax.Array, marks: jax.Array) -> jax.Array:
        """The keys, with that of the board after a move."""
        own, other = self._stone_keys(state)
        taken = self._board(marks) == _TAKEN
        key = state.keys[:, state.plies] ^ own[:, move]
        key ^= jnp.stack([_fold(jnp.bitwise_xor, jnp.where(taken, k, 0)) for k in other])
        return state.keys.at[:, state.plies + 1].set(key, mode="drop")

    def _stone_keys(self, state: State) -> tuple[jax.Array, jax.Array]:
        """Keys of the stones of the seat to move and of the other, u32[2, width] each."""
        first, second = stone_keys(self.size)
        swap = state.plies & 1 == 1
        return jnp.where(swap, second, first), jnp.where(swap, first, second)

    def _repeats(self, state: State) -> jax.Array:
        """Where a stone would bring back an earlier board, bool[width]."""
        seat = (state.plies & 1).astype(jnp.uint16)
        tags = self._board(state.points)
        own, other = self._stone_keys(state)

        def take(keys: jax.Array, tag: jax.Array) -> jax.Array:
            """What a group in atari leaves behind when its one liberty is played on."""
            liberty = self._beside((state.points == tag).astype(jnp.uint8)) != 0
            group = [_fold(jnp.bitwise_xor, jnp.where(tags == tag, k, 0)) for k in other]
            return jnp.where(liberty, keys ^ jnp.stack(group)[:, None], keys)

        stones = jnp.where(tags & 15 == _kind(1 - seat, True), tags, 0)
        keys = _for_groups(stones, take, state.keys[:, state.plies, None] ^ own)
        same = [key == past[:, None] for key, past in zip(keys, state.keys, strict=True)]
        return (same[0] & same[1]).any(0)

    def _reach(self, state: State, over: jax.Array) -> jax.Array:
        """Who reaches which points, u8[...] laid out as `State.points`.

        Bits 0 and 1: seat 0, seat 1 has a stone there, or a way to it over empty points. All are 0
        until the game is over, so that no time is lost on that.
        """
        stones = jnp.where(over, state.points >> 2 & 3, 0).astype(jnp.uint8)
        empty = self._board(state.points) & 3 == 3

        def spread(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            reach, _ = carry
            more = jnp.where(empty, self._beside(reach), 0)
            return reach | jnp.pad(more, self.size), reach

        def spreads(carry: tuple[jax.Array, jax.Array]) -> jax.Array:
            return _fold(jnp.bitwise_or, self._board(carry[0] ^ carry[1])) != 0

        return jax.lax.while_loop(spreads, spread, spread((stones, stones)))[0]

    def payoff(self, state: State) -> jax.Array:
        """Who has more points, White's komi added."""
        over = self.mover(state) == OVER
        reach = self._reach(state, over)
        black, white = ((reach == bit).sum(dtype=jnp.int32) for bit in (1, 2))
        margin = (black - white).astype(jnp.float32) - self.komi
        return jnp.where(over, jnp.sign(margin), 0.0)

    def ownership(self, state: State, seat: jax.Array) -> jax.Array:
        """Stones, and the empty regions that touch those of one side only: what is counted."""
        reach = self._board(self._reach(state, self.mover(state) == OVER))[: self.size**2]
        black, white = ((reach == bit).astype(jnp.float32) for bit in (1, 2))
        own = jnp.where(seat == 0, black - white, white - black)
        return own.reshape(self.size, self.size)

    def observe(self, state: State, seat: jax.Array) -> jax.Array:
        """Eight planes f32[size, size, 8], of which the last three are the same on every point.

        Own stones, the opponent's; own stones in atari, the opponent's; the point closed by ko;
        whether the seat is Black; whether the last move was a pass; the share of plies made.
        """
        masks, wanted = (jnp.where(seat == 0, *table) for table in (_MASKS, _WANTED))
        plane = np.arange(8)
        wanted = jnp.where((plane == 6) & (state.passes > 0), 0, wanted)
        share = state.plies.astype(jnp.float32) / self.max_plies
        tags = self._board(state.points)[: self.size**2, None]
        planes = jnp.where(tags & masks == wanted, jnp.where(plane == 7, share, 1.0), 0.0)
        return planes.reshape(self.size, self.size, 8)

    def move_planes(self) -> np.ndarray:
        """The point of the stone, i64[size² + 1]; a pass has none."""
        return np.append(np.arange(self.size**2), -1)

    def symmetries(self, observation: jax.Array, policy: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The eight symmetries of the square; a pass stays what it is."""
        images = [
            [jnp.rot90(grid, k) for grid in (board, board[:, ::-1]) for k in range(4)]
            for board in (observation, policy[:-1].reshape(self.size, self.size))
        ]
        policies = jnp.stack(images[1]).reshape(8, -1)
        return jnp.stack(images[0]), jnp.pad(policies, ((0, 0), (0, 1)), constant_values=policy[-1])

    def show(self, state: State) -> str:
        """Black `X` and white `O`, as on a board seen from Black's side."""
        n = self.size
        stones = [".XO"[tag >> 2 & 3] for tag in self._tags(state)]
        lines = [f"{r + 1:2} {' '.join(stones[n * r : n * (r + 1)])}" for r in reversed(range(n))]
        return "\n".join([*lines, "   " + " ".join(COLUMNS[:n])])

    def draw(self, state: State) -> str:
        """Stones on a wooden board; a small square marks the point closed by ko."""
        tags = self._tags(state)
        closed = tags.index(int(KO)) if KO in tags else None
        stones = [".XO"[tag >> 2 & 3] for tag in tags]
        return _go_picture.draw(self.size, stones, closed=closed)

    def clicks(self, state: State, move: int) -> tuple[str, ...]:
        """The point; none for a pass."""
        return () if move == self.size**2 else (self.label(state, move),)

    def label(self, state: State, move: int) -> str:
        """Column letter, of which there is no I, and row number, `A1` at the bottom left."""
        if move == self.size**2:
            return "pass"
        return f"{COLUMNS[move % self.size]}{move // self.size + 1}"

    def parse(self, state: State, text: str) -> int:
        """The inverse of `label`."""
        move = text.strip().lower()
        moves = {self.label(state, k).lower(): k for k in range(self.num_actions)}
        if move not in moves:
            last = self.label(state, self.size**2 - 1)
            raise ValueError(f"{text.strip()!r} is not a move; moves are A1 to {last} and pass")
        if not _legal(self, state)[moves[move]]:
            raise ValueError(f"{move.upper()} {self._fault(state, moves[move])}")
        return moves[move]

    def _fault(self, state: State, move: int) -> str:
        """Why nothing can be played on a point."""
        tag = self._tags(state)[move]
        if tag >> 2:
            return "would retake the ko at once" if tag == KO else "is taken"
        beside = np.asarray(state.points)[_places(self.size)[move, :4]]
        lives = beside >> (int(state.plies) & 1) & 1
        return "would bring back an earlier board" if lives.any() else "would be suicide"

    def from_text(self, text: str) -> State:
        """The position that a setup in SGF's properties gives, `AB[cc][gg]AW[ee]PL[W]`."""
        stones, seat = _go_setup.read(self.size, text)
        state = self.init()
        at = slice(self.size, self.size + self.size**2)
        points = np.asarray(state.points).copy()
        points[at] = _go_setup.tags(self.size, stones)
        keys = state.keys
        if self.superko:
            keys = keys.at[:, seat].set(_go_setup.key(self.size, stones), mode="drop")
        return State(jnp.asarray(points), jnp.int32(seat), jnp.int32(0), keys)

    def to_text(self, state: State) -> str:
        """The stones and who is to move; not what ko forbids, nor how long the game has been."""
        stones = [(tag >> 2 & 3) - 1 for tag in self._tags(state)]
        return _go_setup.write(self.size, stones, int(state.plies) & 1)

    def _tags(self, state: State) -> list[int]:
        """The tags of the board's points, on the host."""
        return np.asarray(state.points)[self.size : self.size + self.size**2].tolist()


@partial(jax.jit, static_argnums=0)
def _legal(game: Go, state: State) -> jax.Array:
    """Compiled, for moves that people type."""
    return game.legal(state)
