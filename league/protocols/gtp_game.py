"""A game in progress as GTP plays it: colours need not alternate, and two passes end nothing."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from arena.play.session import Session
from arena.types import Agent, HostAgent, State, stack
from games import Game
from games.go import Go
from league.protocols.gtp_boards import Board
from league.protocols.player import Player


class Line:
    """The game of a player, move by move.

    In go a colour that plays out of turn has the other one pass before it, and after two passes the
    game can go on.

    Args:
      player: whose game it is.
      board: how its points are written.
    """

    def __init__(self, player: Player, board: Board):
        self._player, self._board = player, board
        self._sizes: list[int] = []  # how many moves of the rules each move of the client's is
        self._placed: tuple[Sequence[str], Sequence[str]] = (), ()
        self._played: list[tuple[int, str]] = []
        player.begin()

    @property
    def session(self) -> Session:
        """The game in progress."""
        return self._player.session

    @property
    def moves(self) -> int:
        """How many moves the client has made."""
        return len(self._sizes)

    def follow(self, other: "Line") -> None:
        """Makes the moves of a game that was played by other rules; ends where one is illegal."""
        if any(other._placed):
            self.place(*other._placed)
        for seat, vertex in other._played:
            self.play(seat, vertex)

    def turn_to(self, seat: int) -> int:
        """Has a seat be to move.

        Returns:
          how many moves that has taken.

        Raises:
          ValueError: that is not possible; in one line.
        """
        self._reopen()
        if self.session.over:
            raise ValueError("illegal move: the game is over")
        if self.session.seat == seat:
            return 0
        if not isinstance(self.session.game, Go):
            raise ValueError("illegal move: it is the other side's turn")
        self._player.push(self.session.game.num_actions - 1)
        self._reopen()
        return 1

    def play(self, seat: int, vertex: str) -> None:
        """Makes a move; raises ValueError, in one line, if it is not legal."""
        label = self._board.label(self.session.game, vertex)
        extra = self.turn_to(seat)
        try:
            move = self.session.parse(label)
            self._player.push(move)
        except ValueError as error:
            self.back(extra)
            raise ValueError(f"illegal move: {error}") from None
        self._sizes.append(extra + 1)
        self._played.append((seat, vertex))

    def push(self, move: int, extra: int) -> str:
        """Makes a move that the player has found, after so many of `turn_to`; gives its vertex."""
        session = self.session
        seat, vertex = session.seat, self._board.vertex(session.game, session.label(move))
        self._player.push(move)
        self._sizes.append(extra + 1)
        self._played.append((seat, vertex))
        return vertex

    def undo(self) -> None:
        """Takes the client's last move back; raises ValueError if there is none."""
        if not self._sizes:
            raise ValueError("cannot undo")
        self._played.pop()
        for _ in range(self._sizes.pop()):
            self._player.undo()

    def place(self, black: Sequence[str], white: Sequence[str]) -> None:
        """Sets up stones on an empty board; in go only. Black is to move unless it has more stones.

        Raises:
          ValueError: they cannot all stand there; in one line.
        """
        if not isinstance(self.session.game, Go):
            raise ValueError("positions cannot be set up in this game")
        if len(set(map(str.upper, (*black, *white)))) < len(black) + len(white):
            raise ValueError("repeated vertex")
        self.restart()
        # No stone of a legal position is ever without liberties while others are still missing.
        for seat, vertices in enumerate((black, white)):
            for vertex in vertices:
                self.play(seat, vertex)
        self._sizes, self._played, self._placed = [], [], (tuple(black), tuple(white))

    def restart(self) -> None:
        """An empty board."""
        self._player.begin()
        self._sizes, self._played, self._placed = [], [], ((), ())

    def back(self, extra: int) -> None:
        """Takes back what `turn_to` has made."""
        for _ in range(extra):
            self._player.undo()

    def line(self, moves: Sequence[int]) -> list[str]:
        """A sequence of moves from the position, as vertices."""
        session = self.session
        state, game = session.state, session.game
        # A label depends on no more than whose move it is, and that in hex only.
        other = state._replace(seat=1 - state.seat) if hasattr(state, "seat") else state
        return [
            self._board.vertex(game, game.label((state, other)[n % 2], move))
            for n, move in enumerate(moves)
        ]

    def area(self) -> np.ndarray:
        """Go: whose each point is as the board stands, f32[n, n]: 1 black, -1 white."""
        game: Any = self.session.game
        over = self.session.state._replace(passes=np.int32(2))
        return np.asarray(_owners(game)(over))

    def _reopen(self) -> None:
        """Lets a game of go go on after two passes."""
        state = self.session.state
        if self.session.over and isinstance(self.session.game, Go) and int(state.passes) == 2:
            self._player.alter(state._replace(passes=np.int32(0)))


@cache
def _owners(game: Go) -> Callable[[State], jax.Array]:
    return jax.jit(lambda state: game.ownership(state, jnp.int32(0)))


def on_other_rules(agent: Agent | HostAgent, game: Game) -> Agent | HostAgent | None:
    """A snapshot on other rules than those it was trained on, such as another board or komi.

    Returns:
      the agent, or None if its network cannot take them.
    """
    if isinstance(agent, HostAgent) or not dataclasses.is_dataclass(agent.policy):
        return None
    policy: Any = dataclasses.replace(agent.policy, **{"game": game})
    if getattr(agent.policy, "judge", None) is not None:
        from arena.judges.rules import Rules

        policy = dataclasses.replace(policy, judge=Rules(game))
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 1))
    states = jax.tree.map(lambda x: jax.ShapeDtypeStruct((1, *x.shape), x.dtype), game.template())
    try:
        jax.eval_shape(policy, stack([agent.params]), keys, states)
    except Exception:  # whatever a network raises where shapes do not fit
        return None
    return Agent(agent.name, policy, agent.params)
