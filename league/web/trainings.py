"""Starting, stopping and resuming a training: the command `arena train` in a process of its own.

The process leads a session of its own, so that nothing that ends the server ends it. What it writes
to stderr is kept in the run's folder, as `train.log`.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from arena.errors import UserError
from league.web import runs

MOST_TRAININGS = 2
"""The most trainings that are started from pages and go on at once."""
_PATIENCE = 120.0
"""Seconds that a training may take to begin."""
ARENA = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from league.cli.entry import main; main()"
)
"""As `arena`, and stopped by SIGINT also where the server was started in the background."""


class Trainings:
    """The trainings that this server has started.

    Args:
      place: the folder of runs.
    """

    def __init__(self, place: Path):
        self._place = place
        self._started: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._beginning: set[str] = set()

    async def start(self, name: str, arguments: Sequence[str]) -> None:
        """Begins or resumes a run; returns when it has begun.

        Args:
          name: of the run.
          arguments: of `arena train`; `--name` is added.

        Raises:
          UserError: it did not begin; the message is that of the command.
        """
        if name in self._beginning:
            raise UserError(f"run {name!r} begins already")
        self._beginning.add(name)
        try:
            await self._start(name, arguments)
        finally:
            self._beginning.discard(name)

    async def _start(self, name: str, arguments: Sequence[str]) -> None:
        found = self._place / name
        made, fresh = not found.exists(), not (found / runs.CARD).exists()
        found.mkdir(parents=True, exist_ok=True)
        try:
            process, said = self._spawn(found, [*arguments, "--name", name])
        except BaseException:
            _drop(found, made)
            raise
        deadline = time.monotonic() + _PATIENCE
        while not await asyncio.to_thread(self._has_begun, name, fresh):
            if process.poll() is not None:
                if process.returncode:
                    complaint = _complaint(found / runs.LOG, said)
                    _drop(found, made)
                    raise UserError(complaint)
                return  # there was nothing left to train
            if time.monotonic() > deadline:
                raise UserError(f"run {name!r} takes long to begin; look again later")
            await asyncio.sleep(0.1)

    def stop(self, look: runs.Look) -> None:
        """Stops a training as Ctrl-C does: after the piece of work that it is at.

        Raises:
          UserError: it cannot be stopped from here.
        """
        if look.state != "training" or look.status is None:
            raise UserError(f"run {look.name!r} is not being trained")
        if not look.stoppable:
            status = look.status
            raise UserError(
                f"process {status.pid} on {status.host} trains run {look.name!r}, and does not "
                "listen to this server; stop it there"
            )
        try:
            os.kill(look.status.pid, signal.SIGINT)
        except OSError as error:
            raise UserError(f"run {look.name!r} cannot be stopped: {error.strerror}") from None

    def _spawn(self, found: Path, arguments: Sequence[str]) -> tuple[subprocess.Popen[bytes], int]:
        """The process, and how long its log was before."""
        log = found / runs.LOG
        with self._lock:
            self._started = [process for process in self._started if process.poll() is None]
            if len(self._started) >= MOST_TRAININGS:
                raise UserError(
                    f"{MOST_TRAININGS} trainings that were started here go on; stop one first"
                )
            with open(log, "ab") as stderr:
                said = stderr.tell()
                process = subprocess.Popen(
                    [sys.executable, "-P", "-c", ARENA, "train", *arguments],
                    cwd=self._place.resolve().parent,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    start_new_session=True,
                )
            self._started.append(process)
        threading.Thread(target=process.wait, daemon=True).start()  # or it stays as a zombie
        return process, said

    def _has_begun(self, name: str, fresh: bool) -> bool:
        try:
            look = runs.look(self._place, name)
        except UserError:
            return False
        if fresh:
            return True
        # One that is resumed reads what it goes on from first, and may be refused for that.
        return look.state == "training" and look.status is not None and look.status.phase != "start"


def _drop(found: Path, made: bool) -> None:
    """Removes the folder that was made for a run which did not begin; never one that was there."""
    if made and not (found / runs.CARD).exists():
        shutil.rmtree(found, ignore_errors=True)


def _complaint(log: Path, said: int) -> str:
    """What a command that failed said, one line."""
    with open(log, "rb") as file:
        file.seek(said)
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("arena: ") if lines else "the training did not begin"
