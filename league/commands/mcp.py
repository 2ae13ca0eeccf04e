"""Offer Arena's games as tools of the Model Context Protocol."""

import contextlib
from dataclasses import dataclass

from arena import interrupt
from arena.errors import UserError, check_positive
from league.cli import device

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Command:
    """Offer games, analyses and ratings as tools of the Model Context Protocol.

    Speaks on stdin and stdout, as clients start servers; with `--http` on a port of the loopback
    interface, and on no other. Needs the extra `mcp`: pip install 'arena-selfplay[mcp]'.

    Attributes:
      http: serve http://127.0.0.1:PORT/mcp instead.
      port: of the loopback interface.
    """

    http: bool = False
    port: int = 8765

    def __post_init__(self):
        check_positive(self, "port", most=65_535)


def run(command: Command) -> None:
    """Serves until the client goes, or Ctrl-C."""
    try:
        from league.protocols import mcp_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "pydantic"):
            raise
        raise UserError(
            "the SDK of the protocol is not installed: pip install 'arena-selfplay[mcp]'"
        ) from None
    from league.protocols.mcp_games import Tables

    device.prepare()
    tables = Tables()
    server = mcp_server.make(tables)
    try:
        with interrupt.at_once(), contextlib.suppress(KeyboardInterrupt):
            if command.http:
                server.run("streamable-http", host=_LOOPBACK, port=command.port)
            else:
                server.run()
    finally:
        tables.close()
