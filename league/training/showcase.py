"""Games worth looking at: a few with every generation, played without exploration noise.

The newest snapshot meets the one before it, the champion, and MCTS. Nothing is learnt or measured
from these games, and their randomness is their own, so that a training is the same without them.
They are played while they take no more than a hundredth of the training's time; a game that would
take more is left out.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import jax
import numpy as np

from agents import mcts
from agents.search.analysis import Searches, TreeSearch
from agents.search.evaluation import CachedEvaluate, evaluate_root
from arena.errors import UserError
from arena.play import host_loop
from arena.play.records import MoveNote, Player, SavedGame, jsonl, saved
from arena.play.session import Session
from arena.play.sessions import padded, room_for
from arena.types import Agent, Params, Policy, State, stack
from league.evaluation import leaderboard
from league.gate.store import Lineage
from league.settings import duration
from league.store.checkpoints import digest
from league.store.database import Results
from league.store.files import replacing
from league.store.run import Run

FOLDER = "games"
"""Where they lie in a run's folder, as GENERATION.jsonl."""

_SHARE = 0.01
"""Share of a training's time that they may take."""
_FIRST = {"previous": 3.0, "champion": 3.0, "mcts": 6.0}
"""Seconds that the first game of a kind is taken to need, programs being compiled."""


@dataclass
class Allowance:
    """The time that games may take.

    Attributes:
      spent: seconds that they have taken.
      known: seconds that the last game of each kind took.
    """

    spent: float = 0.0
    known: dict[str, float] = field(default_factory=dict)

    def allows(self, kind: str, *, total: float, left: int) -> bool:
        """Whether a game may be played.

        Args:
          kind: of game.
          total: seconds that the training is expected to take.
          left: its generations to come, this one included.
        """
        rest = _SHARE * total - self.spent
        if kind not in self.known:
            return _FIRST[kind] <= rest
        return self.known[kind] * len(_FIRST) <= rest / max(1, left)

    def took(self, kind: str, seconds: float) -> None:
        """Notes what a game has taken."""
        self.spent += seconds
        # The first one compiled its programs; what the next ones take shows with the second.
        self.known[kind] = seconds if kind in self.known else 0.0


