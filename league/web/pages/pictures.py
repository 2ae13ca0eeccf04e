"""Pictures of the games, a few moves into each."""

import asyncio
import random
from concurrent.futures import Future

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from league.web import site, titles
from league.web.site import Site
from league.web.work import Job

router = APIRouter()

_HEADERS = {"Cache-Control": "max-age=3600"}
_PLIES = 14


@router.get("/picture/{name}.svg")
async def picture(request: Request, name: str) -> Response:
    """A game's picture; the first that is asked for has all of them drawn, one after the other."""
    here = site.of(request)
    if name not in titles.native():
        raise HTTPException(404, "there is no such picture")
    if not here.pictures:
        here.pictures.update({game: Future() for game in titles.native()})
        here.worker.submit("pictures", _draw_all(here))
    drawn = await asyncio.wrap_future(here.pictures[name])
    return Response(drawn, media_type="image/svg+xml", headers=_HEADERS)


def _draw_all(here: Site) -> Job[None]:
    import games
    from arena.play.session import Session

    for name, future in here.pictures.items():
        session, choose = Session(games.load(name), seed=1), random.Random(3)
        for _ in range(min(_PLIES, session.game.typical_plies // 2)):
            if session.over:
                break
            session.push(choose.choice(list(session.legal_moves.values())))
        seat = max(session.seat, 0)
        future.set_result(session.drawing(seat))
        yield None
