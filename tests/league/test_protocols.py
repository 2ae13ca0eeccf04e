"""UCI and GTP: what programs send, and that they get what they wait for."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chess
import chess.engine
import jax
import pytest

from agents.nn import networks
from agents.nn.networks import ConvNetConfig, MLPConfig
from agents.policies import SearchPolicy
from arena.analysis import Analysis, MoveAnalysis
from arena.errors import UserError
from arena.types import Agent
from games.go import Go
from league.cli import device
from league.protocols import (
    gtp,
    gtp_boards,
    gtp_game,
    gtp_thinking,
    levels,
    uci,
    uci_go,
    uci_info,
    uci_moves,
)
from league.protocols.clock import Clock
from league.protocols.gtp_clock import Clocks
from league.protocols.levels import Level, Levels
from tests.helpers.client import Client

Start = Callable[..., Client]


def _fail(error: UserError) -> None:
    raise AssertionError(error)


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts a server of UCI; each kind once."""
    started: dict[tuple[str, str], Client] = {}

    def client(spec: str, game: str = "", **options) -> Client:
        if (spec, game) not in started:
            choice = uci_moves.choice(game)
            started[spec, game] = Client(
                lambda write: uci.Server(spec, choice, write=write, fatal=_fail, **options)
            )
        return started[spec, game]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "prepare", lambda: None)
        yield client
    for client_ in started.values():
        client_.close()


@pytest.fixture(scope="module")
def go() -> Iterator[Client]:
    """A server of GTP, of an agent that plays at random."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "prepare", lambda: None)
        commands = gtp_thinking.Commands("uniform", "go:size=5", simulations=0, fatal=_fail)
        client = Client(lambda write: gtp.Server(commands, write=write))
        yield client
        client.close()


@pytest.fixture(scope="module")
def xo() -> Iterator[Client]:
    """A server of GTP with GoGui's rules, of an agent that searches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "prepare", lambda: None)
        commands = gtp_thinking.Commands("mcts:64", "tic_tac_toe", simulations=64, fatal=_fail)
        client = Client(lambda write: gtp.Server(commands, write=write))
        yield client
        client.close()


