"""Real clients of the protocols, for minutes: adapters, referees, engines, libraries."""

import contextlib
import json
import queue
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chess
import chess.engine
import pytest

from tests.helpers.command import ARENA

pytestmark = pytest.mark.slow

PATIENCE = 600.0  # a first start compiles
CHESS = [ARENA, "uci", "mcts:200"]
GO = [ARENA, "gtp", "mcts:16", "--game", "go:size=9"]


class Program:
    """A process that is asked by lines, and what it has answered."""

    def __init__(self, command: list[str], folder: Path | None = None):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=folder,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read, self._complain)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _complain(self) -> None:
        assert self.process.stderr
        self.errors.extend(self.process.stderr)

    def send(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until(self, pattern: str, seconds: float = PATIENCE) -> list[str]:
        """All lines up to the first that matches."""
        found, deadline = [], time.monotonic() + seconds
        while True:
            line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, (found, self.errors)
            found.append(line)
            if re.match(pattern, line):
                return found

    def ask(self, line: str, pattern: str, seconds: float = PATIENCE) -> list[str]:
        self.send(line)
        return self.until(pattern, seconds)

    def gtp(self, line: str) -> str:
        """A command of GTP and its answer; fails if the command does."""
        found = self.ask(line, "[=?]")[-1:]
        assert found[0].startswith("="), (line, found)
        while text := self.lines.get(timeout=PATIENCE):
            found.append(text)
        return "\n".join(found)[1:].strip()

    def end(self, word: str = "quit", seconds: float = 30.0) -> None:
        self.send(word)
        assert self.process.wait(seconds) == 0
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def uci() -> Iterator[Program]:
    program = Program(CHESS)
    yield program
    program.close()


def test_the_sequence_of_fastchess(uci: Program):
    # app/src/engine/compliance.hpp and the course of a game in app/src/matchmaking, by their words.
    uci.ask("uci", "uciok", 10)
    uci.send("setoption name Threads value 1")
    uci.send("setoption name Hash value 64")
    uci.send("ucinewgame")
    uci.ask("isready", "readyok")
    board = chess.Board()
    for go in ("go nodes 50", "go depth 2", "go movetime 300", "go wtime 5000 btime 5000") * 3:
        moves = " ".join(move.uci() for move in board.move_stack)
        uci.ask("isready", "readyok", 60)
        uci.send(f"position startpos moves {moves}" if moves else "position startpos")
        uci.ask("isready", "readyok", 60)
        lines = uci.ask(go, "bestmove", 30)
        uci.ask("isready", "readyok", 60)
        _check_search(board, lines)
        board.push_uci(lines[-1].split()[1])
    uci.end()
    assert not uci.errors


def _check_search(board: chess.Board, lines: list[str]) -> None:
    """What fastchess checks of a search; all that is told is the protocol's."""
    assert all(re.match("info |bestmove ", line) for line in lines)
    infos = [line for line in lines if " pv " in line]
    assert infos
    for line in infos:
        line_board = board.copy()
        for move in line.split(" pv ")[1].split():
            assert not line_board.is_checkmate()
            assert not line_board.is_repetition(3)
            line_board.push(chess.Move.from_uci(move))
            assert line_board.is_valid()
    assert infos[-1].split(" pv ")[1].split()[0] == lines[-1].split()[1]
    assert chess.Move.from_uci(lines[-1].split()[1]) in board.legal_moves


def test_the_sequence_of_cutechess(uci: Program):
    # projects/lib/src/uciengine.cpp and chessengine.cpp, by their words.
    uci.ask("uci", "uciok", 35)
    uci.ask("isready", "readyok")
    uci.send("setoption name UCI_Variant value chess")
    uci.send("ucinewgame")
    uci.send("setoption name Ponder value true")
    uci.send("setoption name UCI_Opponent value none none computer Other 1.0")
    uci.send("position startpos")
    uci.ask("isready", "readyok", 60)
    best = uci.ask("go wtime 20000 btime 20000 winc 100 binc 100", "bestmove", 60)[-1].split()
    assert best[2] == "ponder"
    moves = f"{best[1]} {best[3]}"
    uci.send(f"position startpos moves {moves}")
    uci.ask("isready", "readyok", 60)
    uci.send("go ponder wtime 20000 btime 20000 winc 100 binc 100")
    time.sleep(1)
    best = uci.ask("ponderhit", "bestmove", 60)[-1].split()
    uci.send(f"position startpos moves {moves} {best[1]} {best[3]}")
    uci.send("go ponder wtime 20000 btime 20000 winc 100 binc 100")
    time.sleep(0.5)
    uci.ask("stop", "bestmove", 5)
    uci.ask("isready", "readyok", 15)
    uci.send("position startpos moves e2e4")
    uci.ask("go movetime 500 searchmoves e7e5 c7c5", "bestmove (e7e5|c7c5)", 30)
    uci.end()


def test_a_stop_is_answered_soon_and_a_quit_at_any_time(uci: Program):
    uci.ask("uci", "uciok")
    uci.ask("isready", "readyok")
    waits = []
    for _ in range(5):
        uci.send("go infinite")
        uci.until("info")
        began = time.monotonic()
        uci.ask("stop", "bestmove")
        waits.append(time.monotonic() - began)
    print(f"stop to bestmove: {sorted(waits)}")
    assert sorted(waits)[2] < 1  # where nothing else runs it is below 0.1
    uci.send("go infinite")
    uci.end()
    for lines in (["quit"], ["uci", "isready", "quit"], ["isready", "go infinite", "quit"]):
        program = Program(CHESS)
        for line in lines[:-1]:
            program.send(line)
        program.end(lines[-1])
    program = Program(CHESS)
    program.send("isready")
    assert program.process.stdin
    program.process.stdin.close()
    assert program.process.wait(30) == 0
    program.close()


def test_python_chess_plays_and_analyses():
    with chess.engine.SimpleEngine.popen_uci(CHESS, timeout=PATIENCE) as engine:
        engine.ping()
        board = chess.Board("6k1/5ppp/8/8/8/8/5PPP/R5K1 w - - 0 1")
        found = engine.play(board, chess.engine.Limit(nodes=150), info=chess.engine.INFO_ALL)
        assert found.move == chess.Move.from_uci("a1a8")
        told: Any = found.info
        assert told["score"].relative == chess.engine.Mate(1)
        infos: Any = engine.analyse(chess.Board(), chess.engine.Limit(time=2), multipv=3)
        assert len({info["pv"][0] for info in infos}) == 3
        engine.configure({"UCI_ShowWDL": True})
        with engine.analysis(chess.Board()) as analysis:
            for info in analysis:
                if "wdl" in info:
                    assert sum(info["wdl"].relative) == 1000
                    break
        best = analysis.wait().move
        assert best
        assert best in chess.Board().legal_moves


def test_polyglot_adapts_it_to_xboard(tmp_path: Path):
    program = shutil.which("polyglot", path="/usr/games:/usr/bin")
    if not program:
        pytest.skip("polyglot is not installed")
    (tmp_path / "polyglot.ini").write_text(
        f"[PolyGlot]\nEngineDir = {tmp_path}\nEngineCommand = {' '.join(CHESS)}\n"
        "Book = false\nLog = false\nResign = false\n[Engine]\nHash = 64\n"
    )
    board, adapter = chess.Board(), Program([program, "polyglot.ini"], tmp_path)
    try:
        adapter.send("xboard")
        adapter.ask("protover 2", "feature.*done=1")
        for line in ("new", "random", "level 40 5 0", "post", "hard", "time 30000", "otim 30000"):
            adapter.send(line)
        for move in ("e2e4", "g1f3", "f1c4"):
            board.push_uci(move)
            adapter.send(f"usermove {move}")
            reply = adapter.until("move ")[-1].split()[1]
            board.push_uci(reply)
        adapter.end()
    finally:
        adapter.close()


def test_twenty_games_against_stockfish(capsys: pytest.CaptureFixture[str]):
    program = shutil.which("stockfish", path="/usr/games:/usr/bin")
    if not program:
        pytest.skip("stockfish is not installed")
    clock, increment = 20.0, 1.0
    results = []
    with (
        chess.engine.SimpleEngine.popen_uci(CHESS, timeout=PATIENCE) as ours,
        chess.engine.SimpleEngine.popen_uci(program) as other,
    ):
        other.configure({"Threads": 1, "Skill Level": 0})
        ours.configure({"Move Overhead": 800})  # of a machine that does much other work
        ours.ping()
        for game in range(20):
            left = [clock, clock]
            board, mine = chess.Board(), game % 2 == 0
            while not board.is_game_over(claim_draw=True):
                side = 0 if board.turn else 1
                limit = chess.engine.Limit(
                    white_clock=left[0],
                    black_clock=left[1],
                    white_inc=increment,
                    black_inc=increment,
                )
                if board.turn == mine:
                    began = time.monotonic()
                    found = ours.play(board, limit, game=game)
                    left[side] -= time.monotonic() - began
                    assert left[side] > 0, f"lost on time in game {game}: {board.fen()}"
                    left[side] += increment
                else:
                    found = other.play(board, chess.engine.Limit(nodes=20), game=game)
                assert found.move
                assert found.move in board.legal_moves
                board.push(found.move)
            results.append(board.result(claim_draw=True))
    with capsys.disabled():
        print(results)
    assert len(results) == 20


# GTP.


@pytest.fixture
def gtp() -> Iterator[Program]:
    program = Program(GO)
    yield program
    program.close()


def test_what_gogui_sends(gtp: Program):
    # src/net/sf/gogui/gtp: GtpClient, GtpSynchronizer and TwoGtp, by their words.
    assert gtp.gtp("1 protocol_version").endswith("2")
    for line in ("2 name", "3 version", "4 list_commands", "5 gogui-analyze_commands"):
        gtp.gtp(line)
    for line in ("boardsize 9", "clear_board", "komi 6.5", "time_settings 600 30 5"):
        gtp.gtp(line)
    gtp.gtp("play_sequence B C3 W G7 B G3 W C7")
    gtp.gtp("time_left b 580 0")
    move = gtp.gtp("genmove b")
    assert re.fullmatch(r"[A-HJ]\d|pass", move)
    for line in ("gg-undo 2", "undo", "arena-prior", "arena-visits", "arena-value"):
        gtp.gtp(line)
    gtp.gtp("gogui-setup B C3 B D3 W E5")
    gtp.gtp("gogui-setup_player W")
    gtp.gtp("play W D4")
    assert re.fullmatch(r"[BW]\+\d+\.5", gtp.gtp("final_score"))
    gtp.end()


def test_twenty_games_against_gnu_go(gtp: Program, capsys: pytest.CaptureFixture[str]):
    program = shutil.which("gnugo", path="/usr/games:/usr/bin")
    if not program:
        pytest.skip("gnugo is not installed")
    other = Program([program, "--mode", "gtp", "--level", "1", "--chinese-rules"])
    results = []
    for game in range(20):
        for side in (gtp, other):
            for line in ("boardsize 9", "komi 7.5", "clear_board"):
                side.gtp(line)
        sides, passes, plies = (gtp, other) if game % 2 == 0 else (other, gtp), 0, 0
        while passes < 2 and plies < 2 * 81:
            colour = ("b", "w")[plies % 2]
            move = sides[plies % 2].gtp(f"genmove {colour}")
            if move.lower() == "resign":
                break
            sides[1 - plies % 2].gtp(f"play {colour} {move}")  # fails if it is not legal
            passes = passes + 1 if move.lower() == "pass" else 0
            plies += 1
        results.append((gtp.gtp("final_score"), other.gtp("final_score"), plies))
    other.close()
    with capsys.disabled():
        print(results)
    assert len(results) == 20


_SABAKI = """
const {Controller, ControllerStateTracker} = require('@sabaki/gtp')
const command = JSON.parse(process.argv[2])
async function main() {
  const controller = new Controller(command[0], command.slice(1))
  const tracker = new ControllerStateTracker(controller)
  controller.start()
  const name = {name: 'name'}
  const heads = await Promise.all(
    ['name', 'version', 'protocol_version', 'list_commands'].map(name =>
      controller.sendCommand({name})))
  const commands = heads[3].content.split('\\n')
  await tracker.sync({komi: 6.5, boardsize: [9, 9], history: [
    {name: 'play', args: ['B', 'C3']}, {name: 'play', args: ['W', 'G7']}]})
  const lines = []
  const analysis = controller.sendCommand(
    {name: 'lz-analyze', args: ['B', '10']}, ({line}) => lines.push(line))
  await new Promise(resolve => setTimeout(resolve, 3000))
  await controller.sendCommand({name: 'protocol_version'})
  await analysis
  const told = []
  await tracker.queueCommand(
    {name: 'genmove_analyze', args: ['B', '10']}, ({line}) => told.push(line))
  await tracker.sync({komi: 0, boardsize: [9, 9], history: [
    {name: 'set_free_handicap', args: ['C3', 'G7']}, {name: 'play', args: ['W', 'E5']}]})
  const move = await controller.sendCommand({name: 'genmove', args: ['B']})
  await controller.stop(5000)
  console.log(JSON.stringify({heads, commands, lines, told, move, state: tracker.state}))
}
main().catch(error => { console.error(error); process.exit(1) })
"""


def test_sabaki_is_served(tmp_path: Path):
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node is not installed")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(tmp_path), "@sabaki/gtp"]
    if subprocess.run(npm, capture_output=True, timeout=120).returncode:
        pytest.skip("@sabaki/gtp cannot be had")
    script = tmp_path / "client.js"
    script.write_text(_SABAKI)
    done = subprocess.run(
        ["node", str(script), json.dumps(GO)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["heads"][2]["content"] == "2"
    assert not any(head["error"] for head in told["heads"])
    infos = [line for line in told["lines"] if line.startswith("info ")]
    assert infos
    assert all("winrate" in line and " pv " in line for line in infos)
    assert re.fullmatch(r"play ([A-HJ]\d|pass)", [x for x in told["told"] if x][-1])
    assert not told["move"]["error"]
