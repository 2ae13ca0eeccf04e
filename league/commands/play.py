"""Play against a snapshot yourself."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import tyro

from arena import host
from arena.core import HostAgent
from games import Game
from league import console, device, names
from league.errors import UserError


@dataclass(frozen=True)
class Command:
    """Play against a snapshot in the terminal.

    Attributes:
      snapshot: RUN or RUN:ID; it searches 32 simulations a move unless `,simulations=N` says
        otherwise.
      seat: who begins: you (first), or the snapshot (second).
      json: print the result as one JSON object; the board goes to stderr.
    """

    snapshot: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN[:ID]")]
    seat: Literal["first", "second"] = "first"
    json: bool = False


class _Person(HostAgent):
    """Whoever sits at the terminal."""

    name = "you"

    def choose(self, game: Game, state: Any) -> int:
        """Asks until the answer is a legal move."""
        _say("\n" + game.show(state) + "\n")
        while True:
            print("your move: ", end="", file=sys.stderr, flush=True)
            line = sys.stdin.readline()
            if not line:
                raise UserError("the game was left before its end")
            try:
                return game.parse(state, line)
            except ValueError as error:
                _say(str(error))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(command: Command) -> None:
    """Plays one game and prints its result."""
    device.prepare()
    spec = command.snapshot if "," in command.snapshot else f"{command.snapshot},simulations=32"
    game, agent = names.agent(spec, None)
    first = command.seat == "first"
    person, machine = _Person(), host.Host(agent, jax.random.key(0))
    moves: list[str] = []

    def watch(state: Any, move: int) -> None:
        moves.append(game.label(state, move))
        if (len(moves) % 2 == 1) != first:
            _say(f"{agent.name} plays {moves[-1]}")

    final, payoff = host.play(game, (person, machine) if first else (machine, person), watch)
    mine = payoff if first else -payoff
    outcome = "you win" if mine > 0 else "you lose" if mine < 0 else "a draw"
    _say("\n" + game.show(final) + "\n")
    if command.json:
        console.emit({"against": agent.name, "payoff": mine, "moves": moves})
    else:
        print(f"{outcome}  ({' '.join(moves)})")
