"""How many of an agent's moves are optimal, by exact values."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated

import jax
import tyro

from arena.errors import (
    PAIRS,
    PLIES,
    SIMULATIONS,
    UserError,
    check_not_negative,
    check_positive,
    check_seed,
)
from arena.evaluation import move_accuracy, solved_positions
from arena.evaluation.move_accuracy import MoveAccuracy, Share
from arena.types import Agent
from games import Game
from league.cli import console, device, names


@dataclass(frozen=True)
class Command:
    """How many of an agent's moves are optimal: they keep what the position is worth.

    Exact values are known of a fixed set of positions (of a small game all there are, of Connect
    Four 10,000), and of those the agent reaches when it plays itself from random openings. In many
    positions no move is a mistake; the second figure leaves them out.

    Attributes:
      agent: RUN, RUN:ID or pretrained:GAME; or mcts:100 and the like, with --game.
      game: what is played; a snapshot's is known.
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
        check_positive(self, "pairs", most=PAIRS)
        check_not_negative(self, "opening_plies", most=PLIES)
        check_not_negative(self, "simulations", most=SIMULATIONS)
        check_seed(self.seed)


def run(command: Command) -> None:
    """Prints the shares of optimal moves."""
    device.prepare()
    game, agent = _agent(command)
    key = jax.random.key(command.seed)
    positions: dict[str, solved_positions.SolvedPositions] = {}
    with console.stderr.status(f"measuring {agent.name}"):
        try:
            positions["fixed"] = solved_positions.fixed(game)
            positions["played"] = move_accuracy.played(
                game, agent, key, pairs=command.pairs, plies=command.opening_plies
            )
        except solved_positions.SolverMissing as missing:
            console.stderr.print(f"note: positions reached in play are left out: {missing}")
        except ValueError as error:
            raise UserError(str(error)) from None
        found = {
            name: move_accuracy.measure(agent, some, jax.random.fold_in(key, 2))
            for name, some in positions.items()
        }
    if command.json:
        figures = {name: dataclasses.asdict(accuracy) for name, accuracy in found.items()}
        console.emit({"agent": agent.name, **figures})
        return
    console.table(
        f"{agent.name}: optimal moves",
        ["positions", "number", "of all", "with a mistake", "of these"],
        [_row(name, accuracy) for name, accuracy in found.items()],
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
        raise UserError(
            f"{agent.name} plays outside the device, where move accuracy is not measured"
        )
    return game, agent


def _row(name: str, accuracy: MoveAccuracy) -> list[str]:
    shares = accuracy.every, accuracy.has_mistake
    cells = [[str(share.positions), _percent(share)] for share in shares]
    return [name, *cells[0], *cells[1]]


def _percent(share: Share) -> str:
    if math.isnan(share.share):
        return ""
    interval = f" ± {share.half_width:.1%}" if share.half_width else ""
    return f"{share.share:.1%}{interval}"
