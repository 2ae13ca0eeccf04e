"""Arena from Python: what the command line does, for scripts and notebooks.

    import league

    run = league.train("tic_tac_toe", generations=3)
    print(run.ratings())                     # columns; pandas.DataFrame takes them
    print(league.play_match(run.agent("3"), "mcts:20", game="tic_tac_toe", pairs=20))

Call nothing of JAX before the first of these functions where several CPU devices are wanted: JAX
settles their number once.
"""

import contextlib
import dataclasses
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np

from agents import judges, learners
from agents.learners.base import LearnerConfig
from arena import extensions
from arena.errors import PAIRS, PLIES, UserError, check_seed, whole_number
from arena.evaluation import score
from arena.play import match
from arena.types import Agent, HostAgent, Params, PyTree
from games import Game
from league.cli import device, names
from league.evaluation import leaderboard
from league.settings import defaults, game_names
from league.settings.config import Config
from league.settings.json_object import JsonObject
from league.settings.matchmaking import Matchmaker
from league.store import runs
from league.store.database import Tally
from league.store.imported_games import ImportedGames
from league.store.initial import InitialWeights
from league.store.run import Run
from league.store.schema import ROLES
from league.training.actors import Actors
from league.training.events import Callback, ignore
from league.training.trainer import Trainer


class League:
    """An open run; use as a context manager, or call `close`.

    Args:
      run: a run on disk.

    Attributes:
      run: the same.
    """

    def __init__(self, run: Run):
        self.run = run
        self._results = run.results()

    def __enter__(self) -> "League":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the threads and connections behind it."""
        self._results.close()
        self.run.close()

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.run.name

    @property
    def game(self) -> Game:
        """The game that it plays."""
        return self.run.game

    @property
    def config(self) -> Config:
        """How it is run."""
        return self.run.config

    @property
    def snapshots(self) -> list[str]:
        """Ids of the snapshots there are: the main agent's, then those of exploiters."""
        return list(self.run.digests())

    def ratings(self, anchor: str = "") -> dict[str, np.ndarray]:
        """The rating list, as columns of equal length.

        Args:
          anchor: whose Elo is 0; the first snapshot if empty.

        Returns:
          `id` (str), `elo` (f64), `half_width` of its 95 % interval (f64), `games` (i64).
        """
        ids, _, fit = leaderboard.fitted(self._results, anchor=anchor)
        return {
            "id": np.array(ids),
            "elo": np.asarray(fit.elo, np.float64),
            "half_width": np.asarray(fit.half_width, np.float64),
            "games": np.asarray(fit.games, np.int64),
        }

    def matches(self, *roles: str) -> dict[str, np.ndarray]:
        """The matches of the record, as columns of equal length, oldest first.

        Args:
          roles: as documented at the column `matches.role` of `league/store/schema.py`; all if none
            is given.

        Returns:
          `role`, `a`, `b` (str), `generation`, `wins`, `draws`, `losses` of a's (i64), and its
          `points` (f64); games of two agents in one role and generation are one row.
        """
        rows = [(role, t) for role in roles or ROLES for t in self._results.tallies(role)]
        columns: dict[str, Any] = {"role": np.array([role for role, _ in rows])}
        for field in dataclasses.fields(Tally):
            columns[field.name] = np.array([getattr(tally, field.name) for _, tally in rows])
        return columns

    def dataset(self, generation: int | str) -> PyTree:
        """What the games of a generation gave its learner: a NamedTuple of arrays [N, ...].

        Args:
          generation: its number, or the id of an exploiter's snapshot.

        Raises:
          UserError: it is not there, or damaged.
        """
        return self.run.read_data(str(generation))

    def figures(self) -> list[JsonObject]:
        """The figures of every generation, in order: losses, rates, seconds, alarms."""
        return self._results.events()

    def weights(self, snapshot: int | str) -> Params:
        """The parameters of a snapshot, a pytree of numpy arrays; UserError if it is not there."""
        return self.run.weights(snapshot)

    def agent(self, snapshot: int | str, *, simulations: int = 0) -> Agent:
        """A snapshot that plays: its network's favourite move, or a search of so many simulations.

        Raises:
          UserError: it is not there, or the game cannot be searched.
        """
        name = f"{self.name}:{snapshot}" + (f",simulations={simulations}" if simulations else "")
        return self.run.agent(snapshot, simulations=simulations, name=name)


def open_run(path: str | Path, *, game: Game | None = None) -> League:
    """Opens a run.

    Args:
      path: of its folder, or the name of one in `./runs`.
      game: its rules, where the run card cannot say where they are to be found.

    Raises:
      UserError: there is none.
    """
    device.set_up_devices()
    place = Path(path)
    if not place.is_dir() and place.name == str(path):
        place = runs.FOLDER / place
    return League(Run(place, game))


def default_config(
    game: str | Game,
    *,
    learner: str = "",
    network: str = "",
    time: str = "",
    start: str = "",
    **changes: Any,
) -> Config:
    """The configuration that a game is trained with unless something else is said.

    Args:
      game: its name, or its rules.
      learner: its name; what suits the game if empty.
      network: name of its kind; what suits the game if empty.
      time: that training may take, as 15m or 2h, from which the sizes follow.
      start: what training begins with, see `train`; weights settle the network.
      changes: fields of `Config` to be changed.
    """
    device.set_up_devices()
    name, rules = _game(game)
    kind = name.partition(":")[0]
    begins = names.beginning(str(start), rules)
    settled = None
    if isinstance(begins, InitialWeights):
        learner, settled = learner or begins.learner, begins.network
    found = defaults.default(
        kind,
        rules,
        learner=learner,
        network=network,
        time=time,
        settled=settled,
        imitates=isinstance(begins, ImportedGames),
    )
    return dataclasses.replace(found, **changes)


