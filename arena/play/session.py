"""One game in progress, for whoever is outside a compiled loop: a terminal, a server, an env."""

import copy
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.chance import draw_outcome
from arena.errors import check_seed
from arena.judges.rules import Rules
from arena.play.sessions import verdicts
from arena.types import Array, DescribedPosition, Judge, Position, State, as_host_game
from games import CHANCE, OVER, Game, text_positions

_ALONE = np.zeros(1, np.uint32)
"""The number of the one game of a session, for judges that go by games."""


@dataclass(frozen=True)
class GameRecord:
    """A game from its start, as far as it has been played.

    Its start, its seed and the moves of the seats give the game again, chance included, on any
    machine; see `Session.of`.

    Attributes:
      game: what is played.
      seed: of what is left to chance.
      start: the position in which it began, as text (`games.TextPositions`); "" if that is the
        initial one.
      moves: all moves, outcomes of chance included, i32 each.
      movers: who made each of them: seat 0, seat 1 or CHANCE.
      labels: the moves of the seats, without those of chance, as players write them.
      result: what the judge gives seat 0, in [-1, 1]; None as long as the game is not over.
    """

    game: Game
    seed: int
    start: str
    moves: tuple[int, ...]
    movers: tuple[int, ...]
    labels: tuple[str, ...]
    result: float | None

    @property
    def outcomes(self) -> tuple[int, ...]:
        """What chance brought, in order."""
        return tuple(m for m, by in zip(self.moves, self.movers, strict=True) if by == CHANCE)


