"""The league's loop: play, learn, measure, save, one generation after the other.

A generation is a transaction. Its games, losses and ratings follow from the state that the one
before it saved and from (seed, generation, role), and saving the state is the last thing that it
does. So a run that is killed at any instant does its last generation over, to the same bits.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from agents import mcts, uniform
from agents.learners.base import TrainState
from arena.errors import UserError
from arena.evaluation import metagame
from arena.judges.rules import Rules
from arena.play import device_loop, match
from arena.types import Agent, as_host_game, stack
from league.evaluation import compute_ledger, leaderboard
from league.settings import league_learners, matchmaking
from league.settings.league_learners import Member
from league.store import snapshot_ids
from league.store.checkpoints import digest
from league.store.database import Exploiter, MatchResult, Results, Tally
from league.store.run import Run
from league.training import best_response, exploiters

Tell = Callable[[dict[str, Any]], None]
"""Hears of progress: a dict with the key `event` and its figures."""


class _Meeting(NamedTuple):
    """A match of a generation's games."""

    member: Member  # who learns
    opponent: str
    itself: bool  # the opponent is the member as it is now, and both sides are learnt


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
        self.learner = self.run.learner
        self.members = league_learners.members(self.config)
        self._passes = compute_ledger.nothing()
        self._small = best_response.small(self.game)
        self._weights: dict[str, Any] = {}
        self._data: dict[tuple[int, int], Any] = {}  # by member and generation

    def train(self) -> None:
        """Brings the run to its last generation, from wherever it stands."""
        done = max(self.run.state.numbers(), default=-1)
        if max(self.results.digests(), default=-1) > done + 1:  # a kill loses one at most
            raise UserError(f"{self.run.folder / 'state'} lacks the newest generation's state")
        team = self.run.state.load(done, self.run.states_template()) if done >= 0 else None
        if team and digest(team[0].params) != self.results.digests().get(done):
            raise UserError(f"{self.run.folder / 'state' / str(done)} is damaged: wrong digest")
        if 0 < done < self.config.generations:
            self._data = {
                (member.number, g): self.run.read_data(member.name(g))
                for member in self.members
                for g in self._window(member, done + 1)[:-1]
            }
        # All that is needed has been read, so nothing is lost if it was damaged.
        self.results.forget_after(done)
        for store in (self.run.snapshots, *self.run.exploiters.values()):
            store.drop_after(done)
        team = team or self._start()
        for generation in range(max(done, 0) + 1, self.config.generations + 1):
            team = self._generation(generation, team)

    def _key(self, generation: int, role: str) -> jax.Array:
        return self.run.key(generation, role)

    def _phase(self, generation: int, phase: str) -> None:
        self.tell({"event": "phase", "generation": generation, "phase": phase})

    def _start(self) -> list[TrainState]:
        """Generation 0: a random network, measured and saved like all others."""
        learner = self.learner.init(self._key(0, "begin"))
        self._phase(0, "measure")
        exam = self._exam(0, learner.params)
        team = [learner] + [self._afresh(learner) for _ in self.members[1:]]
        self._save(0, team, exam, {"generation": 0})
        return team

    def _afresh(self, main: TrainState) -> TrainState:
        """An exploiter that starts over: the main agent's weights, and nothing learnt since."""
        fresh = self.learner.init(self._key(0, "begin"))
        return fresh._replace(params=main.params)

    def _generation(self, number: int, team: list[TrainState]) -> list[TrainState]:
        started, voided, played = time.monotonic(), self._voided(), 0.0
        openings, games, positions, losses = self.run.openings(number), [], 0, {}
        for turn in range(self.config.rounds):
            self._phase(number, "play")
            began = time.monotonic()
            fresh, met = self._play(number, turn, team, openings)
            played += time.monotonic() - began
            self._phase(number, "learn")
            team, losses = self._train(number, turn, team, fresh)
            games, positions = games + met, positions + sum(fresh)
        self._phase(number, "measure")
        measured = self._rate(number, team[0].params) + self._exam(number, team[0].params)
        team, joined, tested = self._admit(number, team, games)
        count = sum(game.scores.size for game in games)
        figures = {
            "generation": number,
            "positions": positions,
            "games": count,
            "games_per_s": count / played,
            "seconds": time.monotonic() - started,
            **({"voided": self._voided() - voided} if self._voided() > voided else {}),
            **losses,
            **self._exact(number, team[0].params),
        }
        # What it scores against itself says nothing of how strong it is.
        games = [game for game in games if game.a != game.b]
        self._save(number, team, games + measured + tested, figures, joined)
        return team

    def _exact(self, number: int, params: Any) -> dict[str, float]:
        """How far the pool and the new snapshot are from an equilibrium, where that can be told."""
        if not self._small:
            return {}
        older = [self.weights(str(i)) for i in range(number)]
        return best_response.of_pool(self.game, self.config, [*older, params])

    def _voided(self) -> int:
        """Games that an env has failed to finish."""
        outside = as_host_game(self.game)
        return outside.voided if outside else 0

    def _play(
        self, number: int, turn: int, team: list[TrainState], openings: Any
    ) -> tuple[list[int], list[MatchResult]]:
        """One round's games, those of all members in one call of the device loop.

        Returns:
          positions that each member has to learn from, and the matches.
        """
        config, lineup = self.config, self._lineup(number)
        policy = self.learner.behaviour_policy()
        slots = min(config.slots, config.pairs)
        kept = self.learner.needs_final_states
        table = device_loop.Match(
            self.game, policy, policy, judge=Rules(self.game), slots=slots, record=True, finals=kept
        )
        played = table.play(
            stack([team[meeting.member.number].params for meeting in lineup]),
            stack(
                [
                    team[meeting.member.number].params
                    if meeting.itself
                    else self.weights(meeting.opponent)
                    for meeting in lineup
                ]
            ),
            keys=jax.random.split(self._key(number, _role("play", turn)), len(lineup)),
            openings=jax.tree.map(
                lambda x: x[:, turn * config.pairs :][:, : config.pairs], openings
            ),
        )
        scores = np.asarray(played.scores)
        record = jax.tree.map(np.asarray, played.record)
        moves = int((record.game < 2 * config.pairs).sum())
        self._passes["type_1"] += moves * compute_ledger.evaluations(policy)
        fresh = []
        for member in self.members:
            own = np.array([meeting.member == member for meeting in lineup])
            itself = np.array([meeting.itself for meeting in lineup])
            learns = np.stack([own, own & itself])
            data = self.learner.make_dataset(record, scores, learns)
            fresh.append(_rows(data))
            if turn:
                before = self._data[member.number, number]
                data = jax.tree.map(lambda *x: np.concatenate(x), before, data)
            self._data[member.number, number] = data
            if turn + 1 == config.rounds:
                self.run.write_data(member.name(number), data)
        return fresh, [
            MatchResult("exploit", meeting.member.name(number), meeting.opponent, score)
            if meeting.member.number
            else MatchResult("train", str(number - 1), meeting.opponent, score)
            for meeting, score in zip(lineup, scores, strict=True)
        ]

    def _lineup(self, number: int) -> list[_Meeting]:
        """Who meets whom in a generation; every member has as many matches."""
        main, *exploiters = self.members
        count, current = self.config.matches, str(number - 1)
        opponents = self._opponents(number)
        found = [_Meeting(main, opponent, False) for opponent in opponents]
        found += [_Meeting(main, current, True)] * (count - len(opponents))
        for member in exploiters:
            if member.role == league_learners.MAIN_EXPLOITER:
                found += [_Meeting(member, current, False)] * count
            else:
                opponents = self._prey(number, member)
                found += [_Meeting(member, opponent, False) for opponent in opponents]
        return found

    def _prey(self, number: int, member: Member) -> list[str]:
        """Snapshots for a league exploiter to meet: often those that it loses to."""
        pool = snapshot_ids.order(number, self.results.exploiters())
        began = self._began(member, number)
        own = [
            tally
            for tally in self.results.tallies("exploit")
            if tally.generation > began and tally.a == member.name(tally.generation)
        ]
        odds = self._losses(number, pool, own)
        weights = matchmaking.pfsp(matchmaking.Pool(odds, lambda: metagame.payoffs([], len(pool))))
        return self._draw(number, f"matchmaking {member.mark}", pool, weights, self.config.matches)

    def _opponents(self, number: int) -> list[str]:
        """Snapshots for the main agent to meet in this generation, drawn by the matchmaker."""
        pool = snapshot_ids.order(number, self.results.exploiters())
        place = {name: i for i, name in enumerate(pool)}
        met = [
            tally
            for tally in self.results.tallies("train", "measure", "exploiter")
            if tally.b in place and tally.a != tally.b
        ]

        def payoffs() -> np.ndarray:
            rows = [(place[t.a], place[t.b], t.wins, t.draws, t.losses) for t in met]
            return metagame.payoffs(rows, len(pool))

        known = matchmaking.Pool(self._losses(number, pool, met), payoffs)
        weights = matchmaking.find(self.config.matchmaker)(known)
        count = round(self.config.matches * self.config.pool_share)
        return self._draw(number, "matchmaking", pool, weights, count)

    def _losses(self, number: int, pool: list[str], met: list[Tally]) -> np.ndarray:
        """The chance to lose to each of the pool, recent games weighing more than old ones."""
        place = {name: i for i, name in enumerate(pool)}
        scores, games = np.zeros(len(pool)), np.zeros(len(pool))
        for tally in met:
            weight = 0.8 ** (number - tally.generation)
            scores[place[tally.b]] += weight * tally.points
            games[place[tally.b]] += weight * tally.games
        return matchmaking.losses(scores, games)

    def _draw(
        self, number: int, role: str, pool: list[str], weights: np.ndarray, count: int
    ) -> list[str]:
        """So many of the pool by their weights, nobody twice if there are enough."""
        enough = np.count_nonzero(weights) >= count
        rng = self._rng(number, role)
        chosen = rng.choice(len(pool), count, replace=not enough, p=weights)
        return [pool[i] for i in sorted(chosen.tolist())]

    def _rng(self, number: int, role: str) -> np.random.Generator:
        return np.random.default_rng(np.asarray(jax.random.key_data(self._key(number, role))))

    def weights(self, name: str) -> Any:
        """The parameters of a snapshot, read once."""
        if name not in self._weights:
            self._weights[name] = self.run.weights(name)
        return self._weights[name]

    def _window(self, member: Member, number: int) -> list[int]:
        """The generations whose positions a member learns from in this one."""
        first = max(self._began(member, number), number - self.config.learner.replay_window)
        return list(range(first + 1, number + 1))

    def _train(
        self, number: int, turn: int, team: list[TrainState], fresh: list[int]
    ) -> tuple[list[TrainState], dict[str, float]]:
        """Trains all members on the positions of the last generations.

        Returns:
          the team, and the losses of the main agent.
        """
        trained = [
            self._learn(number, turn, member, learner, rows)
            for member, learner, rows in zip(self.members, team, fresh, strict=True)
        ]
        return [learner for learner, _ in trained], trained[0][1]

    def _learn(
        self, number: int, turn: int, member: Member, learner: TrainState, fresh: int
    ) -> tuple[TrainState, dict[str, float]]:
        self._data.pop((member.number, number - self.config.learner.replay_window), None)
        window = [self._data[member.number, g] for g in self._window(member, number)]
        data = jax.tree.map(lambda *x: np.concatenate(x), *window)
        done = number - 1 + (turn + 1) / self.config.rounds
        return self.learner.learn(
            learner,
            data,
            fresh=fresh,
            progress=done / self.config.generations,
            key=self._key(number, _role(f"learn {member.mark}".strip(), turn)),
        )

    def _joined(self, member: Member, number: int) -> list[int]:
        """The generations after which an exploiter joined the pool, before this one."""
        own = [e.generation for e in self.results.exploiters() if e.number == member.number]
        return [generation for generation in own if generation < number]

    def _restarts(self, member: Member, generation: int) -> bool:
        """Whether an exploiter started over after a generation in which it joined the pool."""
        draw = self._rng(generation, f"restart {member.mark}").random()
        return exploiters.restarts(member, draw)

    def _began(self, member: Member, number: int) -> int:
        """The generation after which a member started; 0 but for exploiters that started over."""
        times = [g for g in self._joined(member, number) if self._restarts(member, g)]
        return max(times, default=0)

    def _admit(
        self, number: int, team: list[TrainState], games: list[MatchResult]
    ) -> tuple[list[TrainState], dict[Exploiter, Any], list[MatchResult]]:
        """Lets exploiters join the pool.

        Returns:
          the team, in which some have started over; who joins, with the weights; and the matches
          that measure them.
        """
        team, joined, tested = list(team), {}, []
        for member in self.members[1:]:
            name, params = member.name(number), team[member.number].params
            last = max(self._joined(member, number), default=0)
            score = np.mean([game.scores for game in games if game.a == name])
            if not exploiters.joins(self.config, float(score), number - last):
                continue
            parent = str(last) if last == self._began(member, number) else member.name(last)
            row = Exploiter(name, number, member.number, member.role, parent, digest(params))
            joined[row] = params
            tested += self._test(number, team[0].params, name, params)
            if self._restarts(member, number):
                team[member.number] = self._afresh(team[0])
        return team, joined, tested

    def _test(self, number: int, main: Any, name: str, params: Any) -> list[MatchResult]:
        """An exploiter that joins against the main agent, now and before, without search."""
        rule = self.config.measure
        policy = self.learner.eval_policy(0)
        past = self._rng(number, f"test {name}").permutation(number)[: rule.opponents - 1]
        mains = [Agent(str(g), policy, self.weights(str(g))) for g in past.tolist()]
        mains = [Agent(str(number), policy, main), *mains]
        opponents = [Agent(name, policy, params)] * len(mains)
        return self._matches("exploiter", number, mains, opponents, rule.pairs, rule.opponents)

    def _rate(self, number: int, params: Any) -> list[MatchResult]:
        """The new snapshot against the one before it and others of the pool, without search."""
        rule = self.config.measure
        others = self._rng(number, "rate").permutation(number - 1).tolist()
        numbers = [number - 1, *others][: rule.opponents]
        policy = self.learner.eval_policy(0)
        opponents = [
            Agent(str(opponent), policy, self.weights(str(opponent))) for opponent in numbers
        ]
        agents = [Agent(str(number), policy, params)] * len(opponents)
        return self._matches("measure", number, agents, opponents, rule.pairs, rule.opponents)

    def _exam(self, number: int, params: Any) -> list[MatchResult]:
        """The new snapshot against fixed opponents.

        Its raw network meets uniform play; with search it meets MCTS, where search is possible and
        rules are quick.
        """
        rule = self.config.measure
        halves = max(1, rule.baseline_pairs // 2)

        def exam(role: str, simulations: int, opponent: Agent) -> list[MatchResult]:
            policy = self.learner.eval_policy(simulations)
            agent = Agent(str(number), policy, params)
            return self._matches(role, number, [agent] * 2, [opponent] * 2, halves, 2)

        floor = exam("uniform", 0, uniform.make(self.game, ""))
        if not (self.game.on_device and self.game.searchable):
            return floor
        tree = mcts.make(self.game, str(rule.rollouts))
        return floor + exam("mcts", rule.simulations, tree)

    def _matches(
        self, role: str, number: int, a: list[Agent], b: list[Agent], pairs: int, groups: int
    ) -> list[MatchResult]:
        scores = match.play(
            a,
            b,
            self.game,
            key=self._key(number, role),
            pairs=pairs,
            plies=self.config.measure.opening_plies,
            groups=groups,
            slots=pairs,
            callback=self._count(a[0], b[0]),
        )
        return [
            MatchResult(role, one.name, two.name, score)
            for one, two, score in zip(a, b, scores, strict=True)
        ]

    def _count(self, a: Agent, b: Agent) -> Callable[[np.ndarray], None]:
        """Enters the moves of measuring games into the ledger."""

        def count(moves: np.ndarray) -> None:
            self._passes["type_2"] += compute_ledger.passes(moves, a, b)

        return count

    def _save(
        self,
        number: int,
        team: list[TrainState],
        matches: list[MatchResult],
        figures: dict[str, Any],
        joined: dict[Exploiter, Any] | None = None,
    ) -> None:
        """Writes the generation; the state comes last, since it makes the generation count."""
        self._phase(number, "save")
        joined = joined or {}
        alarms = leaderboard.newest_alarms(
            self.results, matches, number, self.config.measure.max_elo_step
        )
        figures = {**figures, "passes": self._passes, "alarms": alarms}
        self._passes = compute_ledger.nothing()
        params = jax.tree.map(np.asarray, team[0].params)
        self._weights[str(number)] = params
        self.results.write(number, matches, (number, digest(params)), figures, joined)
        self.run.snapshots.save(number, params)
        for exploiter, weights in joined.items():
            self.run.exploiters[exploiter.number].save(number, weights)
        self.run.state.save(number, team)
        self.tell({"event": "generation", **figures})


def _rows(data: Any) -> int:
    """Positions in a dataset."""
    return len(jax.tree.leaves(data)[0])


def _role(role: str, turn: int) -> str:
    """What the randomness of a round belongs to; in the first one it is the role itself."""
    return f"{role} {turn}" if turn else role
