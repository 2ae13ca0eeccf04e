"""The folder of an experiment, `runs/lab/NAME`; of a quick one, `runs/lab/NAME/quick`.

card.json     what ran: name, settings, digest of the code, versions; written when it begins
parts/        the result of each part, as soon as it is there, below settings and code they are of
work/         what parts keep while they run
progress.json how far a run is, for other processes; of account while one holds the lock
result.json   figures, tables and plots, when all parts are done
index.html    the same as a page
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import UserError
from league.lab import code
from league.lab.experiment import Experiment, Json, Part, Settings
from league.store import files
from league.store.runs import FOLDER as RUNS

FOLDER = RUNS / "lab"
RESULT, CARD, PAGE, PROGRESS = "result.json", "card.json", "index.html", "progress.json"
_KEY = re.compile(r"[\w.=@-]+")


def place(name: str, *, quick: bool, folder: Path = FOLDER) -> Path:
    """Where an experiment's results lie."""
    return folder / name / "quick" if quick else folder / name


def last_result(name: str, folder: Path = FOLDER) -> dict[str, Json] | None:
    """The last full result, or else the last quick one; None if there is none that can be read."""
    for quick in (False, True):
        with contextlib.suppress(OSError, ValueError):
            return read_result(place(name, quick=quick, folder=folder) / RESULT)
    return None


def read_result(path: Path) -> dict[str, Json]:
    """A result.json.

    Raises:
      OSError, ValueError: it is not there, or none.
    """
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict) or "figures" not in found:
        raise ValueError(f"{path} is no result of an experiment")
    return found


def identity(experiment: Experiment[Any], settings: Settings) -> str:
    """Digest of all that a part's result follows from, but for its name and its seed."""
    sizes = dataclasses.asdict(settings)
    del sizes["seeds"]
    known = [code.digest(experiment), sizes, metadata.version("arena-selfplay")]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]


class Parts:
    """The results of parts that are done, of one version of code and settings.

    Args:
      folder: of the experiment.
      identity: see `identity`.
    """

    def __init__(self, folder: Path, identity: str):
        self._all, self._work = folder / "parts", folder / "work"
        self._identity = identity

    def read(self, part: Part) -> dict[str, Json] | None:
        """`result` and `seconds` of a part that is done; None if it is not, or the file is torn."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path(part).read_text("utf-8"))
            if isinstance(found, dict) and {"result", "seconds"} <= found.keys():
                return found
        return None

    def write(self, part: Part, result: Json, seconds: float) -> dict[str, Json]:
        """Keeps a result, whole or not at all; gives it as `read` would."""
        path = self._path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"seconds": round(seconds, 2), "result": result}, default=plain)
        with files.replacing(path, "w") as file:
            file.write(text)
        shutil.rmtree(self._own(part), ignore_errors=True)
        return json.loads(text)

    def work(self, part: Part) -> Path:
        """A folder for what a part keeps while it runs; there when a kill was followed by more."""
        folder = self._own(part)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def forget_others(self) -> None:
        """Removes what other versions of code or settings left."""
        for folder in (self._all, self._work):
            for old in folder.glob("*") if folder.is_dir() else ():
                if old.name != self._identity:
                    shutil.rmtree(old, ignore_errors=True)

    def _own(self, part: Part) -> Path:
        return self._work / self._identity / part.key

    def _path(self, part: Part) -> Path:
        if not _KEY.fullmatch(part.key):
            raise UserError(f"the part {part.key!r} has a name that no file could have")
        return self._all / self._identity / f"{part.key}.json"


def write_json(path: Path, value: Mapping[str, Json]) -> None:
    """A file of JSON, whole or not at all; what is no number or infinite becomes null."""
    text = json.dumps(finite(json.loads(json.dumps(value, default=plain))), indent=1)
    with files.replacing(path, "w") as file:
        file.write(text + "\n")


def plain(value: object) -> Json:
    """What `json` cannot write, as what it can: arrays and numbers of numpy and JAX."""
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")


def finite(value: Json) -> Json:
    """The same with null for what is no number or infinite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Keeps other processes out of an experiment's folder.

    Raises:
      UserError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.lock(folder))
        except UserError:
            raise UserError(f"the experiment {name!r} runs in another process") from None
        yield
