"""Random games played side by side with an implementation that nobody here wrote."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from games import CHANCE, OVER, Game


class Position:
    """A partner's position, in this project's numbering of seats and moves; it changes in place."""

    def mover(self) -> int:
        """Seat 0, seat 1, CHANCE or OVER."""
        raise NotImplementedError

    def legal(self) -> list[int]:
        """The moves of the seat to move; asked only when there is one."""
        raise NotImplementedError

    def chance(self) -> dict[int, float]:
        """The outcomes that chance may bring, with their probabilities; asked only then."""
        raise NotImplementedError

    def payoff(self) -> float:
        """What seat 0 gets; 0 until the game is over."""
        raise NotImplementedError

    def play(self, move: int) -> None:
        """Makes a legal move, or a possible outcome."""
        raise NotImplementedError

    def information(self, seat: int) -> str:
        """All that a seat has been told and has done; asked only in games of hidden information."""
        raise NotImplementedError


_load = cache(pyspiel.load_game)


class OpenSpiel(Position):
    """A position of an OpenSpiel game that numbers its moves as we do."""

    def __init__(self, name: str):
        self._state = _load(name).new_initial_state()

    def mover(self) -> int:
        """Their player is our seat."""
        if self._state.is_terminal():
            return OVER
        return CHANCE if self._state.is_chance_node() else self._state.current_player()

    def legal(self) -> list[int]:
        """As they are."""
        return self._state.legal_actions()

    def chance(self) -> dict[int, float]:
        """As they are."""
        return dict(self._state.chance_outcomes())

    def payoff(self) -> float:
        """Theirs, at the end."""
        return self._state.player_return(0) if self._state.is_terminal() else 0.0

    def play(self, move: int) -> None:
        """As it is."""
        self._state.apply_action(move)

    def information(self, seat: int) -> str:
        """As it is."""
        return self._state.information_state_string(seat)


class View(NamedTuple):
    """What is compared.

    Attributes:
      mover: i32[N].
      legal: bool[N, A], False where no seat is to move.
      chance: f32[N, C], 0 where chance does not move.
      payoff: f32[N].
    """

    mover: np.ndarray
    legal: np.ndarray
    chance: np.ndarray
    payoff: np.ndarray


@cache
def _ours(game: Game):
    """Jitted, of a batch: step, and the view of a position."""

    def look(state: Any) -> View:
        mover = game.mover(state)
        legal = game.legal(state) & (mover >= 0)
        chance = jnp.zeros(0)
        if game.num_outcomes:
            chance = jnp.where(mover == CHANCE, game.chance(state), 0.0)
        view: Any = (mover, legal, chance, game.payoff(state))
        return View(*view)

    return jax.jit(jax.vmap(game.step)), jax.jit(jax.vmap(look))


def _theirs(partners: list[Position], game: Game) -> View:
    legal = np.zeros((len(partners), game.num_actions), bool)
    chance = np.zeros((len(partners), game.num_outcomes), np.float32)
    mover = np.array([p.mover() for p in partners], np.int32)
    for i, partner in enumerate(partners):
        if mover[i] >= 0:
            legal[i, partner.legal()] = True
        elif mover[i] == CHANCE:
            outcomes = partner.chance()
            chance[i, list(outcomes)] = list(outcomes.values())
    return View(mover, legal, chance, np.array([p.payoff() for p in partners], np.float32))


def _compare(ours: View, theirs: View, history: np.ndarray) -> None:
    """Raises AssertionError for the first game that differs; `history` is moves [plies, N]."""
    bad = (
        (ours.mover != theirs.mover)
        | (ours.legal != theirs.legal).any(1)
        | (np.abs(ours.chance - theirs.chance) > 1e-6).any(1)
        | (np.abs(ours.payoff - theirs.payoff) > 1e-6)
    )
    for i in np.flatnonzero(bad)[:1]:
        us, them = (_said(view, i) for view in (ours, theirs))
        raise AssertionError(f"after {history[:, i].tolist()} we say {us}, they say {them}")


def _said(view: View, i: int) -> str:
    legal = np.flatnonzero(view.legal[i]).tolist()
    chance = {int(k): float(view.chance[i, k]) for k in np.flatnonzero(view.chance[i])}
    said = f"mover {view.mover[i]}, legal {legal}, payoff {view.payoff[i]}"
    return said + (f", chance {chance}" if chance else "")


def _picks(view: View, rng: np.random.Generator) -> np.ndarray:
    """A random move or outcome each, i32[N]."""
    uniform = np.where(view.legal, rng.random(view.legal.shape), -1).argmax(1)
    if not view.chance.shape[1]:
        return uniform.astype(np.int32)
    # The largest of u^(1/p) is outcome k with probability p_k.
    power = np.log(rng.random(view.chance.shape)) / np.maximum(view.chance, 1e-30)
    return np.where(view.mover == CHANCE, power.argmax(1), uniform).astype(np.int32)


def _play(game: Game, start: Callable[[], Position], count: int, rng: np.random.Generator) -> int:
    """One batch of games; the number of moves made."""
    step, look = _ours(game)
    states: Any = jax.tree.map(lambda x: np.repeat(np.asarray(x)[None], count, 0), game.init())
    partners = [start() for _ in range(count)]
    alive = np.arange(count)
    history = np.full((game.max_plies, count), -1, np.int32)
    for ply in range(game.max_plies + 1):
        ours = View(*(np.asarray(x)[alive] for x in look(states)))
        _compare(ours, _theirs([partners[i] for i in alive], game), history[:ply, alive])
        going = ours.mover != OVER
        alive = alive[going]
        if not len(alive):
            return int((history >= 0).sum())
        if ply == game.max_plies:
            break
        picks = _picks(View(*(x[going] for x in ours)), rng)
        for i, move in zip(alive.tolist(), picks.tolist(), strict=True):
            partners[i].play(move)
        history[ply, alive] = picks
        states = step(states, history[ply].clip(0))  # ended games take a move nobody looks at
    raise AssertionError(f"{len(alive)} games run past {game.max_plies} plies")


def lockstep(game: Game, start: Callable[[], Position], plies: int, seed: int) -> int:
    """Plays random games on both sides, `plies` moves or more, and compares every position.

    Compared at every ply, the start and the end included: who moves, what is legal or what chance
    may bring, whether the game is over, and seat 0's payoff.

    Args:
      game: ours.
      start: gives the partner's starting position.
      plies: how many moves to make at least; games are always played to the end.
      seed: of the moves.

    Returns:
      The number of moves made.

    Raises:
      AssertionError: the first difference, with the moves that lead to it.
    """
    rng = np.random.default_rng(seed)
    batch = max(20, min(2000, plies // game.max_plies))
    made = 0
    while made < plies:
        made += _play(game, start, batch, rng)
    return made
