"""A policy that begins by imitating the games of others."""

from collections.abc import Iterator
from dataclasses import replace

import jax
import numpy as np

from agents.learners import imitation, optimisation
from agents.learners.base import Learner, TrainState
from agents.nn.rated import at_rating
from arena.errors import UserError
from games import Game
from league.settings.json_object import JsonObject
from league.store import imported_games
from league.store.imported_games import MoveLists, RatingScale

_HELD_OUT = 10
"""Every so many-th game is not learnt from, but measures the model."""
_SHARD = 512
"""Games whose positions are in memory at once."""


def pretrain(
    learner: Learner,
    state: TrainState,
    games: MoveLists,
    *,
    count: int,
    key: jax.Array,
    scale: RatingScale | None = None,
) -> tuple[TrainState, JsonObject]:
    """Has a policy imitate games before it learns from its own.

    Args:
      learner: of the run; its weights are those of one network.
      state: before anything is learnt.
      games: at least one.
      count: positions to learn from in all, each time that one is drawn.
      key: PRNG key.
      scale: of the players' ratings, of which the network is told; None if it is not.

    Returns:
      the state after it, with a fresh optimiser; and of held-out games the mean log-probability of
      a move in nats before and after, and how often it is the policy's favourite. Where ratings
      are told, also these after it if all players are taken to be of mean rating.

    Raises:
      UserError: the learner's weights are of another kind.
    """
    if not isinstance(state.params, dict):
        raise UserError("this learner cannot begin from data: its weights are not one network's")
    number = np.arange(len(games.length))
    held_out = number[(number % _HELD_OUT == 0) & (len(number) > _HELD_OUT)]
    train = np.setdiff1d(number, held_out)
    some = held_out[:_SHARD] if len(held_out) else train[:_SHARD]
    test = _dataset(learner.game, games, some, scale)
    before = imitation.likelihood(learner, state.params, test)
    config = replace(learner.config, replay_ratio=1.0)
    kind = imitation.Objective if scale is None else imitation.RatedObjective
    objective = kind(learner.game, config)
    fitted, losses = optimisation.init(objective, state.params), {}
    learnt, shards = 0, _shards(train, key)
    while learnt < count:
        part = _dataset(learner.game, games, next(shards), scale)
        fresh = min(len(part.move), count - learnt)
        fitted, losses = optimisation.fit(
            objective,
            fitted,
            part,
            fresh=fresh,
            progress=learnt / count,
            key=jax.random.fold_in(key, learnt),
        )
        learnt += fresh
    after = imitation.likelihood(learner, fitted.params, test)
    figures = {
        "moves": len(games.move),
        "games": len(games.length),
        "learnt": learnt,
        "held_out": len(test.move) if len(held_out) else 0,
        "log_likelihood_before": before[0],
        "log_likelihood": after[0],
        "agreement_before": before[1],
        "agreement": after[1],
        "loss": losses["loss"],
    }
    params = fitted.params
    if isinstance(test, imitation.RatedDataset) and scale is not None:
        blind = test._replace(rating=np.zeros_like(test.rating))
        found = imitation.likelihood(learner, params, blind)
        figures |= {"log_likelihood_unrated": found[0], "agreement_unrated": found[1]}
        params = at_rating(params, scale.normalised(scale.plays))
    return TrainState(params, state.optimiser), figures


def _shards(games: np.ndarray, key: jax.Array) -> Iterator[np.ndarray]:
    """Some games after the other, in another order each time all have been there."""
    chance = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    while True:
        order = chance.permutation(games)
        yield from (order[at : at + _SHARD] for at in range(0, len(order), _SHARD))


def _dataset(
    game: Game, games: MoveLists, chosen: np.ndarray, scale: RatingScale | None
) -> imitation.Dataset | imitation.RatedDataset:
    """The moves of some games as what imitation learns from, all of the same weight."""
    moves = imported_games.positions(game, games, chosen)
    weight = np.ones(len(moves.move), np.float32)
    rows = imitation.Dataset(moves.state, moves.move, weight, moves.outcome)
    if scale is None:
        return rows
    return imitation.RatedDataset(*rows, scale.normalised(moves.rating))
