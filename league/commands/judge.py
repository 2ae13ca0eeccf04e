"""Judge an agent's moves by exact values."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated

import jax
import tyro

from arena.errors import UserError
from arena.evaluation import move_accuracy
from arena.types import Agent
from games import Game
from league.cli import console, device, names


@dataclass(frozen=True)
class Command:
    """How many of an agent's moves keep what the game is worth, by exact values.

    Asked are a fixed set of positions (of a small game all there are, of Connect Four 10,000), and
    those it reaches when it plays itself from random openings. In many positions no move is wrong;
    the second figure leaves them out.

    Attributes:
      agent: RUN, RUN:ID or pretrained:GAME; or mcts:100 and the like, with --game.
      game: what is played; a snapshot says it by itself.
      simulations: of a network's search; without, or with 0, it plays its favourite move.
      pairs: pairs of games that it plays against itself.
      opening_plies: openings are up to so many random moves long.
      seed: of openings and of agents that play at random.
      json: print one JSON object.
    """

    agent: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    game: str = ""
    simulations: int | None = None
    pairs: int = 32
    opening_plies: int = 4
    seed: int = 0
    json: bool = False

    def __post_init__(self):
        if self.pairs <= 0:
            raise UserError(f"pairs must be positive, not {self.pairs}")
        if min(self.opening_plies, self.simulations or 0) < 0:
            raise UserError("opening-plies and simulations must not be negative")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"seed must lie between 0 and 2³² - 1, not {self.seed}")


def run(command: Command) -> None:
    """Prints the shares of moves that keep the value."""
    device.prepare()
    game, agent = _agent(command)
    key = jax.random.key(command.seed)
    exams: dict[str, move_accuracy.Exam] = {}
    with console.stderr.status(f"judging {agent.name}"):
        try:
            exams["fixed"] = move_accuracy.fixed(game)
            plays = key, command.pairs, command.opening_plies
            exams["played"] = move_accuracy.played(game, agent, *plays)
        except move_accuracy.Missing as missing:
            console.stderr.print(f"note: positions reached in play are left out: {missing}")
        except ValueError as error:
            raise UserError(str(error)) from None
        found = {
            name: move_accuracy.marks(agent, exam, jax.random.fold_in(key, 2))
            for name, exam in exams.items()
        }
    if command.json:
        told = {name: dataclasses.asdict(marks) for name, marks in found.items()}
        console.emit({"agent": agent.name, **told})
        return
    console.table(
        f"{agent.name}: moves that keep the value",
        ["positions", "number", "of all", "where one is wrong", "of these"],
        [_row(name, marks) for name, marks in found.items()],
    )


def _agent(command: Command) -> tuple[Game, Agent]:
    rules = names.game(command.game) if command.game else None
    spec = command.agent
    if command.simulations is not None:
        if not names.searches(spec) or "simulations=" in spec:
            raise UserError("--simulations is for networks: RUN, RUN:ID or pretrained:GAME")
        spec += f",simulations={command.simulations}"
    game, agent = names.agent(spec, rules)
    if not isinstance(agent, Agent):
        raise UserError(f"{agent.name} lives outside the device, where nobody can be judged")
    return game, agent


def _row(name: str, marks: move_accuracy.Marks) -> list[str]:
    shares = marks.every, marks.matters
    cells = [[str(share.positions), _percent(share)] for share in shares]
    return [name, *cells[0], *cells[1]]


def _percent(share: move_accuracy.Share) -> str:
    if math.isnan(share.share):
        return ""
    interval = f" ± {share.half_width:.1%}" if share.half_width else ""
    return f"{share.share:.1%}{interval}"
