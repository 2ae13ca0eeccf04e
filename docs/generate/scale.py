"""What scale costs: 1,000 actors, and a second host, from what was measured."""

from typing import Any

from docs.generate import facts

_ACTORS = 1000
_REQUEST = 60.0
"""Seconds of play that a request is given in the table."""


def tables() -> dict[str, str]:
    """The tables and figures in Markdown, by the name of the place that each fills."""
    return {"thousand": _thousand(), "hosts": _hosts()}


def _hosts() -> str:
    """What a gradient step of two hosts took beside one of a process on the same cores."""
    if not (facts.RESULTS / "hosts_cpu.json").exists():
        return "time that is not measured yet"
    steps = {x["who"]: x["step_ms"] for x in facts.results("hosts_cpu")["lines"]}
    return f"{steps['two hosts']:.1f} ms a step, and one process {steps['one process']:.1f} ms"


def _thousand() -> str:
    if not (facts.RESULTS / "cluster.json").exists():
        return "Not measured yet.\n"
    lines = {x["who"]: x for x in facts.results("cluster")["lines"] if "who" in x}
    return facts.table(["", "figure", "from"], list(_rows(lines)))


def _rows(lines: dict[str, Any]) -> list[tuple[str, str, str]]:
    ray, dummies, learner = lines["ray"], lines["dummies"], lines["learner"]
    database = lines["database"]
    g = ray["games_per_s"] / ray["actors"]
    per_request = 2 * ray["pairs"] * ray["matches"] / ray["shards"]
    b, w = ray["result_bytes"] / per_request, ray["weights_bytes"]
    p, rate = learner["positions_per_game"], dummies["requests_per_s"]
    transaction = database["seconds"] / database["matches"]
    games = _ACTORS * g
    return [
        ("games a second, A·g", f"{games:,.0f}", f"g = {g:.1f} of one actor"),
        (
            "requests a second, A/T",
            f"{_ACTORS / _REQUEST:.1f}",
            f"T = {_REQUEST:.0f} s; the trainer's process handles {rate:,.0f}",
        ),
        (
            "shortest request, A/R",
            f"{_ACTORS / rate:.1f} s, {g * _ACTORS / rate:.0f} games",
            f"R = {rate:,.0f} requests a second",
        ),
        (
            "results into the trainer, and from it into the store, A·g·b",
            f"{games * b / 1e6:,.1f} MB/s",
            f"b = {b:,.0f} bytes a game",
        ),
        (
            "weights out of the store, a generation, A·w",
            f"{_ACTORS * w / 1e6:,.0f} MB",
            f"w = {w:,} bytes",
        ),
        (
            "positions that a learner would have to take in a second, A·g·p",
            f"{games * p:,.0f}",
            f"p = {p} a game; one with {learner['devices']} core(s) takes "
            f"{learner['positions_per_s']:,.0f}",
        ),
        (
            "transaction of a generation of 10,000 matches",
            f"{10_000 * transaction:.1f} s",
            f"{transaction * 1000:.2f} ms for {database['pairs']} pairs and their match",
        ),
    ]
