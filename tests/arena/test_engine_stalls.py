"""Engines that give no answer, or leave processes behind."""

import contextlib
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import chess.engine
import pytest

from agents.engines import gnubg
from arena.engines import process, uci
from arena.engines.gtp import GTP
from arena.engines.uci import UCI
from arena.types import Forfeit
from tests.arena.test_engines import (
    CHESS,
    GO,
    GTP_ENGINE,
    ROLL_31,
    UCI_ENGINE,
    after,
    children,
    played,
    rolled,
    script,
)

STALLS = {
    "says nothing": "while True: input()",
    "says nothing more": "print('Fake', flush=True); input(); import time; time.sleep(99)",
    "writes lines": "while True: print('info string 1')",
    "writes one line": "while True: print('x' * 4096, end='')",
    "writes no UTF-8": "import os\nwhile True: input(); os.write(1, b'\\xff\\xfe=\\n')",
}
UCI_STALLS = {
    "is silent at go": "import time; time.sleep(99)",
    "writes lines at go": "while True: print('info depth 1', flush=True)",
    "writes one line at go": "while True: print('x' * 4096, end='')",
    "moves in no UTF-8": "sys.stdout.buffer.write(b'bestmove \\xff\\n'); sys.stdout.flush()",
}
_FORFEIT = (
    r"^fake (cannot be started: )?(gives no answer within 0\.2 s, at|writes without end, at"
    r"|has stopped|fails: expected uci|fails: illegal uci)"
)


def _ends(folder: Path) -> bool:
    """Whether the process whose number is in a file ends soon, or has ended."""
    for _ in range(100):
        try:
            stat = Path(f"/proc/{(folder / 'child').read_text()}/stat").read_text()
        except OSError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":  # nobody has asked how it ended
            return True
        time.sleep(0.01)
    return False


def test_an_answer_that_does_not_come_is_a_forfeit_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch
):
    before = children()
    for module in (process, uci):
        monkeypatch.setattr(module, "QUIT_TIMEOUT", 0.2)

    def gtp_stalls(command: list[str]) -> None:
        with contextlib.closing(GTP("fake", command, timeout=0.2)) as engine:
            engine.choose(GO, after("C3"))

    def uci_stalls(command: list[str]) -> None:
        limit = chess.engine.Limit(nodes=1)
        with contextlib.closing(
            UCI("fake", command, options={}, limit=limit, timeout=0.2)
        ) as engine:
            engine.choose(CHESS, played()[0])

    def gnubg_stalls(command: list[str]) -> None:
        with contextlib.closing(
            gnubg.Gnubg("fake", command, 0, gammons=True, timeout=0.2)
        ) as engine:
            engine.plays(rolled(ROLL_31).state)

    bestmove = 'print("bestmove", min(m.uci() for m in board.legal_moves), flush=True)'
    quick = UCI_ENGINE.replace("import chess\n", "class chess: Board = list\n")
    cases = [(play, text) for text in STALLS.values() for play in (gtp_stalls, uci_stalls)]
    cases += [(uci_stalls, quick.replace(bestmove, text)) for text in UCI_STALLS.values()]
    cases += [(gnubg_stalls, STALLS["says nothing"]), (gnubg_stalls, STALLS["writes lines"])]

    def fails(number: int) -> None:
        play, text = cases[number]
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(Forfeit, match=_FORFEIT) as caught:
            play(script(folder, text))
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 150

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fails, range(len(cases))))
    assert children() == before


def test_whatever_an_engine_has_started_ends_with_it(tmp_path: Path, monkeypatch):
    before = children()
    for module in (process, uci):
        monkeypatch.setattr(module, "QUIT_TIMEOUT", 0.2)
    child = "import subprocess; child = subprocess.Popen(['sleep', '99'])\n"
    child += f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
    gtp_engine = child + textwrap.dedent(GTP_ENGINE).replace("break", "pass")
    uci_engine = child + textwrap.dedent(UCI_ENGINE).replace("break", "pass")
    limit = chess.engine.Limit(nodes=1)
    engine = GTP("fake", script(tmp_path, gtp_engine))
    engine.choose(GO, after())
    engine.close()
    assert _ends(tmp_path)
    engine = UCI("fake", script(tmp_path, uci_engine), options={}, limit=limit)
    engine.choose(CHESS, played()[0])
    engine.close()
    assert _ends(tmp_path)
    with pytest.raises(Forfeit, match=r"^fake cannot be started: fails: .*Contempt"):
        UCI("fake", script(tmp_path, uci_engine), options={"Contempt": 1}, limit=limit)
    assert _ends(tmp_path)
    assert children() == before
    with pytest.raises(Forfeit, match=r"^fake cannot be started: No such file"):
        GTP("fake", ["/nowhere/fake"])
    with pytest.raises(Forfeit, match=r"^fake cannot be started: No such file"):
        UCI("fake", ["/nowhere/fake"], options={}, limit=limit)
