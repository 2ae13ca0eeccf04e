"""Leagues: starting one, and following, stopping and resuming any."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from arena.errors import SEEDS, UserError, whole_number
from league.web import events, names, runs, site, titles
from league.web.follow import brief
from league.web.leagues import leagues, list_runs
from league.web.report import Parts
from league.web.site import Entry, Site
from league.web.work import once

ENTRY = Entry("Train", "/train", 40, "Start a league, and follow, stop and resume any.")
router = APIRouter()

_LARGEST = 10**6
_SIZES = {
    "matches": "Matches side by side",
    "pairs": "Pairs of games in each",
    "learner.simulations": "Simulations a move",
    "measure.opponents": "Opponents that measure",
    "measure.pairs": "Pairs against each",
    "measure.baseline-pairs": "Pairs against uniform and MCTS",
    "measure.rollouts": "Rollouts of that MCTS",
}
"""Options of `arena train` that the form has, and what it calls them."""
_SHOWN = 200
"""Generations in the log of a page; the plots have all of them."""


@router.get("/train")
async def train(request: Request) -> HTMLResponse:
    """The form of a new league, and the runs there are."""
    here = site.of(request)
    found = await here.worker.run(request, once(lambda: _offers(here)))
    listed = await here.worker.run(request, once(lambda: list_runs(here.settings.folder)))
    return here.page(request, "train.html", {**found, "runs": listed})


@router.post("/train")
async def start(request: Request) -> Response:
    """Starts a league, and goes to its page."""
    here, form = site.of(request), await request.form()
    asked = {key: value.strip() for key, value in form.items() if isinstance(value, str)}
    arguments = await here.worker.run(request, once(lambda: _arguments(here, asked)))
    name = await here.worker.run(request, once(lambda: _named(here, asked)))
    await leagues(request).trainings.start(name, arguments)
    return RedirectResponse(f"/train/{name}", 303)


@router.get("/train/{name}")
async def follow(request: Request, name: str) -> HTMLResponse:
    """A run as it goes on."""
    here, shared = site.of(request), leagues(request)
    found = runs.folder(here.settings.folder, name)
    look = await here.worker.run(request, once(lambda: shared.followed.look(name)))
    parts = await shared.reports.get(found, patient=True)
    values = {
        "look": look,
        "shown": look.shown(),
        "rows": [brief(figures) for figures in look.figures[-_SHOWN:]],
        "older": max(0, len(look.figures) - _SHOWN),
        **_figures(parts),
    }
    return here.page(request, "run.html", values)


@router.get("/train/{name}/data")
async def data(request: Request, name: str, generation: str = "") -> HTMLResponse:
    """What a generation learnt from."""
    here = site.of(request)
    found = await here.worker.run(request, once(lambda: _data(here, name, generation)))
    return here.page(request, "data.html", found)


@router.get("/train/{name}/figures")
async def figures(request: Request, name: str) -> HTMLResponse:
    """The plots and the table of a run, a part of its page; its generation is in a header."""
    here, shared = site.of(request), leagues(request)
    found = runs.folder(here.settings.folder, name)
    await here.worker.run(request, once(lambda: None))  # what it takes is loaded there
    parts = await shared.reports.get(found, patient=True)
    answer = here.page(request, "figures.html", _figures(parts))
    answer.headers["X-Generation"] = str(parts.generation)
    return answer


@router.get("/train/{name}/events")
async def follow_events(request: Request, name: str) -> Response:
    """What happens in a run, from the generation on that the page has."""
    here, shared = site.of(request), leagues(request)
    runs.folder(here.settings.folder, name)
    run = request.query_params.get("run", "")
    template = here.templates.get_template("generation.html")

    def row(figures: Mapping[str, Any]) -> dict[str, Any]:
        shown = brief(figures)
        return {"generation": shown["generation"], "html": template.render(row=shown)}

    return events.stream(shared.followed.lines(name, events.last_id(request), run, row=row))


@router.post("/train/{name}/stop")
async def stop(request: Request, name: str) -> Response:
    """Stops a training as Ctrl-C does."""
    here, shared = site.of(request), leagues(request)
    look = await here.worker.run(request, once(lambda: runs.look(here.settings.folder, name)))
    shared.trainings.stop(look)
    return RedirectResponse(f"/train/{look.name}", 303)


@router.post("/train/{name}/resume")
async def resume(request: Request, name: str, generations: Annotated[str, Form()] = "") -> Response:
    """Goes on with a run, and to so many generations if a number is given."""
    here, shared = site.of(request), leagues(request)
    look, game = await here.worker.run(request, once(lambda: _to_resume(here, name)))
    if look.state in ("training", "busy"):
        raise UserError(f"run {look.name!r} is in use by another process")
    arguments = [game, "--resume"]
    if generations.strip():
        number = _number("Generations", generations.strip())
        if number < look.done:
            raise UserError(f"run {look.name!r} has {look.done} generations already")
        arguments += ["--generations", str(number)]
    await shared.trainings.start(look.name, arguments)
    return RedirectResponse(f"/train/{look.name}", 303)


def _data(here: Site, name: str, generation: str) -> dict[str, Any]:
    """The parts of the page of a generation's dataset.

    Raises:
      UserError: there is none, or its game is code of others.
    """
    from league.evaluation import selection
    from league.report import selection_page
    from league.store.run import Run

    found = Run(runs.folder(here.settings.folder, name))
    game, number = str(found.card["game"]), whole_number(generation, 1)
    if number is None:
        raise UserError(f"a generation is a number from 1 on, not {generation!r:.50}")
    if game.partition(":")[0] not in titles.native():
        raise UserError(f"data of {game!r:.50} is shown by arena data show {name}:{number}")
    return selection_page.parts(found, number, selection.of_generation(found, number))


def _to_resume(here: Site, name: str) -> tuple[runs.Look, str]:
    """A run as it is now, and the name of its game as it is found from here."""
    from league.store import places

    look = runs.look(here.settings.folder, name)
    return look, str(places.located(dict(look.card), here.settings.folder / name)["game"])


def _figures(parts: Parts) -> dict[str, Any]:
    return {"generation": parts.generation, "parts": parts.values}


def _offers(here: Site) -> dict[str, Any]:
    """What the form offers."""
    import games
    from agents import learners
    from arena import extensions

    return {
        "games": [*games.names(), *here.settings.games],
        "learners": extensions.names("learner", learners.builtin()),
        "judges": names.judges(here.settings),
        "sizes": _SIZES,
    }


def _arguments(here: Site, asked: Mapping[str, str]) -> list[str]:
    """Those of `arena train`: nothing that a visitor names may load code.

    Raises:
      UserError: something cannot be, or may not be asked for here.
    """
    from league.cli import names as games_by_name

    offered, game = _offers(here), asked.get("game", "")
    names.check_game(game, here.settings.games, offered["games"])
    rules = games_by_name.game(game)
    arguments = [game, *_length(asked)]
    seed = asked.get("seed", "") or "0"
    if whole_number(seed, most=SEEDS - 1) is None:
        raise UserError("seed must be a whole number below 2³²")
    arguments += ["--seed", seed]
    learner, known = asked.get("learner", ""), offered["learners"]
    if learner and learner not in known:
        raise UserError(f"there is no learner {learner!r:.50} here: {', '.join(known)}")
    judge = names.check_judge(asked.get("judge", "") or "rules", here.settings, rules)
    arguments += [*(["--learner", learner] if learner else []), "--judge", judge]
    for option, title in _SIZES.items():
        if value := asked.get(option, ""):
            arguments += [f"--{option}", str(_number(title, value))]
    return arguments


def _length(asked: Mapping[str, str]) -> list[str]:
    """How long a run is."""
    from league.settings import duration

    if asked.get("length") == "generations":
        return ["--generations", str(_number("Generations", asked.get("generations", "")))]
    time = asked.get("time", "")
    duration.seconds(time)
    return ["--time", time]


def _number(title: str, text: str) -> int:
    found = whole_number(text, 1, _LARGEST)
    if found is None:
        raise UserError(f"{title} must be a number from 1 to {_LARGEST:,}, not {text!r:.50}")
    return found


def _named(here: Site, asked: Mapping[str, str]) -> str:
    """The name of a new run: the one that is asked for, or one that is free."""
    from league.store import runs as store

    place, name = here.settings.folder, asked.get("name", "")
    if not name:
        return store.free_name(place, asked["game"])
    store.check_name(runs.check_name(name))
    if (place / name / runs.CARD).exists():
        raise UserError(f"there is a run {name!r} already")
    return name
