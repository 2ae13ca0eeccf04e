"""Analyses a position by a network and search: value, visits, and the principal variation."""

import jax.numpy as jnp

from agents.search.analysis import analyst
from arena.analysis import Analysis, Limit
from arena.types import Position
from league.store import names

MOVES = (3, 3, 3, 3, 2)  # columns from 0: seat 0 has begun in the middle, and threatens a row


def show(analysis: Analysis) -> None:
    """Prints a line of the kind that chess programs print."""
    line = " ".join(analysis.labels)
    print(f"{analysis.simulations:6} simulations: value {analysis.value:+.2f}, line {line}")


def main(simulations: int = 400) -> None:
    """Analyses a position of Connect Four by the network that comes with Arena."""
    game, agent = names.agent("pretrained:connect_four", None)
    state = game.init()
    for move in MOVES:
        state = game.step(state, jnp.int32(move))
    limit = Limit(simulations=simulations)  # or seconds, or both; `stop` ends it from outside
    found = analyst(agent).analyse(Position(state, MOVES), limit, callback=show)
    for move in found.moves[:3]:
        print(f"{move.label}: prior {move.prior:.2f}, visits {move.visits}, Q {move.q}")


if __name__ == "__main__":
    main()
