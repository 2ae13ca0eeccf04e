"""Where the loops of matches run: in this process, or in others.

What a loop brings follows from its arguments alone, so it does not matter where it runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from arena.play import host_loop
from arena.play.device_loop import Match
from arena.play.record import Played
from arena.play.recording import PlayedGame, host_games
from arena.types import (
    Agent,
    HostAgent,
    HostGames,
    Judge,
    Key,
    Params,
    Position,
    Positions,
    PyTree,
    stack,
)
from games import Game

T = TypeVar("T")
Later = Callable[[], T]
"""Waits for a result, or computes it; called once."""


class HostPlayed(NamedTuple):
    """The result of a match whose loop ran on the host.

    Attributes:
      scores: f32[P, 2], A's score as in `Played`.
      moves: i32[2], how many moves A and B chose.
      games: all of them, if they were to be recorded.
    """

    scores: np.ndarray
    moves: np.ndarray
    games: tuple[PlayedGame, ...] = ()


@dataclass(frozen=True)
class HostMatch:
    """The rules of one match that is played on the host: all but the players.

    Attributes:
      game: what is played.
      key: u32[K], the data of the PRNG key of all that `host_loop.pairs` draws.
      agent_keys: u32[2, K], of A and B, where they live on the device.
      pairs: P.
      plies: of random openings.
      slots: games in flight.
      judge: who says who won.
      openings: [P], in place of random ones.
      record: keep the games.
    """

    game: Game
    key: np.ndarray
    agent_keys: np.ndarray
    pairs: int
    plies: int
    slots: int
    judge: Judge
    openings: Positions | None = None
    record: bool = False

    def play(self, a: Agent | HostAgent, b: Agent | HostAgent) -> HostPlayed:
        """Plays it; raises Forfeit as `host_loop.pairs` does."""
        one, two = (
            _Counted(host_loop.hosted(agent, _key(key)))
            for agent, key in zip((a, b), self.agent_keys, strict=True)
        )
        kept: list[PlayedGame] = []

        def keep(games: HostGames, seat_of_a: np.ndarray) -> None:
            if self.record:
                kept.extend(host_games(self.game, games, seat_of_a, pairs=self.pairs, match=0))

        scores = host_loop.pairs(
            one,
            two,
            self.game,
            key=_key(self.key),
            count=self.pairs,
            plies=self.plies,
            slots=self.slots,
            openings=self.openings,
            judge=self.judge,
            callback=keep,
        )
        return HostPlayed(scores, np.array([one.count, two.count], np.int32), tuple(kept))


class Executor(Protocol):
    """Has loops of matches run.

    Attributes:
      ahead: calls that may be begun before the first is waited for; 0 if each is computed only when
        it is waited for.
    """

    @property
    def ahead(self) -> int: ...  # noqa: D102

    def on_device(
        self,
        match: Match,
        a: Sequence[Agent],
        b: Sequence[Agent],
        *,
        keys: Key,
        openings: PyTree,
        judge_params: Params = (),
    ) -> Later[Played]:
        """G matches by one compiled loop, as `Match.play`; the agents of a side share a policy."""
        ...

    def on_host(
        self, match: HostMatch, a: Agent | HostAgent, b: Agent | HostAgent
    ) -> Later[HostPlayed]:
        """One match by the loop on the host."""
        ...


class LocalExecutor(Executor):
    """Runs them in this process, one after the other."""

    @property
    def ahead(self) -> int:
        """None: each is computed when it is waited for."""
        return 0

    def on_device(
        self,
        match: Match,
        a: Sequence[Agent],
        b: Sequence[Agent],
        *,
        keys: Key,
        openings: PyTree,
        judge_params: Params = (),
    ) -> Later[Played]:
        """As `Executor.on_device`."""

        def play() -> Played:
            one, two = (stack([agent.params for agent in side]) for side in (a, b))
            return match.play(one, two, keys=keys, openings=openings, judge_params=judge_params)

        return play

    def on_host(
        self, match: HostMatch, a: Agent | HostAgent, b: Agent | HostAgent
    ) -> Later[HostPlayed]:
        """As `Executor.on_host`."""
        return lambda: match.play(a, b)


LOCAL = LocalExecutor()


def _key(data: np.ndarray) -> Key:
    return jax.random.wrap_key_data(jnp.asarray(data))


class _Counted(HostAgent):
    """A player, and how many moves it was asked for."""

    def __init__(self, inner: HostAgent):
        self.name, self.count = inner.name, 0
        self._inner = inner

    def choose(self, game: Game, position: Position) -> int:
        """The player's move."""
        return self.choose_all(game, [position])[0]

    def choose_all(self, game: Game, positions: Sequence[Position]) -> list[int]:
        """The player's moves."""
        self.count += len(positions)
        return self._inner.choose_all(game, positions)
