"""Tables and progress, on a terminal and elsewhere."""

import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from league.cli import console
from league.cli.entry import main
from league.cli.progress import INTERVAL, Progress, TrainingProgress
from league.training.events import GenerationEvent, PhaseEvent


class Clock:
    """Seconds, as a test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def pipe() -> tuple[io.StringIO, Console]:
    """A stderr that is no terminal."""
    text = io.StringIO()
    return text, Console(file=text, soft_wrap=True, highlight=False)


def screen() -> tuple[io.StringIO, Console]:
    """A stderr that is a terminal."""
    text = io.StringIO()
    return text, Console(file=text, force_terminal=True, width=100, _environ={"TERM": "xterm"})


def test_a_piped_table_is_plain_lines_and_no_wider_than_its_content(capsys):
    console.table("Rivers", ["name", "km"], [["Nile", "6650"], ["Amazon", "6400"], ["Rhône", ""]])
    assert capsys.readouterr().out.splitlines() == [
        "Rivers",
        "name      km",
        "------  ----",
        "Nile    6650",
        "Amazon  6400",
        "Rhône",
    ]


def test_a_piped_table_cuts_nothing_off(capsys):
    cells = ["x" * 90, "y" * 90]
    console.table("Wide", ["a", "b"], [cells])
    assert "  ".join(cells) in capsys.readouterr().out


def test_the_list_of_games_has_its_header_in_its_first_lines(capsys):
    main(["games"])
    title, header, _, first, *_ = capsys.readouterr().out.splitlines()
    assert title == "Games"
    assert re.split("  +", header) == [
        *("name", "actions", "state bytes", "longest game", "information", "options")
    ]
    assert first.startswith("animal_shogi")


def test_json_has_null_where_there_is_no_number(capsys):
    console.emit({"a": [float("nan"), np.float32(1.5)], "b": {"c": np.array([np.inf, 2.0])}})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "b": {"c": [None, 2.0]}}


def test_progress_prints_a_line_now_and_then_where_there_is_no_terminal():
    clock, (text, output) = Clock(), pipe()
    with Progress("matches", 40, done=10, clock=clock, output=output) as progress:
        progress.advance()
        assert text.getvalue() == ""  # too soon
        clock.now = INTERVAL
        progress.advance(4)
        clock.now += 1
        progress.update(39)
        clock.now += 1
        progress.update(40)
    # 5 matches took 10 s, 25 are left.
    assert text.getvalue().splitlines() == ["matches: 15/40, 0:00:50 left", "matches: 40/40"]


def test_progress_names_what_is_at_work_and_leaves_out_what_was_done_before():
    clock, (text, output) = Clock(), pipe()
    with Progress("parts", 4, clock=clock, output=output) as progress:
        progress.skip_to(2)
        clock.now = INTERVAL
        progress.work_on("law@1", 2.5, 6)
    assert text.getvalue().splitlines() == ["parts: 2.5/6, law@1, 0:01:10 left"]  # half in 10 s


def test_progress_is_a_bar_on_a_terminal():
    text, output = screen()
    with Progress("matches", 4, output=output) as progress:
        progress.advance(3)
    assert "matches" in text.getvalue()
    assert "3/4" in text.getvalue()


def test_training_prints_a_line_a_generation_where_there_is_no_terminal():
    clock, (text, output) = Clock(), pipe()
    with TrainingProgress(lambda: 3, clock=clock, output=output) as progress:
        progress(GenerationEvent(0, {}))
        for number, seconds in ((1, 40.0), (2, 60.0), (3, 80.0)):
            progress(PhaseEvent(number, "play"))
            clock.now = seconds
            figures = {"games_per_s": 661.4, "loss": 2.9042}
            alarms = ("generation 3 loses",) if number == 3 else ()
            progress(GenerationEvent(number, figures, alarms))
    assert text.getvalue().splitlines() == [
        "gen 0/3: measured",
        "gen 1/3: 661 games/s, loss 2.904, 0:00:40 left",  # two ends in 40 s: 20 s each, two to go
        "gen 2/3: 661 games/s, loss 2.904, 0:00:20 left",  # 60 s / 3
        "gen 3/3: 661 games/s, loss 2.904",
        "alarm: generation 3 loses",
    ]


def test_training_shows_a_bar_on_a_terminal():
    text, output = screen()
    with TrainingProgress(lambda: 3, done=1, output=output) as progress:
        progress(PhaseEvent(2, "learn"))
        figures = {"games_per_s": 661.4, "loss": 2.9}
        progress(GenerationEvent(2, figures, ("look",)))
    for part in ("gen 2: learn", "2/3", "661 games/s, loss 2.900", "alarm: look"):
        assert part in text.getvalue()


@pytest.mark.parametrize("total", [1, 5])
def test_work_that_fails_at_once_prints_nothing(total):
    text, output = pipe()
    with pytest.raises(RuntimeError), Progress("games", total, output=output):
        raise RuntimeError
    assert text.getvalue() == ""
