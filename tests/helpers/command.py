"""The command `arena` as a process of its own, and what a run holds on disk."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np

from league.store.backend import Place as RecordPlace
from league.store.run import Run
from tests.helpers.records import rows

ARENA = str(Path(sys.executable).with_name("arena"))
GENERATIONS = 3
_TINY = """
    train tic_tac_toe --json --generations 3 --matches 4 --pairs 4 --slots 4 --opening-plies 4
    --learner.network.channels 8 --learner.network.blocks 1 --learner.simulations 4
    --learner.batch-size 32 --learner.replay-window 2 --measure.opponents 2 --measure.pairs 2
    --measure.baseline-pairs 2 --measure.simulations 4 --measure.rollouts 4
    --main-exploiters 1 --league-exploiters 1 --exploiter-generations 2
"""
TINY = tuple(_TINY.split())
"""A league of seconds; two generations of data are learnt from, so that resuming has to read."""
TIMINGS = ("seconds", "games_per_s", "phase_seconds", "verdict_seconds", "verdict_positions")


@dataclass(frozen=True)
class Place:
    """A folder to call `arena` in.

    Attributes:
      folder: where `runs/` lies.
      cache: of compiled programs.
    """

    folder: Path
    cache: Path = field(repr=False)

    def start(self, *arguments: str, devices: str = "2", **options: Any) -> subprocess.Popen[str]:
        """Starts `arena` and returns at once; so many CPU devices, whatever the machine has."""
        homes = {"XDG_CACHE_HOME": self.cache, "XDG_STATE_HOME": self.folder / "state"}
        fixed = {"JAX_PLATFORMS": "cpu", "ARENA_CPU_DEVICES": devices, **homes}
        options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(
            [ARENA, *arguments],
            cwd=self.folder,
            env={**os.environ, **fixed},
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def call(
        self,
        *arguments: str,
        stdin: str = "",
        preexec_fn: Callable[[], None] | None = None,
        timeout: float = 600,
        devices: str = "2",
    ) -> subprocess.CompletedProcess[str]:
        """Calls `arena` and waits for its end, so many seconds at most."""
        options = {"stdin": subprocess.PIPE, "preexec_fn": preexec_fn}
        with self.start(*arguments, devices=devices, **options) as process:
            out, err = process.communicate(stdin, timeout=timeout)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def lines(self, *arguments: str, stdin: str = "", timeout: float = 600) -> list[dict[str, Any]]:
        """Calls `arena --json`, which must succeed; its lines, none of which may be odd."""
        done = self.call(*arguments, "--json", stdin=stdin, timeout=timeout)
        assert done.returncode == 0, done.stderr
        return [strict_json(line) for line in done.stdout.splitlines()]

    def run(self, name: str) -> Path:
        """The folder of a run."""
        return self.folder / "runs" / name

    def adopt(self, run: Path, name: str) -> Path:
        """Copies a run to here, under a name."""
        return shutil.copytree(run, self.run(name), ignore=shutil.ignore_patterns("lock"))


def strict_json(text: str) -> dict[str, Any]:
    """A JSON object without NaN and Infinity, which Python's reader would let pass."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    value = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def listing(folder: Path) -> dict[str, str]:
    """Every file and folder below, with the SHA-256 of its bytes."""
    return {
        str(path.relative_to(folder)): sha(path.read_bytes()) if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def sha(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def arrays(tree: Any) -> dict[str, tuple[str, tuple[int, ...], str]]:
    """Type, shape and SHA-256 of every array in a pytree, by its place."""
    return {
        jax.tree_util.keystr(path): (str(leaf.dtype), leaf.shape, sha(leaf.tobytes()))
        for path, leaf in jax.tree_util.tree_leaves_with_path(jax.tree.map(np.asarray, tree))
    }


def tables(database: RecordPlace) -> dict[str, list[tuple]]:
    """Rows of the record; those of `events` without their timings."""
    found = rows(database)
    names = ("snapshots", "exploiters", "matches", "pairs", "digests")
    events = [
        (*event[:-1], {k: v for k, v in event[-1].items() if k not in TIMINGS})
        for event in found["events"]
    ]
    return {**{name: found[name] for name in names}, "events": events}


def contents(folder: Path) -> dict[str, Any]:
    """All that a run holds, bit for bit, but for timings and for how Orbax packs its files."""
    run = Run(folder)
    template = run.template()
    found: dict[str, Any] = {
        "files": sorted(
            str(path.relative_to(folder))
            for pattern in ("*", "data/*", "snapshots/*", "exploiters/*/*", "state/*")
            for path in folder.glob(pattern)
            if path.name != "games"  # there is one if there was time for it
        ),
        "config": run.card["config"],
        **tables(run.record),
    }
    for number in run.snapshots.numbers():
        found[f"snapshots/{number}"] = arrays(run.snapshots.load(number, template.params))
    for number in run.state.numbers():
        found[f"state/{number}"] = arrays(run.state.load(number, run.states_template()))
    for member, store in run.exploiters.items():
        for number in store.numbers():
            found[f"exploiters/{member}/{number}"] = arrays(store.load(number, template.params))
    for path in sorted((folder / "data").iterdir()):
        with np.load(path) as file:
            found[f"data/{path.stem}"] = arrays(dict(file))
    run.close()
    return found


def held(folder: Path) -> dict[str, str]:
    """What must stay as it is: all below `runs` but the lock, which holds nothing."""
    idle = ("runs", "lock")
    return {name: sha for name, sha in listing(folder).items() if Path(name).name not in idle}


def check_refusal(code: object, out: str, err: str) -> str:
    """One line on stderr and nothing else; the line without its beginning."""
    assert (code, out) == (2, ""), err
    assert err.startswith("arena: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    assert not set("╭│╰") & set(err)
    assert "Traceback" not in err
    assert "internal" not in err
    return err.removeprefix("arena: ")