class Showcase:
    """Plays and keeps the showcase games of one run.

    Args:
      run: the run.
      weights: the parameters of an older snapshot, by id.
      clock: gives seconds.
    """

    def __init__(
        self,
        run: Run,
        weights: Callable[[str], Params],
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.run, self._weights, self._clock = run, weights, clock
        self._allowance = Allowance()
        self._policies: dict[int, Policy] = {}

    def keep(self, generation: int, params: Params, results: Results, *, seconds: float) -> None:
        """Plays and writes the games of a generation.

        Args:
          generation: of the newest snapshot.
          params: its weights.
          results: the record, which does not have it yet.
          seconds: that the generation has taken so far.
        """
        if not self.run.game.on_device:
            return
        total, left = self._expected(generation, results, seconds)
        kept = []
        for kind in _FIRST:
            if not self._allowance.allows(kind, total=total, left=left):
                continue
            began = self._clock()
            if (one := self.play(kind, generation, params, results)) is not None:
                kept.append(one)
                self._allowance.took(kind, self._clock() - began)
        if kept:
            path = place(self.run.folder, generation)
            path.parent.mkdir(exist_ok=True)
            with replacing(path, "w") as file:
                file.writelines(map(jsonl.write, kept))

    def drop_after(self, generation: int) -> None:
        """Removes the games of later generations, which are done over."""
        for path in (self.run.folder / FOLDER).glob("*.jsonl"):
            if path.stem.isdecimal() and int(path.stem) > generation:
                path.unlink()

    def play(
        self, kind: str, generation: int, params: Params, results: Results
    ) -> SavedGame | None:
        """A game of the newest snapshot; None if there is nobody to meet.

        Args:
          kind: `previous`, `champion` or `mcts`.
          generation: of the newest snapshot.
          params: its weights.
          results: the record, which does not have it yet.
        """
        game, rule = self.run.game, self.run.config.measure
        key = self.run.key(generation, f"showcase {kind}")
        if kind == "mcts":
            if not game.searchable:
                return None
            newest = self._agent(str(generation), params, rule.simulations)
            opponent = mcts.make(game, str(rule.rollouts))
        else:
            number = generation - 1 if kind == "previous" else self._champion(generation, results)
            if number is None:
                return None
            newest = self._agent(str(generation), params, 0)
            opponent = self._agent(str(number), self._weights(str(number)), 0)
        agents = (newest, opponent) if generation % 2 == 0 else (opponent, newest)
        session = Session(game, seed=int(jax.random.bits(key)))
        one, two = (
            host_loop.HostedAgent(agent, jax.random.fold_in(key, seat))
            for seat, agent in enumerate(agents)
        )
        record = host_loop.play(session, (one, two))
        return saved(
            record,
            self.run.card["game"],
            [_player(agent) for agent in agents],
            notes=self._values(session, params),
            tags={"generation": generation, "showcase": kind, "run": self.run.name},
        )

    def _agent(self, number: str, params: Params, simulations: int) -> Agent:
        if simulations not in self._policies:
            self._policies[simulations] = self.run.eval_policy(simulations)
        option = f",simulations={simulations}" if simulations else ""
        return Agent(f"{self.run.name}:{number}{option}", self._policies[simulations], params)

    def _champion(self, generation: int, results: Results) -> int | None:
        """The gate's champion, else the best rated snapshot; None if that is the one before."""
        promoted = Lineage(results).champions()
        if promoted:
            best = promoted[-1]
        else:
            try:
                names, _, fit = leaderboard.fitted(results)
            except UserError:
                return None
            order = [names[i] for i in np.argsort(-fit.elo, kind="stable")]
            best = next((int(name) for name in order if name.isdecimal()), generation - 1)
        return None if best >= generation - 1 else best

    def _values(self, session: Session, params: Params) -> list[MoveNote | None]:
        """What the newest snapshot's network takes each position for, for who is to move."""
        policy = self._policies[0] if 0 in self._policies else self.run.eval_policy(0)
        try:
            search = policy.tree_search() if isinstance(policy, Searches) else None
        except UserError:  # it would search in another game than this one
            search = None
        if search is None:
            return []
        states = [position.state for position in session.positions()]
        index = padded(range(len(states)), room_for(len(states)))
        batch: State = jax.tree.map(lambda *x: np.stack(x), *[states[i] for i in index])
        values = np.asarray(_evaluate(search, stack([params]), batch))
        return [MoveNote(round(float(value), 4)) for value in values[: len(states)]]

    def _expected(self, generation: int, results: Results, seconds: float) -> tuple[float, int]:
        """Seconds that the whole training is expected to take, and the generations left."""
        config = self.run.config
        if not config.calibrated:
            return duration.seconds(config.time), config.generations
        spent = [seconds, *(float(event.get("seconds", 0.0)) for event in results.events())]
        mean = sum(spent) / max(1, sum(s > 0 for s in spent))
        return mean * config.generations, config.generations - generation + 1


def place(folder: Path, generation: int) -> Path:
    """The file of a generation's games in a run's folder."""
    return folder / FOLDER / f"{generation}.jsonl"


def _player(agent: Agent) -> Player:
    return Player(agent.name, digest(agent.params) if jax.tree.leaves(agent.params) else "")


@partial(jax.jit, static_argnames="search")
def _evaluate(search: TreeSearch, params: Params, states: State) -> jax.Array:
    """Values f32[B] for who is to move; params stacked [1, ...]."""
    evaluate = CachedEvaluate(partial(search.evaluate, params), search.init_cache(params))
    return evaluate_root(evaluate, jax.random.key(0)[None], states)[1]
