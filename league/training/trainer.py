"""The training loop: play, learn, measure, save, one generation after the other.

A generation is a transaction. Its games, losses and ratings follow from the state that the one
before it saved and from (seed, generation, role), and saving the state is the last thing that it
does. So a run that is killed at any instant does its last generation over, to the same bits.

With a lag the games of the next generation are asked for before this one is learnt. They follow
from the states after the generation before, the last two of which are kept on disk.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import jax
import numpy as np

from agents import judges
from agents.learners.base import TrainState
from arena import interrupt
from arena.errors import UserError
from arena.play.device_loop import Played
from arena.types import Params, TrainingMoment, as_host_game
from league.evaluation import compute_ledger, judge_parting, leaderboard
from league.settings import duration
from league.settings.json_object import JsonObject
from league.settings.league_learners import LeagueLearner
from league.store import card as cards
from league.store import runs, status
from league.store.checkpoints import digest, finite
from league.store.database import Exploiter, MatchResult, Results
from league.store.run import Run
from league.training import best_response, calibration, exploiters, game_figures, imitating, step
from league.training.actors import Actors
from league.training.events import Callback, Event, GenerationEvent, PhaseEvent, ignore
from league.training.exploiters import ExploiterHistory
from league.training.game_figures import GameCounts
from league.training.judging import Judging
from league.training.measuring import Measuring
from league.training.playing import TrainingGames, local_actors
from league.training.replay import ReplayBuffer
from league.training.requests import WeightsRef, role_in_round
from league.training.schedule import Pairing, Schedule, learns, match_results
from league.training.showcase import Showcase


@dataclass
class Generation:
    """What a generation brings before it is saved.

    Attributes:
      number: of the generation.
      states: of all league learners, by their numbers.
      games: the training games' matches.
      measured: the matches that measure its snapshots.
      counts: of the training games, by round.
      joined: exploiters that join the pool, and their weights.
      digests: of its datasets, by name.
      figures: what goes into the record about the whole.
      phase_seconds: time spent, by phase.
    """

    number: int
    states: list[TrainState]
    games: list[MatchResult] = field(default_factory=list)
    measured: list[MatchResult] = field(default_factory=list)
    counts: list[GameCounts] = field(default_factory=list)
    joined: dict[Exploiter, Params] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    figures: JsonObject = field(default_factory=dict)
    phase_seconds: dict[str, float] = field(default_factory=dict)


class Trainer:
    """Trains one run.

    Args:
      run: where it lies.
      results: its record.
      callback: called with every event.
      actors: play the training games; in this process if None.
    """

    def __init__(
        self,
        run: Run,
        results: Results,
        callback: Callback = ignore,
        *,
        actors: Actors | None = None,
    ):
        self.run, self.results, self._tell = run, results, callback
        self._weights: dict[str, Params] = {}
        self._past: dict[int, list[Params]] = {}
        self.history = ExploiterHistory(run, results)
        self.schedule = Schedule(run, results, self.history)
        actors = actors or local_actors(run)
        self.games = TrainingGames(run, self.schedule, self.weights, actors)
        self.replay = ReplayBuffer(run, self.history)
        self.measuring = Measuring(run, results, self.weights)
        self.judging = Judging(run, self.weights, self.measuring, actors)
        self.showcase = Showcase(run, self.weights)
        self._passes = compute_ledger.nothing()
        self._exploitable = best_response.small(run.game)

    def train(self) -> None:
        """Brings the run to its last generation, from wherever it stands.

        Raises:
          UserError: what it goes on from is missing or damaged; then nothing is changed.
        """
        with status.telling(self.run.folder, max(self.run.state.numbers(), default=0)):
            states = self._restore()
            done = max(self.run.state.numbers(), default=0)
            self._calibrate(done)
            while not self.run.config.calibrated or done < self.run.config.generations:
                done += 1
                states = self._generation(Generation(done, states))
                self._calibrate(done)

    def _callback(self, event: Event) -> None:
        """Reports an event, and says in the run's folder where the training is."""
        if isinstance(event, PhaseEvent):
            status.write(self.run.folder, event.generation, event.phase)
        self._tell(event)

    def _calibrate(self, done: int) -> None:
        """Fixes the number of generations of a run with a time, as soon as it can be known."""
        config = self.run.config
        if config.calibrated:
            return
        spent = [figures["seconds"] for figures in self.results.events()[1:]]
        total = calibration.generations(spent, duration.seconds(config.time))
        if total is not None:
            runs.calibrate(self.run, generations=total, plateau=done)

    def weights(self, name: str) -> Params:
        """The parameters of a snapshot, or of a league learner in training, read once."""
        if name not in self._weights:
            self._weights[name] = self.run.weights(name)
        return self._weights[name]

    def _restore(self) -> list[TrainState]:
        """The states to go on from; those of generation 0, which it makes, if there are none."""
        done = max(self.run.state.numbers(), default=-1)
        if max(self.results.digests(), default=-1) > done + 1:  # a kill loses one at most
            raise UserError(f"{self.run.files.title('state')} lacks the newest generation's state")
        states = self.run.read_states(done, self.results) if done >= 0 else None
        if 0 < done < self.run.config.generations:
            self.replay.restore(done)
            if self.run.config.lag:
                self._remember(done - 1, self.run.read_states(done - 1, self.results))
        self._check_pool(done)
        known = self.results.file_digests().get("judge")
        if known is not None and known != judges.identity(self.run.judge):
            raise UserError(
                f"the judge {self.run.card['judge']} is not what it was when the run began"
            )
        # All that is needed has been read, so nothing is lost if it was damaged.
        self.run.write_card()
        self.results.forget_after(done)
        self.showcase.drop_after(done)
        for store in (self.run.snapshots, *self.run.exploiters.values()):
            store.drop_after(done)
        if states is None:
            return self._start()
        self._remember(done, states)
        return states

    def _remember(self, number: int, states: Sequence[TrainState]) -> None:
        """Keeps the weights of all learners after a generation, as long as they are to play."""
        oldest = number - self.run.config.lag
        self._past = {past: params for past, params in self._past.items() if past >= oldest}
        self._past[number] = [state.params for state in states]

    def _check_pool(self, done: int) -> None:
        """Raises UserError if a snapshot of the pool is not there; its digest is checked if met."""
        for number in set(self.results.digests()) - set(self.run.snapshots.numbers()):
            if number <= done:
                raise UserError(f"{self.run.snapshots.title(number)} is not there")
        for exploiter in self.results.exploiters():
            store = self.run.exploiters[exploiter.number]
            if exploiter.generation <= done and exploiter.generation not in store.numbers():
                raise UserError(f"{store.title(exploiter.generation)} is not there")

    def _start(self) -> list[TrainState]:
        """Generation 0: the network as it begins, measured and saved like all others."""
        main, imitated = self.run.initial_state(), {}
        if source := self.run.imported():
            key = self.run.key(0, "imitate")
            count = self.run.card["imitates"]["positions"]
            main, imitated = imitating.pretrain(
                self.run.learner,
                main,
                source.games,
                count=count,
                key=key,
                scale=self.run.rating_scale,
            )
        if not finite(main):
            raise UserError("the network begins with weights that are no finite numbers")
        states = [main] + [self._restarted(main) for _ in self.run.learners[1:]]
        first = Generation(0, states, figures={"imitated": imitated} if imitated else {})
        with self._phase(first, "measure"):
            first.measured = self.measuring.against_baselines(0, main.params)
        self._save(first)
        return states

    def _restarted(self, main: TrainState) -> TrainState:
        """An exploiter that starts over: the main agent's weights, and nothing learnt since."""
        return self.run.initial_state()._replace(params=main.params)

    @contextmanager
    def _phase(self, generation: Generation, name: str) -> Iterator[None]:
        """Reports a phase, and adds up its time; it does not begin if a stop was asked for."""
        interrupt.check()
        self._callback(PhaseEvent(generation.number, name))
        began = time.monotonic()
        yield
        spent = generation.phase_seconds.get(name, 0.0) + time.monotonic() - began
        generation.phase_seconds[name] = spent

    def _generation(self, generation: Generation) -> list[TrainState]:
        """Plays, learns, measures and saves; the states after it."""
        started, voided, number = time.monotonic(), self._voided(), generation.number
        positions, losses = 0, {}
        for turn in range(self.run.config.rounds):
            with self._phase(generation, "play"):
                played, pairings = self._play(generation, turn)
            with self._phase(generation, "learn"):
                fresh = self._make_datasets(generation, turn, played, pairings)
                losses = self._learn(generation, turn, fresh)
            positions += sum(fresh)
        main = generation.states[0].params
        with self._phase(generation, "measure"):
            generation.measured = self.measuring.against_pool(number, main)
            generation.measured += self.measuring.against_baselines(number, main)
            self._admit(generation)
        games = sum(game.scores.size for game in generation.games)
        seconds = time.monotonic() - started
        # With a lag they are played in all phases.
        playing = seconds if self.run.config.lag else generation.phase_seconds["play"]
        generation.figures = {
            "positions": positions,
            "games": games,
            "games_per_s": games / playing,
            "seconds": seconds,
            **({"voided": self._voided() - voided} if self._voided() > voided else {}),
            **losses,
            **game_figures.figures(self.run.game, generation.counts, self.run.config.opening_plies),
            **self._exploitability(number, main),
            **self._judged(generation, main, games),
        }
        spent = time.monotonic() - started
        self.showcase.keep(number, main, self.results, seconds=spent)
        self._save(generation)
        return generation.states

    def _judged(self, generation: Generation, params: Params, games: int) -> JsonObject:
        """What the judge says of the new snapshot beside the rules, if it is another than these."""
        if not self.judging.wanted:
            return {}
        judge = self._judge_weights(generation)
        with self._phase(generation, "measure"):
            return self.judging.figures(
                generation.number,
                params,
                measured=generation.measured,
                judge_params=self._weights[judge.id] if judge else (),
                data=self.replay.newest(self.run.learners[0], generation.number),
                games=games,
            )

    def _exploitability(self, number: int, params: Params) -> dict[str, float]:
        """How far the pool and the new snapshot are from an equilibrium, where it is computable."""
        if not self._exploitable:
            return {}
        older = [self.weights(str(i)) for i in range(number)]
        return best_response.of_pool(self.run.game, self.run.playing_config, [*older, params])

    def _voided(self) -> int:
        """Games that an env has failed to finish."""
        outside = as_host_game(self.run.game)
        return outside.voided if outside else 0

    def _play(self, generation: Generation, turn: int) -> tuple[Played, list[Pairing]]:
        """One round's games, those of all learners."""
        number, config = generation.number, self.run.config
        if config.lag:
            if turn == 0:
                self._begin_ahead(number)
        else:
            params = [state.params for state in generation.states]
            judge = self._judge_weights(generation)
            self.games.begin(number, params, turns=[turn], judge=judge)
        played, pairings = self.games.take(number, turn)
        assert played.record is not None
        moves = int((played.record.game < 2 * config.pairs).sum())
        policy = self.run.learner.behaviour_policy()
        self._passes["type_1"] += moves * compute_ledger.evaluations(policy)
        self.measuring.judge_cost.add(moves, policy)
        generation.games += match_results(
            number, pairings, np.asarray(played.scores), player=config.played_by(number)
        )
        return played, pairings

    def _begin_ahead(self, number: int) -> None:
        """Asks for all games of a generation and of the next one, unless that was done before."""
        config = self.run.config
        last = config.generations if config.calibrated else number + config.lag
        for ahead in range(number, min(number + config.lag, last) + 1):
            if not self.games.begun(ahead, 0):
                params = self._past[config.played_by(ahead)]
                self.games.begin(ahead, params, turns=range(config.rounds))

    def _make_datasets(
        self, generation: Generation, turn: int, played: Played, pairings: list[Pairing]
    ) -> list[int]:
        """Adds one round's games to the replay buffer; the positions that each learner got."""
        number, fresh = generation.number, []
        for learner in self.run.learners:
            data = step.make_dataset(self.run.learner, played, learns(learner, pairings))
            fresh.append(step.rows(data))
            self.replay.add(learner, number, data)
            if turn + 1 == self.run.config.rounds:
                generation.digests |= self.replay.save(learner, number)
        generation.counts.append(game_figures.count(played))
        return fresh

    def _judge_weights(self, generation: Generation) -> WeightsRef | None:
        """The weights of the judge at this moment, if it has some that change."""
        judge = self.run.judge.weighted
        if judge is None:
            return None
        moment = TrainingMoment(
            generation.number,
            generation.states[0].params,
            lambda number: self.weights(str(number)),
            partial(self.run.keep_judge, generation.number),
        )
        return self._put("judge", judge.weights_for(moment))

    def _put(self, name: str, params: Params) -> WeightsRef:
        """Makes weights that are no snapshot yet available to actors."""
        self._weights[name] = params
        return WeightsRef(name, digest(params))

    def _learn(self, generation: Generation, turn: int, fresh: Sequence[int]) -> dict[str, float]:
        """Trains all learners on the positions of the last generations.

        Returns:
          the losses of the main agent.
        """
        trained = [
            self._learn_one(generation, turn, learner, rows)
            for learner, rows in zip(self.run.learners, fresh, strict=True)
        ]
        generation.states = [state for state, _ in trained]
        return trained[0][1]

    def _learn_one(
        self, generation: Generation, turn: int, learner: LeagueLearner, fresh: int
    ) -> tuple[TrainState, dict[str, float]]:
        number, config = generation.number, self.run.config
        done = number - 1 + (turn + 1) / config.rounds
        window = self.replay.window(learner, number)
        if not window:
            return generation.states[learner.number], {}
        state, losses = step.learn(
            self.run.learner,
            generation.states[learner.number],
            window,
            fresh=fresh,
            progress=config.progress(done),
            key=self.run.key(number, role_in_round(f"learn {learner.suffix}".strip(), turn)),
        )
        if not (finite(state) and all(map(math.isfinite, losses.values()))):
            raise UserError(
                f"learning broke down in generation {number}: weights, or losses with them, are no "
                "finite numbers any more (is the learning rate, "
                f"{config.learner.learning_rate:g}, too high?); generation {number - 1} is kept"
            )
        return state, losses

    def _admit(self, generation: Generation) -> None:
        """Lets exploiters join the pool, measures those that do, and has some start over."""
        number, main = generation.number, generation.states[0]
        generation.states = list(generation.states)
        for learner in self.run.learners[1:]:
            if self.run.config.played_by(number) < self.history.started(learner, number):
                continue  # its games were those of who it was before it started over
            name, params = learner.snapshot_id(number), generation.states[learner.number].params
            last = self.history.last_joined(learner, number)
            score = np.mean([game.scores for game in generation.games if game.a == name])
            oldest = self.run.config.exploiter_generations
            if not exploiters.joins(float(score), number - last, oldest):
                continue
            started = self.history.started(learner, number)
            parent = str(last) if last == started else learner.snapshot_id(last)
            row = Exploiter(name, number, learner.number, learner.role, parent, digest(params))
            generation.joined[row] = params
            generation.measured += self.measuring.exploiter(number, main.params, name, params)
            if self.history.restarts(learner, number):
                generation.states[learner.number] = self._restarted(main)

    def _save(self, generation: Generation) -> None:
        """Writes the generation; the state comes last, since it makes the generation count."""
        number, params = generation.number, generation.states[0].params
        self._callback(PhaseEvent(number, "save"))
        # What it scores against itself says nothing of how strong it is.
        matches = [game for game in generation.games if game.a != game.b] + generation.measured
        planned = self.run.config.measure.max_elo_step
        alarms = leaderboard.newest_alarms(self.results, matches, number, planned)
        if "judged" in generation.figures:
            now = {"generation": number, **generation.figures}
            alarms += judge_parting.alarms([*self.results.events(), now])
        figures = {
            "generation": number,
            **generation.figures,
            "phase_seconds": generation.phase_seconds,
            "passes": {**self._passes, "type_2": self.measuring.passes},
            "alarms": alarms,
        }
        self._passes, self.measuring.passes = compute_ledger.nothing(), 0
        params = jax.tree.map(np.asarray, params)
        self._weights[str(number)] = params
        self.results.write(
            number,
            matches,
            (number, digest(params)),
            figures,
            generation.joined,
            self._digests(generation),
        )
        self.run.snapshots.save(number, params)
        for exploiter, weights in generation.joined.items():
            self.run.exploiters[exploiter.number].save(number, weights)
        self.run.state.save(number, generation.states)
        self._remember(number, generation.states)
        self._callback(GenerationEvent(number, figures, tuple(alarms)))

    def _digests(self, generation: Generation) -> dict[str, str]:
        """Of what resuming reads: the datasets, the states, and, the first time, the card."""
        found = {**generation.digests, f"state/{generation.number}": digest(generation.states)}
        known = self.results.file_digests()
        if cards.NAME not in known:
            found[cards.NAME] = cards.identity(self.run.card)
        if "judge" not in known and (judge := judges.identity(self.run.judge)):
            found["judge"] = judge
        return found
