"""Serve the web app."""

import socket
from dataclasses import dataclass
from typing import Annotated

import tyro

from arena import interrupt
from arena.errors import UserError
from league.cli import interrupts
from league.web.site import Settings


@dataclass(frozen=True)
class Command:
    """Play, analyse and watch in a browser, and follow leagues.

    Shows the runs in ./runs, the nets that come with Arena, mcts, and the engines that are
    installed. Nothing has to be set up, and nothing is fetched from elsewhere.

    Attributes:
      port: where it listens; 0 takes a free one.
      host: the address it listens on. Beyond this machine, everybody who reaches it may use its
        cores and see its runs: there are no accounts.
      games: more games, such as pettingzoo:./my_game.py; the page itself can name native ones only,
        as other names load code.
      agents: more agents, such as policy:./mine.py, for the same reason.
      json: print the address as one JSON object.
    """

    port: int = 8311
    host: str = "127.0.0.1"
    games: Annotated[tuple[str, ...], tyro.conf.arg(metavar="GAME ...")] = ()
    agents: Annotated[tuple[str, ...], tyro.conf.arg(metavar="AGENT ...")] = ()
    json: bool = False

    def __post_init__(self):
        if not 0 <= self.port < 65_536:
            raise UserError(f"port must lie between 0 and 65,535, not {self.port}")


def run(command: Command) -> None:
    """Serves until it is interrupted."""
    listener = _listen(command.host, command.port)
    address = _address(listener, command.host)
    if command.json:
        from league.cli import console

        console.emit({"address": address})
    else:
        print(f"Arena is at {address}  (Ctrl-C ends it)", flush=True)
    # Only now, so that the address is there at once.
    import uvicorn

    from league.web import app

    served = app.create(Settings(command.host, games=command.games, agents=command.agents))
    config = uvicorn.Config(
        served,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    with interrupts.closing_line("nobody is served any more"):
        uvicorn.Server(config).run(sockets=[listener])
        interrupt.check()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
      UserError: the address is taken, or is none of this machine.
    """
    try:
        family, kind, number, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot listen on {host} port {port}: {reason}") from None
    return listener


def _address(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
