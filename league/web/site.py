"""What all pages share: settings, the thread that computes, templates, the menu."""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from starlette.requests import Request
from starlette.responses import HTMLResponse

from league import report
from league.web import titles
from league.web.shows import Shows
from league.web.work import Worker

STATIC = Path(__file__).parent / "static"
"""Our scripts and styles."""
SHARED = {"theme.css": Path(report.__file__).parent / "theme.css"}
"""Files that the static report has, too."""


@dataclass(frozen=True)
class Entry:
    """A page in the menu.

    Attributes:
      title: what it is called.
      path: where it is.
      order: its place among the others, the lowest first.
      text: what it is for, a line of the front page.
    """

    title: str
    path: str
    order: int
    text: str


@dataclass(frozen=True)
class Settings:
    """What the command line says.

    Attributes:
      host: the address that the server is bound to.
      folder: where runs lie.
      games: names of games beside the native ones, such as envs; they may load code.
      agents: names of agents beside those of Arena and its runs; they may load code.
    """

    host: str = "127.0.0.1"
    folder: Path = Path("runs")
    games: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    @property
    def verdicts(self) -> Path:
        """Where people's verdicts lie, as the trainings that are started here name it."""
        return self.folder.parent / "verdicts"


@dataclass(eq=False)
class Site:
    """One server.

    Attributes:
      settings: of the command line.
      worker: the thread that computes; nothing else may call JAX.
      menu: the pages, filled in by `app.create`.
      secret: 32 bytes that no visitor knows.
      closing: called when the server ends.
      shows: that are watched.
    """

    settings: Settings
    worker: Worker
    menu: list[Entry] = field(default_factory=list)
    secret: bytes = field(default_factory=lambda: _secret())
    closing: list[Callable[[], None]] = field(default_factory=list)
    shows: Shows = field(default_factory=Shows)

    @cached_property
    def templates(self) -> Environment:
        """The templates; everything but markup is escaped."""
        pages = Environment(
            loader=ChoiceLoader(
                [
                    PackageLoader("league.web"),
                    PrefixLoader({"report": FileSystemLoader(SHARED["theme.css"].parent)}),
                ]
            ),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        pages.globals |= {"static": static, "formats": titles.formats}
        return pages

    def page(
        self, request: Request, name: str, values: Mapping[str, object], *, status: int = 200
    ) -> HTMLResponse:
        """A page from a template.

        Args:
          request: what is answered.
          name: of the template, which extends `base.html`.
          values: that fill it.
          status: of the answer.
        """
        shared = {"menu": self.menu, "path": request.url.path, "ready": self.worker.ready}
        text = self.templates.get_template(name).render(**shared, **values)
        return HTMLResponse(text, status)


def of(request: Request) -> Site:
    """The site that a request is for."""
    return request.app.state.site


def static(name: str) -> str:
    """The address of a file of `static/`, which changes with its content, so that it is kept."""
    path = SHARED.get(name, STATIC / name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def _secret() -> bytes:
    """Kept beside the user's other state, so that links outlive a restart."""
    state = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state"))
    path = state / "arena" / "web-secret"
    try:
        found = path.read_bytes()
        if len(found) == 32:
            return found
        raise FileNotFoundError
    except OSError:
        made = secrets.token_bytes(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"web-secret.{os.getpid()}")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(made)
        new.replace(path)
    except OSError:  # then links to games of chance last as long as this server
        pass
    return made
