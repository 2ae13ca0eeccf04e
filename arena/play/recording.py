"""The games of a match, move by move: out of the compiled loop, or out of the loop on the host."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from arena.errors import UserError
from arena.play import seats
from arena.play.device_loop import Played
from arena.play.openings import Walk
from arena.play.session import GameRecord, Session
from arena.types import (
    Cache,
    CachedPolicy,
    Decision,
    HostGames,
    Key,
    Params,
    Policy,
    Positions,
    State,
    as_host_game,
)
from games import CHANCE, Game


class PlayedGame(NamedTuple):
    """A game of a match.

    Attributes:
      record: the game from its start.
      seat_of_a: the seat of agent A, 0 or 1.
      match: which of several matches it belongs to.
      pair: its pair in the match.
      second: which of the pair's games it is, 0 or 1.
    """

    record: GameRecord
    seat_of_a: int
    match: int
    pair: int
    second: int


Recorder = Callable[[PlayedGame], None]
"""Called with every game of a match, when it has been played."""


class Opening(NamedTuple):
    """A position from which both games of a pair go on, and the game up to there.

    Attributes:
      record: the game.
      state: the position, a pytree of numpy arrays; a seat is to move.
      start: in which position the game began, if not in the initial one.
    """

    record: GameRecord
    state: State
    start: State | None


def opening_of(session: Session) -> Opening:
    """A game as it stands, as an opening; raises ValueError if it is over."""
    if session.over:
        raise ValueError("the game is over")
    return Opening(session.record, session.state, session.position.start)


def positions_of(openings: Sequence[Opening]) -> Positions:
    """Openings as `host_loop.pairs` takes them."""
    states = jax.tree.map(lambda *x: np.stack(x), *[opening.state for opening in openings])
    starts = [opening.start for opening in openings]
    moves = [list(opening.record.moves) for opening in openings]
    return Positions(states, moves, starts if any(s is not None for s in starts) else None)


def check_recordable(game: Game) -> None:
    """Raises UserError if games of matches cannot be written down."""
    if as_host_game(game):
        raise UserError("games that an env plays cannot be written down by a match")


# --- the compiled loop ------------------------------------------------------------------------


@dataclass(frozen=True)
class MovesKept:
    """A policy whose aux is the move."""

    policy: Policy

    def __call__(self, params: Params, keys: Key, states: State) -> Decision:
        """The policy's move, twice."""
        move = self.policy(params, keys, states).move
        return Decision(move, move)


@dataclass(frozen=True)
class CachedMovesKept(CachedPolicy):
    """The same of a policy with a cache."""

    policy: CachedPolicy

    def init_cache(self, params: Params) -> Cache:
        """The policy's."""
        return self.policy.init_cache(params)

    def with_cache(
        self, cache: Cache, params: Params, keys: Key, states: State
    ) -> tuple[Decision, Cache]:
        """The policy's move, twice, and its cache."""
        found, cache = self.policy.with_cache(cache, params, keys, states)
        return Decision(found.move, found.move), cache

    def __call__(self, params: Params, keys: Key, states: State) -> Decision:
        """The policy's move, twice."""
        move = self.policy(params, keys, states).move
        return Decision(move, move)


def moves_kept(policy: Policy) -> Policy:
    """The policy, with its moves as aux; equal ones for equal policies."""
    return CachedMovesKept(policy) if isinstance(policy, CachedPolicy) else MovesKept(policy)


def walked(walks: Walk) -> list[tuple[list[State], list[int]]]:
    """Positions before the moves of random openings, and the moves; walks [N, ...]."""
    walks = jax.tree.map(np.asarray, walks)
    found = []
    for n, at in enumerate(walks.at.tolist()):
        before = [jax.tree.map(lambda x, n=n, k=k: x[n, k], walks.before) for k in range(at)]
        found.append((before, walks.moves[n, :at].tolist()))
    return found


