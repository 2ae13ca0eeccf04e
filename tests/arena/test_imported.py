"""A PettingZoo env as a game of Arena: what its check finds, and what its matches give."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest

from agents import networks, ppo, uniform
from arena import host, match
from arena.core import Agent, HostAgent, Rules, stack
from arena.pettingzoo import crew
from arena.pettingzoo.check import Facts, inspect
from arena.pettingzoo.fault import Fault
from arena.pettingzoo.imported import Imported, _planes
from games import OVER
from tests.helpers import race

RACE = "pettingzoo:./race.py"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A user's folder, with an env of his own in it."""
    folder, before = tmp_path_factory.mktemp("user"), Path.cwd()
    shutil.copy(race.__file__, folder / "race.py")
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def game() -> Imported:
    """The game that all is well with, checked in a process of its own."""
    return Imported(RACE, crew.inspect(RACE))


FAULTS = {
    "three": r"3 agents; a game of Arena has two$",
    "continuous": r"the actions of ann are Box\(.*; a game of Arena has discrete ones$",
    "cooperative": r"rewards of 1 and 1 do not sum to zero at ply \d+, after the moves [01 ]+$",
    "mask": r"the action_mask has the shape \(3,\), but there are 2 actions at the start$",
    "raises": r"step raises RuntimeError: the table is broken at ply 7, after the moves( [01]){7}$",
    "endless": r"no end after 50 moves \(arena\.plies=N allows more\) at ply 51, after the moves … ",
    "stuck": r"is to move and has no legal move at ply \d, after the moves [01 ]+$",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_in_one_line(fault: str):
    with pytest.raises(Fault, match=FAULTS[fault]) as caught:
        inspect(f"{RACE}?fault={fault}&arena.plies=50")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "line"),
    [("hangs", "no answer for 3 seconds at ply 3"), ("dies", "process died .exit code 9. at ply 3")],
)
def test_an_env_that_takes_its_process_down_is_named_too(fault: str, line: str):
    with pytest.raises(Fault, match=line):
        crew.inspect(f"{RACE}?fault={fault}&arena.timeout=3")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("pettingzoo:", "names no env"),
        ("pettingzoo:no_such_package.env", "there is no module 'no_such_package.env'"),
        ("pettingzoo:./gone.py", "there is no file gone.py"),
        ("pettingzoo:./race.py:nothing", "no function nothing; there are: .*env"),
        ("pettingzoo:./race.py?colour=red", "making the env raises TypeError: .*colour"),
        ("pettingzoo:./race.py?arena.color=red", "no option arena.color; there are: seat, "),
        ("pettingzoo:./race.py?arena.plies=-1", "arena.plies must be positive, not -1"),
        ("pettingzoo:./race.py?arena.seat=2", "arena.seat=2 is no bool"),
        ("pettingzoo:./race.py?fault", "options are written"),
        ("pettingzoo:classic/no_such_game-v0", "no_such_game"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, line: str):
    with pytest.raises(Fault, match=line) as caught:
        inspect(name)
    assert "\n" not in str(caught.value)
