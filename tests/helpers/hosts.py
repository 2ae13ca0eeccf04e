"""Hosts that help another learn, as processes of this machine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.command import Place


@contextmanager
def helping(
    place: Place, rendezvous: str, *, devices: str = "1", host: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """A host of a rendezvous that helps, and is ended with the block."""
    with place.start("join", rendezvous, "--host", str(host), devices=devices) as process:
        try:
            yield process
        finally:
            process.kill()
