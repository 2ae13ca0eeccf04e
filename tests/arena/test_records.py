"""Games in files: what is written is read again, by others too; what others wrote is read."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import chess
import chess.pgn
import numpy as np
import pysgf
import pytest
from sgfmill import sgf as sgfmill

import games
from agents.engines import gnubg
from arena.errors import UserError
from arena.play.records import (
    MoveNote,
    Player,
    SavedGame,
    Skipped,
    append_games,
    check_writable,
    read_games,
    replay,
    saved,
)
from arena.play.session import Session
from games.go import Go
from tests.helpers import heavy

PLAYERS = (Player("run:16 ]\\", "9f86d081"), Player("Zoë"))
TAGS = {"Event": "test", "generation": 16}
SMALL = ["tic_tac_toe", "kuhn_poker", "leduc_poker", "hex:size=4,swap=true", "gomoku:size=5"]
SGF = ["hex:size=4,swap=true", "gomoku:size=5", "go:size=3,komi=0.5,superko=true", "othello"]


def played(name: str, seed: int, most: int = 10**9) -> SavedGame:
    """A random game, or the beginning of one, which its second player then resigns."""
    session, rng = Session(games.load(name), seed=seed), np.random.default_rng(seed)
    while not session.over and most:
        session.push(int(rng.choice(np.flatnonzero(session.legal))))
        most -= 1
    notes = [
        MoveNote(round(float(rng.uniform(-1, 1)), 3), n) if n % 3 else None
        for n in range(len(session.record.labels))
    ]
    resigned = {} if session.over else {"result": 1.0, "termination": "resigned"}
    return saved(session.record, name, PLAYERS, notes=notes, tags=TAGS, **resigned)


def written(path: Path, *kept: SavedGame) -> list[SavedGame]:
    """What is read when games have been written."""
    append_games(path, kept)
    skipped = Skipped()
    found = list(read_games(path, skipped=skipped))
    assert skipped.count == 0, skipped.describe()
    return found


def read(path: Path, content: str | bytes, game: games.Game | None = None):
    """What is read of a content, and what is skipped."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    skipped = Skipped()
    return list(read_games(path, game=game, skipped=skipped)), skipped


HEAVY = [pytest.param(name, marks=pytest.mark.slow) for name in sorted(heavy.HEAVY)]


@pytest.mark.parametrize("name", [*SMALL, *HEAVY])
def test_json_gives_games_of_every_kind_again(name: str, tmp_path: Path):
    kept = [played(name, 1), played(name, 2, most=3)]
    path = tmp_path / "games.jsonl"
    assert written(path, *kept) == kept
    assert path.read_text().count("\n") == 2
    session = replay(kept[0])
    assert (session.result, session.record.labels) == (kept[0].result, kept[0].moves)


@pytest.mark.parametrize("name", SGF)
def test_sgf_gives_games_again(name: str, tmp_path: Path):
    kept = [played(name, 1), played(name, 2, most=3)]
    assert written(tmp_path / "games.sgf", kept[0]) == kept[:1]
    assert written(tmp_path / "games.sgf", kept[1]) == kept
    tree = sgfmill.sgf_grammar.parse_sgf_collection((tmp_path / "games.sgf").read_bytes())
    assert len(tree) == 2


def test_sgfmill_reads_our_go_with_its_setup(tmp_path: Path):
    go = Go(size=5, komi=0.5)
    session = Session(go, start=go.from_text("AB[bb][dd]PL[W]"))
    for move in ("C3", "pass", "A1"):
        session.push(move)
    kept = saved(session.record, "go:size=5,komi=0.5", PLAYERS, result=-1.0)
    path = tmp_path / "game.sgf"
    assert written(path, kept) == [kept]
    game = sgfmill.Sgf_game.from_bytes(path.read_bytes())
    root = game.get_root()
    assert (game.get_size(), game.get_komi(), game.get_winner()) == (5, 0.5, "w")
    assert (game.get_handicap(), game.get_player_name("b")) == (2, PLAYERS[0].name)
    assert root.get_setup_stones() == ({(1, 3), (3, 1)}, set(), set())
    moves = [node.get_move() for node in game.get_main_sequence()[1:]]
    assert moves == [("w", (2, 2)), ("b", None), ("w", (0, 0))]


CHESS = SavedGame(
    game="chess:plies=300",
    players=(Player("run:16 ]\\", "9f86d081"), Player("Zoë")),
    seed=3,
    start="r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 3 20",
    moves=("O-O", "O-O-O", "Ra2"),
    result=-1.0,
    termination="resigned",
    date="2026-01-31T10:20:30Z",
    notes=(MoveNote(-0.25, 31), None, MoveNote(0.5)),
    tags=TAGS,
)


