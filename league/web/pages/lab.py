"""The laboratory: a shelf of experiments with their plots, run from the page."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from arena.errors import UserError
from league.web import site
from league.web.laboratory import Laboratory
from league.web.site import Entry
from league.web.work import once

if TYPE_CHECKING:
    from league.lab.experiment import Experiment

ENTRY = Entry(
    "Laboratory", "/lab", 70, "When self-improvement works and how it breaks: run experiments."
)
router = APIRouter()


@router.get("/lab")
async def shelf(request: Request) -> HTMLResponse:
    """All experiments with how their last runs here ended."""
    here = site.of(request)
    chapters = await here.worker.run(request, once(lambda: _shelf(_laboratory(request))))
    return here.page(request, "lab.html", {"chapters": chapters})


@router.get("/lab/{name}")
async def look(request: Request, name: str) -> HTMLResponse:
    """An experiment: its words, and figures and plots of its last run here."""
    here = site.of(request)
    found = await here.worker.run(request, once(lambda: _look(_laboratory(request), name)))
    state = _laboratory(request).look(name).shown()
    return here.page(request, "experiment.html", {"name": name, "state": state, **found})


@router.get("/lab/{name}/progress")
async def progress(request: Request, name: str) -> JSONResponse:
    """How far it is."""
    here = site.of(request)
    await here.worker.run(request, once(lambda: _find(name)))
    return JSONResponse(_laboratory(request).look(name).shown())


@router.post("/lab/{name}/start")
async def start(request: Request, name: str) -> Response:
    """Runs it, in its full or its quick size."""
    here, form = site.of(request), await request.form()
    await here.worker.run(request, once(lambda: _find(name)))
    _laboratory(request).start(name, quick=form.get("size") == "quick")
    return RedirectResponse(f"/lab/{name}", 303)


@router.post("/lab/{name}/stop")
async def stop(request: Request, name: str) -> Response:
    """Stops one that was started here; what is done is kept."""
    here = site.of(request)
    await here.worker.run(request, once(lambda: _find(name)))
    _laboratory(request).stop(name)
    return RedirectResponse(f"/lab/{name}", 303)


def _laboratory(request: Request) -> Laboratory:
    """That of the server that is asked, made when it is first asked for."""
    state = request.app.state
    if not hasattr(state, "laboratory"):
        state.laboratory = Laboratory(site.of(request).settings.folder)
    return state.laboratory


def _find(name: str) -> "Experiment[Any]":
    """An experiment; never one whose name would load code."""
    from league.lab import names

    for one in names.every():
        if one.name == name:
            return one
    raise UserError(f"there is no experiment {name!r:.50}")


def _shelf(laboratory: Laboratory) -> dict[str, list[dict[str, Any]]]:
    """Experiments by chapter."""
    from league.lab import names, rows, store

    found: dict[str, list[dict[str, Any]]] = {}
    for one in names.every():
        result = store.last_result(one.name, laboratory.folder)
        found.setdefault(str(one.chapter), []).append(
            {
                "name": one.name,
                "title": one.title,
                "claim": one.claim,
                "minutes": one.minutes,
                "words": rows.summary(result) if result else "not run here yet",
                "running": laboratory.look(one.name).running,
            }
        )
    return found


def _look(laboratory: Laboratory, name: str) -> dict[str, Any]:
    """What the page of an experiment shows."""
    from league.lab import page, store

    one = _find(name)
    result = store.last_result(name, laboratory.folder)
    words = {
        "title": one.title,
        "chapter": one.chapter,
        "claim": one.claim,
        "minutes": one.minutes,
        "sections": page.sections(one),
    }
    return {**words, "parts": page.parts(one, result) if result else None}
