"""What the pages of runs share."""

from pathlib import Path
from typing import Any

from starlette.requests import Request

from arena.errors import UserError
from league.web import runs, site
from league.web.follow import Followed
from league.web.report import Reports
from league.web.trainings import Trainings


class Leagues:
    """The runs of a server.

    Args:
      place: the folder in which they lie.

    Attributes:
      followed: what is told of them while pages are open.
      trainings: those that the server has started.
      reports: their plots and tables.
    """

    def __init__(self, place: Path):
        self.followed, self.trainings, self.reports = Followed(place), Trainings(place), Reports()


def leagues(request: Request) -> Leagues:
    """Those of the server that is asked."""
    state = request.app.state
    if not hasattr(state, "leagues"):
        state.leagues = Leagues(site.of(request).settings.folder)
    return state.leagues


def list_runs(place: Path) -> list[dict[str, Any]]:
    """The runs of a folder, as lists show them; one that is damaged says so."""
    listed = []
    for name in runs.names(place):
        try:
            look = runs.look(place, name)
        except UserError as error:
            listed.append({"name": name, "game": "", "learner": "", "state": "", "words": error})
            continue
        card = look.card
        entry = {"name": name, "state": look.state, "words": look.words}
        listed.append({**entry, "game": card["game"], "learner": card["learner"]})
    return listed