def test_pgn_gives_games_again_and_python_chess_reads_them(tmp_path: Path):
    path = tmp_path / "games.pgn"
    plain = replace(CHESS, game="chess", start="", moves=("e4", "e5", "Nf3"))
    assert written(path, CHESS) == [CHESS]
    assert written(path, plain) == [CHESS, plain]
    with open(path) as file:
        first, second = chess.pgn.read_game(file), chess.pgn.read_game(file)
    assert first
    assert second
    assert not first.errors + second.errors
    tags = first.headers
    assert (tags["FEN"], tags["SetUp"], tags["Result"]) == (CHESS.start, "1", "0-1")
    assert [node.san() for node in second.mainline()] == list(plain.moves)
    assert [node.comment for node in first.mainline()][:2] == ["value -0.25, visits 31", ""]


STRANGE_PGN = """\ufeff[Event "Caf\u00e9"]
[White "A"]
[Black "B"]
[Date "1997.??.??"]
[Result "1-0"]

1. e4 {best by test} e5 (1... c5 2. Nf3 (2. c3) d6) 2. Nf3 $1 Nc6 ; to the end of the line
% an escape
3. Bb5 1-0

[White "illegal"]

1. e4 e5 2. Ke3 *

[White "another variant"]
[Variant "Atomic"]

1. e4 *

[White "no such position"]
[FEN "8/8/8/8/8/8/8/8 w - - 0 1"]

*

[White "drawn by a third repetition that nobody claimed"]
[Black "\u00fc"]

1. Nf3 Nf6 2. Ng1 Ng8 3. Nf3 Nf6 4. Ng1 Ng8 5. e4 1-0

[White "cut off"]

1. e4 e5 2. Nf"""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_pgn_of_strangers_is_read_and_what_is_broken_is_counted(encoding: str, tmp_path: Path):
    text = STRANGE_PGN if encoding == "utf-8" else STRANGE_PGN[1:]
    found, skipped = read(tmp_path / "games.pgn", text.encode(encoding))
    first, drawn = found
    assert first.moves == ("e4", "e5", "Nf3", "Nc6", "Bb5")
    assert (first.players[0].name, first.result, first.date) == ("A", 1.0, "1997")
    assert (first.tags["Event"], drawn.players[1].name) == ("Caf\u00e9", "\u00fc")
    assert len(drawn.moves) == 8  # what follows is after the end of the game
    assert skipped.count == 4
    assert "game 2: move 3" in skipped.describe()
    assert "a game of atomic" in skipped.describe()


STRANGE_SGF = r"""junk (not a game) (;GM[1]FF[3]SZ[5]KM[0.5]PB[A \] B]DT[1998-03]RE[B+3.5]
;B[bb]C[a comment (with \] brackets];W[dd](;B[cc];W[tt])(;B[ca]))
(;SZ[5:5]HA[2]AB[aa:ba]AW[ee];W[cc];B[])
(;SZ[5];B[aa];B[bb])
(;SZ[5];B[aa];W[bb]AB[cc])
(;GM[3];B[aa])
(;GM[40];B[aa])
(;GM[11]SZ[4];W[a3];B[swap-sides];W[b2])
(;GM[11]SZ[4];B[ab];W[swap];B[b3])
(;GM[2];B[ef];W[f6])
(SZ[5];B[aa])
(;SZ[7:5];B[aa])
(;SZ[5];B[aa
(;SZ[5];B[ee])
"""


def test_sgf_of_strangers_is_read_and_what_is_broken_is_counted(tmp_path: Path):
    found, skipped = read(tmp_path / "games.sgf", STRANGE_SGF)
    assert [one.game for one in found] == [
        "go:size=5,komi=0.5",
        "go:size=5,komi=0",
        "hex:size=4,swap=true",
        "hex:size=4,swap=true",
        "othello",
        "go:size=5,komi=0",
        "go:size=5,komi=0",
    ]
    first, handicap, sides, pieces, othello, bare, last = found
    assert first.moves == ("B4", "D2", "C3", "pass")
    assert (first.players[0].name, first.date, first.result) == ("A ] B", "1998-03", 1.0)
    assert (handicap.start, handicap.moves) == ("AB[aa][ba]AW[ee]PL[W]", ("C3", "pass"))
    assert sides.moves == ("a3", "swap", "b2")
    assert pieces.moves == ("a2", "swap", "b3")
    assert (othello.moves, bare.moves, last.moves) == (("e6", "f6"), ("A5",), ("E1",))
    assert skipped.count == 6
    assert "game 3: move 2, B[bb]: it is not B's turn" in skipped.describe()


def test_sgf_is_read_as_a_game_of_its_size_whatever_its_komi(tmp_path: Path):
    path = tmp_path / "games.sgf"
    found, skipped = read(path, STRANGE_SGF, Go(size=5, komi=7.5))
    assert {one.game for one in found} == {"go:size=5,komi=0.5", "go:size=5,komi=0"}
    assert skipped.count == 9


