"""Watch: agents play live; a reload misses nothing."""

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from arena.errors import UserError, whole_number
from league.web import events, query, site, titles
from league.web.shows import Running
from league.web.site import Entry, Site
from league.web.work import once

router = APIRouter()
ENTRY = Entry("Watch", "/watch", 3, "Two agents play live, or a round robin grows its table.")

_MOST_AGENTS = 8
_MOST_GAMES = 100
_MOST_IN_ALL = 400
_MOST_PLIES = 40


@router.get("/watch")
async def watch(request: Request) -> Response:
    """The form that begins a show; without a game, the games."""
    here, name = site.of(request), request.query_params.get("game", "")
    if not name:
        shown = {"games": [(game, titles.title(game)) for game in titles.native()]}
        return here.page(request, "watch_games.html", shown)
    asked = query.read({"game": name})
    choices = await here.worker.run(request, once(lambda: _choices(here, asked.game)))
    shown = {"game": name, "title": titles.title(name), "choices": choices, "most": _MOST_AGENTS}
    return here.page(request, "watch_setup.html", shown)


@router.post("/watch/start")
async def start(request: Request) -> Response:
    """Starts a show, and goes to its page."""
    here, form = site.of(request), await request.form()
    agents = tuple(str(value) for value in form.getlist("agent") if value)
    if not 2 <= len(agents) <= _MOST_AGENTS:
        raise UserError(f"two to {_MOST_AGENTS} agents play, not {len(agents)}")
    values = {key: str(form.get(key) or "") for key in ("game", "limit", "games", "plies")}
    games = _number(values["games"] or "1", 1, _MOST_GAMES, "games of a pairing")
    pairings = len(agents) * (len(agents) - 1) // 2
    if pairings * games > _MOST_IN_ALL:
        raise UserError(f"these are {pairings * games} games; {_MOST_IN_ALL} can be watched")
    plies = _number(values["plies"] or "0", 0, _MOST_PLIES, "random moves of an opening")
    asked = query.read(values)
    wanted = asked.game, agents, games, plies, asked.limit
    show = await here.worker.run(request, once(lambda: _show(here, *wanted)))
    name = here.shows.start(
        here.worker, request.state.visitor, show, lambda: _watching().play(here, show)
    )
    return RedirectResponse(f"/watch/{name}", 303)


@router.get("/watch/{name}")
def show(request: Request, name: str) -> Response:
    """The page of a show."""
    running = _find(request, name)
    plan = running.show.programme
    shown = {
        "name": name,
        "plan": plan,
        "title": titles.title(plan.game),
        "mine": running.visitor == request.state.visitor,
    }
    return site.of(request).page(request, "watch.html", shown)


@router.get("/watch/{name}/events")
async def follow(request: Request, name: str) -> StreamingResponse:
    """All that has happened in a show, and what will."""
    channel = _find(request, name).show.channel
    return events.stream(channel.follow(events.last_id(request)))


@router.get("/watch/{name}/board")
def board(request: Request, name: str) -> JSONResponse:
    """The position as it stands."""
    now = _find(request, name).show
    found = {"board": now.board, "last": list(now.last), "ply": now.made, "address": now.address}
    return JSONResponse(found)


@router.post("/watch/{name}/stop")
def stop(request: Request, name: str) -> JSONResponse:
    """Ends a show, if it is the visitor's."""
    running = _find(request, name)
    if running.visitor != request.state.visitor:
        raise HTTPException(403, "who started it may stop it")
    running.ticket.cancel()
    return JSONResponse({"stopped": True})


def _find(request: Request, name: str) -> Running:
    found = site.of(request).shows.kept.get(name)
    if found is None:
        raise HTTPException(404, "there is no such game; it may have been long ago")
    return found


def _number(text: str, least: int, most: int, what: str) -> int:
    number = whole_number(text, least, most)
    if number is None:
        raise UserError(f"the {what} lie between {least} and {most}, not {text!r:.20}")
    return number


def _show(here: Site, game: str, agents: tuple[str, ...], games: int, plies: int, limit: str):
    from league.web import service

    found = service.of(here)
    rules = found.lines.game(game)
    for agent in agents:  # what is wrong with one is said at once
        found.opponents.get(agent, rules)
    watching = _watching()
    return watching.Show(watching.Programme(game, agents, games, plies, limit))


def _choices(here: Site, name: str):
    from league.web import service

    found = service.of(here)
    return found.catalogue.agents(name, found.lines.game(name))


def _watching():
    """What needs JAX; called in the thread that computes."""
    from league.web import watching

    return watching
