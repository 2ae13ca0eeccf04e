"""Play against a snapshot or another agent yourself."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import tyro

from arena.errors import UserError
from arena.play import host_loop
from arena.types import Agent, HostAgent, Position
from games import Game
from league.cli import closing, console, device, names


@dataclass(frozen=True)
class Command:
    """Play against a snapshot, or another agent, in the terminal.

    Attributes:
      agent: RUN, RUN:ID or pretrained:GAME, which search 32 simulations a move unless
        `,simulations=N` says otherwise; or uniform, mcts:100, gnugo:level=1, and the like.
      game: what is played; a snapshot says it by itself.
      seat: who begins: you (first), or the agent (second).
      seed: of dice, cards, and agents that play at random.
      json: print the result as one JSON object; the board goes to stderr.
    """

    agent: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    game: str = ""
    seat: Literal["first", "second"] = "first"
    seed: int = 0
    json: bool = False


class _Person(HostAgent):
    """Whoever sits at the terminal."""

    name = "you"

    def choose(self, game: Game, position: Position) -> int:
        """Asks until the answer is a legal move."""
        state = position.state
        _say("\n" + game.view(state, int(game.mover(state))) + "\n")
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
    game, agent = _opponent(command)
    mine = ("first", "second").index(command.seat)
    key = jax.random.key(command.seed)
    person, machine = _Person(), host_loop.hosted(agent, jax.random.fold_in(key, 0))
    moves: list[str] = []

    def watch(state: Any, move: int) -> None:
        moves.append(game.label(state, move))
        if int(game.mover(state)) != mine:
            _say(f"{agent.name} plays {moves[-1] if game.perfect_information else ''}".rstrip())

    seats = (person, machine) if mine == 0 else (machine, person)
    with closing.seated(agent):
        final, payoff = host_loop.play(game, seats, jax.random.fold_in(key, 1), watch)
    payoff = payoff if mine == 0 else -payoff
    outcome = "you win" if payoff > 0 else "you lose" if payoff < 0 else "a draw"
    _say("\n" + game.show(final) + "\n")
    if command.json:
        console.emit({"against": agent.name, "payoff": payoff, "moves": moves})
    else:
        print(f"{outcome}  ({' '.join(moves)})")


def _opponent(command: Command) -> tuple[Game, Agent | HostAgent]:
    """The game and the agent; a snapshot searches unless it is told not to."""
    if not 0 <= command.seed < 2**32:
        raise UserError(f"seed must lie between 0 and 2³² - 1, not {command.seed}")
    rules = names.game(command.game) if command.game else None
    spec = command.agent
    if names.searches(spec) and "simulations=" not in spec:
        game, _ = names.agent(spec, rules)
        spec += ",simulations=32" if game.searchable else ""
    return names.agent(spec, rules)