def device_games(
    game: Game,
    played: Played,
    begun: Sequence[Sequence[Opening | tuple[list[State], list[int]]]],
    *,
    first_match: int = 0,
) -> list[PlayedGame]:
    """The games of recorded matches.

    Args:
      game: what was played.
      played: of matches whose policies were `moves_kept`, with `record` and `finals`.
      begun: for each of G matches and P pairs the opening, or the way there as `walked` gives it;
        matches that follow are left out.
      first_match: the number of the first match.
    """
    record = played.record
    assert record is not None
    pairs = played.scores.shape[1]
    # In order of the ticks, as numpy numbers them.
    tick, side, group, slot = np.nonzero(record.game < seats.no_game(pairs))
    number = record.game[tick, side, group, slot]
    plies: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for g, n, at in zip(
        group.tolist(),
        number.tolist(),
        zip(tick.tolist(), side.tolist(), group.tolist(), slot.tolist(), strict=True),
        strict=True,
    ):
        plies.setdefault((g, n), []).append(at)
    found = []
    for match, openings in enumerate(begun):
        for n in range(2 * pairs):
            made = plies[match, n]
            states = [jax.tree.map(lambda x, at=at: x[at], record.state) for at in made]
            moves = [int(record.aux[at]) for at in made]
            final = jax.tree.map(lambda x, at=(match, n): x[at], record.finals)
            pair, second = n % pairs, n // pairs
            known = _record(game, openings[pair], states, moves, final)
            # A makes the first move after the opening in the first game of a pair.
            seat = int(_mover(game)(states[0])) ^ second
            found.append(PlayedGame(known, int(seat), first_match + match, pair, second))
    return found


def _record(
    game: Game,
    begun: Opening | tuple[list[State], list[int]],
    states: list[State],
    moves: list[int],
    final: State,
) -> GameRecord:
    """A game from its start, by the positions before the moves after its opening."""
    start, outcomes = None, []
    if isinstance(begun, Opening):
        start = begun.start
        outcomes = list(begun.record.outcomes)
        made = [m for m, by in zip(begun.record.moves, begun.record.movers, strict=True) if by >= 0]
    else:
        before, made = begun
        states, moves = [*before, *states], [*made, *moves]
        made = []
        if game.num_outcomes:
            outcomes = outcomes_between(game, _initial(game), states[0])
    if game.num_outcomes:
        for state, move, after in zip(states, moves, [*states[1:], final], strict=True):
            outcomes += outcomes_between(game, _step(game)(state, np.int32(move)), after)
    session = Session(game, start=start, outcomes=outcomes)
    for move in [*made, *moves]:
        session.push(move)
    return session.record


def outcomes_between(game: Game, state: State, target: State) -> list[int]:
    """What chance brought between two positions, with no move of a seat between them.

    Raises:
      ValueError: it cannot have led from one to the other.
    """
    found = _search(game, state, target)
    if found is None:
        raise ValueError("chance does not lead from one position to the other")
    return found


def _search(game: Game, state: State, target: State) -> list[int] | None:
    if _equal(state, target):
        return []
    mover, chances, following = jax.tree.map(np.asarray, _outcomes(game)(state))
    if mover != CHANCE:
        return None
    for outcome in np.flatnonzero(chances > 0).tolist():
        after = jax.tree.map(lambda x, k=outcome: x[k], following)
        if (rest := _search(game, after, target)) is not None:
            return [outcome, *rest]
    return None


def _equal(a: State, b: State) -> bool:
    leaves = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(np.array_equal(x, y) for x, y in leaves)


@cache
def _initial(game: Game) -> State:
    return jax.tree.map(np.asarray, game.init())


@cache
def _mover(game: Game) -> Callable[[State], jax.Array]:
    return jax.jit(game.mover)


@cache
def _step(game: Game) -> Callable[[State, Any], State]:
    return jax.jit(game.step)


@cache
def _outcomes(game: Game) -> Callable[[State], tuple[jax.Array, jax.Array, State]]:
    """Jitted: who moves, the chances of the outcomes, and the positions after them."""

    def look(state: State) -> tuple[jax.Array, jax.Array, State]:
        after = jax.vmap(lambda k: game.step(state, k))(jnp.arange(game.num_outcomes))
        return game.mover(state), game.chance(state), after

    return jax.jit(look)


# --- the loop on the host ---------------------------------------------------------------------


def host_games(
    game: Game, games: HostGames, seat_of_a: np.ndarray, *, pairs: int, match: int
) -> list[PlayedGame]:
    """The games of a match on the host, when they are over.

    Args:
      game: what was played.
      games: 2P of them, as `arena.play.seats` numbers them.
      seat_of_a: i32[2P].
      pairs: P.
      match: its number.
    """
    found = []
    for n in range(2 * pairs):
        position = games.position(n)
        record = Session.by_moves(game, position.moves, start=position.start).record
        found.append(PlayedGame(record, int(seat_of_a[n]), match, n % pairs, n // pairs))
    return found
