"""A run's training games: who plays them, by which weights, and when they are asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import numpy as np

from arena.play.device_loop import Match, Played
from arena.types import Params, PyTree
from league.store import card as cards
from league.store.checkpoints import digest
from league.store.run import Run
from league.training import step
from league.training.actors import Actors, LocalActors
from league.training.requests import Request, Result, Shape, WeightsRef, join, role_in_round
from league.training.schedule import Pairing, Schedule


class _Round(NamedTuple):
    """A round's games that have been asked for.

    Attributes:
      pairings: who plays whom in its matches.
      requests: for them.
      results: gives theirs next.
    """

    pairings: list[Pairing]
    requests: list[Request]
    results: Iterator[Result]


@dataclass
class TrainingGames:
    """Has the training games of a run played.

    Attributes:
      run: the run.
      schedule: of its matches.
      weights: the parameters of a snapshot, or of a judge, by id.
      actors: who play.
    """

    run: Run
    schedule: Schedule
    weights: Callable[[str], Params]
    actors: Actors
    _rounds: dict[tuple[int, int], _Round] = field(default_factory=dict, init=False)
    _drawn: tuple[int, PyTree] = field(default=(0, ()), init=False)

    def begun(self, number: int, turn: int) -> bool:
        """Whether a round's games have been asked for, and not been taken."""
        return (number, turn) in self._rounds

    def begin(
        self,
        number: int,
        params: Sequence[Params],
        *,
        turns: Sequence[int],
        judge: WeightsRef | None = None,
    ) -> None:
        """Asks for the games of some rounds of a generation.

        Args:
          number: of the generation.
          params: of all league learners, by their numbers, as they play.
          turns: the rounds.
          judge: weights of the judge, if it has some that change.
        """
        pairings = self.schedule.pairings(number)
        current = [digest(one) for one in params]
        players = dict(zip(current, params, strict=True))
        found = [self._request(number, turn, pairings, current, judge=judge) for turn in turns]
        shards = self.run.config.shards if self.run.game.on_device else 1
        rounds = [request.split(shards) for request in found]

        def find(ref: WeightsRef) -> Params:
            return players[ref.digest] if ref.digest in players else self.weights(ref.id)

        # Without a lag nothing is played ahead, and actors need not know how.
        ask = self.actors.begin if self.run.config.lag else self.actors.play
        results = iter(ask([one for requests in rounds for one in requests], find))
        for turn, requests in zip(turns, rounds, strict=True):
            self._rounds[number, turn] = _Round(pairings, requests, results)

    def take(self, number: int, turn: int) -> tuple[Played, list[Pairing]]:
        """The games of a round that was begun, those of all learners; rounds are taken in order."""
        pairings, requests, results = self._rounds.pop((number, turn))
        return join(requests, [next(results) for _ in requests]), pairings

    def _request(
        self,
        number: int,
        turn: int,
        pairings: list[Pairing],
        current: list[str],
        *,
        judge: WeightsRef | None,
    ) -> Request:
        """For one round's matches, played by weights of these digests."""
        config, known = self.run.config, self.run.digests()
        own = [
            WeightsRef(f"current{pairing.learner.suffix}", current[pairing.learner.number])
            for pairing in pairings
        ]
        opponents = [
            mine if pairing.self_play else WeightsRef(pairing.opponent, known[pairing.opponent])
            for mine, pairing in zip(own, pairings, strict=True)
        ]
        role = role_in_round("play", turn)
        keys = jax.random.key_data(jax.random.split(self.run.key(number, role), len(pairings)))
        pairs = slice(turn * config.pairs, (turn + 1) * config.pairs)
        return Request(
            run=cards.identity(self.run.card),
            generation=number,
            role=role,
            numbers=tuple(range(len(pairings))),
            shape=Shape(config.pairs, config.slots),
            a=tuple(own),
            b=tuple(opponents),
            openings=jax.tree.map(lambda x: np.asarray(x)[:, pairs], self._openings(number)),
            keys=np.asarray(keys),
            judge=judge,
        )

    def _openings(self, number: int) -> PyTree:
        """Those of a generation, drawn once."""
        if self._drawn[0] != number:
            self._drawn = number, self.run.openings(number)
        return self._drawn[1]


def local_actors(run: Run) -> LocalActors:
    """Actors that play a run's games in this process."""

    def match(shape: Shape) -> Match:
        return step.recorded_match(run.learner, slots=shape.slots, pairs=shape.pairs)

    return LocalActors(match)
