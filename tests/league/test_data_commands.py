"""`arena data`, `arena exploit --judge` and a gate by another judge, as a user calls them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import games
from arena.play.records import Player, append_games, saved
from arena.play.session import Session
from league.cli.entry import main
from tests.helpers.command import Place

PGN = """[White "Ann"]
[Black "Bob"]
[WhiteElo "2000"]
[BlackElo "1200"]
[Result "1-0"]

1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6?? 4. Qxf7# 1-0

[White "Bob"]
[Black "Ann"]
[WhiteElo "?"]
[BlackElo "2010"]
[Result "0-1"]

1. f3 e5 2. g4 Qh4# 0-1

[White "Ann"]
[Black "Bob"]
[Result "1-0"]

1. e4 e5 2. Ke3 1-0

[White "Ann"]
[Black "Bob"]
[Result "*"]

1. d4 d5 *
"""


@pytest.mark.slow
def test_strangers_games_of_chess_become_a_dataset(place: Place):
    (place.folder / "games.pgn").write_text(PGN)
    (place.folder / "cut.pgn").write_text(PGN[: len(PGN) // 2])
    (place.folder / "none.pgn").write_bytes(b"\x00\xff not a game")
    files = "games.pgn", "cut.pgn", "none.pgn"
    [found] = place.lines("data", "import", "chess", *files, "--out", "d.npz")
    assert (found["games"], found["moves"]) == (3, 7 + 4 + 2)
    assert found["rated_games"] == 1
    assert found["repeated"] >= 1
    [first, *_] = found["skipped"]
    assert "games.pgn" in first
    assert "1 game skipped" in first
    with np.load(place.folder / "d.npz") as file:
        assert file["outcome"].tolist() == [1.0, -1.0, 0.0]
    small = "--generations 1 --matches 2 --pairs 1 --slots 1 --learner.simulations 2"
    small += " --network resnet --learner.network.channels 4 --learner.network.blocks 1"
    small += " --measure.opponents 1 --measure.pairs 1 --measure.baseline-pairs 1"
    small += " --measure.simulations 2 --measure.rollouts 2 --name club --rated"
    # Searches of chess are compiled, which takes minutes where others work beside it.
    place.lines("train", "chess", "--from", "d.npz", *small.split(), timeout=3600)
    [shown] = place.lines("data", "show", "club:1")
    assert shown["positions"] > 0


@pytest.mark.slow
def test_games_of_go_become_a_dataset(place: Place):
    rules, chance, kept = games.load("go:size=3"), np.random.default_rng(0), []
    for _ in range(5):
        session = Session(rules)
        while not session.over:
            session.push(int(chance.choice(np.flatnonzero(session.legal))))
        kept.append(saved(session.record, "go:size=3", (Player("a"), Player("b"))))
    path = place.folder / "games.sgf"
    append_games(path, kept)
    path.write_text(path.read_text() + "\n(;GM[1]SZ[3];B[aa];W[aa])\n(;GM[1")
    [found] = place.lines("data", "import", "go:size=3", "games.sgf", "--out", "d.npz")
    assert found["games"] + found["repeated"] == 5
    assert "2 games skipped" in found["skipped"][0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("data import tic_tac_toe nowhere.jsonl --out d.npz", "nowhere.jsonl"),
        ("data import tic_tac_toe games.txt --out d.npz", "games are kept in files that end in"),
        ("data import tic_tac_toe bad.jsonl --out d.npz", "there is no game of tic_tac_toe"),
        ("data import tic_tac_toe bad.jsonl --out no/d.npz", "there is no such folder"),
        ("data import nowhere bad.jsonl --out d.npz", "nowhere"),
        ("data show nowhere:1", "there is no run 'nowhere'"),
        ("train tic_tac_toe --from d.npz", "there is no dataset 'd.npz'"),
        ("train tic_tac_toe --rated", "--rated goes with --from FILE.npz"),
        ("train tic_tac_toe --judge human:none.jsonl", "holds no verdicts yet"),
        ("train tic_tac_toe --judge learned:none.npz", "there is no judge 'none.npz'"),
        ("judge train tic_tac_toe --out j.npz --from nowhere", "there is no run 'nowhere'"),
        ("judge train tic_tac_toe --out j.npz --network x", "x"),
        ("judge ask kuhn_poker said.jsonl", "hide nothing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    here: Place, refused: Callable[[str], str], line: str, says: str
):
    (here.folder / "bad.jsonl").write_text('{"format": 1}\nnot json\n')
    assert says in refused(line)


@pytest.mark.slow
def test_a_rival_may_go_by_another_judge(place: Place, tiny: Path):
    place.adopt(tiny, "tiny")
    options = "--generations 1 --pairs 8"
    for judge in ("flipped:0.1", "self"):
        [found] = place.lines("exploit", "tiny:3", *options.split(), "--judge", judge)
        assert not found["exact"]
        assert 0 <= found["score"] <= 1
    done = place.call("exploit", "tiny:3", *options.split(), "--judge", "nobody")
    assert done.returncode == 2
    assert "there is no judge 'nobody'" in done.stderr


def test_a_terminal_asks_about_pairs_too(
    here: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    said = iter(["what", "1", "2", "=", "quit"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(said))
    main(["judge", "ask", "tic_tac_toe", "said.jsonl", "--who", "ann", "--compare", "games"])
    out = capsys.readouterr().out
    assert "In which game has seat 0 played better? 1 or 2" in out
    assert "the game is over" in out
    lines = (here.folder / "said.jsonl").read_text().splitlines()[1:]
    assert [json.loads(line)["verdict"] for line in lines] == [1, -1, 0]
    assert all(json.loads(line)["other"] for line in lines)
