"""The front page."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from league.web import site

router = APIRouter()


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """What there is."""
    return site.of(request).page(request, "home.html", {})


@router.get("/ready")
def ready(request: Request) -> JSONResponse:
    """Whether JAX is loaded."""
    return JSONResponse({"ready": site.of(request).worker.ready})
