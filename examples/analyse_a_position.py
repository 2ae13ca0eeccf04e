"""Analyses a position by tree search: value, visits, and the principal variation.

`agents.make` gives an agent by name; a snapshot, `league.open_run(NAME).agent(ID)`, works alike.
"""

import jax.numpy as jnp

import agents
import games
from arena.analysis import Analysis, Limit
from arena.types import Agent, Position

MOVES = (3, 3, 2, 2)  # columns from 0: seat 0 has two in the middle of the lowest row, and moves


def show(analysis: Analysis) -> None:
    """Prints a line of the kind that chess programs print."""
    line = " ".join(analysis.labels)
    print(f"{analysis.simulations:6} simulations: value {analysis.value:+.2f}, line {line}")


def main(simulations: int = 400) -> None:
    """Analyses a position of Connect Four, with a line for every chunk of simulations."""
    game = games.load("connect_four")
    state = game.init()
    for move in MOVES:
        state = game.step(state, jnp.int32(move))
    agent = agents.make("mcts:100", game)
    assert isinstance(agent, Agent)  # on the device, and not a program of its own
    limit = Limit(simulations=simulations)  # or seconds, or both; `stop` ends it from outside
    found = agents.analyst(agent).analyse(Position(state, MOVES), limit, callback=show)
    for move in found.moves[:3]:
        print(f"{move.label}: prior {move.prior:.2f}, visits {move.visits}, Q {move.q}")


if __name__ == "__main__":
    main()
