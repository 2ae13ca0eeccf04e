"""Several hosts in one learner: the bits of one, whoever is lost; and clear words."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from arena import hosts
from arena.errors import UserError
from tests.helpers.command import TINY, Place, contents
from tests.helpers.hosts import helping
from tests.helpers.ports import free_port
from tests.league.test_resume import Moment, strike


def test_two_hosts_learn_as_one_does(place: Place, tiny: Path):
    rendezvous = f"127.0.0.1:{free_port()},2"
    with helping(place, rendezvous) as other:
        done = place.call(*TINY, "--name", "two", "--hosts", rendezvous, devices="1")
        assert done.returncode == 0, done.stderr
        _, said = other.communicate(timeout=60)
    assert (other.returncode, said) == (0, "the training has ended\n")
    assert done.stderr.splitlines()[0] == f"waiting for hosts: arena join {rendezvous} --host 1"
    assert all(line.startswith("{") for line in done.stdout.splitlines())
    assert contents(place.run("two")) == contents(tiny)


@pytest.mark.slow
def test_whoever_is_lost_the_bits_are_the_same(place: Place, tiny: Path):
    rendezvous = f"127.0.0.1:{free_port()},2"
    league = (*TINY, "--hosts", rendezvous, "--name", "two")
    again = ("train", "tic_tac_toe", "--json", "--resume", "--hosts", rendezvous, "--name", "two")
    with helping(place, rendezvous, devices="2") as other:
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
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_lets_the_others_go(
    place: Place, tiny: Path, sent: signal.Signals
):
    rendezvous = f"127.0.0.1:{free_port()},2"
    league = (*TINY, "--hosts", rendezvous, "--name", "two")
    moment = Moment(2, "learn", 0.1, sent=sent)
    with helping(place, rendezvous, devices="2") as other:
        assert strike(place, moment, *league) == moment.code
        if sent == signal.SIGINT:
            _, said = other.communicate(timeout=60)
            assert (other.returncode, said) == (0, "the training has ended\n")
    done = place.call("train", "tic_tac_toe", "--json", "--resume", "--name", "two")
    assert done.returncode == 0, done.stderr
    assert contents(place.run("two")) == contents(tiny)  # what two began, one ends


@pytest.mark.slow
def test_a_host_that_is_silent_is_not_waited_for(place: Place):
    rendezvous = f"127.0.0.1:{free_port()},2"
    with (
        helping(place, rendezvous) as other,
        place.start(*TINY, "--name", "two", "--hosts", rendezvous, devices="1") as leader,
    ):
        assert leader.stdout is not None
        next(line for line in leader.stdout if '"generation": 1, "phase": "play"' in line)
        (helper,) = children(other.pid)
        os.kill(helper, signal.SIGSTOP)
        _, said = leader.communicate(timeout=200)
        os.kill(helper, signal.SIGKILL)
    assert leader.returncode == 2, said
    assert said.splitlines()[-1].startswith("arena: a host was lost"), said
    assert "--resume" in said.splitlines()[-1]


@pytest.mark.slow
def test_four_hosts_learn_as_one_does(place: Place):
    league = (*TINY, "--learner.shards", "4", "--main-exploiters", "0")
    assert place.call(*league, "--name", "one", devices="4").returncode == 0
    rendezvous = f"127.0.0.1:{free_port()},4"
    with contextlib.ExitStack() as stack:
        for host in (1, 2, 3):
            stack.enter_context(helping(place, rendezvous, host=host))
        done = place.call(*league, "--name", "four", "--hosts", rendezvous, devices="1")
    assert done.returncode == 0, done.stderr
    assert contents(place.run("four")) == contents(place.run("one"))


NETWORK = """
from dataclasses import dataclass
from agents.nn import networks

@dataclass(frozen=True)
class Own(networks.MLPConfig):
    width: int = 8
"""


@pytest.mark.slow
def test_code_of_a_users_own_is_read_by_all(place: Place):
    (place.folder / "own.py").write_text(NETWORK)
    league = (*TINY[:2], "--json", "--generations", "1", "--matches", "2", "--pairs", "2")
    league = (*league, "--network", "./own.py:Own", "--learner.batch-size", "32")
    rendezvous = f"127.0.0.1:{free_port()},2"
    with helping(place, rendezvous) as other:
        done = place.call(*league, "--name", "two", "--hosts", rendezvous, devices="1")
        assert done.returncode == 0, done.stderr
        assert other.wait(timeout=60) == 0
    assert place.call(*league, "--name", "one", devices="1").returncode == 0
    assert contents(place.run("two")) == contents(place.run("one"))


def test_what_a_helper_says_is_passed_on(place: Place):
    with helping(place, f"127.0.0.1:{free_port()},2", devices="zero") as other:
        _, said = other.communicate(timeout=60)
    assert other.returncode == 2
    assert said.startswith("arena: ARENA_CPU_DEVICES must be a number from 1 to ")


@pytest.mark.slow
def test_hosts_are_alike(place: Place):
    rendezvous = f"127.0.0.1:{free_port()},2"
    with helping(place, rendezvous, devices="1") as other:
        done = place.call(*TINY, "--name", "two", "--hosts", rendezvous, devices="2")
        _, said = other.communicate(timeout=60)
    line = "arena: all hosts have to be alike: here devices "
    assert (done.returncode, done.stderr.splitlines()[-1][: len(line)]) == (2, line)
    assert (other.returncode, said.splitlines()[-1][: len(line)]) == (2, line)
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
def test_what_is_no_rendezvous_is_refused(refused: Callable[[str], str], line: str, said: str):
    assert refused(line).startswith(said)


def test_shards_are_divided_between_hosts(
    refused: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hosts, "count", lambda: 3)
    assert refused("train tic_tac_toe --learner.shards 4").startswith("3 hosts cannot share 4 ")


def test_a_host_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hosts, "PATIENCE", 0.3)
    with pytest.raises(UserError, match="nobody leads hosts at 127"):
        hosts.connect(hosts.Rendezvous(f"127.0.0.1:{free_port()}", 2), 1, leads=False, about=str)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
