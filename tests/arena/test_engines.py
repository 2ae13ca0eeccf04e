"""Engines: their protocols against scripted processes, and the real ones where installed."""

import contextlib
import itertools
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import chess
import chess.engine
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.engines import fairy_stockfish, gnubg, gnugo, grhino, stockfish
from agents.uniform import make as uniform
from arena.engines import process
from arena.engines.gtp import GTP
from arena.engines.process import Engines, Pipe
from arena.engines.uci import UCI
from arena.engines.uci_variants import move_text, variant
from arena.play import host_loop
from arena.play.openings import recorded_openings
from arena.play.session import Session
from arena.types import Forfeit, HostAgent, Position
from games import OVER, Game
from games.backgammon import Backgammon
from games.chess import Chess
from games.chess import moves as legal_moves

GO = games.load("go:size=5,komi=0.5")
CHESS = games.load("chess")
BACKGAMMON = games.load("backgammon")

GTP_ENGINE = """
    # Plays the first free point, and notes all that it is told.
    import sys
    taken = set()
    for line in sys.stdin:
        print(line.strip(), file=open(LOG, "a"), flush=True)
        words = line.split()
        answer = ""
        if words[0] == "genmove":
            points = [c + str(r) for r in range(1, 6) for c in "ABCDE"]
            answer = next(p for p in points if p not in taken)
            taken.add(answer)
        elif words[0] == "play":
            taken.add(words[2].upper())
        elif words[0] == "clear_board":
            taken.clear()
        print("=" + (" " + answer if answer else "") + "\\n", flush=True)
        if words[0] == "quit":
            break
"""

UCI_ENGINE = """
    # Plays the first move of all, by name.
    import sys
    import chess
    for line in sys.stdin:
        print(line.strip(), file=open(LOG, "a"), flush=True)
        words = line.split()
        if words[0] == "uci":
            print("option name Skill type spin default 20 min 0 max 20\\nuciok", flush=True)
        elif words[0] == "isready":
            print("readyok", flush=True)
        elif words[0] == "position":
            start, _, moves = line.partition(" moves ")
            fen = start.removeprefix("position fen ")
            board = chess.Board() if "startpos" in start else chess.Board(fen)
            for move in moves.split():
                board.push_uci(move)
        elif words[0] == "go":
            print("bestmove", min(m.uci() for m in board.legal_moves), flush=True)
        elif words[0] == "quit":
            break
"""

GNUBG_ENGINE = """
    # Knows two ways to play a roll of 3-1, and notes all that it is told.
    import sys
    for line in sys.stdin:
        print(line.strip(), file=open(LOG, "a"), flush=True)
        if line.startswith("hint"):
            print("    1. Cubeless 0-ply   8/5 6/5                      Eq.: +0.159")
            print("       0.551 0.174 0.013 - 0.449 0.124 0.005")
            print("    2. Cubeless 0-ply   24/23 13/10                  Eq.: -0.009 (-0.168)")
        elif line.startswith("show"):
            print("The prompt is set to `(\\\\p) '.", flush=True)
        elif line.startswith("quit"):
            break
"""


def script(folder: Path, text: str, log: str = "log") -> list[str]:
    """A command that starts a process of this text."""
    path = folder / "engine.py"
    path.write_text(textwrap.dedent(text).replace("LOG", repr(str(folder / log))))
    return [sys.executable, str(path)]


STEP = jax.jit(GO.step)


def after(*points: str) -> Position:
    """A position of go after some stones."""
    state, moves = GO.init(), []
    for point in points:
        moves.append("ABCDE".index(point[0]) + 5 * (int(point[1]) - 1))
        state = STEP(state, jnp.int32(moves[-1]))
    return Position(state, tuple(moves))


def played(*text: str) -> tuple[Position, chess.Board]:
    """A position of chess after moves as players write them; its state is nobody's business."""
    board, numbers = chess.Board(), []
    for san in text:
        move = board.parse_san(san)
        numbers += [number for number, found in legal_moves(board).items() if found == move]
        board.push(move)
    return Position(None, tuple(numbers)), board


