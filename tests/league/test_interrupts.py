"""Ctrl-C ends a command between two pieces of its work, and at once if it is pressed twice."""

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from arena import interrupt
from league.cli import entry, interrupts
from league.cli.progress import Progress


@pytest.fixture(autouse=True)
def _handler():
    """Puts the handler of pytest's back."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)
    interrupt.reset()


def pressed() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_stop_waits_for_the_end_of_a_piece_even_in_a_callback():
    def piece() -> None:
        try:
            pressed()
        except BaseException:  # as JAX's callbacks do
            pytest.fail("it was not noted but raised")

    done = []

    def work() -> None:
        with interrupts.listening(), interrupts.closing_line("two are kept"):
            for number in range(9):
                interrupt.check()
                if number == 1:
                    piece()
                done.append(number)

    with pytest.raises(KeyboardInterrupt, match="two are kept"):
        work()
    assert done == [0, 1]
    assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL  # the process is about to end
    interrupt.check()  # and nothing is asked for any more


def test_progress_is_where_long_work_stops():
    with interrupts.listening(), Progress("games", 10) as progress:
        progress.advance()
        pressed()
        with pytest.raises(KeyboardInterrupt):
            progress.advance()


def pressed_elsewhere() -> None:
    """As if the system had given the signal to this thread: no wait of the main one ends by it."""
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)


@pytest.mark.parametrize("press", [pressed, pressed_elsewhere])
def test_a_wait_for_a_person_ends_at_once(press):
    reader, writer = os.pipe()
    with interrupts.listening(), open(reader, "rb", buffering=0) as wait:
        threading.Timer(0.05, press).start()
        with pytest.raises(KeyboardInterrupt), interrupt.at_once():
            wait.read(1)
    os.close(writer)


@pytest.mark.parametrize(("kept", "line"), [("", ""), ("it is kept", "; it is kept")])
def test_an_interrupted_command_says_so_in_one_line(monkeypatch, capsys, kept, line):
    def run(name: str, arguments: list[str]) -> None:
        pressed()
        with interrupts.closing_line(kept):
            if kept:
                interrupt.check()

    monkeypatch.setattr(entry, "_run", run)
    with pytest.raises(SystemExit) as stop:
        entry.main(["report", "a"])
    assert stop.value.code == 130
    assert capsys.readouterr().err == f"arena: interrupted{line}\n"


def test_without_a_signal_nothing_is_changed():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.listening():
        interrupt.check()
    assert signal.getsignal(signal.SIGINT) == before


CHILD = """
import time
from league.cli import interrupts

with interrupts.listening():
    print("go", flush=True)
    time.sleep(60)
"""


def test_a_second_one_ends_the_process_at_once_whatever_it_does():
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root
    ) as child:
        assert isinstance(child.stdout, io.TextIOBase)
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1.5)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=10)
    assert child.returncode == 130
    assert err.splitlines() == [
        "arena: stops after this piece of work; Ctrl-C once more ends it at once",
        "arena: interrupted",
    ]
