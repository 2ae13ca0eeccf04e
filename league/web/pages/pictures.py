"""Pictures of the games, a few moves into each."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from league.web import site, titles
from league.web.work import once

router = APIRouter()


@router.get("/picture/{name}.svg")
async def picture(request: Request, name: str) -> Response:
    """A game's picture: that which comes with Arena, else its first position, drawn now.

    The former are made by `docs/generate/web_pictures.py`.
    """
    if name in titles.native() and (site.STATIC / "pictures" / f"{name}.svg").exists():
        return RedirectResponse(site.static(f"pictures/{name}.svg"))
    drawn = await site.of(request).worker.run(request, once(lambda: _draw(request, name)))
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


def _draw(request: Request, name: str) -> str:
    from arena.play.session import Session
    from league.web import service

    session = Session(service.of(site.of(request)).lines.game(name))
    return session.drawing(max(session.seat, 0))
