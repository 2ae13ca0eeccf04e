"""Several hosts in one learner: the bits of one, whoever is lost; and clear words."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from arena import hosts
from arena.errors import UserError
from tests.helpers.command import TINY, Place, contents
from tests.helpers.hosts import free_port, helping
from tests.league.test_resume import Moment, strike


def test_two_hosts_learn_as_one_does(place: Place, tiny: Path):
    meeting = f"127.0.0.1:{free_port()},2"
    with helping(place, meeting) as other:
        done = place.call(*TINY, "--name", "two", "--hosts", meeting, devices="1")
        assert done.returncode == 0, done.stderr
        _, said = other.communicate(timeout=60)
    assert (other.returncode, said) == (0, "the training is over\n")
    assert done.stderr.splitlines()[0] == f"waiting for hosts: arena join {meeting} --host 1"
    assert all(line.startswith("{") for line in done.stdout.splitlines())
    assert contents(place.run("two")) == contents(tiny)


@pytest.mark.slow
def test_whoever_is_lost_the_bits_are_the_same(place: Place, tiny: Path):
    meeting = f"127.0.0.1:{free_port()},2"
    league = (*TINY, "--name", "two", "--hosts", meeting)
    again = ("train", "tic_tac_toe", "--json", "--resume", "--hosts", meeting, "--name", "two")
    with helping(place, meeting, devices="2") as other:
        assert strike(place, Moment(1, "learn", 0.3), *league) == -signal.SIGKILL
        assert strike(place, Moment(1, "measure"), *again) == -signal.SIGKILL
        with place.start(*again) as leader:
            assert leader.stdout is not None
            next(line for line in leader.stdout if '"generation": 2, "phase": "play"' in line)
            for pid in children(other.pid):
                os.kill(pid, signal.SIGKILL)
            _, said = leader.communicate(timeout=300)
        assert leader.returncode == 2, said
        assert said.splitlines()[-1].startswith("arena: a host was lost: "), said
        assert "go on with: arena train tic_tac_toe --resume --name two" in said
        done = place.call(*again)
        assert done.returncode == 0, done.stderr
        _, said = other.communicate(timeout=60)
    assert other.returncode == 0
    assert "a host was lost; waiting for the one that leads to go on" in said
    assert contents(place.run("two")) == contents(tiny)


@pytest.mark.slow
def test_hosts_are_alike(place: Place):
    meeting = f"127.0.0.1:{free_port()},2"
    with helping(place, meeting, devices="1") as other:
        done = place.call(*TINY, "--name", "two", "--hosts", meeting, devices="2")
        _, said = other.communicate(timeout=60)
    line = "arena: all hosts need the same number of devices (ARENA_CPU_DEVICES on CPUs)"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, line)
    assert (other.returncode, said.splitlines()[-1]) == (2, line)
    assert not place.run("two").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train tic_tac_toe --hosts head", "hosts are auto or HEAD:PORT,COUNT"),
        ("train tic_tac_toe --hosts head:1,1", "hosts are auto or HEAD:PORT,COUNT"),
        ("train tic_tac_toe --hosts head:123456,2", "hosts are auto or HEAD:PORT,COUNT"),
        ("join head:1", "hosts are auto or HEAD:PORT,COUNT"),
        ("join head:1234,2", "--host must be from 1 to 1: host 0 leads"),
        ("join head:1234,2 --host 2", "--host must be from 1 to 1: host 0 leads"),
        ("join auto --host 1", "with auto the scheduler tells which host this is"),
    ],
)
def test_what_is_no_meeting_is_refused(refused: Callable[[str], str], line: str, said: str):
    assert refused(line).startswith(said)


def test_shards_are_divided_between_hosts(
    refused: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hosts, "count", lambda: 3)
    assert refused("train tic_tac_toe --learner.shards 4").startswith("3 hosts cannot share 4 ")


def test_a_host_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hosts, "PATIENCE", 0.3)
    with pytest.raises(UserError, match="nobody leads hosts at 127"):
        hosts.connect(hosts.Meeting(f"127.0.0.1:{free_port()}", 2), 1)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
