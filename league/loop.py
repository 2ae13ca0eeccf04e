"""The league's loop: play, learn, measure, save, one generation after the other.

A generation is a transaction. Its games, losses and ratings follow from the state that the one
before it saved and from (seed, generation, role), and saving the state is the last thing that it
does. So a run that is killed at any instant does its last generation over, to the same bits.
"""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from agents import mcts, search, uniform
from agents.training import Learner
from arena import match, metagame
from arena.core import Agent, Rules, stack
from league import learners, matchmaking
from league.errors import UserError
from league.pool import Run
from league.results import MatchResult, Results
from league.snapshots import digest

Tell = Callable[[dict[str, Any]], None]
"""Hears of progress: a dict with the key `event` and its figures."""


@dataclass
class Trainer:
    """One run while it trains.

    Attributes:
      run: where it lies.
      results: its record.
      tell: hears of progress.
    """

    run: Run
    results: Results
    tell: Tell

    def __post_init__(self):
        self.game, self.config = self.run.game, self.run.config
        self.method = learners.of(self.config.learner)
        self._weights: dict[int, Any] = {}
        self._data: dict[int, Any] = {}

    def train(self) -> None:
        """Brings the run to its last generation, from wherever it stands."""
        done = max(self.run.state.numbers(), default=-1)
        if max(self.results.digests(), default=-1) > done + 1:  # a kill loses one at most
            raise UserError(f"{self.run.folder / 'state'} lacks the newest generation's state")
        learner = self.run.state.load(done, self.run.template()) if done >= 0 else None
        if learner and digest(learner.params) != self.results.digests().get(done):
            raise UserError(f"{self.run.folder / 'state' / str(done)} is damaged: wrong digest")
        if 0 < done < self.config.generations:
            first = max(1, done + 2 - self.config.learner.window)
            self._data = {g: self.run.read_data(g) for g in range(first, done + 1)}
        # All that is needed has been read, so nothing is lost if it was damaged.
        self.results.forget_after(done)
        self.run.snapshots.drop_after(done)
        learner = learner or self._start()
        for generation in range(max(done, 0) + 1, self.config.generations + 1):
            learner = self._generation(generation, learner)

    def _key(self, generation: int, role: str) -> jax.Array:
        """Randomness belongs to a generation and a role, never to a clock or to progress."""
        key = jax.random.fold_in(jax.random.key(self.config.seed), generation)
        return jax.random.fold_in(key, zlib.crc32(role.encode()))

    def _phase(self, generation: int, phase: str) -> None:
        self.tell({"event": "phase", "generation": generation, "phase": phase})

    def _start(self) -> Learner:
        """Generation 0: a random network, measured and saved like all others."""
        learner = self.method.begin(self.game, self.config.learner, self._key(0, "begin"))
        self._phase(0, "measure")
        exam = self._exam(0, learner.params)
        self._save(0, learner, exam, {"generation": 0})
        return learner

    def _generation(self, number: int, learner: Learner) -> Learner:
        started = time.monotonic()
        self._phase(number, "play")
        data, games = self._play(number, learner.params)
        played = time.monotonic() - started
        self._phase(number, "learn")
        learner, losses = self._learn(number, learner, _rows(data))
        self._phase(number, "measure")
        measured = self._rate(number, learner.params) + self._exam(number, learner.params)
        count = sum(game.scores.size for game in games)
        figures = {
            "generation": number,
            "positions": _rows(data),
            "games": count,
            "games_per_s": count / played,
            "seconds": time.monotonic() - started,
            **losses,
        }
        self._save(number, learner, games + measured, figures)
        return learner

    def _play(self, number: int, params: Any) -> tuple[Any, list[MatchResult]]:
        """The generation's games: some matches against the pool, the others against itself."""
        config, current = self.config, number - 1
        foes = self._opponents(number)
        opponents = [self.weights(foe) for foe in foes]
        itself = config.matches - len(foes)
        act = self.method.explorer(self.game, config.learner)
        slots = min(config.slots, config.pairs)
        table = match.Match(self.game, act, act, Rules(self.game), slots, record=True)
        key = self._key(number, "play")
        starts = match.openings(
            self.game,
            self._key(number, "openings"),
            (config.matches, config.pairs),
            config.opening_plies,
        )
        played = table.play(
            stack([params] * config.matches),
            stack(opponents + [params] * itself),
            jax.random.split(key, config.matches),
            starts,
        )
        scores = np.asarray(played.scores)
        learns = np.ones((2, config.matches), bool)
        learns[1, : len(foes)] = False  # what an old snapshot would play is not to be learnt
        record = jax.tree.map(np.asarray, played.record)
        data = self.method.harvest(self.game, config.learner, record, scores, learns)
        self.run.write_data(number, data)
        self._data[number] = data
        names = [str(foe) for foe in foes] + [str(current)] * itself
        return data, [
            MatchResult("train", str(current), name, score)
            for name, score in zip(names, scores, strict=True)
        ]

    def _opponents(self, number: int) -> list[int]:
        """Snapshots to meet in this generation, drawn by the matchmaker."""
        scores, games, rows = np.zeros(number), np.zeros(number), []
        for tally in self.results.tallies("train", "measure"):
            hero, foe, age = int(tally.a), int(tally.b), number - tally.generation
            if foe < number and hero != foe:
                scores[foe] += 0.8**age * tally.points
                games[foe] += 0.8**age * tally.games
                rows.append((hero, foe, tally.wins, tally.draws, tally.losses))
        losses = matchmaking.losses(scores, games)
        pool = matchmaking.Pool(losses, lambda: metagame.payoffs(rows, number))
        weights = matchmaking.parse(self.config.matchmaker)(pool)
        count = round(self.config.matches * self.config.pool_share)
        enough = np.count_nonzero(weights) >= count
        rng = self._rng(number, "matchmaking")
        return sorted(rng.choice(number, count, replace=not enough, p=weights).tolist())

    def _rng(self, number: int, role: str) -> np.random.Generator:
        return np.random.default_rng(np.asarray(jax.random.key_data(self._key(number, role))))

    def weights(self, number: int) -> Any:
        """The parameters of a snapshot, read once."""
        if number not in self._weights:
            self._weights[number] = self.run.weights(number)
        return self._weights[number]

    def _learn(self, number: int, learner: Learner, fresh: int) -> tuple[Learner, dict[str, float]]:
        """Trains on the positions of the last generations."""
        first = max(1, number - self.config.learner.window + 1)
        self._data.pop(first - 1, None)
        window = [self._data[generation] for generation in range(first, number + 1)]
        data = jax.tree.map(lambda *x: np.concatenate(x), *window)
        return self.method.learn(
            self.game,
            self.config.learner,
            learner,
            data,
            fresh,
            number / self.config.generations,
            self._key(number, "learn"),
        )

    def _rate(self, number: int, params: Any) -> list[MatchResult]:
        """The new snapshot against the one before it and others of the pool, without search."""
        rule = self.config.measure
        others = self._rng(number, "rate").permutation(number - 1).tolist()
        foes = [number - 1, *others][: rule.opponents]
        act = self.method.player(self.game, self.config.learner, 0)
        return self._matches(
            "measure",
            number,
            Agent(str(number), act, params),
            [Agent(str(foe), act, self.weights(foe)) for foe in foes],
            rule.pairs,
            rule.opponents,
        )

    def _exam(self, number: int, params: Any) -> list[MatchResult]:
        """The new snapshot against fixed opponents.

        Its raw network meets uniform play; with search it meets MCTS, where search is possible.
        """
        rule, config = self.config.measure, self.config.learner
        halves = max(1, rule.exam_pairs // 2)

        def exam(role: str, simulations: int, foe: Agent) -> list[MatchResult]:
            act = self.method.player(self.game, config, simulations)
            agent = Agent(str(number), act, params)
            return self._matches(role, number, agent, [foe] * 2, halves, 2)

        floor = exam("uniform", 0, uniform.make(self.game, ""))
        if not search.possible(self.game):
            return floor
        tree = mcts.make(self.game, str(rule.rollouts))
        return floor + exam("mcts", rule.simulations, tree)

    def _matches(
        self, role: str, number: int, agent: Agent, foes: list[Agent], pairs: int, groups: int
    ) -> list[MatchResult]:
        scores = match.play(
            [agent] * len(foes),
            foes,
            self.game,
            self._key(number, role),
            pairs,
            self.config.measure.opening_plies,
            groups,
            pairs,
        )
        return [
            MatchResult(role, agent.name, foe.name, score)
            for foe, score in zip(foes, scores, strict=True)
        ]

    def _save(
        self,
        number: int,
        learner: Learner,
        matches: list[MatchResult],
        figures: dict[str, Any],
    ) -> None:
        """Writes the generation; the state comes last, since it makes the generation count."""
        self._phase(number, "save")
        params = jax.tree.map(np.asarray, learner.params)
        self._weights[number] = params
        self.results.write(number, matches, (number, digest(params)), figures)
        self.run.snapshots.save(number, params)
        self.run.state.save(number, learner)
        self.tell({"event": "generation", **figures})


def _rows(data: Any) -> int:
    """Positions in a dataset."""
    return len(jax.tree.leaves(data)[0])
