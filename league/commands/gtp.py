"""Play and analyse in go programs: a server of the Go Text Protocol."""

import sys
from dataclasses import dataclass
from typing import Annotated

import tyro

from arena import interrupt
from league.commands import uci
from league.protocols import gtp, gtp_boards, gtp_thinking
from league.protocols.streams import lines, private_stdout
from league.protocols.uci import default_simulations


@dataclass(frozen=True)
class Command:
    """Serve an agent to go programs, by the Go Text Protocol (GTP 2).

    Add the command to Sabaki, GoGui or any other program as an engine: arena gtp RUN:16. It plays
    go, and through GoGui's rules hex, othello, gomoku and tic-tac-toe. Where there is no clock, a
    snapshot searches 32 simulations a move; `,simulations=N` is another number, and the most under
    a clock. Nothing but the protocol is written to stdout, so there is no --json. The page "Chess
    and go programs" has the rest.

    Attributes:
      agent: RUN, RUN:ID or pretrained:GAME; or mcts:100, uniform, gnugo:level=1, and the like.
      game: what is played; a snapshot says it by itself, and any other agent plays go.
    """

    agent: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    game: str = ""


def run(command: Command) -> None:
    """Answers the program on standard input until it quits; the process ends then."""
    game = command.game or uci.game_of(command.agent) or "go"
    gtp_boards.board(game)
    commands = gtp_thinking.Commands(
        command.agent, game, simulations=default_simulations(command.agent), fatal=uci.fatal
    )
    code = 0
    try:
        with interrupt.at_once():
            gtp.Server(commands, write=private_stdout()).serve(lines(sys.stdin.buffer))
    except KeyboardInterrupt:
        code = 130
    uci.leave(code)