class Session:
    """One game in progress.

    Chance moves by itself, as soon as it is due. The same start, seed and moves of the seats give
    the same game. Positions are stepped one by one on the CPU. Copies (`copy.deepcopy`, pickles) go
    on as the original would.

    A game whose rules are outside the device goes on in its program: its session cannot be copied,
    and lasts until the program begins other games, of another session or of a match.

    Args:
      game: what is played.
      seed: of what is left to chance, below 2³².
      judge: who says who won; the rules if None.
      start: the position to begin in, as far as its text tells of it (`games.text_positions`); the
        initial one if None.
      outcomes: the first that chance brings, in place of those by the seed: of a game that was
        played elsewhere.

    Raises:
      UserError: there is no such seed.
      ValueError: positions of the game have no text, or chance cannot bring such an outcome.
    """

    def __init__(
        self,
        game: Game,
        *,
        seed: int = 0,
        judge: Judge | None = None,
        start: State | None = None,
        outcomes: Sequence[int] = (),
    ):
        check_seed(seed)
        self._start, self._start_text = _begun(game, start)
        self._outcomes = tuple(outcomes)
        self.game, self.seed, self.judge = game, seed, judge or Rules(game)
        self._moves: list[int] = []
        self._outside, self._rng = None, None
        if outside := as_host_game(game):
            self._outside = outside.deal(_chance_key(seed), 1, 0)
        elif game.num_outcomes:
            self._rng = _generator(seed)
        self._labels: list[str] = []  # of an outside game's moves
        self._described: tuple[int, DescribedPosition] | None = None
        self._nodes = [self._begin()]
        self._resolve_chance()

    @classmethod
    def of(cls, record: GameRecord, *, judge: Judge | None = None) -> "Session":
        """The game of a record, as far as it was played.

        Raises:
          ValueError: a move in it is not legal; in one line.
        """
        start = text_positions(record.game).from_text(record.start) if record.start else None
        session = cls(
            record.game, seed=record.seed, judge=judge, start=start, outcomes=record.outcomes
        )
        for move, mover in zip(record.moves, record.movers, strict=True):
            if mover != CHANCE:
                session.push(move)
        return session

    @property
    def state(self) -> State:
        """The position, a pytree of numpy arrays."""
        return _on_host(self._nodes[-1].state)

    @property
    def seat(self) -> int:
        """The seat to move, 0 or 1; OVER when the game has ended."""
        return self._nodes[-1].mover

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return self.seat == OVER

    @property
    def moves(self) -> tuple[int, ...]:
        """All moves from the start, outcomes of chance included; more than a seat may see."""
        return tuple(self._moves)

    @property
    def position(self) -> Position:
        """The position with all moves that led there, as `HostAgent.choose` takes it."""
        return Position(self.state, self.moves, self._start)

    def positions(self) -> list[Position]:
        """The positions in which a seat has moved, in order; not of a game outside the device."""
        made = [n for n, node in enumerate(self._nodes[:-1]) if node.mover >= 0]
        return [Position(_on_host(self._nodes[n].state), self.moves[:n], self._start) for n in made]

    @property
    def legal(self) -> np.ndarray:
        """The moves of the seat to move, bool[A]; none when the game is over."""
        return self._nodes[-1].legal

    @property
    def legal_moves(self) -> dict[str, int]:
        """The moves of the seat to move, in order of their numbers, by label."""
        return {self.label(move): move for move in np.flatnonzero(self.legal).tolist()}

    def label(self, move: int) -> str:
        """A legal move as players write it."""
        found = self._description.labels.get(move) if self._outside else None
        return found or self.game.label(self.state, move)

    def parse(self, text: str) -> int:
        """The legal move that a text means.

        Raises:
          ValueError: it is no legal move; in one line.
        """
        if self._outside:
            names = {name.lower(): move for move, name in self._description.labels.items()}
            if (move := names.get(" ".join(text.lower().split()))) is not None:
                return move
        move = operator.index(self.game.parse(self.state, text))
        if not (0 <= move < self.game.num_actions and self.legal[move]):
            raise ValueError(f"{text.strip()!r} is not a legal move")
        return move

    @property
    def picture(self) -> bytes:
        """A PNG of the position, of a game that its env paints and has no text of; else empty."""
        return self._description.picture if self._outside else b""

    @property
    def result(self) -> float | None:
        """What the judge gives seat 0, in [-1, 1]; None as long as the game is not over."""
        if not self.over:
            return None
        return float(verdicts(self.judge, [self.state], games=_ALONE, room=1)[0])

    @property
    def record(self) -> GameRecord:
        """The game so far."""
        made = list(zip(self._nodes, self._moves, strict=False))
        return GameRecord(
            game=self.game,
            seed=self.seed,
            start=self._start_text,
            moves=self.moves,
            movers=tuple(node.mover for node, _ in made),
            labels=tuple(
                self._labels
                or (self.game.label(_on_host(n.state), m) for n, m in made if n.mover != CHANCE)
            ),
            result=self.result,
        )

    def push(self, move: int | str) -> int:
        """Makes a move of the seat to move, and what chance brings after it.

        Args:
          move: its number, or as a player types it.

        Returns:
          its number.

        Raises:
          ValueError: it is not legal, or the game is over; in one line.
        """
        if self.over:
            raise ValueError("the game is over")
        number = operator.index(self.parse(move) if isinstance(move, str) else move)
        if not (0 <= number < self.game.num_actions and self.legal[number]):
            raise ValueError(f"move {move} is not legal")
        self._make(number)
        self._resolve_chance()
        return number

    def undo(self) -> None:
        """Takes back the last move of a seat, with what chance brought after it.

        Chance brings the same again if the same move is made again.

        Raises:
          ValueError: no seat has moved yet, or the rules are outside the device; in one line.
        """
        if self._outside:
            raise ValueError("moves cannot be taken back in a game that its env plays")
        last = max((n for n, node in enumerate(self._nodes[:-1]) if node.mover >= 0), default=None)
        if last is None:
            raise ValueError("there is no move to take back")
        del self._nodes[last + 1 :], self._moves[last:]
        rng = self._nodes[-1].rng
        if self._rng is not None and rng is not None:
            self._rng.bit_generator.state = rng

    def alter(self, state: State) -> None:
        """Puts another position in the place of the present one; taking moves back goes past it.

        Raises:
          ValueError: the rules are outside the device.
        """
        if self._outside:
            raise ValueError("positions cannot be altered in a game that its env plays")
        with _on_cpu():
            self._nodes[-1] = self._node(_compiled(self.game).look(state))
        self._resolve_chance()

    def view(self, seat: int) -> str:
        """What a seat, 0 or 1, may see of the position, as text.

        Raises:
          ValueError: the game is outside the device, and the other seat is to move.
          NotImplementedError: the game hides something and has no text of what a seat sees.
        """
        self._check_visible(seat)
        if not (self._outside and (self._description.text or self.picture)):
            return self.game.view(self.state, seat)
        moves = [] if self.over else ["moves: " + " ".join(self.legal_moves)]
        return "\n".join([*filter(None, [self._description.text]), *moves])

    def drawing(self, seat: int) -> str:
        """What a seat, 0 or 1, may see of the position, as an SVG picture; its side is below.

        Cells carry the names that `Game.clicks` gives for moves.

        Raises:
          ValueError: the game is outside the device, and the other seat is to move.
        """
        self._check_visible(seat)
        if self._outside and (outside := as_host_game(self.game)):
            return outside.draw_described(self._outside, 0)
        return self.game.draw_view(self.state, seat)

    def clicks(self, move: int) -> tuple[str, ...]:
        """The cells to click for a legal move, as `Game.clicks` gives them."""
        return self.game.clicks(self.state, move)

    def observation(self, seat: int) -> np.ndarray:
        """What a seat, 0 or 1, may observe of the position, f32[...] as `Game.observe` gives it.

        Raises:
          ValueError: the game is outside the device, and the other seat is to move.
        """
        self._check_visible(seat)
        with _on_cpu():
            return np.asarray(_observe(self.game)(self._nodes[-1].state, np.int32(seat)))

    @property
    def _description(self) -> DescribedPosition:
        """How the program outside shows the position; asked for once."""
        assert self._outside
        if self._described is None or self._described[0] != len(self._moves):
            self._described = len(self._moves), self._outside.describe(0)
        return self._described[1]

    def _check_visible(self, seat: int) -> None:
        if self._outside and seat == 1 - self.seat:
            raise ValueError("a game that its env plays shows a position to the seat to move only")

    def _begin(self) -> "_Node":
        if self._outside:
            return self._look_outside()
        with _on_cpu():
            if self._start is None:
                return self._node(_compiled(self.game).init())
            return self._node(_compiled(self.game).look(self._start))

    def _make(self, move: int) -> None:
        """A move, or an outcome of chance."""
        if self._outside:
            label = self.label(move)
            self._outside.step([0], [move])
            self._labels.append(label)
            node = self._look_outside()
        else:
            with _on_cpu():
                node = self._node(_compiled(self.game).step(self._nodes[-1].state, np.int32(move)))
        self._moves.append(move)
        self._nodes.append(node)

    def _resolve_chance(self) -> None:
        """Lets chance move until a seat is to move or the game is over."""
        while (node := self._nodes[-1]).mover == CHANCE:
            assert self._rng is not None
            self._make(self._given(node.chance, draw_outcome(self._rng, node.chance)))
        if self._rng is not None:
            rng = self._rng.bit_generator.state
            self._nodes[-1] = self._nodes[-1]._replace(rng=rng)

    @classmethod
    def by_moves(cls, game: Game, moves: Sequence[int], *, start: State | None = None) -> "Session":
        """The game after moves and outcomes of chance, as `Session.moves` has them.

        Raises:
          ValueError: one is not legal, or the game is outside the device; in one line.
        """
        if as_host_game(game):
            raise ValueError("a game that its env plays does not follow from its moves")
        outcomes, made = [], []
        with _on_cpu():
            compiled = _compiled(game)
            sight = compiled.init() if start is None else compiled.look(_begun(game, start)[0])
            for move in moves:
                (outcomes if int(sight.mover) == CHANCE else made).append(move)
                sight = compiled.step(sight.state, np.int32(move))
        session = cls(game, start=start, outcomes=outcomes)
        for move in made:
            session.push(move)
        return session

    def _given(self, chance: np.ndarray, drawn: int) -> int:
        """The outcome that was given for this place of the game, else the drawn one."""
        if not self._outcomes:
            return drawn
        made = sum(node.mover == CHANCE for node in self._nodes[:-1])
        if made >= len(self._outcomes):
            return drawn
        outcome = self._outcomes[made]
        if not (0 <= outcome < len(chance) and chance[outcome] > 0):
            raise ValueError(f"chance cannot bring outcome {outcome} here")
        return outcome

    def _node(self, sight: "_Sight") -> "_Node":
        # The state stays where it was computed: it goes into the next call as it is.
        mover, legal = int(sight.mover), np.asarray(sight.legal)
        legal = legal if mover >= 0 else np.zeros_like(legal)
        return _Node(sight.state, mover, legal, np.asarray(sight.chance))

    def _look_outside(self) -> "_Node":
        assert self._outside
        mover = int(self._outside.view.mover[0])
        legal = self._outside.view.legal[0] & (mover >= 0)
        return _Node(self._outside.position(0).state, mover, legal, np.zeros(0, np.float32))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        if self._outside:
            raise TypeError("a game that its env plays cannot be copied")
        twin = copy.copy(self)  # nodes never change, so that copies share them
        twin._moves, twin._nodes = self._moves[:], self._nodes[:]
        twin._rng = copy.deepcopy(self._rng, memo)
        return twin


