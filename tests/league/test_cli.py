"""The command line: help at once, JSON that programs can read, results that add up."""

import io
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import games
from league.cli.entry import COMMANDS, main
from tests.helpers.command import GENERATIONS, strict_json

SERVERS = ("mcp", "uci", "gtp", "join")
"""Commands that serve others, and have no result to print."""
WITH_PARTS = ("data", "judge")
"""Commands that have commands of their own, each with `--json`."""


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    """What a command of this process prints with --json."""
    main([*arguments, "--json"])
    return [strict_json(line) for line in capsys.readouterr().out.splitlines()]


def pairs(run: Path, role: str) -> int:
    """Pairs of games in the record of a run."""
    query = "SELECT count(*) FROM pairs JOIN matches ON match = id WHERE role = ?"
    with closing(sqlite3.connect(run / "league.db")) as connection:
        return connection.execute(query, (role,)).fetchone()[0]


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_comes_without_jax(arguments):
    code = (
        "import sys; from league.cli.entry import main\n"
        f"try: main({arguments})\n"
        "finally: assert not {'jax', 'numpy', 'tyro'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: arena COMMAND")
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


def test_a_message_for_a_closed_stderr_goes_nowhere():
    """Nor does the next file that is opened get its number."""
    code = (
        "import os; from league.cli.entry import main\n"
        "try: main(['frobnicate'])\n"
        "finally: print(os.open('.', os.O_RDONLY) > 2)"
    )
    shell = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "True\n")