def test_commands_answer_before_jax_is_imported():
    code = (
        "import sys; from league.commands import gtp, uci;"
        "from league.protocols import levels; import league.evaluation.leaderboard;"
        "print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


# UCI.


def _pv(line: str) -> list[str]:
    return line.split(" pv ")[1].split()


def _check(lines: list[str]) -> str:
    """Checks what GUIs check, and gives the best move."""
    *infos, best = lines
    told = [line for line in infos if " pv " in line]
    first = [line for line in told if " multipv 1 " in line][-1]
    assert best.split()[1] == _pv(first)[0]
    assert best.split()[3:] == _pv(first)[1:2]
    for line in told:
        assert re.search(r" score (cp|mate) -?\d+ ", line)
        assert re.search(r" nodes \d+ nps \d+ hashfull \d+ time \d+ ", line)
    return best.split()[1]


def test_the_sequence_by_which_fastchess_checks_an_engine(start: Start):
    client = start("uniform")  # plays at random, so no search is compiled
    told = client.ask("uci", "uciok")
    assert [line.split()[:2] for line in told[:2]] == [["id", "name"], ["id", "author"]]
    client.ask("isready", "readyok")
    client.send("ucinewgame", "position startpos")
    client.ask("isready", "readyok")
    client.send("position fen 3r2k1/p5n1/1pq1p2p/2p3p1/2P1P1n1/1P1P2pP/PN1Q2K1/5R2 w - - 0 27")
    client.ask("isready", "readyok")
    for asked in ("go wtime 100", "go btime 100"):
        _check(client.ask(asked, "bestmove"))
        client.send("position fen rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1")
    _check(client.ask("go wtime 100 winc 100 btime 100 binc 100", "bestmove"))
    _check(client.ask("go btime 100 binc 100 wtime 100 winc 100", "bestmove"))
    client.send("ucinewgame", "position startpos")
    _check(client.ask("go wtime 100 btime 100", "bestmove"))
    client.send("position startpos moves e2e4 e7e5")
    _check(client.ask("go wtime 100 btime 100", "bestmove"))


def _legal(fen: str, best: str) -> bool:
    return chess.Move.from_uci(best.split()[1]) in chess.Board(fen).legal_moves


def test_a_move_is_found_in_any_position(start: Start):
    client = start("uniform")
    fens = [
        "4k3/P7/8/8/8/8/8/4K3 w - - 0 1",  # a promotion, maybe
        "r3k2r/8/8/8/8/8/8/R3K3 b KQkq e3 99 400",  # rights and squares that cannot be
        "8/8/8/3k4/8/3K4/8/8 w - - 0 1",  # a draw by our rules
        "4k3/8/8/8/8/8/8/4K2R w K - 100 80",  # another one
    ]
    for fen in fens:
        client.send(f"position fen {fen}")
        assert _legal(fen, client.ask("go nodes 1", "bestmove")[-1])
    shuffle = "g1f3 g8f6 f3g1 f6g8 " * 3
    client.send(f"position startpos moves {shuffle}e2e4")  # goes on after the third occurrence
    board = chess.Board()
    for move in f"{shuffle}e2e4".split():
        board.push_uci(move)
    assert _legal(board.fen(), client.ask("go", "bestmove")[-1])


def test_where_no_move_can_be_made_none_is_given(start: Start):
    client = start("uniform")
    client.send("position fen 7k/5Q2/6K1/8/8/8/8/8 b - - 0 1")  # stalemate
    assert client.ask("go nodes 1", "bestmove") == ["bestmove 0000"]
    for wrong in ("fen none", "startpos moves e2e5", "fen 8/8/8/8/8/8/8/8 w - - 0 1"):
        client.send(f"position {wrong}")
        assert client.until("info")[0].startswith("info string error: ")
        assert client.ask("go nodes 1", "bestmove") == ["bestmove 0000"]
    client.send("position startpos")
    assert client.ask("go nodes 1", "bestmove")[-1] != "bestmove 0000"


def test_what_means_nothing_is_passed_over(start: Start):
    client = start("uniform")
    client.send("", "   ", "xyzzy", "register later", "stop", "ponderhit", "joho isready")
    assert client.until("readyok") == ["readyok"]
    client.send("setoption name Hash value none", "setoption name Nothing value 1", "setoption")
    assert [client.read().split()[1] for _ in range(3)] == ["string"] * 3
    client.send("debug on", "xyzzy", "debug off")
    assert client.read() == "info string unknown command: xyzzy"


NET = "pretrained:connect_four"


def test_a_game_of_another_variant(start: Start):
    client = start(NET, "connect_four")
    told = client.ask("uci", "uciok")
    assert "option name UCI_Variant type combo default cfour var cfour" in told
    assert not [x for x in told if "name UCI_" in x and x.split()[2] not in STANDARD]
    client.send("setoption name UCI_Variant value cfour", "ucinewgame")
    made: list[str] = []
    while len(made) < 10:
        client.send(f"position startpos moves {' '.join(made)}".removesuffix(" moves "))
        made.append(_check(client.ask("go nodes 40", "bestmove")))
    assert made[0] == "P@d1"
    for move in made:
        column = [x for x in made if x[2] == move[2]]
        assert [x[3] for x in column] == [str(n + 1) for n in range(len(column))]


STANDARD = ("UCI_ShowWDL", "UCI_Opponent", "UCI_Variant", "UCI_LimitStrength", "UCI_Elo")


def test_a_search_goes_on_until_it_is_stopped(start: Start):
    client = start(NET, "connect_four")
    client.send("position startpos moves P@d1", "go infinite")
    client.until("info")
    client.send("isready")
    assert client.until("readyok")[-1] == "readyok"
    client.send("stop")
    _check(client.until("bestmove"))
    client.send("position startpos moves P@a1", "go ponder wtime 100 btime 100")
    client.until("info")
    client.send("ponderhit")
    _check(client.until("bestmove"))


def test_moves_can_be_chosen_from_some_and_all_are_told_of(start: Start):
    client = start(NET, "connect_four")
    client.send("position startpos moves P@a1 P@a2 P@b1 P@b2 P@c1")
    client.send("setoption name MultiPV value 2", "setoption name UCI_ShowWDL value true")
    client.send("setoption name VerboseMoveStats value true")
    lines = client.ask("go nodes 60 searchmoves P@c2 P@e1", "bestmove")
    assert _check(lines) in ("P@c2", "P@e1")
    stats = [line for line in lines if line.startswith("info string P@")]
    assert len(stats) == 2
    assert all(_STATS.fullmatch(line) for line in stats)
    assert {_pv(line)[0] for line in lines if " multipv " in line} == {"P@c2", "P@e1"}
    wins, draws, losses = map(int, re.findall(r" wdl (\d+) (\d+) (\d+) ", lines[-2])[0])
    assert wins + draws + losses == 1000
    for name, value in (("MultiPV", 1), ("UCI_ShowWDL", "false"), ("VerboseMoveStats", "false")):
        client.send(f"setoption name {name} value {value}")
    # Four in a row is there: a mate in one, at which the line ends.
    client.send("position startpos moves P@a1 P@a2 P@b1 P@b2 P@c1 P@c2")
    lines = client.ask("go nodes 200", "bestmove")
    assert " score mate 1 " in lines[-2]
    assert _pv(lines[-2]) == ["P@d1"]
    assert lines[-1] == "bestmove P@d1"


_STATS = re.compile(
    r"info string P@\w\d  ?\(\d+ *\) N: +\d+ \(P: +\d+\.\d\d%\) \(Q: +\S+\) \(V: +\S+\)"
)


def test_the_tree_is_kept_for_the_position_that_follows(start: Start):
    client = start(NET, "connect_four")
    client.send("position startpos")
    best, reply = client.ask("go nodes 200", "bestmove")[-1].split()[1::2]
    client.send(f"position startpos moves {best} {reply}")
    client.send("setoption name VerboseMoveStats value true")
    lines = client.ask("go nodes 1", "bestmove")
    client.send("setoption name VerboseMoveStats value false")
    node = next(line for line in lines if line.startswith("info string node"))
    assert int(re.findall(r"N: +(\d+)", node)[0]) > 20


def test_another_variant_of_an_agent_that_plays_any(start: Start):
    client = start("uniform")
    for variant, moves, heads in (
        ("dobutsu", "b2b3 c4b3", {"C@", "E@", "G@", "a", "b", "c"}),
        ("gardner", "a2a3", {"a", "b", "c", "d", "e"}),
        ("breakthrough", "a2a3", set("abcdefgh")),
        ("cfour", "P@d1 P@d2", {"P@"}),
    ):
        client.send(f"setoption name UCI_Variant value {variant}", "ucinewgame")
        client.send(f"position startpos moves {moves}")
        best = _check(client.ask("go nodes 1", "bestmove"))
        assert any(best.startswith(head) for head in heads), (variant, best)
    client.send("setoption name UCI_Variant value chess", "ucinewgame", "position startpos")
    _check(client.ask("go nodes 1", "bestmove"))


def test_what_go_asks_for():
    asked = "infinite searchmoves e2e4 d2d4 wtime 60000 movestogo x nodes 5"
    go = uci_go.parse(asked.split())
    assert go.searchmoves == ("e2e4", "d2d4")
    assert go.numbers == {"wtime": 60000, "nodes": 5}
    assert go.infinite
    assert go.seconds(0, 0.0) == 2.0  # the thirtieth of a minute
    assert go.seconds(1, 0.0) == 2.0  # there is no other clock
    assert uci_go.parse(["movetime", "500"]).seconds(0, 0.05) == 0.45
    assert uci_go.parse(["nodes", "5"]).seconds(0, 0.05) is None


def test_time_is_shared_and_never_all_of_it():
    assert Clock(60).budget(0) == pytest.approx(2)
    assert Clock(60, 1).budget(0) == pytest.approx(2.8)
    assert Clock(60, 0, 10).budget(0) == pytest.approx(6)
    assert Clock(10, 0, 1).budget(0) == pytest.approx(9)
    assert Clock(0.1, 60).budget(0.05) < 0.05  # an increment comes too late
    assert Clock(0).budget(1) > 0
    left = 10.0
    for _ in range(200):
        left -= Clock(left).budget(0)
    assert left > 0


def test_values_are_told_as_programs_know_them():
    assert [uci_info.centipawns(q) for q in (0, 1, -1)] == [0, 10_000, -10_000]
    assert uci_info.centipawns(0.5) == -uci_info.centipawns(-0.5) == 89
    assert uci_info.wdl(0.5, False) == "750 0 250"
    assert uci_info.wdl(0, True) == "0 1000 0"
    assert [uci_info.score(1, proven=True, plies=n) for n in (1, 3)] == ["mate 1", "mate 2"]
    assert [uci_info.score(-1, proven=True, plies=n) for n in (2, 4)] == ["mate -1", "mate -2"]
    assert uci_info.score(0, proven=True, plies=9) == "cp 0"


def test_a_line_of_an_analysis_is_read_by_python_chess():
    moves = (MoveAnalysis(0, "e4", 0.5, 7, 0.1, 0.2, (0,)),)
    analysis = Analysis(0, 0.1, False, moves, (0,), ("e4",), 7, 0.5, 0.25)
    [line] = uci_info.lines(analysis, lambda _: ["e2e4"], count=3, show_wdl=True)
    info: Any = chess.engine._parse_uci_info(line.removeprefix("info "), chess.Board())
    assert info["nodes"] == 7
    assert info["hashfull"] == 250
    assert info["pv"] == [chess.Move.from_uci("e2e4")]
    assert info["wdl"].relative == chess.engine.Wdl(550, 0, 450)


def test_a_strength_is_that_of_a_snapshot():
    ladder = Levels((Level("0", 0.0, 10.0), Level("1", 99.6, 9.0), Level("2", 240.2, 9.0)))
    assert ladder.range == (0, 240)
    assert [ladder.nearest(elo).snapshot for elo in (-50, 60, 150, 1000)] == ["0", "1", "1", "2"]
    server = uci.Server(
        "mine:2,simulations=8",
        uci_moves.choice("chess"),
        write=lambda text: None,
        levels=ladder,
        fatal=_fail,
    )
    server.options.set("uci_limitstrength", "true")
    server.options.set("UCI_Elo", "90")
    assert server._spec_now() == "mine:1,simulations=0"
    with pytest.raises(ValueError, match="UCI_Elo takes a number from 0 to 240"):
        server.options.set("UCI_Elo", "241")


def test_the_strengths_of_a_run_are_its_ratings(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tiny.parent.parent)
    found = levels.of_run(tiny.name)
    assert found
    assert [level.snapshot for level in found.levels] == ["0", "1", "2", "3"]
    assert found.levels[0].elo == 0
    assert levels.of_run("nothing") is None


def test_games_that_no_program_knows_are_refused(refused: Callable[[str], str]):
    assert "not of backgammon; try arena gtp" in refused("uci mcts:5 --game backgammon")
    assert "not of chess; try arena uci" in refused("gtp mcts:5 --game chess")
    assert "'x' is no number of simulations" in refused("uci mcts:x")


def test_a_network_on_other_rules_than_its_own():
    rules = Go(size=5)
    network = MLPConfig(width=8, layers=1)
    weights = networks.initialise(rules, network, jax.random.key(0))
    agent = Agent("net", SearchPolicy(rules, network, 4), weights)
    other = gtp_game.on_other_rules(agent, Go(size=5, komi=0.5))
    assert isinstance(other, Agent)
    assert isinstance(other.policy, SearchPolicy)
    assert other.policy.game == Go(size=5, komi=0.5)
    assert gtp_game.on_other_rules(agent, Go(size=7)) is None
    tower = ConvNetConfig(channels=8, blocks=1)  # one set of weights for boards of all sizes
    weights = networks.initialise(rules, tower, jax.random.key(0))
    agent = Agent("net", SearchPolicy(rules, tower, 4), weights)
    assert gtp_game.on_other_rules(agent, Go(size=7)) is not None


# GTP.


def test_all_commands_of_a_script_are_answered_in_order_before_it_ends():
    commands = gtp_thinking.Commands("mcts:16", "go:size=3", simulations=16, fatal=_fail)
    written: list[str] = []
    gtp.Server(commands, write=written.append).serve(
        ["1 genmove b", "2 genmove w", "3 name", "4 quit", "5 name"]
    )
    heads = [text.split()[0] for text in written if text.startswith("=")]
    assert heads == ["=1", "=2", "=3", "=4"]


def test_what_sabaki_sends_at_the_start(go: Client):
    go.send("1 name", "2 version", "3 protocol_version", "4 list_commands")
    go.until("=4")
    commands = {"analyze"}
    while line := go.read():
        commands.add(line)
    assert commands >= {"lz-analyze", "genmove_analyze", "undo", "set_free_handicap"}
    assert commands >= {"gogui-setup", "play_sequence", "gg-undo", "quit", "loadsgf"}
    assert not [name for name in commands if name.startswith("gogui-rules")]
    for name in sorted(commands):
        assert go.command(f"known_command {name}") == "= true"
    assert go.command("known_command xyzzy") == "= false"


def test_lines_as_the_protocol_has_them(go: Client):
    go.send("# a comment", "", "  \t ", "7 protocol_version # another\r")
    assert go.until("=7") == ["=7 2"]
    go.read()
    assert go.command("xyzzy") == "? unknown command"
    assert go.command("8 play") == "?8 syntax error"
    assert go.command("boardsize x") == "? boardsize not an integer"
    assert go.command("boardsize 25") == "? unacceptable size"
    assert go.command("komi half") == "? komi not a float"
    assert go.command("play green A1") == "? invalid color"
    assert go.command("play b Z9") == "? invalid vertex"


def test_a_game_of_go(go: Client):
    assert go.command("boardsize 5") == "="
    assert go.command("komi 0.5") == "="
    assert go.command("play b C3") == "="
    assert go.command("play b C3").startswith("? illegal move: ")
    assert go.command("play b D4") == "="  # out of turn
    assert go.command("genmove w").startswith("= ")
    assert go.command("undo") == "="
    assert go.command("showboard").splitlines()[2:4] == [" 4 . . . X .", " 3 . . X . ."]
    for colour in "bwbw":
        assert go.command(f"play {colour} pass") == "="
    assert go.command("final_score") == "= B+24.5"
    assert go.command("final_status_list alive") == "= D4 C3"
    assert go.command("final_status_list dead") == "="
    assert len(go.command("final_status_list black_territory").split()) == 1 + 23
    assert go.command("play w A1") == "="  # goes on after two passes
    assert go.command("komi 7.5") == "="  # the position stays
    assert go.command("final_score") == "= W+6.5"
    assert go.command("gg-undo 7") == "="
    assert go.command("undo") == "? cannot undo"


def test_stones_are_set_up(go: Client):
    assert go.command("boardsize 9") == "="
    assert go.command("fixed_handicap 5") == "= C3 G7 G3 C7 E5"
    assert go.command("fixed_handicap 2") == "? board not empty"
    assert go.command("clear_board") == "="
    assert go.command("set_free_handicap A1 B2 C3") == "="
    assert go.command("play w E5") == "="
    assert go.command("clear_board") == "="
    assert go.command("set_free_handicap A1 A1").startswith("? bad vertex list: ")
    assert go.command("gogui-setup b A2 w A1 w B1 b C1 b B2 w E5").startswith("? illegal move: ")
    assert go.command("gogui-setup b A2 w A1 w B1 b B2 w E5") == "="
    assert go.command("gogui-setup_player w") == "="
    assert go.command("play w C1") == "="
    assert go.command("play_sequence b D1 w D2 b D1").startswith("? illegal move: ")
    assert go.command("final_status_list alive") == "= E5 A2 B2 A1 B1 C1"
    assert go.command("boardsize 5") == "="


def test_a_game_of_a_file_is_loaded(go: Client, tmp_path: Path):
    path = tmp_path / "game.sgf"
    path.write_text("(;GM[1]FF[4]SZ[5]KM[1.5]AB[aa][bb]PL[W];W[ee];B[dd];W[])")
    assert go.command(f"loadsgf {path} 3") == "="
    assert go.command("final_status_list alive") == "= A5 B4 D2 E1"
    assert go.command("get_komi") == "= 1.5"
    assert go.command(f"loadsgf {path}") == "="
    assert go.command("genmove b").startswith("= ")
    assert go.command(f"loadsgf {tmp_path}/none.sgf").startswith("? cannot load file: ")
    path.write_text("(;GM[2]SZ[8])")
    assert go.command(f"loadsgf {path}").startswith("? cannot load file: ")
    assert go.command("boardsize 5") == "="
    assert go.command("komi 7.5") == "="


def test_clocks_of_gtp():
    clocks = Clocks()
    assert clocks.clock(0) is None
    clocks.set(0, 30, 5)
    assert clocks.clock(0) == Clock(30, 0.0, 5)
    clocks.spend(0, 10)
    assert clocks.clock(0) == Clock(20, 0.0, 4)
    clocks.tell(0, 3, 1)
    clocks.spend(0, 1)
    assert clocks.clock(0) == Clock(30, 0.0, 5)  # the next period
    clocks.set(60, 0, 0)
    assert clocks.clock(1) == Clock(60)
    clocks.set(0, 1, 0)  # no limit, by section 4.2 of the draft
    assert clocks.clock(1) is None


def test_gogui_rules(xo: Client):
    assert xo.command("gogui-rules_game_id") == "= Tictactoe"
    assert xo.command("gogui-rules_board_size") == "= 3 rect"
    assert xo.command("gogui-rules_side_to_move") == "= black"
    assert xo.command("gogui-rules_legal_moves") == "= A3 B3 C3 A2 B2 C2 A1 B1 C1"
    for move in ("b A1", "w A3", "b B1", "w B3"):
        assert xo.command(f"play {move}") == "="
    assert xo.command("gogui-rules_board") == "= O O .\n. . .\nX X ."
    assert xo.command("play w C3").startswith("? illegal move: ")
    assert "C1 " in xo.command("arena-visits")
    assert "C1" in xo.command("arena-variation")
    assert xo.command("arena-winrate") == "= 100.0 %"
    assert xo.command("reg_genmove b") == "= C1"
    assert xo.command("genmove b") == "= C1"
    assert xo.command("gogui-rules_legal_moves") == "="
    assert xo.command("gogui-rules_final_result") == "= Black wins (B+1)"
    assert xo.command("final_score") == "= B+1"
    assert xo.command("genmove w").startswith("? illegal move: the game is over")
    assert xo.command("final_status_list alive") == "? unknown command"


def test_an_analysis_ends_at_any_input(xo: Client):
    xo.command("clear_board")
    xo.send("5 lz-analyze b 5")
    assert xo.read() == "=5"
    line = xo.read()
    assert re.match(
        r"info move [A-C][1-3] visits \d+ winrate \d+ prior \d+ lcb \d+ order 0 pv", line
    )
    xo.send("")
    xo.until("")
    xo.send("analyze 5", "6 protocol_version")
    assert xo.until("=6")[-1] == "=6 2"
    xo.read()
    told = xo.command("genmove_analyze b 5").splitlines()
    assert told[0] == "="
    assert re.fullmatch(r"play [A-C][1-3]", told[-1])
    told = xo.command("kata-genmove_analyze w 5 allow w A1,C3 1").splitlines()
    assert told[-1].split()[0] == "play"
    xo.command("clear_board")


def test_hex_is_written_as_gogui_draws_it():
    board = gtp_boards.board("hex:size=11")
    import games

    rules = games.load("hex:size=11")
    assert [board.vertex(rules, label) for label in ("a1", "i11", "k2")] == ["A11", "J1", "L10"]
    assert [board.label(rules, v) for v in ("A11", "j1", "L10")] == ["a1", "i11", "k2"]
    with pytest.raises(ValueError, match="invalid vertex"):
        board.label(rules, "M1")
