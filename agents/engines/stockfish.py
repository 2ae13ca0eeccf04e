"""Stockfish (stockfishchess.org), as a process, by UCI."""

import chess.engine

from arena.engines import process
from arena.engines.uci import UCI
from games import Game
from games.chess import Chess

_MANY = range(1, 10**9 + 1)


def make(game: Game, argument: str, *, chances: bool = False) -> process.Engines:
    """The agent `stockfish:nodes=N,skill=S`, or `depth=D`; skill 20, the default, is all it has.

    Below skill 20 the engine draws lots that no seed of ours settles. `timeout=N` is how many
    seconds an answer may take, 60 by default; a search must end in that time. With `chances` it can
    also say what it expects of a position.

    Raises:
      ValueError: there is no such option, neither nodes nor depth are given, the game is not chess,
        or it is not installed.
    """
    known = process.options(
        "stockfish",
        argument,
        nodes=_MANY,
        depth=range(1, 101),
        skill=range(21),
        timeout=process.TIMEOUTS,
    )
    timeout = known.pop("timeout", process.TIMEOUT)
    if not isinstance(game, Chess):
        raise ValueError("stockfish plays chess, and nothing else")
    if not {"nodes", "depth"} & set(known):
        raise ValueError("stockfish must be told when to stop, as in stockfish:nodes=1000")
    program = process.find("stockfish", "stockfish")
    limit = chess.engine.Limit(nodes=known.get("nodes"), depth=known.get("depth"))
    settings = {"Threads": 1, "Hash": 16, "Skill Level": known.get("skill", 20)}
    if chances:
        settings["UCI_ShowWDL"] = 1
    name = "stockfish:" + ",".join(f"{key}={value}" for key, value in known.items())

    def start() -> UCI:
        return UCI(name, [program], options=settings, limit=limit, timeout=timeout)

    return process.Engines(name, start)
