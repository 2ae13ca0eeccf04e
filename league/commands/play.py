"""Play against a snapshot or another agent yourself."""

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import jax
import tyro

from arena import interrupt
from arena.errors import UserError, check_seed
from arena.play import host_loop
from arena.play.session import Session
from arena.types import Agent, HostAgent, Position
from games import Game
from league.cli import closing, console, device, interrupts, names


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
    """The player at the terminal."""

    name = "you"

    def choose(self, game: Game, position: Position) -> int:
        """Reads lines until one is a legal move; raises UserError at the end of the input."""
        state = position.state
        _print("\n" + game.view(state, int(game.mover(state))) + "\n")
        while True:
            print("your move: ", end="", file=sys.stderr, flush=True)
            try:
                with interrupt.at_once():
                    line = sys.stdin.readline()
            except KeyboardInterrupt:
                _print("")  # the prompt's line ends
                raise
            if not line:
                raise UserError("the game was left before its end")
            try:
                return game.parse(state, line)
            except ValueError as error:
                _print(str(error))


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(command: Command) -> None:
    """Plays one game and prints its result."""
    device.prepare()
    game, agent = _opponent(command)
    mine = ("first", "second").index(command.seat)
    session = Session(game, seed=command.seed)
    key = jax.random.fold_in(jax.random.key(command.seed), 0)
    person, opponent = _Person(), host_loop.hosted(agent, key)

    def announce(seat: int, label: str) -> None:
        if seat != mine:
            _print(f"{agent.name} plays {label if game.perfect_information else ''}".rstrip())

    players = (person, opponent) if mine == 0 else (opponent, person)
    with interrupts.closing_line("the game is not kept"), closing.seated(agent):
        record = host_loop.play(session, players, callback=announce)
    assert record.result is not None
    payoff = record.result if mine == 0 else -record.result
    outcome = "you win" if payoff > 0 else "you lose" if payoff < 0 else "a draw"
    _print("\n" + game.show(session.state) + "\n")
    if command.json:
        console.emit({"against": agent.name, "payoff": payoff, "moves": list(record.labels)})
    else:
        print(f"{outcome}  ({' '.join(record.labels)})")


def _opponent(command: Command) -> tuple[Game, Agent | HostAgent]:
    """The game and the agent; a snapshot searches unless its name says `simulations=0`."""
    check_seed(command.seed)
    rules = names.game(command.game) if command.game else None
    spec = command.agent
    if names.searches(spec) and "simulations=" not in spec:
        game, _ = names.agent(spec, rules)
        spec += ",simulations=32" if game.searchable else ""
    return names.agent(spec, rules)
