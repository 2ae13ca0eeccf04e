"""Running an experiment of the laboratory from a page: `arena lab` in a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import UserError
from league.store import files
from league.web.trainings import ARENA

LOG = "lab.log"
"""What the command writes to stderr, in the experiment's folder."""


@dataclass(frozen=True)
class Look:
    """An experiment, as it is now.

    Attributes:
      running: a process is at it, here or elsewhere.
      ours: this server started that process.
      done: parts that are done, and a share of the one at work; 0 where nothing is known.
      total: parts.
      part: at work.
      error: the last line of a run from here that failed; empty if none did.
    """

    running: bool
    ours: bool = False
    done: float = 0.0
    total: int = 0
    part: str = ""
    error: str = ""

    def shown(self) -> dict[str, Any]:
        """As the page's script takes it."""
        return {
            "running": self.running,
            "stoppable": self.ours,
            "done": self.done,
            "total": self.total,
            "error": self.error,
            "words": f"Running: {self.part or 'it begins'}" if self.running else "Not running",
        }


class Laboratory:
    """The experiments that this server has started; one at a time.

    Args:
      runs: the folder of runs; experiments lie in `lab` there.
    """

    def __init__(self, runs: Path):
        self._runs = runs
        self.folder = runs / "lab"
        self._lock = threading.Lock()
        self._name, self._process = "", None
        self._errors: dict[str, str] = {}

    def start(self, name: str, *, quick: bool) -> None:
        """Begins or goes on with an experiment.

        Args:
          name: of one that comes with Arena or is installed; never what a visitor made up.
          quick: in its small size.

        Raises:
          UserError: it runs already, or another one that was started here.
        """
        with self._lock:
            if self._alive():
                raise UserError(f"the experiment {self._name!r} runs; stop it first")
            if self.look(name).running:
                raise UserError(f"the experiment {name!r} runs in another process")
            place = self.folder / name
            place.mkdir(parents=True, exist_ok=True)
            self._errors.pop(name, None)
            with open(place / LOG, "wb") as stderr:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-P", "-c", ARENA, "lab", name),
                        *(["--quick"] if quick else []),
                    ],
                    cwd=self._runs.resolve().parent,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    start_new_session=True,
                )
            self._name = name
        threading.Thread(target=self._wait, args=(self._process, name), daemon=True).start()

    def stop(self, name: str) -> None:
        """Stops it as Ctrl-C does: what is done is kept.

        Raises:
          UserError: it was not started here.
        """
        if name != self._name or not self._alive():
            raise UserError(f"the experiment {name!r} was not started by this server")
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGINT)

    def look(self, name: str) -> Look:
        """How far it is."""
        ours = name == self._name and self._alive()
        places = [self.folder / name, self.folder / name / "quick"]
        at = next((place for place in places if files.is_locked(place)), None)
        if at is None:
            return Look(ours, ours, error=self._errors.get(name, ""))
        with contextlib.suppress(OSError, ValueError, KeyError):
            told = json.loads((at / "progress.json").read_text("utf-8"))
            return Look(True, ours, told["done"], told["total"], told["part"])
        return Look(True, ours)

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _wait(self, process: subprocess.Popen[bytes], name: str) -> None:
        """Notes why a run failed; one that is not waited for stays as a zombie."""
        if process.wait() == 2:
            with contextlib.suppress(OSError):
                lines = (self.folder / name / LOG).read_text("utf-8", "replace").splitlines()
                self._errors[name] = lines[-1].removeprefix("arena: ") if lines else ""
