"""What a run, or a cluster, is doing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from arena.errors import UserError
from league.cli import console
from league.cluster import figures, shown
from league.settings.json_object import JsonObject
from league.store import card as cards
from league.store import files, runs, stores
from league.store.objects import files as files_at
from league.web import runs as looks


@dataclass(frozen=True)
class Command:
    """What a run is doing, and who plays for it; or all actors of Arena on a cluster of Ray.

    Of a run whose games are played on a cluster: the actors, what each plays, games a second, the
    queue, calls that were lost and made again, weights moved, and who waits for whom. They are
    read from where the run's weights lie, so on any machine that reaches these; a folder with the
    run's card is enough there.

    Attributes:
      target: name of a run; or the address of a cluster, HOST:PORT, or auto.
      json: print one JSON object.
    """

    target: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN|ADDRESS")]
    json: bool = False


def run(command: Command) -> None:
    """Prints it."""
    address = command.target == "auto" or ":" in command.target
    if address and not (runs.FOLDER / command.target).is_dir():
        _show_cluster(command)
    else:
        _show_run(command)


def _show_run(command: Command) -> None:
    found = runs.FOLDER / command.target
    if not (found / cards.NAME).is_file():
        raise UserError(f"there is no run {command.target!r} in {runs.FOLDER}")
    look = looks.look(runs.FOLDER, command.target)
    told = figures.read(files_at(stores.of_card(found, cards.read(found))))
    going = told is not None and shown.is_going_on(told, files.is_locked(found))
    if command.json:
        generation = look.status.generation if look.status else max(look.done, 0)
        body: JsonObject = {"run": look.name, **look.shown(), "generation": generation}
        body |= {"cluster": told, "playing": going}
        console.emit(body)
        return
    print(f"{look.name}: {look.words}")
    if told is None:
        print("no cluster has played for it")
        return
    if going:
        print(f"cluster, as told {shown.age(told)}:")
        _table(f"Actors of {look.name}", told)
    else:
        print(f"no cluster plays for it now; what arena {told['command']} told {shown.age(told)}:")
    print("\n".join(shown.lines(told)))


def _show_cluster(command: Command) -> None:
    from league.cluster import listing

    found = listing.actors(command.target)
    if command.json:
        console.emit({"address": command.target, "actors": found})
        return
    if not found:
        print(f"no actors of Arena on the cluster {command.target}")
        return
    _table(f"Actors of Arena on {command.target}", {"actors": found})


def _table(title: str, found: Mapping[str, Any]) -> None:
    console.table(title, list(shown.COLUMNS), shown.rows(found))
