"""The folder of runs: making one, finding one."""

import contextlib
import dataclasses
import re
from pathlib import Path

from agents import registry
from arena.errors import UserError
from games import Game
from league.settings import defaults, game_names
from league.settings.config import Config
from league.store import card as cards
from league.store import places, record, stores
from league.store.backend import SharedDatabase
from league.store.files import lock
from league.store.imported_games import ImportedGames, RatingScale
from league.store.initial import InitialWeights
from league.store.run import Run

FOLDER = Path("runs")
RESERVED = ("pretrained", "lab")
"""Names that mean something else: where an agent is named, and in the folder of runs."""


def create(
    game: str,
    config: Config,
    *,
    name: str = "",
    judge: str = "rules",
    folder: Path = FOLDER,
    rules: Game | None = None,
    begins: InitialWeights | ImportedGames | None = None,
    database: str = "",
    store: str = "",
    rated: bool = False,
) -> Run:
    """A new run: its folder and its card.

    Args:
      game: the name of its game.
      config: of the league.
      name: of the run; by default the game's, numbered if it is taken.
      judge: the name of who says who won.
      folder: where runs lie.
      rules: the game, where its name does not say where it is to be found.
      begins: weights to begin with, or games that the first policy imitates; neither if None.
      database: URL of one that leagues share, for its record; a file in its folder if empty.
      store: path or URL, for its weights and data; its folder if empty.
      rated: whether its network is told of the ratings of the players that it imitates.

    Raises:
      UserError: the name is taken, or cannot be one; database or store do not answer; there are no
        ratings to tell of.
    """
    url = shared_url(database)
    name = name or free_name(folder, game, url)
    check_name(name)
    place = folder / name
    card = {**cards.new(game, config, judge, rules), **places.entry(place)}
    if url:
        card |= record.entry(SharedDatabase(url, name))
    card |= stores.entry(stores.settled(store) if store else "", name)
    files = stores.of_card(place, card)
    if store:
        stores.check_empty(files)
    if isinstance(begins, ImportedGames):
        played = rules or game_names.load(game)
        card["imitates"] = {
            "file": str(begins.path.resolve()),
            "digest": begins.digest,
            "positions": defaults.imitated(played, config, len(begins.games.move)),
        }
        if rated:
            card["imitates"]["rating"] = dataclasses.asdict(RatingScale.of(begins.games))
    elif rated:
        raise UserError("--rated goes with --from FILE.npz, games of rated players")
    place.mkdir(parents=True, exist_ok=True)  # it may be there, left by a kill before the card
    with lock(place):  # of two who begin at once, one writes the card
        if (place / cards.NAME).exists():
            raise UserError(f"there is a run {name!r} already; --resume goes on with it")
        if url:
            from league.store import shared

            shared.begin(SharedDatabase(url, name))
        if isinstance(begins, InitialWeights):
            begins.save(files)
            card |= begins.card()
        cards.write(place, card)
    return Run(place, rules)


def check_name(name: str) -> None:
    """Raises UserError if this cannot be the name of a run."""
    if not re.fullmatch(r"[\w=+-][\w.=+-]*", name):
        raise UserError(f"{name!r} cannot be the name of a run: letters, digits and . = + - _ can")
    if name in RESERVED or registry.exists(name):
        raise UserError(f"{name!r} is the name of an agent, and cannot be that of a run")


def shared_url(database: str) -> str:
    """The URL of a shared database as a card keeps it; empty as the argument is."""
    if not database:
        return ""
    from league.store import shared

    return shared.parse(database)


def free_name(folder: Path, game: str, url: str = "") -> str:
    """The name of a run of a game: the game's, or the first of NAME-2, NAME-3, … that is free.

    Args:
      folder: where runs lie.
      game: its name.
      url: of the shared database that the run will be in, if it will.
    """
    name, number = re.sub(r"[^\w.=-]+", "-", game).strip(".-"), 1
    while _is_taken(folder, free := name if number == 1 else f"{name}-{number}", url):
        number += 1
    return free


