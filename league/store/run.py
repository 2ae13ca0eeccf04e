"""A run on disk.

runs/NAME/run.json        the run card, see `card.py`
          league.db       the record, see `schema.py`, unless the card names a shared database
          snapshots/ID/   weights of every generation
          exploiters/     weights of exploiters that joined the pool, eK/GEN/ for GENeK
          data/GEN.npz    the datasets of every generation; GENeK.npz, exploiter K's
          initial/0/      weights that it began with, if they were another snapshot's
          state/GEN/      what resuming needs; the last two are kept
          judge/GEN.npz   the weights by which a generation was judged, if a judge learns
          games/GEN.jsonl   showcase games, see `league/training/showcase.py`
          report.html

Where the card names a store, snapshots, exploiters, data, initial, state and judge lie there, below
the run's name: in folders alike, or as objects NUMBER.npz.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import jax
import numpy as np

from agents import judges
from agents.learners.base import Learner, TrainState
from agents.nn import networks
from agents.nn.rated import RatedConfig, at_rating
from arena import keys
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.play.openings import random_openings
from arena.types import Agent, Judge, Params, Policy, PyTree
from games import Game
from league.settings import game_names
from league.settings.config import Config, from_card
from league.settings.json_object import JsonObject
from league.settings.league_learners import LeagueLearner, league_learners
from league.store import card as cards
from league.store import (
    datasets,
    imported_games,
    initial,
    places,
    record,
    snapshot_ids,
    stores,
)
from league.store.backend import Place, SharedDatabase
from league.store.checkpoints import Store, digest, store
from league.store.database import Results
from league.store.files import lock
from league.store.imported_games import ImportedGames, RatingScale
from league.store.objects import Files, files


class Run:
    """One training run; opening it checks that it is one.

    Args:
      folder: where it lies.
      game: its rules, where they cannot be found again by the name on the card.
      card: its run card, where the folder is on another machine.

    Attributes:
      folder: where it lies.
      name: of the folder.
      card: its run card, see `league/store/card.py`.

    Raises:
      UserError: there is no such run, or its card cannot be read.
    """

    def __init__(self, folder: Path, game: Game | None = None, *, card: JsonObject | None = None):
        self.folder, self.name = folder, folder.name
        self.card = cards.read(folder) if card is None else card
        self._game = game

    @property
    def located(self) -> JsonObject:
        """The card, its names of files as they are found from the current folder."""
        return places.located(self.card, self.folder)

    @cached_property
    def config(self) -> Config:
        """The configuration that the run was started with."""
        return from_card(self.located)

    @cached_property
    def game(self) -> Game:
        """The game that it plays.

        Raises:
          UserError: it is not to be found, or its rules have another version now.
        """
        try:
            game = self._game or game_names.load(self.located["game"], self.card.get("env"))
        except ValueError as error:
            raise UserError(f"{self.folder / cards.NAME}: {error}") from None
        if game.version != self.card.get("game_version", game.version):
            raise UserError(
                f"run {self.name!r} was trained on version {self.card['game_version']} of "
                f"{self.card['game']}, whose rules here have version {game.version}"
            )
        return game

    @cached_property
    def judge(self) -> Judge:
        """Who says who won in its training games; measuring goes by the rules."""
        learner = self.playing_config.learner
        return judges.make(self.located["judge"], self.game, learner, seed=self.config.seed)

    @cached_property
    def rating_scale(self) -> RatingScale | None:
        """How its network is told of ratings; None if it is not."""
        scale = self.card.get("imitates", {}).get("rating")
        return RatingScale(**scale) if scale else None

    @property
    def playing_config(self) -> Config:
        """The configuration with the network as it plays: told of ratings, if it is."""
        config = self.config
        if self.rating_scale is None:
            return config
        network = RatedConfig(config.learner.network)
        return replace(config, learner=replace(config.learner, network=network))

    @cached_property
    def learner(self) -> Learner:
        """How it learns, and how it moves in training games."""
        return self.playing_config.learner.make(self.game, self.judge)

    @cached_property
    def learners(self) -> list[LeagueLearner]:
        """All who learn in it, the main agent first."""
        return league_learners(self.config)

    @cached_property
    def place(self) -> Path | str:
        """Where its weights and data lie: its folder, unless the card names a store."""
        return stores.of_card(self.folder, self.card)

    @cached_property
    def files(self) -> Files:
        """Its data, and weights by which it was judged."""
        return files(self.place)

    @cached_property
    def snapshots(self) -> Store:
        """Weights of every generation."""
        return store(self.place, "snapshots")

    @cached_property
    def exploiters(self) -> dict[int, Store]:
        """Weights of the exploiters that joined the pool, by the exploiter's number."""
        _, *exploiters = self.learners
        return {e.number: store(self.place, f"exploiters/{e.suffix}") for e in exploiters}

    @cached_property
    def state(self) -> Store:
        """What resuming needs: the `TrainState`s of all learners after a generation."""
        return store(self.place, "state", keep=2)

    def results(self, create: bool = False) -> Results:
        """The record; makes it if asked to.

        Raises:
          UserError: it is missing or damaged, holds what no run writes, or is that of another card.
        """
        results = Results(self.record, create)
        try:
            results.verify()
            known = results.file_digests().get(cards.NAME)
            if known is not None and known != cards.identity(self.card):
                raise UserError(
                    f"{self.folder / cards.NAME} is not as this run began: its game, seed or "
                    "options were changed"
                )
        except BaseException:
            results.close()
            raise
        return results

    @property
    def record(self) -> Place:
        """Where its record is."""
        return record.place(self.folder, self.card)

    def template(self) -> TrainState:
        """Shapes of all that one learner carries."""
        learner = self.learner  # made here: a judge may compute with values, which tracing forbids
        return jax.eval_shape(lambda: learner.init(jax.random.key(0)))

    def states_template(self) -> list[TrainState]:
        """Shapes of all that training carries: those of the main agent and the exploiters."""
        return [self.template()] * len(self.learners)

    def initial_state(self) -> TrainState:
        """The state before anything is learnt: random weights, or those that it goes on from.

        Raises:
          UserError: these are missing or damaged.
        """
        state = self.learner.init(self.key(0, "begin"))
        params = initial.load(self.place, self.card, self.template().params)
        return state if params is None else state._replace(params=params)

    def eval_policy(self, simulations: int) -> Policy:
        """How its snapshots move in measured games, where their searches go by the rules.

        Raises:
          UserError: with search in a game that cannot be searched.
        """
        try:
            return self.playing_config.learner.make(self.game, Rules(self.game)).eval_policy(
                simulations
            )
        except UserError:
            raise
        except ValueError as error:
            raise UserError(str(error)) from None

    def agent(
        self,
        snapshot: int | str,
        *,
        simulations: int = 0,
        name: str = "",
        rating: float | None = None,
    ) -> Agent:
        """A snapshot that plays in measured games, without what only training needs of its weights.

        Args:
          snapshot: its generation or id.
          simulations: of its search a move; its network's favourite move without one.
          name: of the agent; the snapshot's id if empty.
          rating: of the player that it is to move like; as it was trained if None.

        Raises:
          UserError: it is not there, the game cannot be searched, or it is not told of ratings.
        """
        policy, params = self.eval_policy(simulations), self.weights(snapshot)
        if rating is not None:
            if self.rating_scale is None:
                raise UserError(f"run {self.name!r} knows of no ratings: --rated teaches them")
            params = at_rating(params, self.rating_scale.normalised(rating))
        return Agent(name or str(snapshot), policy, networks.for_play(params))

    def digests(self) -> dict[str, str]:
        """SHA-256 of the weights of all snapshots there are, exploiters' included, by id."""
        with Results(self.record) as results:
            found = {str(number): sha for number, sha in results.digests().items()}
            return found | {e.id: e.digest for e in results.exploiters()}

    def weights(self, snapshot: int | str) -> Params:
        """The parameters of a snapshot, by generation, or by id if an exploiter's may be meant.

        Raises:
          UserError: it is not there, or not what was saved.
        """
        name, found = str(snapshot), self.digests()
        place = snapshot_ids.split(name)
        if name not in found or place is None:
            raise UserError(f"run {self.name!r} has no snapshot {name}{_range(found)}")
        generation, number = place
        kept = self.exploiters[number] if number else self.snapshots
        params = kept.load(generation, self.template().params)
        if digest(params) != found[name]:
            raise UserError(f"{kept.title(generation)} is damaged: wrong digest")
        return params

    def key(self, generation: int, role: str) -> jax.Array:
        """Randomness belongs to a generation and a role, never to a clock or to progress."""
        return keys.fold(jax.random.key(self.config.seed), generation, role)

    def rng(self, generation: int, role: str) -> np.random.Generator:
        """The same for what numpy draws."""
        return np.random.default_rng(np.asarray(jax.random.key_data(self.key(generation, role))))

    def openings(self, generation: int) -> PyTree:
        """Positions [M, R P, ...] that a generation's R rounds of training games start from."""
        matches = len(self.learners) * self.config.matches
        shape, plies = (matches, self.config.rounds * self.config.pairs), self.config.opening_plies
        return random_openings(
            self.game, self.key(generation, "openings"), shape=shape, plies=plies
        )

    def write_data(self, name: str, data: PyTree) -> str:
        """Keeps the dataset of a snapshot's generation, as `data/NAME.npz`; gives its digest."""
        return datasets.write(self.files, data_file(name), data)

    def has_data(self, name: str) -> bool:
        """Whether there is a dataset of that name."""
        return self.files.exists(data_file(name))

    def read_data(self, name: str) -> PyTree:
        """Reads `data/NAME.npz`; raises UserError if it is not there, or not what was written."""
        with Results(self.record) as results:
            known = results.file_digests().get(f"data/{name}")
        return datasets.read(self.files, data_file(name), self.learner.dataset_template(), known)

    def imported(self) -> ImportedGames | None:
        """The games that the first policy imitates; None if it begins with random weights.

        Raises:
          UserError: they are not where they were, or not what they were.
        """
        source = self.card.get("imitates")
        if source is None:
            return None
        file = places.find(source["file"], self.card, self.folder)
        found = imported_games.read(Path(file), self.game)
        if found.digest != source["digest"]:
            raise UserError(f"{file} is not what it was when the run began")
        return found

    def keep_judge(self, generation: int, make: Callable[[], Params]) -> Params:
        """The weights by which a generation is judged: made the first time, then read again."""
        name = f"judge/{generation}.npz"
        if self.files.exists(name):
            return datasets.read_tree(self.files, name)
        params = make()
        datasets.write(self.files, name, params)
        return params

    def read_states(self, generation: int, results: Results) -> list[TrainState]:
        """The `TrainState`s of all learners after a generation.

        Raises:
          UserError: they are not there, or not what was saved.
        """
        states = self.state.load(generation, self.states_template())
        known = results.file_digests().get(f"state/{generation}")
        # Earlier versions kept the digest of the main agent's parameters alone.
        right = (
            digest(states[0].params) == results.digests().get(generation)
            if known is None
            else digest(states) == known
        )
        if not right:
            raise UserError(f"{self.state.title(generation)} is damaged: wrong digest")
        return states

    def write_card(self) -> None:
        """Writes the card as it now is, whole or not at all."""
        cards.write(self.folder, self.card)

    @contextmanager
    def lock(self, *, alone: bool = True) -> Iterator[None]:
        """Keeps a second process from changing the same run; a kill releases it.

        Args:
          alone: no other may hold it; else only none that wants to be alone, where the record is in
            a shared database.

        Raises:
          UserError: another process holds it.
        """
        place = self.record
        if not isinstance(place, SharedDatabase):
            with lock(self.folder):
                yield
            return
        from league.store import shared

        with lock(self.folder, alone=alone), shared.locked(place, alone=alone):
            yield

    def close(self) -> None:
        """Ends the threads of the stores."""
        stores = [self.__dict__.get("snapshots"), self.__dict__.get("state")]
        for one in (*stores, *self.__dict__.get("exploiters", {}).values()):
            if one is not None:
                one.close()


def data_file(name: str) -> str:
    """The name of a dataset among a run's files."""
    return f"data/{name}.npz"


def _range(found: dict[str, str]) -> str:
    numbers = [int(name) for name in found if name.isdecimal()]
    return f"; it has {min(numbers)} to {max(numbers)}" if numbers else ""
