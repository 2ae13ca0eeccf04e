"""Hosts that help another learn, as processes of this machine."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.command import Place


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def helping(
    place: Place, meeting: str, *, devices: str = "1", host: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """A host of a meeting that helps, and is ended with the block."""
    with place.start("join", meeting, "--host", str(host), devices=devices) as process:
        try:
            yield process
        finally:
            process.kill()
