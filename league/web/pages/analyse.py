"""Analyse: what agents find out about a position, and along a game."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Form, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from arena.errors import UserError, whole_number
from league.web import events, query, site, titles
from league.web.query import Query
from league.web.site import Entry, Site
from league.web.work import Job, once

if TYPE_CHECKING:
    from league.web.catalogue import Choice

router = APIRouter()
ENTRY = Entry(
    "Analyse", "/analyse", 2, "Any position: prior, visits and value of its moves, side by side."
)

Asked = Annotated[dict[str, str], Body()]


@router.get("/analyse")
async def analyse(request: Request) -> Response:
    """The board of a game with its analyses; without a game, a form to load one."""
    here, values = site.of(request), dict(request.query_params)
    if not values.get("game"):
        shown = {"games": [(name, titles.title(name)) for name in titles.native()]}
        return here.page(request, "analyse_load.html", shown)
    asked, ply = query.read(values), whole_number(values.get("ply", ""))
    view, choices = await here.worker.run(request, once(lambda: _open(here, asked, ply)))
    agent = asked.agent or (choices[0].name if choices else "")
    shown = {
        "query": asked,
        "view": view,
        "choices": choices,
        "agent": agent,
        "other": values.get("other", ""),
        "title": titles.title(asked.game),
    }
    return here.page(request, "analyse.html", shown)


@router.post("/analyse/load")
async def load(
    request: Request,
    game: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    number: Annotated[str, Form()] = "1",
    file: UploadFile | None = None,
) -> Response:
    """Reads a position or a game, and goes to its address."""
    here = site.of(request)
    name, content = "", text.encode()
    if file is not None and file.filename:
        name, content = file.filename, await file.read()
    which = whole_number(number or "1", 1)
    if which is None:
        raise UserError("the number of the game in its file is a whole number from 1 on")
    job = once(lambda: _loading().load(here, game, name=name, content=content, number=which))
    found = await here.worker.run(request, job)
    return RedirectResponse(f"/analyse?{found.text('seat', 'limit')}", 303)


@router.post("/analyse/look")
async def look(request: Request, asked: Asked) -> JSONResponse:
    """A position of a game."""
    return await _run(
        request, asked, lambda here, at, ply: once(lambda: _analysing().look(here, at, ply))
    )


@router.post("/analyse/move")
async def move(request: Request, asked: Asked) -> JSONResponse:
    """The game with another move."""
    text = asked.get("move", "")[:100]
    return await _run(
        request,
        asked,
        lambda here, at, ply: once(lambda: _analysing().push(here, at, ply or 0, text)),
    )


@router.get("/analyse/live")
async def live(request: Request) -> StreamingResponse:
    """Events of analyses that grow, by `agent` and `other`."""
    here, values = site.of(request), dict(request.query_params)
    asked, ply = query.read(values), whole_number(values.get("ply", "")) or 0
    agents = _agents(values)
    return _stream(request, lambda: _analysing().live(here, asked, ply, agents))


@router.get("/analyse/along")
async def along(request: Request) -> StreamingResponse:
    """Events of the values along a game, by `agent` and `other`."""
    here, values = site.of(request), dict(request.query_params)
    asked, agents = query.read(values), _agents(values)
    return _stream(request, lambda: _analysing().along(here, asked, agents))


def _agents(values: dict[str, str]) -> list[str]:
    return [values.get("agent", ""), *filter(None, [values.get("other", "")])]


def _stream(request: Request, make: Callable[[], Job[tuple[int, Any]]]) -> StreamingResponse:
    """What a job finds as events: the agent's place, and what it found."""

    def job() -> Job[Any]:
        yield from make()

    channel = events.Channel()

    def publish(found: tuple[int, Any]) -> None:
        place, what = found
        channel.publish("found", {"place": place, **what})

    here = site.of(request)
    ticket = here.worker.submit(request.state.visitor, job(), callback=publish, heavy=True)
    ticket.future.add_done_callback(lambda future: channel.end(future))
    return events.stream(channel.follow(), ended=ticket.cancel)


async def _run(
    request: Request, asked: Asked, make: Callable[[Site, Query, int | None], Job[Any]]
) -> JSONResponse:
    here = site.of(request)
    at, ply = query.read(query.parse(asked.get("search", ""))), whole_number(asked.get("ply", ""))
    return JSONResponse(await here.worker.run(request, make(here, at, ply)))


def _open(here: Site, asked: Query, ply: int | None) -> "tuple[Any, list[Choice]]":
    from league.web import service

    found = service.of(here)
    choices = found.catalogue.agents(asked.game, found.lines.game(asked.game))
    able = [choice for choice in choices if choice.searches or choice.name.startswith("mcts:")]
    return _analysing().look(here, asked, ply), able


def _analysing():
    """What needs JAX; called in the thread that computes."""
    from league.web import analysing

    return analysing


def _loading():
    from league.web import loading

    return loading
