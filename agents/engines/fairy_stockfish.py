"""Fairy-Stockfish (fairy-stockfish.github.io), as a process, by UCI: variants of chess."""

from arena.engines import process
from arena.engines.uci_variants import VariantUCI, variant
from arena.types import HostAgent
from games import Game

_MANY = range(1, 10**9 + 1)


def make(game: Game, argument: str) -> HostAgent:
    """The agent `fairy_stockfish:nodes=N,skill=S`, or `depth=D`; skill 20, the default, is all.

    It plays animal_shogi, breakthrough and gardner_chess. Below skill 20, down to -20, the engine
    draws lots that no seed of ours settles. `timeout=N` is how many seconds an answer may take, 60
    by default; a search must end in that time.

    Raises:
      ValueError: there is no such option, neither nodes nor depth are given, it does not play the
        game, or it is not installed.
    """
    known = process.options(
        "fairy_stockfish",
        argument,
        nodes=_MANY,
        depth=range(1, 101),
        skill=range(-20, 21),
        timeout=process.TIMEOUTS,
    )
    timeout = known.pop("timeout", process.TIMEOUT)
    try:
        variant(game)
    except ValueError as error:
        raise ValueError(f"fairy_stockfish does not play this game: {error}") from None
    limits = {key: known[key] for key in ("nodes", "depth") if key in known}
    if not limits:
        raise ValueError("fairy_stockfish must be told when to stop, as in fairy_stockfish:depth=5")
    program = process.find("fairy-stockfish", "fairy-stockfish")
    go = "go " + " ".join(f"{key} {value}" for key, value in limits.items())
    settings = {"Threads": 1, "Hash": 16, "Skill Level": known.get("skill", 20)}
    name = "fairy_stockfish:" + ",".join(f"{key}={value}" for key, value in known.items())

    def start() -> VariantUCI:
        return VariantUCI(name, [program], game=game, options=settings, go=go, timeout=timeout)

    return process.Engines(name, start)
