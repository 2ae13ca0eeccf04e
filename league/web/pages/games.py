"""Games: a browser of all that were recorded, and their replay."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from arena.errors import UserError, whole_number
from league.web import site
from league.web.site import Entry, Site
from league.web.work import Job

if TYPE_CHECKING:
    from arena.play.records import GameFilter
    from league.web import recorded

ENTRY = Entry("Games", "/games", 50, "Browse recorded games and replay them with their values.")
router = APIRouter()

_ON_A_PAGE = 50
_RESULTS = {"1-0": "first won", "0-1": "second won", "draw": "drawn", "*": "unfinished"}
"""As `GameFilter` has them, and in words."""


@router.get("/games")
async def browse(request: Request) -> HTMLResponse:
    """The games that fit the filters."""
    here, asked = site.of(request), dict(request.query_params)
    shown = await here.worker.run(request, _browse(here, asked))
    return here.page(request, "games.html", shown)


@router.get("/games/replay")
async def replay(request: Request) -> HTMLResponse:
    """A game, at one of its positions."""
    here, asked = site.of(request), dict(request.query_params)
    shown = await here.worker.run(request, _replay(here, asked))
    return here.page(request, "replay.html", shown)


@router.get("/games/board")
async def board(request: Request) -> Response:
    """The picture of one position of a game."""
    here, asked = site.of(request), dict(request.query_params)
    svg = await here.worker.run(request, _board(here, asked))
    return Response(svg, media_type="image/svg+xml")


def _recorded(here: Site) -> "recorded.Recorded":
    """The recorded games of a server; called in the thread that computes."""
    from league.web import service

    return service.of(here).recorded


def _browse(here: Site, asked: Mapping[str, str]) -> Job[dict[str, Any]]:
    for _ in _recorded(here).read():
        yield {}
    entries = _recorded(here).entries
    wanted, game, run = _wanted(asked), asked.get("game", ""), asked.get("run", "")
    fitting = [
        entry
        for entry in entries
        if game in ("", entry.kept.game) and run in ("", entry.run) and wanted.holds(entry.kept)
    ]
    page = whole_number(asked.get("page", "1"), 1) or 1
    start = (page - 1) * _ON_A_PAGE
    kept = {key: value for key, value in asked.items() if value and key != "page"}
    yield {
        "asked": {key: asked.get(key, "") for key in ("game", "run", "agent", "result", "gen")},
        "games": sorted({entry.kept.game for entry in entries}),
        "runs": sorted({entry.run for entry in entries if entry.run}),
        "results": _RESULTS,
        "rows": [_row(entry) for entry in fitting[start : start + _ON_A_PAGE]],
        "count": len(fitting),
        "all": len(entries),
        "page": page,
        "before": urlencode({**kept, "page": page - 1}) if page > 1 else "",
        "after": urlencode({**kept, "page": page + 1}) if len(fitting) > start + _ON_A_PAGE else "",
        "faults": _recorded(here).faults,
    }


def _wanted(asked: Mapping[str, str]) -> "GameFilter":
    """The games that are asked for, but for what they are and where.

    Raises:
      UserError: there is no such result, or generation.
    """
    from arena.play.records import GameFilter

    text, agent = asked.get("gen", "").strip(), asked.get("agent", "").strip()
    generation = whole_number(text) if text else None
    if text and generation is None:
        raise UserError(f"a generation is a whole number, not {text!r:.40}")
    return GameFilter(generation, (agent,) if agent else (), asked.get("result", ""))


def _row(entry: "recorded.Entry") -> dict[str, Any]:
    from league.cli import recording

    kept = entry.kept
    return {
        "address": "/games/replay?" + urlencode({"file": entry.file, "number": entry.number}),
        "game": kept.game,
        "first": kept.players[0].name,
        "second": kept.players[1].name,
        "result": recording.result(kept),
        "moves": len(kept.moves),
        "generation": "" if entry.generation is None else entry.generation,
        "date": kept.date[:10],
        "file": entry.file,
        "number": entry.number,
    }


def _find(here: Site, asked: Mapping[str, str]) -> "recorded.Replay":
    """The game that an address names, of those that have been read."""
    number = whole_number(asked.get("number", "1"), 1)
    if number is None:
        raise UserError("the number of a game is a whole number from 1 on")
    return _recorded(here).replay(asked.get("file", ""), number)


def _replay(here: Site, asked: Mapping[str, str]) -> Job[dict[str, Any]]:
    for _ in _recorded(here).read():
        yield {}
    found = _find(here, asked)
    kept, row, last = found.entry.kept, _row(found.entry), len(found.seats)
    ply = min(whole_number(asked.get("ply", str(last))) or 0, last)
    view = {
        "file": row["file"],
        "number": row["number"],
        "ply": ply,
        "moves": list(kept.moves),
        "seats": list(found.seats),
        "values": found.values(),
        "visits": [note.visits if note else None for note in kept.notes],
        "players": [player.name for player in kept.players],
        "result": row["result"],
        "by": _author(found.entry),
    }
    yield {
        "row": row,
        "run": found.entry.run,
        "board": found.picture(ply),
        "view": view,
        "analyse": _analyse(found),
        "about": _about(found.entry),
    }


def _author(entry: "recorded.Entry") -> str:
    """Whose values a game has: a showcase those of one network; "" if of each player."""
    tags = entry.kept.tags
    return f"{tags.get('run', entry.run)}:{entry.generation}" if "showcase" in tags else ""


def _about(entry: "recorded.Entry") -> list[tuple[str, str]]:
    """What else the file says of a game."""
    kept = entry.kept
    one, two = (player.digest[:12] for player in kept.players)
    known = {
        "date": kept.date,
        "seed": "" if kept.seed is None else str(kept.seed),
        "start": kept.start,
        "weights of first": one,
        "weights of second": two,
        **{str(key): str(value) for key, value in kept.tags.items()},
    }
    return [(key, value) for key, value in known.items() if value]


def _analyse(found: "recorded.Replay") -> str:
    """The address at which the game is analysed; "" for games that are not."""
    kept, game = found.entry.kept, found.game
    if not game.searchable or not game.on_device or game.num_outcomes:
        return ""
    values = {"game": kept.game, "start": kept.start, "moves": ",".join(kept.moves)}
    return "/analyse?" + urlencode({key: value for key, value in values.items() if value})


def _board(here: Site, asked: Mapping[str, str]) -> Job[str]:
    for _ in _recorded(here).read():
        yield ""
    found = _find(here, asked)
    ply = whole_number(asked.get("ply", "0"), most=len(found.seats))
    if ply is None:
        raise UserError(f"the game has positions 0 to {len(found.seats)}")
    yield found.picture(ply)
