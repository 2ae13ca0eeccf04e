"""Commands that write games down, show them, and play openings of a book."""

import contextlib
import io
import json

import pytest

from arena.play.records import read_games
from league.cli.entry import main
from tests.helpers.command import Place, strict_json

FIRST = """
def first(observation, mask):
    return mask.argmax()

def last(observation, mask):
    return len(mask) - 1 - mask[::-1].argmax()
"""


def arena(line: str) -> None:
    """Runs a command in this process."""
    main(line.split())


@pytest.mark.parametrize(
    ("typed", "seat", "result", "termination"),
    [
        ("c1\nresign\n", "first", -1.0, "resigned"),
        ("c1\nresign\n", "second", 1.0, "resigned"),
        ("c1\nquit\n", "first", None, "left unfinished"),
        ("c1\n", "first", None, "left unfinished"),  # the input ends
        ("c1\nb1\na1\n", "first", 1.0, ""),
    ],
)
def test_a_game_of_ones_own_is_kept(typed, seat, result, termination, here: Place, monkeypatch):
    (here.folder / "mine.py").write_text(FIRST)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    line = f"play policy:./mine.py:first --game tic_tac_toe --seat {seat} --record mine.jsonl"
    with contextlib.suppress(SystemExit):  # where the input ends
        arena(line)
    [kept] = read_games(here.folder / "mine.jsonl")
    assert (kept.result, kept.termination) == (result, termination)
    names = [player.name for player in kept.players]
    assert names.index("person") == ("first", "second").index(seat)
    assert "c1" in kept.moves


def test_games_of_a_match_are_kept_shown_and_are_a_book(here: Place, capsys):
    (here.folder / "mine.py").write_text(FIRST)
    sides = "policy:./mine.py:first policy:./mine.py:last --game tic_tac_toe"
    arena(f"match {sides} --pairs 2 --record games.jsonl --json")
    score = strict_json(capsys.readouterr().out)
    kept = list(read_games(here.folder / "games.jsonl"))
    assert [one.tags["Round"] for one in kept] == ["1.1", "1.2", "2.1", "2.2"]
    wins = sum(one.result == (1.0 if "first" in one.players[0].name else -1.0) for one in kept)
    assert score["wins"] == wins

    main(["replay", "games.jsonl"])
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 3 + len(kept)
    main(["replay", "games.jsonl", "--game", "2"])
    shown = capsys.readouterr().out
    assert shown.count("a b c") == len(kept[1].moves) + 1
    main(["replay", "games.jsonl", "--game", "2", "--json"])
    assert strict_json(capsys.readouterr().out)["moves"] == list(kept[1].moves)
    main(["replay", "games.jsonl", "--json"])
    assert len(strict_json(capsys.readouterr().out)["games"]) == 4

    book = [["b2"], ["a1", "b2"], ["b2", "b2"]]
    lines = [json.dumps({"game": "tic_tac_toe", "moves": moves}) for moves in book]
    (here.folder / "book.jsonl").write_text("\n".join(lines))
    arena(f"match {sides} --pairs 2 --openings book.jsonl --record booked.jsonl")
    booked = [one.moves for one in read_games(here.folder / "booked.jsonl")]
    assert sorted(moves[: 2 if moves[0] == "a1" else 1] for moves in booked) == [
        ("a1", "b2"),
        ("a1", "b2"),
        ("b2",),
        ("b2",),
    ]


def test_a_list_tells_of_what_was_skipped(here: Place, capsys):
    (here.folder / "a.pgn").write_text("1. e4 e5 *\n\n1. e4 e6 2. Ke3 *\n\n1. d4 *\n")
    arena("replay a.pgn")
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 5
    assert "a.pgn: 1 game skipped (game 2: move 3" in told.err
