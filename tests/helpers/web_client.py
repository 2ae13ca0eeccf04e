"""The web app in this process, asked without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from league.web import app as web_app
from league.web.site import Settings, Site

ORIGIN = "http://127.0.0.1:8311"


@contextmanager
def client(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """A visitor with a cookie; errors inside the app are answers, as over a network."""
    made = web_app.create(Settings(folder=folder, **settings))
    with TestClient(made, base_url=ORIGIN, raise_server_exceptions=False) as found:
        found.get("/")  # gives the cookie
        yield found


def site_of(visitor: TestClient) -> Site:
    """What the app that a visitor sees keeps."""
    app: Any = visitor.app
    return app.state.site


def refusal(answer: Any, status: int) -> str:
    """What a refused request is told, in one line."""
    assert answer.status_code == status, answer.text
    text = answer.json()["error"] if "json" in answer.headers["content-type"] else answer.text
    assert text.strip()
    assert "\n" not in text.strip()
    assert "Traceback" not in text
    assert "internal" not in text
    return text.strip()
