"""How fast the web app answers: one visitor on a quiet machine, and fifty at once.

    python -m benchmarks.web

Writes benchmarks/results/web_cpu.json. A server of its own is started on loopback; visitors are
plain HTTP clients with a cookie each, who play Connect Four against the shipped net.
"""

import argparse
import json
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

RESULT = Path(__file__).parent / "results" / "web_cpu.json"
GAME = "game=connect_four&agent=pretrained:connect_four&seat=first"


class Visitor:
    """Plays games by HTTP, and notes how long the answers take.

    Args:
      url: of the server.
      simulations: of the net, a move.
      seed: of the visitor's moves.
    """

    def __init__(self, url: str, simulations: int, seed: int):
        self._client = httpx.Client(base_url=url, timeout=300)
        self._client.get("/")
        self._search = f"{GAME}&limit={simulations}&seed={seed}"
        self._choose = random.Random(seed)
        self.seconds: list[float] = []

    def play(self, answers: int) -> None:
        """Plays until so many answers have come."""
        view = self._ask("look", self._search)
        while len(self.seconds) < answers:
            if view["turn"] == "over":
                view = self._ask("look", self._search)
            label = self._choose.choice(view["legal"])["label"]
            began = time.perf_counter()
            view = self._ask("move", view["address"], label)
            if view["turn"] == "agent":
                view = self._ask("answer", view["address"])
                self.seconds.append(time.perf_counter() - began)

    def _ask(self, what: str, search: str, label: str = "") -> dict[str, Any]:
        answer = self._client.post(f"/play/{what}", json={"search": search, "move": label})
        answer.raise_for_status()
        return answer.json()


def milliseconds(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and largest, in ms."""
    cuts = statistics.quantiles(seconds, n=20)
    return {
        "answers": len(seconds),
        "p50_ms": round(1000 * statistics.median(seconds), 1),
        "p95_ms": round(1000 * cuts[-1], 1),
        "most_ms": round(1000 * max(seconds), 1),
    }


def alone(url: str, simulations: int, answers: int) -> dict[str, float]:
    """One visitor, after a game that compiles what is needed."""
    Visitor(url, simulations, 0).play(8)
    visitor = Visitor(url, simulations, 1)
    visitor.play(answers)
    return milliseconds(visitor.seconds)


def together(url: str, simulations: int, visitors: int, answers: int) -> dict[str, float]:
    """Many visitors at once, each as fast as the server lets them."""
    players = [Visitor(url, simulations, 2 + n) for n in range(visitors)]
    began = time.perf_counter()
    with ThreadPoolExecutor(visitors) as pool:
        list(pool.map(lambda player: player.play(answers), players))
    spent = time.perf_counter() - began
    found = milliseconds([s for player in players for s in player.seconds])
    return {**found, "visitors": visitors, "answers_per_s": round(found["answers"] / spent, 1)}


def measure(answers: int, visitors: int) -> dict[str, Any]:
    """All figures, of a server that is started for them in an empty folder."""
    command = [sys.executable, "-c", "from league.cli.entry import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        server = subprocess.Popen(
            [*command, "serve", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+:\d+", server.stdout.readline())
            assert found
            httpx.get(found[0], timeout=60).raise_for_status()
            first = time.perf_counter() - began
            return {
                "first_page_s": round(first, 2),
                "one_visitor_64_simulations": alone(found[0], 64, answers),
                "one_visitor_no_search": alone(found[0], 0, answers),
                "all_at_once_16_simulations": together(found[0], 16, visitors, answers // 10),
                "all_at_once_64_simulations": together(found[0], 64, visitors, answers // 10),
            }
        finally:
            server.terminate()
            server.wait(30)


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description="How fast the web app answers.")
    parser.add_argument("--answers", type=int, default=60, help="of one visitor")
    parser.add_argument("--visitors", type=int, default=50, help="at once")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    found = measure(arguments.answers, arguments.visitors)
    machine = {"processor": platform.processor() or platform.machine()}
    arguments.out.write_text(json.dumps({**machine, **found}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
