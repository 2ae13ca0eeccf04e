"""Ratings: how strong the snapshots of a run are, and how far one number says so."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from league.web import runs, site
from league.web.leagues import leagues, list_runs
from league.web.site import Entry
from league.web.work import once

ENTRY = Entry("Ratings", "/ratings", 60, "How strong every snapshot is, who beats whom, champions.")
router = APIRouter()


@router.get("/ratings")
async def ratings(request: Request) -> HTMLResponse:
    """The runs there are."""
    here = site.of(request)
    listed = await here.worker.run(request, once(lambda: list_runs(here.settings.folder)))
    return here.page(request, "ratings.html", {"runs": listed})


@router.get("/ratings/{name}")
async def rating(request: Request, name: str) -> HTMLResponse:
    """The ratings of one run."""
    here, shared = site.of(request), leagues(request)
    found = runs.folder(here.settings.folder, name)
    await here.worker.run(request, once(lambda: None))  # what it takes is loaded there
    parts = await shared.reports.get(found)
    values = {"name": found.name, "parts": parts.values, "generation": parts.generation}
    return here.page(request, "rating.html", values)
