"""The command `arena` many times over: processes forked from one that has loaded it already.

Each is a process of its own, with its own JAX, and can be killed; only the seconds of importing are
saved.
"""

import json
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_LOADED = ["league.commands.train", "league.report.build", "agents.judges.learned"]
_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
      code: what it exited with; minus the signal that killed it.
      out: its stdout.
      err: its stderr.
    """

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Forked:
    """A folder to call `arena` in.

    Attributes:
      folder: where `runs/` lies.
      cache: of compiled programs.
    """

    folder: Path
    cache: Path

    def call(self, *arguments: str, kill: tuple[int, str] | None = None) -> Ended:
        """Calls `arena` and waits for its end.

        Args:
          arguments: of the command.
          kill: generation and phase in which it is killed; never if None.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_LOADED)
        out, err = (self.folder / f"std{name}" for name in ("out", "err"))
        out.write_text("")
        err.write_text("")
        process = context.Process(target=_arena, args=(self.folder, self.cache, arguments))
        process.start()
        deadline = time.monotonic() + _TIMEOUT
        while process.is_alive() and time.monotonic() < deadline:
            process.join(0.05)
            if kill and _has_begun(out.read_text(), *kill):
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
                process.join()
        assert process.exitcode is not None, "it takes too long"
        return Ended(process.exitcode, out.read_text(), err.read_text())


def _has_begun(out: str, generation: int, phase: str) -> bool:
    """Whether the whole lines of JSON so far tell of a phase."""
    lines = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]
    return any((line.get("generation"), line.get("phase")) == (generation, phase) for line in lines)


def _arena(folder: Path, cache: Path, arguments: tuple[str, ...]) -> None:
    """What a process does: one command, as from the command line."""
    os.chdir(folder)
    fixed = {"JAX_PLATFORMS": "cpu", "ARENA_CPU_DEVICES": "1", "XDG_CACHE_HOME": str(cache)}
    os.environ.update(fixed, XDG_STATE_HOME=str(folder / "state"))
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(folder / name, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        setattr(sys, name, os.fdopen(number, "w", buffering=1, closefd=False))
    from league.cli.entry import main

    main(list(arguments))
