"""The names of games and agents that a visitor may use.

On the command line a name may load code (`policy:./mine.py`, `pettingzoo:./my_game.py`) or take any
amount of work. Here only what the person who started the server has named does the former, and
nothing the latter.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from arena.errors import UserError
from games import Game
from league.web.site import Settings
from league.web.work import MOST_SIMULATIONS

_JUDGE = re.compile(r"rules|solver|self(:lag=\d{1,6})?|flipped:[01]?\.?\d{1,6}")
_CUT = re.compile(r"adjudicated:\d{1,6},by=(.+)")
_LEARNT = re.compile(r"(learned:.+?)(,pessimism=\d{1,3}(\.\d{1,6})?)?")
_MOST_FILES = 200
_RUN = re.compile(r"[\w=+-][\w.=+-]*(:(\d{1,9}(e\d{1,3})?|champion))?")
_OPTIONS = re.compile(r"[a-z_]+=[a-z0-9_.]+(,[a-z_]+=[a-z0-9_.]+)*")
_ENGINES = {
    "mcts": {"": MOST_SIMULATIONS},
    "openspiel_mcts": {"": MOST_SIMULATIONS},
    "stockfish": {"nodes": 1_000_000, "depth": 15, "skill": 20},
    "gnugo": {"level": 10},
    "gnubg": {"plies": 2},
    "grhino": {"level": 5},
}
"""Agents of Arena by name, their options, and the most that each may be."""
_ESTIMATING = ("stockfish", "gnugo", "gnubg")
"""Of these, those that judge, too."""


def check_agent(spec: str, allowed: Sequence[str], folder: Path) -> str:
    """An agent's name, as it was given.

    Args:
      spec: what a visitor asks for.
      allowed: names that the command line gave.
      folder: where runs lie.

    Raises:
      UserError: it may not be used here, or there is no such run.
    """
    if spec in allowed or spec == "uniform" or re.fullmatch(r"pretrained:[\w:=,.-]{1,99}", spec):
        return spec
    kind, _, argument = spec.partition(":")
    if kind in _ENGINES:
        _check_engine(kind, argument)
        return spec
    if _RUN.fullmatch(spec) and (folder / kind / "run.json").is_file():
        return spec
    raise UserError(f"there is no agent {spec!r:.99} here")


def _check_engine(kind: str, argument: str) -> None:
    known = _ENGINES[kind]
    for part in filter(None, argument.split(",")):
        key, _, text = part.rpartition("=")
        if key not in known or not text.isascii() or not text.isdecimal():
            raise UserError(f"{kind} cannot be used with {part!r:.50} here")
        if len(text) > 9 or int(text) > known[key]:
            raise UserError(f"{kind}: {key or 'its number'} is at most {known[key]:,} here")


def check_game(spec: str, allowed: Sequence[str], native: Sequence[str]) -> str:
    """A game's name, as it was given.

    Args:
      spec: what a visitor asks for.
      allowed: names that the command line, or a run here, gave.
      native: the games of Arena.

    Raises:
      UserError: it may not be used here.
    """
    name, _, options = spec.partition(":")
    if spec in allowed or (
        name in native and (not options or _OPTIONS.fullmatch(options)) and len(spec) < 100
    ):
        return spec
    raise UserError(f"there is no game {spec!r:.99} here; there are: {', '.join(native)}")


def judges(settings: Settings) -> list[str]:
    """Names of judges to choose from, those that lie in files by these.

    Learnt ones are those that `arena judge train` has written beside the folder of the runs, or
    into the folder `judges` there.
    """
    people = [f"human:{path}" for path in sorted(settings.verdicts.glob("*.jsonl"))]
    learnt = [f"learned:{path}" for path in _learnt(settings.folder.parent)]
    return ["rules", "flipped:0.1", "self", "self:lag=4", "solver", *learnt, *people]


def _learnt(place: Path) -> list[Path]:
    """Files of learnt judges."""
    from agents.judges import learned  # which loads networks

    found = [*sorted(place.glob("*.npz")), *sorted((place / "judges").glob("*.npz"))]
    return [path for path in found[:_MOST_FILES] if learned.read_card(path)]


def check_judge(spec: str, settings: Settings, game: Game) -> str:
    """A judge's name, as it was given.

    Args:
      spec: what a visitor asks for.
      settings: of the server.
      game: what is to be judged.

    Raises:
      UserError: it may not be used here, or was learnt on another game.
    """
    cut = _CUT.fullmatch(spec)
    if cut and cut[1] != "rules":
        check_judge(cut[1], settings, game)
        return spec
    offered, learnt = judges(settings), _LEARNT.fullmatch(spec)
    if learnt and learnt[1] in offered:
        _check_learnt(learnt[1].partition(":")[2], game)
        return spec
    if _JUDGE.fullmatch(spec) or spec in offered:
        return spec
    kind, _, argument = spec.partition(":")
    if kind in _ESTIMATING:
        _check_engine(kind, argument)
        return spec
    raise UserError(
        f"there is no judge {spec!r:.50} here: {', '.join(offered)}, or adjudicated:PLIES,by=JUDGE"
    )


def _check_learnt(path: str, game: Game) -> None:
    from agents.judges import learned  # which loads networks

    learned.check_game(path, learned.read_card(Path(path)), game)
