"""Random games played side by side with an implementation that nobody here wrote.

A new game adds one entry to LOCKSTEP: a function that gives its partner's starting position.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
import pyspiel

from games import OVER, Game


class Position(Protocol):
    """A partner's position, in this project's numbering of seats and moves; it changes in place."""

    def mover(self) -> int:
        """Seat 0, seat 1 or OVER."""
        ...

    def legal(self) -> list[int]:
        """The moves of the seat to move."""
        ...

    def payoff(self) -> float:
        """What seat 0 gets; 0 until the game is over."""
        ...

    def play(self, move: int) -> None:
        """Makes a legal move."""
        ...


_load = cache(pyspiel.load_game)


class OpenSpiel:
    """A position of an OpenSpiel game that numbers its moves as we do."""

    def __init__(self, name: str):
        self._state = _load(name).new_initial_state()

    def mover(self) -> int:
        """Their player is our seat."""
        return OVER if self._state.is_terminal() else self._state.current_player()

    def legal(self) -> list[int]:
        """As they are."""
        return self._state.legal_actions()

    def payoff(self) -> float:
        """Their returns are 0 until the end in the games of the table below."""
        return self._state.player_return(0)

    def play(self, move: int) -> None:
        """As it is."""
        self._state.apply_action(move)


LOCKSTEP: dict[str, Callable[[], Position]] = {
    "connect_four": partial(OpenSpiel, "connect_four"),
    "tic_tac_toe": partial(OpenSpiel, "tic_tac_toe"),
}


class View(NamedTuple):
    """What is compared: mover i32[N], legal bool[N, A], payoff f32[N]."""

    mover: np.ndarray
    legal: np.ndarray
    payoff: np.ndarray


@cache
def _ours(game: Game):
    """Jitted, of a batch: step, and the view of a position."""
    step = jax.jit(jax.vmap(game.step))
    look = jax.jit(jax.vmap(lambda s: (game.mover(s), game.legal(s), game.payoff(s))))
    return step, look


def _theirs(partners: list[Position], num_actions: int) -> View:
    legal = np.zeros((len(partners), num_actions), bool)
    for row, partner in zip(legal, partners, strict=True):
        row[partner.legal()] = True
    mover = np.array([p.mover() for p in partners], np.int32)
    return View(mover, legal, np.array([p.payoff() for p in partners], np.float32))


def _compare(ours: View, theirs: View, history: np.ndarray) -> None:
    """Raises AssertionError for the first game that differs; `history` is moves [plies, N]."""
    ours = ours._replace(legal=ours.legal & (ours.mover >= 0)[:, None])  # else unspecified
    differs = ours.legal != theirs.legal
    bad = (ours.mover != theirs.mover) | differs.any(1) | (ours.payoff != theirs.payoff)
    for i in np.flatnonzero(bad)[:1]:
        us, them = ([field[i].tolist() for field in view] for view in (ours, theirs))
        raise AssertionError(f"after {history[:, i].tolist()} we say {us}, they say {them}")


def _play(game: Game, start: Callable[[], Position], count: int, rng: np.random.Generator) -> int:
    """One batch of games; the number of moves made."""
    step, look = _ours(game)
    states: Any = jax.tree.map(lambda x: np.repeat(np.asarray(x)[None], count, 0), game.init())
    partners = [start() for _ in range(count)]
    alive = np.arange(count)
    history = np.zeros((0, count), np.int32)
    for _ in range(game.max_plies + 1):
        ours = View(*(np.asarray(x)[alive] for x in look(states)))
        _compare(ours, _theirs([partners[i] for i in alive], game.num_actions), history[:, alive])
        going = ours.mover != OVER
        alive, legal = alive[going], ours.legal[going]
        if not len(alive):
            return int((history >= 0).sum())
        picks = np.where(legal, rng.random(legal.shape), -1).argmax(1)
        for i, move in zip(alive.tolist(), picks.tolist(), strict=True):
            partners[i].play(move)
        moves = np.full(count, -1, np.int32)
        moves[alive] = picks
        history = np.concatenate([history, moves[None]])
        states = step(states, moves.clip(0))  # ended games take a move that nobody looks at
    raise AssertionError(f"{len(alive)} games run past {game.max_plies} plies")


def lockstep(
    game: Game, start: Callable[[], Position], count: int, seed: int, batch: int = 4000
) -> int:
    """Plays `count` uniformly random games on both sides and compares every position.

    Compared at every ply, the start and the end included: who moves, what is legal, whether the
    game is over, and seat 0's payoff.

    Args:
      game: without chance.
      start: gives the partner's starting position.
      count: how many games; a multiple of `batch` if larger than it.
      seed: of the moves.
      batch: games at once.

    Returns:
      The number of moves made.

    Raises:
      AssertionError: the first difference, with the moves that lead to it.
    """
    batch = min(count, batch)
    if count % batch:
        raise ValueError(f"{count} games are no multiple of {batch}")
    rng = np.random.default_rng(seed)
    return sum(_play(game, start, batch, rng) for _ in range(count // batch))