def children() -> set[int]:
    """The processes that this one has started, those that have ended unnoticed included."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("only Linux tells of its processes in /proc")
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it may have ended by now
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            found |= {int(path.parent.name)} if parent == os.getpid() else set()
    return found


# --- GTP --------------------------------------------------------------------------------------


def test_gtp_gets_each_game_from_its_start_and_then_only_what_is_new(tmp_path: Path):
    engine = GTP("fake", script(tmp_path, GTP_ENGINE))
    assert engine.choose(GO, after()) == 0
    assert engine.choose(GO, after("A1", "C3")) == 1
    assert engine.choose(GO, after("B2")) == 0  # another game
    engine.close()
    assert (tmp_path / "log").read_text().splitlines() == [
        *("boardsize 5", "komi 0.5", "clear_board", "genmove black"),
        *("play white C3", "genmove black"),
        *("boardsize 5", "komi 0.5", "clear_board", "play black B2", "genmove white"),
        "quit",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "fake has stopped, at 'boardsize 5'"),
        ("input()", "fake has stopped, at 'boardsize 5'"),
        ("input(); print('? unacceptable size\\n')", "fake fails at 'boardsize 5': unacceptable"),
        (
            "input(); print('Fake 1\\n\\n? unacceptable\\nsize\\n')",
            "^fake fails at 'boardsize 5': unacceptable size$",
        ),
        ("while True: input(); print('= resign\\n', flush=True)", "fake played 'resign': "),
        ("while True: input(); print('= C3\\n', flush=True)", "fake played 'C3': C3 is taken"),
    ],
    ids=["silent", "dies", "refuses", "chats", "resigns", "cheats"],
)
def test_what_a_gtp_engine_does_wrong_is_a_forfeit(tmp_path: Path, text: str, says: str):
    engine = GTP("fake", script(tmp_path, text))
    with pytest.raises(Forfeit, match=says):
        engine.choose(GO, after("C3"))
    engine.close()


# --- UCI --------------------------------------------------------------------------------------


def test_uci_gets_every_game_from_its_start(tmp_path: Path):
    limit = chess.engine.Limit(nodes=7)
    engine = UCI("fake", script(tmp_path, UCI_ENGINE), options={"Skill": 3}, limit=limit)
    for text in ((), ("e4", "e5", "Nf3", "a6")):
        position, board = played(*text)
        chosen = legal_moves(board)[engine.choose(CHESS, position)]
        assert chosen.uci() == "a2a3"
    engine.close()
    told = (tmp_path / "log").read_text().splitlines()
    assert "setoption name Skill value 3" in told
    assert "position startpos moves e2e4 e7e5 g1f3 a7a6" in told
    assert told.count("go nodes 7") == 2
    assert told[-1] == "quit"


@pytest.mark.parametrize(
    ("bestmove", "says"),
    [
        ("raise SystemExit(3)", "fake has stopped"),
        ("print('bestmove e2e5', flush=True)", "fake fails: illegal uci: 'e2e5'"),
        ("print('bestmove (none)', flush=True)", "fake gave no move"),
    ],
    ids=["dies", "cheats", "resigns"],
)
def test_what_a_uci_engine_does_wrong_is_a_forfeit(tmp_path: Path, bestmove: str, says: str):
    text = UCI_ENGINE.replace(
        'print("bestmove", min(m.uci() for m in board.legal_moves), flush=True)', bestmove
    )
    assert text != UCI_ENGINE
    engine = UCI("fake", script(tmp_path, text), options={}, limit=chess.engine.Limit(nodes=1))
    with pytest.raises(Forfeit, match=says):
        engine.choose(CHESS, played()[0])
    engine.close()


def test_a_uci_engine_is_told_where_the_game_began(tmp_path: Path):
    fen = "8/8/8/4k3/8/8/4P3/4K3 w - - 0 1"
    start = jax.tree.map(np.asarray, Chess().from_fen(fen))
    limit = chess.engine.Limit(nodes=1)
    engine = UCI("fake", script(tmp_path, UCI_ENGINE), options={}, limit=limit)
    board = chess.Board(fen)
    moves = []
    for san in ("", "e4", "Kf4"):
        if san:
            moves += [n for n, m in legal_moves(board).items() if m == board.parse_san(san)]
            board.push_san(san)
        move = engine.choose(CHESS, Position(None, tuple(moves), start))
        assert legal_moves(board)[move].uci() == min(m.uci() for m in board.legal_moves)
    engine.close()
    told = [x for x in (tmp_path / "log").read_text().splitlines() if x.startswith("position")]
    assert told == [f"position fen {fen}{made}" for made in ("", " moves e2e4", " moves e2e4 e5f4")]


def test_an_engine_that_plays_from_the_start_only_forfeits_other_games(tmp_path: Path):
    engine = GTP("fake", script(tmp_path, GTP_ENGINE))
    with pytest.raises(Forfeit, match="fake cannot set up a position"):
        engine.choose(GO, after("A1")._replace(start=GO.init()))
    engine.close()


def test_a_uci_engine_that_does_not_start_is_a_forfeit(tmp_path: Path):
    with pytest.raises(Forfeit, match="fake cannot be started"):
        UCI("fake", script(tmp_path, ""), options={}, limit=chess.engine.Limit(nodes=1))


# --- GNU Backgammon ---------------------------------------------------------------------------

ROLL_31 = 1  # outcome of a roll, by which seat 0 begins
BY_3, BY_1, LEFT = -1, 24, -1  # a move is the point added to one of these


def rolled(*moves: int) -> Position:
    """Backgammon after these moves, outcomes of rolls included."""
    state = BACKGAMMON.init()
    for move in moves:
        state = jax.jit(BACKGAMMON.step)(state, jnp.int32(move))
    return Position(jax.tree.map(np.asarray, state), moves)


def test_gnubg_plays_the_best_turn_that_can_still_be_reached(tmp_path: Path):
    engine = gnubg.Gnubg("fake", script(tmp_path, GNUBG_ENGINE), 0, gammons=False)
    chosen = [
        engine.choose(BACKGAMMON, rolled(ROLL_31, *made))
        for made in ((), (BY_3 + 8,), (BY_1 + 6,), (BY_1 + 24,), (BY_3 + 13,))
    ]
    engine.close()
    assert chosen[0] in (BY_3 + 8, BY_1 + 6)
    assert chosen[1:] == [LEFT + 6, LEFT + 8, LEFT + 13, LEFT + 24]
    told = (tmp_path / "log").read_text().splitlines()
    assert "set evaluation chequerplay evaluation plies 0" in told
    assert "new match 1" in told  # where gammons do not count
    board = "0 -2 0 0 0 0 5 0 3 0 0 0 -5 5 0 0 0 -3 0 -5 0 0 0 0 2 0"
    assert told.count(f"set board simple {board}") == 5  # that before the turn, every time
    assert told[-2:] == ["show prompt", "quit"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "fake has stopped"),
        (GNUBG_ENGINE.replace("8/5 6/5", "8/5 6/3").replace("24/23", "24/22"), "no play that is"),
        (GNUBG_ENGINE.replace("8/5 6/5", "99/98"), "fake names '99/98', which is no play"),
        (GNUBG_ENGINE.replace("8/5 6/5", "x/y"), "fake names 'x/y', which is no play"),
    ],
    ids=["silent", "cheats", "no point", "no number"],
)
def test_what_gnubg_does_wrong_is_a_forfeit(tmp_path: Path, text: str, says: str):
    engine = gnubg.Gnubg("fake", script(tmp_path, text), 0, gammons=True)
    with pytest.raises(Forfeit, match=says):
        engine.choose(BACKGAMMON, rolled(ROLL_31))
    engine.close()


# --- several processes ------------------------------------------------------------------------


def _gtp(folder: Path) -> HostAgent:
    return Engines("fake", lambda: GTP("fake", script(folder, GTP_ENGINE)), count=2)


def _uci(folder: Path) -> HostAgent:
    limit = chess.engine.Limit(nodes=1)
    return Engines(
        "fake", lambda: UCI("fake", script(folder, UCI_ENGINE), options={}, limit=limit), count=2
    )


@pytest.mark.parametrize(
    ("make", "game", "positions"),
    [
        (_gtp, GO, [after(), after("A1"), after()]),
        (_uci, CHESS, [played()[0], played("a3")[0], played()[0]]),
    ],
    ids=["gtp", "uci"],
)
def test_engines_share_the_games_and_leave_no_process_behind(make, game, positions, tmp_path):
    before = children()
    guest = make(tmp_path)
    assert children() == before  # nothing is started before it is needed
    moves = guest.choose_all(game, positions)
    assert moves[0] == moves[2]
    assert moves[1] != moves[0]
    assert len(children() - before) == 2
    guest.close()
    assert children() == before


def test_a_forfeit_ends_the_match_and_no_process_is_left(tmp_path: Path):
    before = children()
    cheat = Engines("fake", lambda: GTP("fake", script(tmp_path, "input()")), count=2)
    with pytest.raises(Forfeit, match="fake has stopped"):
        host_loop.pairs(cheat, cheat, GO, key=jax.random.key(0), count=2, plies=2, slots=4)
    cheat.close()
    assert children() == before


# --- what a user types ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "game", "argument", "says"),
    [
        (gnugo.make, GO, "level=11", "level lies between 1 and 10, not '11'"),
        (gnugo.make, GO, "skill=1", "gnugo has no option 'skill'; there are: level"),
        (gnugo.make, CHESS, "", "gnugo plays go up to 19×19"),
        (grhino.make, games.load("othello"), "level=6", "level lies between 1 and 5, not '6'"),
        (grhino.make, GO, "level=1", "grhino plays othello, and nothing else"),
        (gnubg.make, BACKGAMMON, "plies=8", "plies lies between 0 and 7, not '8'"),
        (gnubg.make, GO, "plies=0", "gnubg plays backgammon, and nothing else"),
        (stockfish.make, CHESS, "skill=0", "stockfish must be told when to stop"),
        (stockfish.make, CHESS, "nodes=0", "nodes lies between 1 and"),
        (stockfish.make, GO, "nodes=1", "stockfish plays chess"),
        (fairy_stockfish.make, GO, "depth=1", "it plays animal_shogi, breakthrough, gardner_chess"),
        (fairy_stockfish.make, games.load("breakthrough"), "skill=1", "must be told when to stop"),
    ],
)
def test_what_is_typed_wrong_is_refused(make, game: Game, argument: str, says: str):
    with pytest.raises(ValueError, match=says):
        make(game, argument)


@pytest.mark.parametrize(
    ("make", "game", "argument"),
    [
        (gnubg.make, BACKGAMMON, "plies=0"),
        (gnugo.make, GO, "level=1"),
        (grhino.make, games.load("othello"), "level=1"),
        (stockfish.make, CHESS, "nodes=1"),
        (fairy_stockfish.make, games.load("gardner_chess"), "nodes=1"),
    ],
)
def test_a_missing_engine_is_a_line_that_names_the_package(make, game, argument, monkeypatch):
    monkeypatch.setattr(process.shutil, "which", lambda *_, **__: None)
    with pytest.raises(
        ValueError,
        match=r"is not installed: apt-get install (gnubg|gnugo|grhino|(fairy-)?stockfish)",
    ):
        make(game, argument)


def test_engines_are_found_where_debian_puts_them(tmp_path: Path, monkeypatch):
    (tmp_path / "gnugo").touch(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(process, "_GAMES", str(tmp_path))
    assert process.find("gnugo", "gnugo") == str(tmp_path / "gnugo")


# --- the real ones ----------------------------------------------------------------------------


def _installed(make, game: Game, argument: str) -> Any:
    try:
        return make(game, argument)
    except ValueError as missing:
        pytest.skip(str(missing))


def test_gnugo_plays_itself_by_our_rules():
    legal, over = jax.jit(GO.legal), jax.jit(lambda state: GO.mover(state) == OVER)
    position = after()
    with contextlib.closing(_installed(gnugo.make, GO, "level=1")) as guest:
        while not over(position.state):
            move = guest.choose(GO, position)
            assert legal(position.state)[move]
            moves = (*position.moves, move)
            position = Position(STEP(position.state, jnp.int32(move)), moves)
    # On 5×5 Black wins by 25 (E. van der Werf 2003); level 1 need not find it, but must not lose.
    assert position.moves[-2:] == (25, 25)
    assert GO.payoff(position.state) == 1


def test_grhino_plays_by_our_rules_against_random_moves():
    game, start = games.load("othello"), games.load("othello").init()
    step, position = jax.jit(game.step), Position(jax.tree.map(np.asarray, start), (), None)
    legal, mover = jax.jit(game.legal), jax.jit(game.mover)
    rng, passes = np.random.default_rng(2), 0
    with contextlib.closing(_installed(grhino.make, game, "level=1")) as guest:
        while mover(position.state) != OVER:
            if mover(position.state) == 0:
                move = guest.choose(game, position)
            else:
                move = int(rng.choice(np.flatnonzero(legal(position.state))))
                passes += game.label(position.state, move) == "pass"
            assert legal(position.state)[move]
            moves = (*position.moves, move)
            position = Position(step(position.state, jnp.int32(move)), moves)
    discs = [bin(int(board)).count("1") for board in jax.tree.leaves(position.state)[:4]]
    assert passes > 0  # of which it is not told
    assert game.payoff(position.state) == 1
    assert sum(discs) == 64 or 0 in (discs[0] + discs[1], discs[2] + discs[3])


def test_stockfish_mates():
    position, board = played("f3", "e5", "g4")
    with contextlib.closing(_installed(stockfish.make, CHESS, "nodes=1000")) as guest:
        chosen = legal_moves(board)[guest.choose(CHESS, position)]
    assert board.san(chosen) == "Qh4#"


@pytest.mark.parametrize(("plies", "gammons"), [(0, False), (1, True)])
def test_gnubg_and_we_know_the_same_plays(plies: int, gammons: bool):
    game = Backgammon(gammons=gammons)
    some = recorded_openings(game, jax.random.key(plies), count=60, plies=120, room=64)
    begun = 0
    with contextlib.closing(_installed(_gnubg, game, str(plies))) as engine:
        for n, made in enumerate(some.moves):
            position = Position(jax.tree.map(lambda x, n=n: x[n], some.states), tuple(made))
            assert game.legal(position.state)[engine.choose(game, position)]
            start = gnubg.rolled(game, made)
            begun += int(start.dice) != int(position.state.dice)
            ours = gnubg.ends(game, start)
            theirs = [gnubg.after(start, play) for play in engine.plays(start)]
            assert len(theirs) == len(set(theirs))
            # Where nothing can be moved there is no play, and the board stays as it is.
            assert set(theirs) == ours.keys() or (len(ours), theirs) == (1, [])
    assert begun > 10  # somebody else had moved first in the turn


def _gnubg(game: Backgammon, plies: str) -> gnubg.Gnubg:
    return gnubg.Gnubg("gnubg", gnubg.find(), int(plies), game.gammons)


@pytest.mark.slow
def test_gnubg_beats_random_moves():
    with contextlib.closing(_installed(gnubg.make, BACKGAMMON, "plies=0")) as guest:
        scores = host_loop.pairs(
            guest,
            uniform(BACKGAMMON, ""),
            BACKGAMMON,
            key=jax.random.key(0),
            count=8,
            plies=0,
            slots=16,
        )
    assert scores.sum() == 16


@pytest.mark.parametrize("name", ["animal_shogi", "breakthrough", "gardner_chess"])
def test_fairy_stockfish_and_we_know_the_same_moves(name: str):
    """In every position of a game that it plays against random moves."""
    game = games.load(name)
    session, rng = Session(game), np.random.default_rng(0)
    with contextlib.closing(_installed(fairy_stockfish.make, game, "depth=1")) as guest:
        perft = Pipe("perft", [process.find("fairy-stockfish", "fairy-stockfish")])
        perft.send(f"setoption name UCI_Variant value {variant(game)}")
        while not session.over and len(session.moves) < 60:
            made = [move_text(game, label) for label in session.record.labels]
            perft.send(" ".join(["position startpos", *["moves", *made] * bool(made)]))
            perft.send("go perft 1")
            lines = itertools.takewhile(lambda x: "searched" not in x, perft.lines("perft"))
            theirs = {line.split(":")[0] for line in lines if ": 1" in line}
            # A chick need not promote there; by the rules of the game it does.
            theirs -= {x.removesuffix("+") for x in theirs if x.endswith("+")}
            assert theirs == {move_text(game, label) for label in session.legal_moves}
            if session.seat:
                session.push(int(rng.choice(np.flatnonzero(session.legal))))
            else:
                session.push(guest.choose(game, session.position))
        perft.close("quit")
    assert len(session.moves) > 5