def test_backgammon_in_sgf_with_checkers_moved_in_any_order(tmp_path: Path):
    text = "(;GM[6]PW[w]PB[b]RE[B+2];W[31hefe];B[62ai];W[41xtmd])"
    found, skipped = read(tmp_path / "games.sgf", text)
    assert skipped.describe().startswith("1 game skipped (game 1: turn 3, W[41xtmd]")
    found, skipped = read(tmp_path / "games.sgf", text.replace(";W[41xtmd]", ""))
    [game] = found
    assert game.moves == ("8/5", "6/5", "24/18", "18/16")
    assert (game.players[0].name, game.result) == ("w", -1.0)
    doubled, skipped = read(tmp_path / "games.sgf", "(;GM[6];W[31hefe];B[double];W[take])")
    assert not doubled
    assert "the doubling cube" in skipped.describe()


def test_lines_that_are_no_games_are_counted(tmp_path: Path):
    good = {"game": "tic_tac_toe", "moves": ["b2"]}
    lines = [
        good,
        {**good, "moves": ["b2", "b2"]},
        {**good, "game": "no_such_game"},
        {**good, "version": 99},
        {**good, "format": 2},
        {**good, "result": 7},
        {**good, "moves": [1]},
        {**good, "outcomes": [3]},
        {**good, "start": "x"},
        [],
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"game":"tic_tac_toe","mov'
    found, skipped = read(tmp_path / "games.jsonl", text)
    assert [one.moves for one in found] == [("b2",)]
    assert skipped.count == 10
    append_games(tmp_path / "games.jsonl", found)  # behind the line that was cut off
    assert len(list(read_games(tmp_path / "games.jsonl"))) == 2


def test_what_cannot_be_written_is_refused_in_one_line(tmp_path: Path):
    tic_tac_toe = games.load("tic_tac_toe")
    for name, says in (
        ("games.txt", r"end in .pgn, .sgf, .jsonl"),
        ("games.pgn", "holds games of chess"),
        ("games.sgf", "SGF has no games of tic_tac_toe"),
        ("none/games.jsonl", "no such folder"),
    ):
        with pytest.raises(UserError, match=says) as refused:
            check_writable(tmp_path / name, tic_tac_toe)
        assert "\n" not in str(refused.value)
    check_writable(tmp_path / "games.jsonl", tic_tac_toe)
    with pytest.raises(UserError, match="cannot be written: a PGN file holds"):
        append_games(tmp_path / "games.pgn", [played("tic_tac_toe", 1)])


def test_pysgf_reads_our_go(tmp_path: Path):
    kept = played("go:size=3,komi=0.5", 1)
    append_games(tmp_path / "game.sgf", [kept])
    node = pysgf.GoGame.parse_file(str(tmp_path / "game.sgf"))
    assert (node.board_size, node.komi, node.get_property("PW")) == ((3, 3), 0.5, "Zoë")
    moves = []
    while node.children:
        [node] = node.children
        [move] = node.moves
        moves.append(move.gtp())
    assert moves == list(kept.moves)


@pytest.mark.slow
def test_gnubg_reads_our_backgammon(tmp_path: Path):
    try:
        command = gnubg.find()
    except ValueError:
        pytest.skip("gnubg is not installed")
    kept = played("backgammon", 3)
    append_games(tmp_path / "game.sgf", [kept])
    text = f"load match {tmp_path}/game.sgf\nexport match text {tmp_path}/game.txt\nquit\nyes\n"
    ran = subprocess.run(
        command, input=text, text=True, capture_output=True, timeout=60, check=False
    )
    assert "error" not in ran.stdout
    assert (tmp_path / "game.txt").read_text().count("Move number") == len(kept.outcomes)


@pytest.mark.slow
def test_pgn_that_python_chess_ships_is_read(tmp_path: Path):
    """Its sdist holds games of chess programs, servers and databases, of other variants too."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    ran = subprocess.run([*command, "-d", str(tmp_path), "chess==1.11.2"], check=False)
    if ran.returncode:
        pytest.skip("there is no package index")
    with tarfile.open(tmp_path / "chess-1.11.2.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    skipped = Skipped()
    found = {
        path.stem: [len(one.moves) for one in read_games(path, skipped=skipped)]
        for path in (tmp_path / "chess-1.11.2/data/pgn").glob("*.pgn")
    }
    assert found["kasparov-deep-blue-1997"] == [89, 89, 95, 111, 98, 37]  # their tag PlyCount
    assert found["uci-moves"] == [113]
    assert found["antichess-programfox"] == []
    assert sum(map(len, found.values())) == 13
    assert skipped.count == 9


ENDLESS = """
import sys
from arena.play.records import SavedGame, append_games
from itertools import repeat
append_games(sys.argv[1], repeat(SavedGame(game="chess", moves=("e4", "e5"), result=0.0)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "pgn"])
def test_a_kill_leaves_whole_games(ending: str, tmp_path: Path):
    path = tmp_path / f"games.{ending}"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)])
        while not path.exists() or path.stat().st_size < 5_000:
            time.sleep(0.05)
        before = path.stat().st_size
        while path.stat().st_size < before + 5_000:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        skipped = Skipped()
        found = list(read_games(path, skipped=skipped, check=False))
        assert len(found) > 20
        assert skipped.count <= 3
        assert {one.moves for one in found} == {("e4", "e5")}