def test_what_an_encoding_lacks_is_a_question_mark(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    with pytest.raises(SystemExit):
        main([])
    print("± 3")
    sys.stdout.flush()
    assert written.getvalue().endswith(b"? 3\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, here, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    out, err = capsys.readouterr()
    assert (stop.value.code, err) == (0, "")
    assert out.startswith(f"usage: arena {name}")
    assert ("--json, --no-json" in out) == (name not in (*SERVERS, *WITH_PARTS))


def test_games_are_listed(here, capsys):
    (told,) = told_by(capsys, "games")
    assert [game["name"] for game in told["games"]] == list(games.names())
    assert all(game["actions"] > 0 and game["state_bytes"] > 0 for game in told["games"])
    main(["games"])
    out = capsys.readouterr().out
    assert all(name in out for name in games.names())


def test_training_tells_of_every_phase(told):
    folder, printed = told
    events = [strict_json(line) for line in printed.splitlines()]
    phases = [(e["generation"], e["phase"]) for e in events if e["event"] == "phase"]
    rest = ("play", "learn", "measure", "save")
    assert phases == [(0, "measure"), (0, "save")] + [(g, p) for g in (1, 2, 3) for p in rest]
    done = [e["generation"] for e in events if e["event"] == "generation"]
    assert done == list(range(GENERATIONS + 1))
    assert [e["event"] for e in events].count("result") == 1
    assert events[-1]["event"] == "result"
    assert [row["id"] for row in events[-1]["snapshots"]] == done
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_rating_adds_games_and_prints_every_snapshot(tiny, place):
    run = place.adopt(tiny, "more")
    (told,) = place.lines("rate", "more", "--games", "64")
    assert 2 * pairs(run, "rate") >= 64
    assert [row["id"] for row in told["snapshots"]] == list(range(GENERATIONS + 1))
    games = 2 * (pairs(run, "rate") + pairs(run, "measure"))
    assert sum(row["games"] for row in told["snapshots"]) == 2 * games  # each counts for both
    assert pairs(run, "train") == pairs(tiny, "train")


def test_rating_without_games_only_prints(tiny, here, capsys):
    run = here.adopt(tiny, "same")
    (told,) = told_by(capsys, "rate", "same", "--games", "0")
    assert len(told["snapshots"]) == GENERATIONS + 1
    assert pairs(run, "rate") == 0
    main(["rate", "same", "--games", "0"])
    out, err = capsys.readouterr()
    table = [line.split() for line in out.splitlines()]
    assert [row[0] for row in table if row and row[0].isdecimal()] == ["0", "1", "2", "3"]
    assert "Elo" in out
    assert "raw network" in err


def test_a_match_counts_every_game(tiny, place):
    place.adopt(tiny, "a")
    (told,) = place.lines("match", "a:2", "uniform", "--pairs", "6")
    assert (told["a"], told["b"]) == ("a:2", "uniform")
    assert told["wins"] + told["draws"] + told["losses"] == 12
    assert sum(told["pairs"]) == 6


def test_a_player_can_ask_take_back_and_give_up(here, capsys, monkeypatch):
    typed = "help\nmoves\nhint\nundo\nb2\nundo\na1\nresign\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    main(["play", "uniform", "--game", "tic_tac_toe", "--json"])
    out, err = capsys.readouterr()
    told = strict_json(out)
    assert (told["payoff"], told["resigned"]) == (-1, True)
    assert told["moves"][0] == "a1"
    assert len(told["moves"]) == 2
    assert "take your last move back" in err
    assert "a3 b3 c3 a2 b2 c2 a1 b1 c1\n" in err
    assert err.count("uniform would play ") == 1
    assert err.count("you have not moved yet") == 1
    assert err.count("3  . . .\n2  . . .\n1  . . .") == 3
    monkeypatch.setattr("sys.stdin", io.StringIO("quit\n"))
    main(["play", "uniform", "--game", "tic_tac_toe", "--seat", "second", "--json"])
    assert strict_json(capsys.readouterr().out)["payoff"] is None
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n" * 1000))
    with pytest.raises(SystemExit) as stop:
        main(["play", "uniform", "--game", "tic_tac_toe"])
    assert stop.value.code == 2
    assert "100 answers in a row were no moves" in capsys.readouterr().err


def test_what_a_policy_prints_is_no_result(here, capsys):
    text = "print('loading')\ndef policy(seen, mask): print('thinking'); return mask.argmax()"
    (here.folder / "loud.py").write_text(text)
    file = here.folder / "loud.py"
    main(["match", f"policy:{file}", "uniform", "--game", "nim", "--pairs", "1", "--json"])
    out, err = capsys.readouterr()
    assert strict_json(out)["a"] == f"policy:{file}"
    assert set(err.split()) == {"loading", "thinking"}


def test_a_report_says_where_it_lies(tiny, here, capsys):
    run = here.adopt(tiny, "a")
    page = (run / "report.html").read_text()
    (run / "report.html").unlink()
    (told,) = told_by(capsys, "report", "a")
    assert (told["run"], Path(told["report"])) == ("a", Path("runs/a/report.html"))
    # The folder in which it was begun, "…/tiny0", is told as it was.
    assert (run / "report.html").read_text() == re.sub(r"\btiny\b", "a", page)


@pytest.mark.parametrize("seat", ["first", "second"])
def test_a_game_is_played_to_its_end(tiny, place, seat):
    place.adopt(tiny, "a")
    cells = [x + y for y in "123" for x in "abc"]
    moves = "\n".join(["z9", "", *cells, ""])  # those that are taken are asked for again
    done = place.call("play", "a:3", "--seat", seat, "--json", stdin=moves)
    assert done.returncode == 0, done.stderr
    (told,) = [strict_json(line) for line in done.stdout.splitlines()]
    assert told["against"].startswith("a:3")
    assert told["payoff"] in (-1, 0, 1)
    assert 5 <= len(told["moves"]) <= 9
    assert len(set(told["moves"])) == len(told["moves"])
    mine = told["moves"][seat == "second" :: 2]
    answers = [line for line in done.stderr.splitlines() if "is not a cell" in line]
    assert [answer.split("'")[1] for answer in answers] == ["z9", ""]
    refused = done.stderr.count("is taken")
    assert done.stderr.count("your move: ") == len(mine) + len(answers) + refused
    assert mine == [c for c in cells if c in mine]  # in the order typed
