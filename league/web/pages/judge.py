"""Judge: a person says who stands better, or what is better played, for `--judge human:FILE`."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from league.web import query, site, titles
from league.web.site import Entry
from league.web.work import once

if TYPE_CHECKING:
    from league.web.judging import Desks

router = APIRouter()
ENTRY = Entry("Judge", "/judge", 55, "Say who stands better; a league trains by what people say.")

Asked = Annotated[dict[str, str], Body()]
"""`game`, `file`, `kind`, `who`, and what is wanted."""


@router.get("/judge")
async def judge(request: Request) -> Response:
    """The questions on a game; without a game, a form."""
    here, values = site.of(request), dict(request.query_params)
    if not values.get("game"):
        shown = await here.worker.run(request, once(lambda: _offers(request)))
        return here.page(request, "judge_setup.html", shown)
    game = query.read({"game": values["game"]}).game
    desk = await here.worker.run(request, once(lambda: _check(request, values)))
    shown = {"game": game, "title": titles.title(game), "who": values.get("who", ""), **desk}
    return here.page(request, "judge.html", shown)


@router.post("/judge/next")
async def following(request: Request, asked: Asked) -> JSONResponse:
    """A question."""
    return await _run(request, asked, "ask")


@router.post("/judge/answer")
async def answer(request: Request, asked: Asked) -> JSONResponse:
    """Keeps an answer; the next question."""
    return await _run(request, asked, "answer")


@router.post("/judge/position")
async def position(request: Request, asked: Asked) -> JSONResponse:
    """A position of a game that is compared."""
    return await _run(request, asked, "picture")


async def _run(request: Request, asked: Asked, name: str) -> JSONResponse:
    here = site.of(request)

    def call() -> Any:
        return getattr(_judging(), name)(here, _desks(request), asked)

    return JSONResponse(await here.worker.run(request, once(call)))


def _check(request: Request, values: dict[str, str]) -> dict[str, str]:
    """The file and the kind of an address, if there can be questions by it."""
    judging = _judging()
    file = _desks(request).desk(site.of(request), values).asking.judge.file.path
    return {"file": file.stem, "kept": str(file), "kind": judging.kind_of(values)}


def _offers(request: Request) -> dict[str, Any]:
    """What the form offers."""
    import games

    names = [name for name in games.names() if _asks(games.load(name))]
    listed = [(name, titles.title(name)) for name in names]
    return {"games": listed, "files": _desks(request).files()}


def _asks(game: Any) -> bool:
    return game.on_device and game.perfect_information


def _desks(request: Request) -> "Desks":
    """Those of the server that is asked; called in the thread that computes."""
    state, here = request.app.state, site.of(request)
    if not hasattr(state, "desks"):
        state.desks = _judging().Desks(here.settings)
    return state.desks


def _judging():
    """What needs JAX; called in the thread that computes."""
    from league.web import judging

    return judging
