"""Play: a visitor against an agent. The address is the position."""

import secrets
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from league.web import query, site, titles
from league.web.query import Query
from league.web.site import Entry, Site
from league.web.work import Job, once

if TYPE_CHECKING:
    from league.web.catalogue import Choice

router = APIRouter()
ENTRY = Entry("Play", "/play", 1, "Any snapshot, net or engine, as first or as second.")

T = TypeVar("T")
Asked = Annotated[dict[str, str], Body()]
"""An address, `search`, and what is wanted there."""


@router.get("/play")
async def play(request: Request) -> Response:
    """The games; with a game its agents; with an agent the board."""
    here, values = site.of(request), dict(request.query_params)
    if not values.get("game"):
        shown = {"games": [(name, titles.title(name)) for name in _names(here)]}
        return here.page(request, "play_games.html", shown)
    asked = query.read(values)
    if not asked.agent:
        return await _setup(request, asked)
    fresh = "seed" not in values and not asked.moves
    began, view = await here.worker.run(request, once(lambda: _open(here, asked, fresh)))
    if began != asked or "seat" not in values:
        return RedirectResponse(f"/play?{began.text()}", 303)
    shown = {"query": began, "view": view, "title": titles.title(asked.game), "seats": query.SEATS}
    return here.page(request, "play.html", shown)


@router.post("/play/look")
async def look(request: Request, asked: Asked) -> JSONResponse:
    """The position of an address."""
    return await _run(request, asked, lambda here, at: once(lambda: _playing().look(here, at)))


@router.post("/play/move")
async def move(request: Request, asked: Asked) -> JSONResponse:
    """The position after the visitor's move, `move` as typed."""
    text = asked.get("move", "")[:100]
    return await _run(
        request, asked, lambda here, at: once(lambda: _playing().move(here, at, text))
    )


@router.post("/play/answer")
async def answer(request: Request, asked: Asked) -> JSONResponse:
    """The position after the agent's move."""
    return await _run(
        request, asked, lambda here, at: _late(lambda: _playing().answer(here, at)), heavy=True
    )


@router.post("/play/hint")
async def hint(request: Request, asked: Asked) -> JSONResponse:
    """What the agent would play."""
    return await _run(
        request, asked, lambda here, at: _late(lambda: _playing().hint(here, at)), heavy=True
    )


@router.post("/play/reveal")
async def reveal(request: Request, asked: Asked) -> JSONResponse:
    """All of a position in which the game is over."""
    return await _run(request, asked, lambda here, at: once(lambda: _playing().reveal(here, at)))


@router.get("/play/record")
async def record(request: Request) -> Response:
    """The game as a file, `format` being pgn, sgf or jsonl."""
    here, values = site.of(request), dict(request.query_params)
    asked, ending = query.read(values), values.get("format", "")
    file = await here.worker.run(request, once(lambda: _saving().record(here, asked, ending)))
    head = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.kind, headers=head)


async def _setup(request: Request, asked: Query) -> Response:
    here = site.of(request)
    choices = await here.worker.run(request, once(lambda: _choices(here, asked.game)))
    groups: dict[str, list[Choice]] = {}
    for choice in choices:
        groups.setdefault(choice.group, []).append(choice)
    shown = {"query": asked, "groups": groups, "title": titles.title(asked.game)}
    return here.page(request, "play_setup.html", shown)


async def _run(
    request: Request,
    asked: Asked,
    make: Callable[[Site, Query], Job[Any]],
    *,
    heavy: bool = False,
) -> JSONResponse:
    here = site.of(request)
    at = query.read(query.parse(asked.get("search", "")))
    return JSONResponse(await here.worker.run(request, make(here, at), heavy=heavy))


def _open(here: Site, asked: Query, fresh: bool) -> tuple[Query, Any]:
    """The address, with a deal or a seed if it needs one, and its view."""
    from league.web import service

    found = service.of(here)
    game = found.lines.game(asked.game)
    chance = not game.perfect_information or game.num_outcomes or not game.on_device
    if chance and not asked.deal:
        asked = found.lines.begin(asked)
    elif fresh and not chance:
        asked = asked.change(seed=secrets.randbelow(999_999) + 1)
    found.opponents.get(asked.agent, game)
    return asked, _playing().look(here, asked)


def _choices(here: Site, name: str) -> "list[Choice]":
    from league.web import service

    found = service.of(here)
    return found.catalogue.agents(name, found.lines.game(name))


def _playing():
    """What needs JAX; called in the thread that computes."""
    from league.web import playing

    return playing


def _saving():
    from league.web import saving

    return saving


def _late(job: Callable[[], Generator[T, None, None]]) -> Job[T]:
    """A job that is made in the thread that computes."""
    yield from job()


def _names(here: Site) -> list[str]:
    return [*titles.native(), *here.settings.games]
