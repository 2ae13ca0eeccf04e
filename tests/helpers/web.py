"""The web app as a process of its own, and a browser to look at it with."""

import re
import select
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.command import Place

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
"""Debian's; nothing is downloaded."""


@dataclass(frozen=True)
class Web:
    """A server that runs.

    Attributes:
      place: the folder that it was started in.
      url: where it is, without a slash at the end.
      process: the server.
    """

    place: Place
    url: str
    process: subprocess.Popen[str]

    def run(self, name: str) -> Path:
        """The folder of a run."""
        return self.place.run(name)


@contextmanager
def served(place: Place, *arguments: str) -> Iterator[Web]:
    """`arena serve` in a folder; ended as Ctrl-C does."""
    process = place.start("serve", "--port", "0", *arguments)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 60)
        said = process.stdout.readline() if ready else ""
        found = re.search(r"http://\S+:\d+", said)
        assert found, said
        yield Web(place, found[0], process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def ask(web: Web, path: str, **form: str) -> tuple[int, str]:
    """Status and text of an answer, errors as JSON; a form is posted."""
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(web.url + path, data, {"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def browsing() -> Iterator["Browser"]:
    """A browser; skips the test where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium is installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    """Waits until a condition holds; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)
