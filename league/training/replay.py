"""The datasets of the last generations, from which league learners learn."""

from dataclasses import dataclass, field

import jax
import numpy as np

from arena.errors import UserError
from arena.types import PyTree
from league.settings.league_learners import LeagueLearner
from league.store.run import Run
from league.training.exploiters import ExploiterHistory


@dataclass
class ReplayBuffer:
    """Datasets by league learner and generation, in memory and on disk.

    Attributes:
      run: the run.
      history: of its exploiters: one that started over does not learn from games before that.
    """

    run: Run
    history: ExploiterHistory
    _data: dict[tuple[int, int], PyTree] = field(default_factory=dict)

    def restore(self, done: int) -> None:
        """Reads what is needed to go on after generation `done`; UserError if it is damaged."""
        self._data = {
            (learner.number, g): self.run.read_data(learner.snapshot_id(g))
            for learner in self.run.learners
            for g in self.generations(learner, done + 1)[:-1]
        }
        shapes = {str(_row(data)) for data in self._data.values()}
        if len(shapes) > 1:
            raise UserError(f"{self.run.files.title('data')} is damaged: datasets of unlike shapes")

    def add(self, learner: LeagueLearner, generation: int, data: PyTree) -> None:
        """Adds one round's dataset to a generation's."""
        place = learner.number, generation
        if place in self._data:
            data = jax.tree.map(lambda *x: np.concatenate(x), self._data[place], data)
        self._data[place] = data

    def newest(self, learner: LeagueLearner, generation: int) -> PyTree:
        """A generation's dataset, as far as it has been added."""
        return self._data[learner.number, generation]

    def save(self, learner: LeagueLearner, generation: int) -> dict[str, str]:
        """Writes a generation's dataset to disk, when all of its rounds have been added.

        Returns:
          its name and digest, for the record.
        """
        name = learner.snapshot_id(generation)
        sha = self.run.write_data(name, self._data[learner.number, generation])
        return {f"data/{name}": sha}

    def window(self, learner: LeagueLearner, generation: int) -> list[PyTree]:
        """The datasets to learn from in a generation, the newest last; drops older ones.

        There are none where an exploiter has started over since the generation's games began.
        """
        wanted = self.generations(learner, generation)
        first = wanted[0] if wanted else generation + 1
        for number, g in list(self._data):
            if number == learner.number and g < first:
                del self._data[number, g]
        return [self._data[learner.number, g] for g in wanted]

    def generations(self, learner: LeagueLearner, generation: int) -> list[int]:
        """The generations whose positions a learner learns from in this one."""
        config, started = self.run.config, self.history.started(learner, generation)
        first = max(started, generation - config.learner.replayed(generation)) + 1
        return [g for g in range(first, generation + 1) if config.played_by(g) >= started]


def _row(data: PyTree) -> PyTree:
    """Shapes and types of one position of a dataset."""
    return jax.tree.map(lambda x: (x.shape[1:], x.dtype), data)
