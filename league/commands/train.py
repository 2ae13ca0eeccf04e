"""Train a league."""

import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import tyro

from agents import learners
from agents.learners.base import LearnerConfig
from arena.errors import UserError
from arena.judges.rules import Rules
from games import Game
from league.cli import console, device
from league.cli.progress import TrainingProgress
from league.evaluation import leaderboard
from league.report import build, terminal
from league.settings import config as configs
from league.settings import defaults, game_names
from league.store import names
from league.store.database import Results
from league.store.files import replacing
from league.store.run import FORMAT, Run
from league.training import tensorboard
from league.training.trainer import Tell, Trainer

_FLAGS = ("--resume", "--no-resume", "--json", "--no-json", "--help", "-h")


@dataclass(frozen=True)
class Command:
    """Train a league: self-play against itself and its own past, every snapshot kept and rated.

    Attributes:
      game: what to learn; see `arena games`.
      config: how.
      method: the learner: alphazero (search), ppo (results alone; any game), mmd (equilibria under
        hidden information), or MODULE:CLASS; what suits the game by default.
      network: its network: resnet, mlp, transformer, or MODULE:CLASS; what suits the game by
        default.
      name: of the run, `runs/NAME`; by default the game's name, numbered.
      resume: go on with a run that was killed, or with more --generations; by default the
        newest of this game.
      log: tensorboard also writes what the report plots as event files, runs/NAME/tensorboard.
      json: print JSON lines: phases, generations, and the result.
    """

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    config: Annotated[configs.Config, tyro.conf.arg(name="")]
    method: Annotated[str, tyro.conf.arg(name="learner", metavar="NAME")] = ""
    network: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    name: str = ""
    resume: bool = False
    log: Literal["none", "tensorboard"] = "none"
    json: bool = False


def default(arguments: list[str]) -> Command:
    """Defaults that depend on the arguments: those of the game, or of the run to resume."""
    game, options = _read(arguments)
    helped = "--help" in arguments or "-h" in arguments
    if "--resume" in options and game and not helped:
        config = _resumed(game, options.get("--name", "")).config
    elif game:
        config = defaults.default(
            game.partition(":")[0],
            names.game(game),
            learner=options.get("--learner", ""),
            network=options.get("--network", ""),
        )
    else:
        config = configs.Config()
    return Command(game or tyro.MISSING, config)


def _read(arguments: list[str]) -> tuple[str, dict[str, str]]:
    """The game and the options as they are written: all but the flags are followed by a value."""
    game, options, rest = "", {}, iter(arguments)
    for argument in rest:
        key, equals, value = argument.partition("=")
        if not key.startswith("-"):
            game = game or argument
        elif equals or key in _FLAGS:
            options[key] = value
        else:
            options[key] = next(rest, "")
    return game, options


def run(command: Command) -> None:
    """Trains, then prints the table of snapshots."""
    game = names.game(command.game)
    _check(game, command.config.learner)
    if command.log == "tensorboard":
        tensorboard.check()
    for note in getattr(getattr(game, "known", None), "notes", ()):
        console.stderr.print(f"note: {note}")
    device.prepare()
    work = _resumed(command.game, command.name) if command.resume else _create(command)
    with work.lock(), work.results(create=not work.state.numbers()) as results:
        if command.resume:
            _extend(work, command.config)
        with contextlib.ExitStack() as stack:
            callbacks = _callbacks(command, work, results, stack)
            Trainer(work, results, _all(callbacks)).train()
        found = leaderboard.of(results, work.config.measure.max_elo_step)
        report = build.write(work, results, found)
        terminal.show(work, results, found, report=report, json=command.json)
    work.close()


def _callbacks(
    command: Command, work: Run, results: Results, stack: contextlib.ExitStack
) -> list[Tell]:
    """What is called with the trainer's events; the stack closes it."""
    found: list[Tell] = [console.emit]
    if not command.json:
        done = max(work.state.numbers(), default=0)
        found = [stack.enter_context(TrainingProgress(work.config.generations, done=done))]
    if command.log == "tensorboard":
        found.append(stack.enter_context(tensorboard.TensorBoardLog(work, results)))
    return found


def _all(callbacks: list[Tell]) -> Tell:
    """One callback that calls all."""

    def call(event: dict[str, Any]) -> None:
        for callback in callbacks:
            callback(event)

    return call


def _check(game: Game, config: LearnerConfig) -> None:
    """Raises UserError if this learner or its network cannot learn the game."""
    try:
        config.make(game, Rules(game)).check()
        config.network.check(game)
    except ValueError as error:
        raise UserError(f"{learners.name_of(config)} cannot learn this game: {error}") from None


def _create(command: Command) -> Run:
    """A new run: its folder and its card."""
    name = command.name or _free(re.sub(r"[^\w.=-]+", "-", command.game))
    if re.search("[/:,]", name) or name.startswith("."):
        raise UserError(f"{name!r} cannot be the name of a run")
    folder = names.RUNS / name
    if (folder / "run.json").exists():
        raise UserError(f"there is a run {name!r} already; --resume goes on with it")
    card = {
        "format": FORMAT,
        **game_names.card(command.game),
        **configs.to_card(command.config),
        "seed": command.config.seed,
        "devices": jax.device_count(),
        "device": str(jax.devices()[0].device_kind),
        "versions": _versions(),
        "revision": _revision(),
    }
    folder.mkdir(parents=True, exist_ok=True)  # it may be there, left by a kill before the card
    _write_card(folder, card)
    return Run(folder)


def _write_card(folder: Path, card: dict[str, Any]) -> None:
    with replacing(folder / "run.json", "w") as file:
        json.dump(card, file, indent=2)


def _free(name: str) -> str:
    """The name, or the first of NAME-2, NAME-3, … that is free."""
    number = 1
    while (names.RUNS / (free := name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return free


def _resumed(game: str, name: str) -> Run:
    """The run to go on with."""
    if name:
        work = names.run(name)
    else:
        cards = sorted(names.RUNS.glob("*/run.json"), key=os.path.getmtime, reverse=True)
        runs = (Run(card.parent) for card in cards)
        found = next((r for r in runs if r.card["game"] == game), None)
        if found is None:
            raise UserError(f"there is no run of {game} to resume in {names.RUNS}")
        work = found
    if work.card["game"] != game:
        raise UserError(f"run {work.name!r} plays {work.card['game']}, not {game}")
    return work


def _extend(work: Run, wanted: configs.Config) -> None:
    """Notes a new number of generations; nothing else of a run may change under way."""
    if dataclasses.replace(wanted, generations=work.config.generations) != work.config:
        raise UserError("a resumed run keeps its options; only --generations may change")
    if wanted.generations < (done := max(work.state.numbers(), default=0)):
        raise UserError(f"run {work.name!r} has {done} generations already")
    if jax.device_count() != work.card["devices"]:
        console.stderr.print(
            f"note: the run began on {work.card['devices']} devices and goes on with "
            f"{jax.device_count()}: its last bits will differ from an undisturbed one's"
        )
    if wanted.generations != work.config.generations:
        work.card["config"]["generations"] = wanted.generations
        _write_card(work.folder, work.card)
        del work.config  # read anew from the card


def _versions() -> dict[str, str]:
    packages = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
    return {"python": sys.version.split()[0], **{p: metadata.version(p) for p in packages}}


def _revision() -> str:
    """The source's commit, or the package's version where there is no checkout."""
    here = Path(__file__).parent
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return metadata.version("arena-selfplay")
