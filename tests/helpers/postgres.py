"""Debian's PostgreSQL in a folder of its own; tests of it are skipped where it is missing."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from league.store import shared
from tests.helpers.ports import free_port


def _programs() -> Path | None:
    """The folder of the newest version there is."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@dataclass(frozen=True)
class Postgres:
    """A server.

    Attributes:
      programs: where its programs lie.
      folder: of its data.
      port: of 127.0.0.1.
      user: of the system who runs it, since root may not; None for this one.
    """

    programs: Path
    folder: Path
    port: int
    user: str | None

    def url(self, name: str = "postgres") -> str:
        """That of one of its databases."""
        return f"postgresql+psycopg://arena@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._call("pg_ctl", "-o", options, "-l", f"{self.folder}/log", "-w", "start")

    def stop(self) -> None:
        """Stops it, its connections cut off."""
        self._call("pg_ctl", "-m", "immediate", "-w", "stop")

    def create(self) -> None:
        """Makes its data."""
        self._call("initdb", "-A", "trust", "-U", "arena", "--no-sync", "-E", "UTF8")

    def empty(self, name: str) -> str:
        """The URL of a database that is made anew."""
        shared.disconnect()
        for command in (f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"):
            self._call("psql", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "arena",
                       "-d", "postgres", "-c", command)  # fmt: skip
        return self.url(name)

    def dump(self, name: str) -> str:
        """The tables of a database, in SQL."""
        return self._call("pg_dump", "-s", "--no-comments", "-h", "127.0.0.1", "-p", str(self.port),
                          "-U", "arena", name)  # fmt: skip

    def _call(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            env={**os.environ, "PGDATA": str(self.folder / "data"), "LC_ALL": "C.UTF-8"},
            cwd=self.folder,
            user=self.user,
            capture_output=program != "pg_ctl",  # the server would keep a pipe open
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def serving() -> Iterator[Postgres]:
    """A server that runs meanwhile."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="arena-postgres-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    server = Postgres(programs, folder, port, user)
    try:
        server.create()
        server.start()
        try:
            yield server
        finally:
            shared.disconnect()
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
