"""Puts the web app together."""

import asyncio
import importlib
import os
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from arena.errors import UserError
from league.web import pages, site
from league.web.security import Guard
from league.web.site import Entry, Settings, Site
from league.web.visitors import Visitors
from league.web.work import Busy, Worker

_HEAD_START = 1.0
"""Seconds after which JAX is loaded, if no page has asked for it before."""


def create(settings: Settings) -> FastAPI:
    """The app; its thread that computes runs as long as the app is served.

    Args:
      settings: what the command line says.
    """
    shared = Site(settings, Worker(_prepare))
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        middleware=[
            Middleware(Guard, host=settings.host),
            Middleware(Visitors, secret=shared.secret),
        ],
    )
    app.state.site = shared
    for module in pkgutil.iter_modules(pages.__path__):
        page = importlib.import_module(f"{pages.__name__}.{module.name}")
        app.include_router(page.router)
        entry = getattr(page, "ENTRY", None)
        if isinstance(entry, Entry):
            shared.menu.append(entry)
    shared.menu.sort(key=lambda entry: entry.order)
    app.mount("/static", _Static(directory=site.STATIC))
    app.add_exception_handler(UserError, _explain)
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(RequestValidationError, _misunderstand)
    app.add_exception_handler(Exception, _fault)
    return app


def _prepare() -> None:
    """Loads JAX; in the thread that computes, so that the first pages do not wait for it."""
    from league.cli import device

    device.prepare()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    shared = app.state.site
    # Loading JAX slows all else down; who opens the page at once gets it at once.
    asyncio.get_running_loop().call_later(_HEAD_START, shared.worker.start)
    yield
    shared.worker.close()
    for close in shared.closing:
        close()


class _Static(StaticFiles):
    """Files whose addresses change with their content."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if path in site.SHARED:
            return str(site.SHARED[path]), site.SHARED[path].stat()
        return super().lookup_path(path)

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if scope["query_string"]:
            answer.headers["Cache-Control"] = "max-age=31536000, immutable"
        return answer


async def _explain(request: Request, error: Exception) -> Response:
    """One clear line: as a page to who wants one, else as JSON."""
    if isinstance(error, HTTPException):
        status, text = error.status_code, str(error.detail)
        if status == 404 and text == "Not Found":
            text = "there is no such page"
    else:
        status, text = 503 if isinstance(error, Busy) else 400, str(error)
    return _say(request, status, " ".join(text.split()))


async def _misunderstand(request: Request, error: Exception) -> Response:
    return _say(request, 422, "this is not what is sent here")


async def _fault(request: Request, error: Exception) -> Response:
    return _say(request, 500, f"internal error: {type(error).__name__}")


def _say(request: Request, status: int, text: str) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": text}, status)
    values = {"text": text, "status": status}
    return site.of(request).page(request, "error.html", values, status=status)
