"""Matches with players outside the device: people, engines, and device agents against them.

The loop runs on the host and keeps every game's moves, which engines need. In every tick the games
in which A is to move go to A in one call, and at the same time those in which B is to B.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np

from arena import interrupt
from arena.chance import generators
from arena.judges.rules import Rules
from arena.play import seats
from arena.play.openings import distinct_recorded_openings
from arena.play.session import GameRecord, Session
from arena.play.sessions import Sessions, padded, room_for, verdicts
from arena.sampling import game_numbers
from arena.types import (
    Agent,
    Forfeit,
    HostAgent,
    HostGames,
    Judge,
    Key,
    Position,
    Positions,
    as_host_game,
    stack,
)
from games import CHANCE, OVER, Game

Players = tuple[HostAgent, HostAgent]


class HostedAgent(HostAgent):
    """A device agent as a host agent; its moves are drawn by a key and the number of the call."""

    def __init__(self, agent: Agent, key: Key):
        self.name = agent.name
        self._policy, self._params = jax.jit(agent.policy), stack([agent.params])
        self._key, self._calls, self._room = key, 0, 1

    def choose(self, game: Game, position: Position) -> int:
        """The agent's move."""
        return self.choose_all(game, [position])[0]

    def choose_all(self, game: Game, positions: Sequence[Position]) -> list[int]:
        """The agent's moves, in one batch."""
        self._calls += 1
        self._room = room_for(len(positions), least=self._room)
        index = padded(range(len(positions)), self._room)
        states = jax.tree.map(lambda *x: np.stack(x), *[positions[i].state for i in index])
        key = jax.random.fold_in(self._key, self._calls)
        moves = self._policy(self._params, key[None], states).move
        return np.asarray(moves)[: len(positions)].tolist()


def hosted(agent: Agent | HostAgent, key: Key) -> HostAgent:
    """Any agent as a host agent; the key is for one that lives on the device."""
    return HostedAgent(agent, key) if isinstance(agent, Agent) else agent


def play(
    session: Session,
    players: Players,
    *,
    callback: Callable[[int, str], None] = lambda seat, label: None,
) -> GameRecord:
    """Plays a game to its end.

    Args:
      session: the game, from wherever it stands; it is played on.
      players: in seat 0 and in seat 1.
      callback: called with the seat and the label of every move, when it has been made.

    Returns:
      the game.

    Raises:
      Forfeit: a player cannot go on, or made an illegal move.
    """
    while not session.over:
        interrupt.check()
        seat = session.seat
        player = players[seat]
        move = player.choose(session.game, session.position)
        check_legal(player, move, session.legal)
        label = session.label(move)
        session.push(move)
        callback(seat, label)
    return session.record


def pairs(
    a: Agent | HostAgent,
    b: Agent | HostAgent,
    game: Game,
    *,
    key: Key,
    count: int,
    plies: int,
    slots: int,
    openings: Positions | None = None,
    judge: Judge | None = None,
    callback: Callable[[HostGames, np.ndarray], None] = lambda games, seat_of_a: None,
) -> np.ndarray:
    """Plays pairs of games: every opening twice, with the seats swapped.

    Args:
      a: one player.
      b: the other one.
      game: what they play.
      key: PRNG key, of openings, of what is left to chance, and of device agents.
      count: P, the pairs.
      plies: openings are up to so many random moves long.
      slots: games in flight.
      openings: the openings [P], a seat to move in each, in place of random ones.
      judge: who says who won; the rules if None.
      callback: called with the 2P games when they are over, as `arena.play.seats` numbers them, and
        the seats of A in them, i32[2P].

    Returns:
      A's scores f32[P, 2]; A makes the first move after the opening in the first game of a pair.

    Raises:
      Forfeit: a player cannot go on, or made an illegal move.
    """
    room = room_for(min(slots, 2 * count))
    games = _begin(game, key, count, plies, openings, room)
    number = np.arange(2 * count)
    second = seats.is_second(number, pairs=count)
    seat_of_a = seats.seat_of_a(games.view.mover, second)
    players = hosted(a, jax.random.fold_in(key, 2)), hosted(b, jax.random.fold_in(key, 3))
    # The two games of a pair begin one after the other.
    waiting, flying = number.reshape(2, count).T.reshape(-1).tolist(), []
    with ThreadPoolExecutor(2) as pool:
        while waiting or flying:
            interrupt.check()
            free = slots - len(flying)
            flying, waiting = flying + waiting[:free], waiting[free:]
            _tick(game, games, players, seat_of_a, flying, pool)
            flying = [n for n in flying if games.view.mover[n] != OVER]
    finals = [games.position(n).state for n in range(2 * count)]
    callback(games, seat_of_a)
    names = np.asarray(game_numbers(key[None], jnp.asarray(number[None])))[0]
    verdict = verdicts(judge or Rules(game), finals, games=names, room=room)
    return seats.by_pair(seats.score_of_a(verdict, seat_of_a).astype(np.float32))


def _begin(
    game: Game, key: Key, count: int, plies: int, openings: Positions | None, room: int
) -> HostGames:
    """The 2P games of a match, as `arena.play.seats` numbers them."""
    if outside := as_host_game(game):
        return outside.deal(key, count, plies, 2)
    if openings is None:
        first = jax.random.fold_in(key, 0)
        openings = distinct_recorded_openings(game, first, count=count, plies=plies, room=room)
    streams = generators(jax.random.fold_in(key, 1), 2 * count)
    streams = streams[0::2] + streams[1::2]  # two in a row are of the two games of a pair
    return Sessions(game, openings.tile(2), generators=streams, room=room)


def _tick(
    game: Game,
    games: HostGames,
    players: Players,
    seat_of_a: np.ndarray,
    flying: list[int],
    pool: ThreadPoolExecutor,
) -> None:
    """One move, or outcome of chance, in every game in flight.

    Args:
      game: what is played.
      games: N of them.
      players: A and B.
      seat_of_a: i32[N].
      flying: the numbers of the games in flight.
      pool: of two threads, one for each player.
    """
    mover = games.view.mover
    rows = [n for n in flying if mover[n] == CHANCE]
    moves = [games.draw(n) for n in rows] if isinstance(games, Sessions) else []
    side = seats.side_to_move(mover, seat_of_a, mover >= 0)
    turns = [[n for n in flying if side[n] == who] for who in (seats.A, seats.B)]
    chosen = [
        pool.submit(_choose, game, player, games, turn)
        for player, turn in zip(players, turns, strict=True)
    ]
    moves += [move for some in chosen for move in some.result()]
    games.step(rows + turns[seats.A] + turns[seats.B], moves)


def _choose(game: Game, player: HostAgent, games: HostGames, rows: list[int]) -> list[int]:
    """A player's moves in some of the games, checked."""
    if not rows:
        return []
    moves = player.choose_all(game, [games.position(n) for n in rows])
    for n, move in zip(rows, moves, strict=True):
        check_legal(player, move, games.view.legal[n])
    return moves


def check_legal(player: HostAgent, move: int, legal: np.ndarray) -> None:
    """Raises Forfeit unless a move is one of bool[A]."""
    if not (0 <= move < len(legal) and legal[move]):
        raise Forfeit(f"{player.name} chose move {move}, which is not legal")
