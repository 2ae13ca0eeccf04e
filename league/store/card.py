"""The run card, `run.json`: what a run is, for people and for going on with it.

format        of this file
arena         version of Arena that began the run
game          its name; game_version, the version of its rules; env, of an env what its check found
learner, network, judge   their names
from          the name and digest of the weights it began with, if they were another snapshot's
imitates      file and digest of games that its first policy imitated, if there were any, and how
              many positions of them it learnt from; rating: the scale of ratings that it is told
database      URL of a shared one that holds its record, and the name of the run there
typed_in      folder in which these names were typed, see `places.py`
store         path or URL of its weights and data, where they are not in its folder
config        the configuration
seed          of everything random
device, versions, revision, threads   what the run began with: of no account for going on, but for
              last bits
"""

import hashlib
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import jax

from arena.errors import UserError, whole_number
from games import Game
from league.settings import game_names
from league.settings.config import Config, to_card
from league.settings.json_object import JsonObject
from league.store import migrations
from league.store.files import replacing

NAME = "run.json"
_LENGTH = ("generations", "plateau")
"""What says how long a run is: settled while it goes on."""
_IDENTITY = ("game", "game_version", "env", "learner", "network", "judge", "seed")
_THREADS = ("PJRT_NPROC", "NPROC")
"""What tells XLA how many threads to have; the first that is set counts."""
_KEYS = {"game": str, "learner": str, "network": str, "judge": str, "config": dict}


def new(game: str, config: Config, judge: str, rules: Game | None = None) -> JsonObject:
    """The card of a run that begins now.

    Args:
      game: its name.
      config: of the league.
      judge: the name of who says who won.
      rules: the game, where its name does not say where it is to be found.
    """
    return {
        "format": migrations.FORMAT,
        "arena": metadata.version("arena-selfplay"),
        **game_names.card(game, rules),
        "judge": judge,
        **to_card(config),
        "seed": config.seed,
        **circumstances(),
    }


def circumstances() -> JsonObject:
    """What something begins with now: device, versions of packages, revision of the source."""
    return {
        "device": str(jax.local_devices()[0].device_kind),
        "threads": threads(),
        "versions": _versions(),
        "revision": _revision(),
    }


def threads() -> int | None:
    """How many threads XLA has on a CPU, which may decide a gradient's last bits; else None."""
    if jax.default_backend() != "cpu":
        return None
    wanted = (whole_number(os.environ.get(name, ""), 1, 10**6) for name in _THREADS)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(next(filter(None, wanted), cores or 1), jax.local_device_count())


def read(folder: Path) -> JsonObject:
    """The card of a run, brought to the form of this version.

    Raises:
      UserError: there is no run, or its card cannot be read.
    """
    path = folder / NAME
    try:
        card = json.loads(_text(path))
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a run card: {error}") from None
    if not isinstance(card, dict):
        raise UserError(f"{path} is not a run card")
    try:
        card = migrations.card(card)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for key, kind in _KEYS.items():
        if not isinstance(card.get(key), kind):
            raise UserError(f"{path} does not say {key!r}")
    return card


def _text(path: Path) -> str:
    """What a card's file holds; raises UserError if it is none, or cannot be read."""
    try:
        if not path.exists():
            raise UserError(f"there is no run {path.parent.name!r} in {path.parent.parent}")
        if not path.is_file():
            raise UserError(f"{path} is no file")
        return path.read_text("utf-8")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def identity(card: JsonObject) -> str:
    """SHA-256 of what of a card stays as it is while the run goes on."""
    config = {key: value for key, value in card["config"].items() if key not in _LENGTH}
    config = migrations.without_later(card["learner"], config)
    kept = {key: card.get(key) for key in _IDENTITY}
    kept |= {key: card[key]["digest"] for key in ("from", "imitates") if key in card}
    if rating := card.get("imitates", {}).get("rating"):
        kept["rating"] = rating
    text = json.dumps({**kept, "config": config}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write(folder: Path, card: JsonObject) -> None:
    """Writes the card, whole or not at all."""
    with replacing(folder / NAME, "w") as file:
        json.dump(card, file, indent=2)


def _versions() -> dict[str, str]:
    packages = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
    return {"python": sys.version.split()[0], **{p: metadata.version(p) for p in packages}}


def _revision() -> str:
    """The source's commit, or the package's version where there is no checkout."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return metadata.version("arena-selfplay")
