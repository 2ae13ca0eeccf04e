"""What errors of a judge cost: games to a given strength, by how often the judge is wrong.

Tic-tac-toe, by `imitation`, which goes by verdicts alone. After every 512 games the raw network's
favourite move is looked up in all positions with a mistake. A verdict that is wrong with
probability η is worth 1 - 2η of one that is right, and about as noisy: where noise is what limits
learning, games to a given strength grow as 1 / (1 - 2η)².

`--table` takes the network away: one batch of games between random players, the mean verdict of
each move in each position, and the move with the highest mean. There noise is all that limits.

Prints a line of JSON for each run.
"""

import argparse
import json
import time as clock
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np

import games
from agents import uniform
from agents.learners.imitation import ImitationConfig
from agents.nn.networks import MLPConfig
from arena.evaluation import move_accuracy, solved_positions
from arena.evaluation.enumeration import raw
from arena.judges.flipped import Flipped
from arena.judges.rules import Rules
from arena.play.device_loop import Match
from arena.play.openings import random_openings
from arena.types import Agent, Decision, Key, Params, State, stack
from league.training import step

GAME = games.load("tic_tac_toe")
ETAS = (0.0, 0.1, 0.2, 0.3)
_MATCHES, _PAIRS = 8, 32
_WIDTH = 128


@dataclass(frozen=True)
class Even:
    """A `Policy` that draws moves evenly, and keeps them as its aux."""

    def __call__(self, params: Params, keys: Key, states: State) -> Decision:
        """Chooses moves."""
        move = uniform.Uniform(GAME)(params, keys, states).move
        return Decision(move, move)


def by_network(
    eta: float, seed: int, rate: float, *, most: int, target: float
) -> Iterator[tuple[int, float]]:
    """Games so far and the share of optimal moves, until it reaches a target, or `most` games."""
    config = ImitationConfig(network=MLPConfig(width=_WIDTH), learning_rate=rate)
    learner = config.make(GAME, Rules(GAME))
    policy, positions = learner.behaviour_policy(), solved_positions.fixed(GAME)
    match = Match(GAME, policy, policy, judge=Flipped(GAME, eta), slots=_PAIRS, record=True)
    key = jax.random.key(seed)
    state, window = learner.init(jax.random.fold_in(key, 0)), []
    size, reached, count = 2 * _MATCHES * _PAIRS, 0.0, 0
    while reached < target and count < most:
        here = jax.random.fold_in(key, 1 + count)
        starts = random_openings(
            GAME, jax.random.fold_in(here, 0), shape=(_MATCHES, _PAIRS), plies=4
        )
        players = stack([state.params] * _MATCHES)
        keys = jax.random.split(jax.random.fold_in(here, 1), _MATCHES)
        played = match.play(players, players, keys=keys, openings=starts)
        data = step.make_dataset(learner, played, np.ones((2, _MATCHES), bool))
        window = [*window, data][-config.replay_window :]
        state, _ = step.learn(
            learner,
            state,
            window,
            fresh=step.rows(data),
            progress=0.0,
            key=jax.random.fold_in(here, 2),
        )
        count += size
        agent = Agent("raw", learner.eval_policy(0), state.params)
        reached = move_accuracy.measure(agent, positions, here).has_mistake.share
        yield count, reached


def by_table(eta: float, seed: int, *, most: int, target: float) -> Iterator[tuple[int, float]]:
    """Games in a batch that grows, and the share of optimal moves by mean verdict."""
    policy, positions = Even(), solved_positions.fixed(GAME)
    match = Match(GAME, policy, policy, judge=Flipped(GAME, eta), slots=_PAIRS, record=True)
    known, row = np.unique(raw(positions.states), return_index=True)
    hard, optimal = positions.has_mistake[row], positions.optimal[row]
    legal = np.asarray(jax.vmap(GAME.legal)(positions.states))[row]
    sums, visits = np.zeros((2, len(known), GAME.num_actions))
    nobody = stack([()] * _MATCHES)
    key, count, told = jax.random.key(seed), 0, 512
    while count < most:
        here = jax.random.fold_in(key, count)
        starts = random_openings(GAME, here, shape=(_MATCHES, _PAIRS), plies=0)
        keys = jax.random.split(jax.random.fold_in(here, 1), _MATCHES)
        played = match.play(nobody, nobody, keys=keys, openings=starts)
        record, scores = played.record, np.asarray(played.scores)
        assert record is not None
        time, side, group, slot = np.nonzero(record.game < 2 * _PAIRS)
        number = record.game[time, side, group, slot]
        score = 2 * scores[group, number % _PAIRS, number // _PAIRS] - 1
        where = time, side, group, slot
        states, move = jax.tree.map(lambda x, i=where: x[i], (record.state, record.aux))
        place = np.searchsorted(known, raw(states)), move
        np.add.at(sums, place, np.where(side == 0, score, -score))
        np.add.at(visits, place, 1)
        count += 2 * _MATCHES * _PAIRS
        if count >= told:
            told = int(told * 1.05)
            mean = np.where(legal, sums / np.maximum(visits, 1), -2)
            share = optimal[np.arange(len(known)), mean.argmax(1)][hard].mean()
            yield count, float(share)
            if share >= target:
                return


def main() -> None:
    """Measures, a line of JSON a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 2e-3, 4e-3, 8e-3])
    parser.add_argument("--target", type=float, default=0.9)
    parser.add_argument("--most", type=int, default=600_000)
    asked = parser.parse_args()
    length = {"most": asked.most, "target": asked.target}
    for seed in range(asked.seeds):
        for rate in [0.0] if asked.table else asked.rates:
            for eta in ETAS:
                began = clock.monotonic()
                if asked.table:
                    run = by_table(eta, seed, **length)
                else:
                    run = by_network(eta, seed, rate, **length)
                curve = [(count, round(share, 4)) for count, share in run]
                line = {"eta": eta, "seed": seed, "rate": rate}
                line |= {"seconds": round(clock.monotonic() - began, 1), "curve": curve}
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