def train(
    game: str | Game,
    config: Config | None = None,
    *,
    learner: str | LearnerConfig = "",
    matchmaker: str | Matchmaker = "",
    judge: str = "rules",
    start: str | Path = "",
    name: str = "",
    folder: str | Path = runs.FOLDER,
    database: str = "",
    store: str | Path = "",
    resume: bool = False,
    callback: Callback = ignore,
    actors: Actors | None = None,
    **changes: Any,
) -> League:
    """Trains a league, and opens the run that comes of it.

    Args:
      game: its name, or its rules: an instance of any `Game`, from wherever.
      config: of the league; the game's default if None.
      learner: the name of a learner, or a configuration of one.
      matchmaker: the name of a matchmaker, or a function that is one and lies in a module.
      judge: the name of who says who won in training.
      start: what it begins with rather than random weights: those of `RUN:ID` or `pretrained:GAME`,
        or FILE.npz, a dataset of `arena data import`, which the first policy imitates.
      name: of the run; by default the game's, numbered.
      folder: where runs lie.
      database: URL of a PostgreSQL database for the run's record; a file in its folder if empty.
      store: path or URL (s3, gs) for the run's weights and data; its folder if empty.
      resume: go on with the run of this name, or the newest of this game.
      callback: called with every event of `league.training.events`.
      actors: play the training games; in this process if None.
      changes: fields of `Config` to be changed.

    Raises:
      UserError: something cannot be served; nothing is lost.
    """
    title, rules = _game(game)
    device.set_up_devices()
    place = Path(folder)
    if isinstance(learner, LearnerConfig):
        changes["learner"] = learner
    if matchmaker:
        text = matchmaker if isinstance(matchmaker, str) else extensions.spec_of(matchmaker)
        changes["matchmaker"] = text
    if resume:
        work = Run(runs.find(title, name, place).folder, rules)
        named = learner if isinstance(learner, str) else ""
        runs.check_kept(work, learner=named, judge="" if judge == "rules" else judge)
        runs.check_database(work, database)
        runs.check_store(work, str(store))
        wanted = dataclasses.replace(config or work.config, **changes)
    else:
        named = learner if isinstance(learner, str) else ""
        time = str(changes.get("time", ""))
        begins = names.beginning(str(start), rules)
        default = config or default_config(game, learner=named, time=time, start=str(start))
        wanted = dataclasses.replace(default, **changes)
        learners.check(rules, wanted.learner)
        wanted.check_judge(judges.check(judge, rules, wanted.learner, seed=wanted.seed))
        if isinstance(begins, InitialWeights):
            begins.check(rules, wanted.learner)
        work = runs.create(
            title,
            wanted,
            name=name,
            judge=judge,
            folder=place,
            rules=rules,
            begins=begins,
            database=database,
            store=str(store),
        )
    with work.lock(), work.results(create=not work.state.numbers()) as results:
        if wanted != work.config:
            runs.extend(work, wanted)
        Trainer(work, results, callback, actors=actors).train()
    return League(work)


def play_match(
    a: str | Agent | HostAgent,
    b: str | Agent | HostAgent,
    *,
    game: str | Game | None = None,
    pairs: int = 50,
    opening_plies: int = 4,
    seed: int = 0,
) -> score.Score:
    """Plays pairs of games between two agents: every opening twice, with the seats swapped.

    Args:
      a: an agent, or its name as `arena match` takes it.
      b: its opponent.
      game: what they play, where no name of theirs says so.
      pairs: pairs of games.
      opening_plies: openings are up to so many random moves long.
      seed: of openings, chance and agents.

    Returns:
      a's score, with intervals.

    Raises:
      UserError: there is no such agent, or they play different games.
    """
    check_seed(seed)
    if whole_number(str(pairs), 1, PAIRS) is None:
        raise UserError(f"pairs must lie between 1 and {PAIRS:,}, not {pairs}")
    if whole_number(str(opening_plies), 0, PLIES) is None:
        raise UserError(f"opening_plies must lie between 0 and {PLIES:,}, not {opening_plies}")
    device.set_up_devices()
    rules = _game(game)[1] if game is not None else None
    rules, players = _agents((a, b), rules)
    scores = match.play(
        [players[0]],
        [players[1]],
        rules,
        key=jax.random.key(seed),
        pairs=pairs,
        plies=opening_plies,
        groups=1,
        slots=pairs,
    )
    return score.of(scores[0])


def _agents(
    found: tuple[str | Agent | HostAgent, ...], rules: Game | None
) -> tuple[Game, list[Agent | HostAgent]]:
    """The game, and agents that play it; a name may settle the game for those before it."""
    for one in found:
        if rules is None and isinstance(one, str):
            with contextlib.suppress(names.AnyGame):
                rules = names.agent(one, None)[0]
    if rules is None:
        raise UserError("which game? name it, or a snapshot that plays it")
    return rules, [names.agent(one, rules)[1] if isinstance(one, str) else one for one in found]


def _game(game: str | Game) -> tuple[str, Game]:
    """The name of a game, as a run card keeps it, and its rules."""
    if isinstance(game, str):
        return game, names.game(game)
    return game_names.name_of(game), game
