"""Worker processes outlive nobody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.race import RACE

ROOT = Path(__file__).parents[2]
_PARENT = """
from arena.pettingzoo.validate import check_env
from arena.pettingzoo.worker import NEW_GAME
from arena.pettingzoo.worker_pool import WorkerPool

if __name__ == "__main__":
    pool = WorkerPool("RACE?fault=FAULT", check_env("RACE"), 2)
    slots, _ = pool.allocate(64)
    slots.plies[:] = 0
    for request in (NEW_GAME, 0, 0, 0):
        slots.request[:] = request
        pool.submit(0)
        pool.wait(0)
    pool.submit(0)
    print(pool._memory.name, *[worker._process.pid for worker in pool._workers], flush=True)
    pool.wait(0)
"""


def _alive(pid: int) -> bool:
    """Whether there is such a process, other than one that has ended and is not yet buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc and /dev/shm")
@pytest.mark.parametrize("fault", ["loops", "compiled"])
def test_busy_workers_end_with_a_parent_that_is_killed(fault: str, race_folder: Path):
    script = race_folder / "parent.py"
    script.write_text(_PARENT.replace("RACE", RACE).replace("FAULT", fault))
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    workers: list[int] = []
    try:
        assert parent.stdout is not None
        memory, *pids = parent.stdout.readline().split()
        workers += map(int, pids)
        began, deadline = list(map(_seconds, workers)), time.monotonic() + 30
        while any(_seconds(pid) < was + 0.1 for pid, was in zip(workers, began, strict=True)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.kill()
        shared = Path("/dev/shm", memory)
        while any(map(_alive, workers)) or shared.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.communicate()
        for pid in filter(_alive, workers):
            os.kill(pid, signal.SIGKILL)


def _seconds(pid: int) -> float:
    """Processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
