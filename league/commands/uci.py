"""Play and analyse in chess programs: a server of the Universal Chess Interface."""

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from arena import interrupt
from arena.errors import UserError
from league.protocols import levels, uci, uci_moves
from league.protocols.streams import lines, private_stdout, warn


@dataclass(frozen=True)
class Command:
    """Serve an agent to chess programs, by the Universal Chess Interface (UCI).

    Add the command to a chess program as an engine: arena uci RUN:16. It speaks chess, and by
    UCI_Variant cfour (Connect Four), dobutsu (animal shogi), gardner and breakthrough. A snapshot
    searches as long as the program says; `,simulations=N` is the most for one move, and
    `,simulations=0` plays the network's favourite move. Nothing but the protocol is written to
    stdout, so there is no --json. The page "Chess and go programs" has the options.

    Attributes:
      agent: RUN, RUN:ID or pretrained:GAME; or mcts:100, uniform, stockfish:nodes=1, and the like.
      game: what is played; a snapshot says it by itself. An agent that plays any game plays chess,
        and the variants that the program chooses, unless this says otherwise.
    """

    agent: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    game: str = ""


def run(command: Command) -> None:
    """Answers the program on standard input until it quits; the process ends then."""
    choice = uci_moves.choice(command.game or game_of(command.agent))
    simulations = uci.default_simulations(command.agent)
    strengths = levels.of_run(run_of(command.agent))
    server = uci.Server(
        command.agent,
        choice,
        write=private_stdout(),
        simulations=simulations,
        levels=strengths,
        fatal=fatal,
    )
    code = 0
    try:
        with interrupt.at_once():
            server.serve(lines(sys.stdin.buffer))
    except KeyboardInterrupt:
        code = 130
    leave(code)


def fatal(error: UserError) -> None:
    """Ends the process with one line on stderr."""
    warn(str(error))
    leave(2)


def leave(code: int) -> NoReturn:
    """Ends the process at once: a thread may be compiling, which no exit of Python's survives."""
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def run_of(agent: str) -> str:
    """The name of the run that an agent is of; the folder tells."""
    return agent.partition(",")[0].partition(":")[0]


def game_of(agent: str) -> str:
    """The name of an agent's game, without loading it; empty if it plays any."""
    name = run_of(agent)
    if name == "pretrained":
        return agent.partition(",")[0].partition(":")[2]
    card = Path("runs") / name / "run.json"
    if not name or "/" in name or not card.is_file():
        return ""
    try:
        return str(json.loads(card.read_text())["game"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{card} is not the card of a run") from None