def _is_taken(folder: Path, name: str, url: str) -> bool:
    if (folder / name).exists():
        return True
    if not url:
        return False
    from league.store import shared

    return shared.is_taken(SharedDatabase(url, name))


def find(game: str, name: str = "", folder: Path = FOLDER) -> Run:
    """A run of a game: by name, else the one that was begun or extended last.

    Raises:
      UserError: there is none.
    """
    if name:
        work = by_name(name, folder)
        if not _is_same("game", work, game):
            raise UserError(f"run {name!r} plays {work.card['game']}, not {game}")
        return work
    paths = sorted(folder.glob(f"*/{cards.NAME}"), key=_changed, reverse=True)
    for path in paths:
        with contextlib.suppress(UserError):  # another run's damage is of no account here
            if _is_same("game", run := Run(path.parent), game):
                return run
    raise UserError(f"there is no run of {game} to resume in {folder}")


def _is_same(part: str, work: Run, name: str) -> bool:
    """Whether a name means what a run has; a file by whatever path."""
    return places.settled(part, name) == places.settled(part, str(work.located[part]))


def _changed(path: Path) -> float:
    """When a file was changed last; long ago if it cannot be told."""
    try:
        return path.stat().st_mtime
    except OSError:  # a link to nothing, for one
        return 0.0


def check_database(work: Run, database: str) -> None:
    """Raises UserError if a run's record is not in the database that is named, if one is."""
    url, place = shared_url(database), work.record
    if url and (not isinstance(place, SharedDatabase) or place.url != url):
        there = place.url if isinstance(place, SharedDatabase) else place
        raise UserError(f"run {work.name!r} keeps its record, {there}")


def check_store(work: Run, store: str) -> None:
    """Raises UserError if a run's weights are not in the store that is named, if one is."""
    if store and stores.entry(stores.settled(store), work.name).get("store") != str(work.place):
        raise UserError(f"run {work.name!r} keeps its store, {work.place}")


def check_kept(work: Run, **asked: str) -> None:
    """Raises UserError if another learner, network or judge is asked for than the run has.

    Args:
      work: the run, which is to go on.
      asked: names by `learner`, `network` and `judge`; an empty one asks for nothing.
    """
    for part, name in asked.items():
        if name and not _is_same(part, work, name):
            raise UserError(f"run {work.name!r} keeps its {part}, {work.card[part]}")


def by_name(name: str, folder: Path = FOLDER) -> Run:
    """A run by name; raises UserError if there is none."""
    if not name or "/" in name or name.startswith("."):
        raise UserError(f"{name!r} is not the name of a run")
    return Run(folder / name)


def extend(work: Run, wanted: Config) -> None:
    """Gives a run a new number of generations; nothing else of it may change under way.

    Training writes it to the card, when it has read what it goes on from.

    Raises:
      UserError: something else is to change, or it has more generations already.
    """
    if _fixed(wanted) != _fixed(work.config):
        raise UserError("a resumed run keeps its options; only --generations may change")
    _ = work.game, work.learner  # what the card names is found, or refused before it is changed
    done = max(work.state.numbers(), default=0)
    if wanted.generations < done:
        raise UserError(f"run {work.name!r} has {done} generations already")
    work.card["config"]["generations"] = wanted.generations
    del work.config  # read anew from the card


def _fixed(config: Config) -> Config:
    """What of a configuration stays as it is while a run goes on."""
    matchmaker = places.settled("matchmaker", config.matchmaker)
    return dataclasses.replace(config, generations=1, matchmaker=matchmaker)


def calibrate(work: Run, *, generations: int, plateau: int) -> None:
    """Settles how many generations a run has, the first `plateau` of which were timed."""
    work.card["config"] |= {"generations": generations, "plateau": plateau}
    cards.write(work.folder, work.card)
    del work.config  # read anew from the card