class _Sight(NamedTuple):
    """A position, and what the rules say of it."""

    state: State
    mover: Array  # i32[]
    legal: Array  # bool[A]
    chance: Array  # f32[C]


class _Node(NamedTuple):
    """A position of the game so far; but for the state, arrays of numpy."""

    state: State
    mover: int
    legal: np.ndarray  # bool[A]
    chance: np.ndarray  # f32[C]
    rng: Mapping[str, Any] | None = None  # state of the generator of chance, before the seat moves


class _Compiled(NamedTuple):
    """Jitted: the initial position, any, and that after a move."""

    init: Callable[[], _Sight]
    look: Callable[[State], _Sight]
    step: Callable[[State, np.int32], _Sight]


@cache
def _compiled(game: Game) -> _Compiled:
    def look(state: State) -> _Sight:
        chance = game.chance(state) if game.num_outcomes else jnp.zeros(0)
        return _Sight(state, game.mover(state), game.legal(state), chance)

    return _Compiled(
        jax.jit(lambda: look(game.init())),
        jax.jit(look),
        jax.jit(lambda state, move: look(game.step(state, move))),
    )


@cache
def _observe(game: Game) -> Callable[[State, np.int32], jax.Array]:
    return jax.jit(game.observe)


def _begun(game: Game, start: State | None) -> tuple[State | None, str]:
    """The position to begin in and its text, which says all that the game knows of it."""
    if start is None:
        return None, ""
    written = text_positions(game)
    with _on_cpu():
        text = written.to_text(_on_host(start))
        return _on_host(written.from_text(text)), text


def _on_host(state: State) -> State:
    return jax.tree.map(np.asarray, state)


def _generator(seed: int) -> np.random.Generator:
    """Of chance: `arena.chance.generators(_chance_key(seed), 1)[0]`, in one compiled call."""
    with _on_cpu():
        return np.random.default_rng(np.asarray(_chance_words(np.uint32(seed))))


@jax.jit
def _chance_words(seed: jax.Array) -> jax.Array:
    key = jax.random.fold_in(jax.random.key(seed), 1)
    return jax.random.key_data(jax.random.split(key, 1))[0]


def _chance_key(seed: int) -> jax.Array:
    return jax.random.fold_in(jax.random.key(seed), 1)


def _on_cpu():
    """One position at a time is nothing for an accelerator."""
    return jax.default_device(jax.local_devices(backend="cpu")[0])
