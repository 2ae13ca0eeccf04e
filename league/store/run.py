"""A run on disk, and the pool of snapshots in it.

runs/NAME/run.json        the run card: game, config, seed, versions, device, revision
          league.db       the record, see `results.py`
          snapshots/ID/   weights of every generation
          exploiters/     weights of exploiters that joined the pool, eK/GEN/ for GENeK
          data/GEN.npz    what each generation's games taught; GENeK.npz, exploiter K's
          state/GEN/      what resuming needs; the last two are kept
          report.html
"""

import fcntl
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from agents.learners.base import Learner, TrainState
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.play.openings import random_openings
from arena.types import Policy
from games import Game
from league.settings import game_names, league_learners
from league.settings.config import Config, from_card
from league.store import snapshot_ids
from league.store.checkpoints import Store, digest
from league.store.database import Results
from league.store.files import replacing

FORMAT = "arena-run-1"


class Run:
    """One training run; opening it checks that it is one.

    Raises:
      UserError: there is no such run, or its card cannot be read.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.name = folder.name
        try:
            self.card = json.loads((folder / "run.json").read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"there is no run {folder.name!r} in {folder.parent}") from None
        except ValueError as error:
            raise UserError(f"{folder / 'run.json'} is not a run card: {error}") from None
        if not isinstance(self.card, dict) or self.card.get("format") != FORMAT:
            raise UserError(f"{folder / 'run.json'} is not a run card of this version of Arena")
        for key, kind in {"game": str, "config": dict, "devices": int}.items():
            if not isinstance(self.card.get(key), kind):
                raise UserError(f"{folder / 'run.json'} does not say {key!r}")

    @cached_property
    def config(self) -> Config:
        """The configuration that the run was started with."""
        return from_card(self.card)

    @cached_property
    def game(self) -> Game:
        """The game that it plays."""
        try:
            return game_names.load(self.card["game"], self.card.get("env"))
        except ValueError as error:
            raise UserError(f"{self.folder / 'run.json'}: {error}") from None

    @cached_property
    def snapshots(self) -> Store:
        """Weights of every generation."""
        return Store(self.folder / "snapshots")

    @cached_property
    def exploiters(self) -> dict[int, Store]:
        """Weights of the exploiters that joined the pool, by the exploiter's number."""
        marks = {m.number: m.mark for m in league_learners.members(self.config) if m.number}
        return {n: Store(self.folder / "exploiters" / mark) for n, mark in marks.items()}

    @cached_property
    def state(self) -> Store:
        """What resuming needs: parameters and optimisers of all learners after a generation."""
        return Store(self.folder / "state", keep=2)

    def results(self, create: bool = False) -> Results:
        """The record; makes it if asked to."""
        return Results(self.folder / "league.db", create)

    @cached_property
    def learner(self) -> Learner:
        """How it learns."""
        return self.config.learner.make(self.game, Rules(self.game))

    def template(self) -> TrainState:
        """Shapes of all that one learner carries."""
        return jax.eval_shape(lambda: self.learner.init(jax.random.key(0)))

    def states_template(self) -> list[TrainState]:
        """Shapes of all that training carries: the main agent and the exploiters."""
        return [self.template()] * len(league_learners.members(self.config))

    def eval_policy(self, simulations: int) -> Policy:
        """How its snapshots move when they are measured.

        Raises:
          UserError: with search in a game that cannot be searched.
        """
        try:
            return self.learner.eval_policy(simulations)
        except ValueError as error:
            raise UserError(str(error)) from None

    def weights(self, snapshot: int | str) -> Any:
        """The parameters of a snapshot, by generation, or by name if an exploiter's may be meant.

        Raises:
          UserError: it is not there, or not what was saved.
        """
        name = str(snapshot)
        with self.results() as results:
            digests = results.digests()
            found = {str(number): sha for number, sha in digests.items()}
            found |= {e.id: e.digest for e in results.exploiters()}
        place = snapshot_ids.split(name)
        if name not in found or place is None:
            raise UserError(f"run {self.name!r} has no snapshot {name}{_range(digests)}")
        generation, member = place
        store = self.exploiters[member] if member else self.snapshots
        params = store.load(generation, self.template().params)
        if digest(params) != found[name]:
            raise UserError(f"{store.folder / str(generation)} is damaged: wrong digest")
        return params

    def key(self, generation: int, role: str) -> jax.Array:
        """Randomness belongs to a generation and a role, never to a clock or to progress."""
        key = jax.random.fold_in(jax.random.key(self.config.seed), generation)
        return jax.random.fold_in(key, zlib.crc32(role.encode()))

    def openings(self, generation: int) -> Any:
        """Positions [M, R P, ...] that a generation's R rounds of training games start from."""
        matches = len(league_learners.members(self.config)) * self.config.matches
        shape, plies = (matches, self.config.rounds * self.config.pairs), self.config.opening_plies
        return random_openings(
            self.game, self.key(generation, "openings"), shape=shape, plies=plies
        )

    def write_data(self, name: str, data: Any) -> None:
        """Keeps what a generation's games taught a learner, as `data/NAME.npz`."""
        leaves = {
            jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf)
            for path, leaf in jax.tree_util.tree_leaves_with_path(data)
        }
        path = self.folder / "data" / f"{name}.npz"
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as file:
            np.savez(file, allow_pickle=False, **leaves)

    def read_data(self, name: str) -> Any:
        """Reads `data/NAME.npz` back.

        Raises:
          UserError: it is not there, or damaged.
        """
        path = self.folder / "data" / f"{name}.npz"
        like = self.learner.dataset_template()
        paths, tree = jax.tree_util.tree_flatten_with_path(like)
        names = [jax.tree_util.keystr(p, simple=True, separator=".") for p, _ in paths]
        try:
            with np.load(path) as file:
                return jax.tree.unflatten(tree, [file[name] for name in names])
        except FileNotFoundError:
            raise UserError(f"{path} is missing") from None
        except Exception as error:  # a cut zip file shows in many ways
            raise UserError(f"{path} is damaged: {error}") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps a second process from training the same run; a kill releases it.

        Raises:
          UserError: another process holds it.
        """
        with open(self.folder / "lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"run {self.name!r} is in use by another process") from None
            yield

    def close(self) -> None:
        """Ends the threads of the stores."""
        stores = [self.__dict__.get("snapshots"), self.__dict__.get("state")]
        for store in (*stores, *self.__dict__.get("exploiters", {}).values()):
            if store is not None:
                store.close()


def _range(digests: dict[int, str]) -> str:
    return f"; it has {min(digests)} to {max(digests)}" if digests else ""
