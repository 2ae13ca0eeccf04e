"""Games of others as a dataset, and a policy that begins by imitating them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from agents.learners import imitation, optimisation
from agents.learners.base import Learner, TrainState
from arena.errors import UserError
from arena.play.records import SavedGame, Skipped, begin, read_games
from games import Game
from league.settings.json_object import JsonObject
from league.store import imported_games
from league.store.imported_games import MoveLists

_RATINGS = (("WhiteElo", "WR", "rating_0"), ("BlackElo", "BR", "rating_1"))
"""Tags that give the rating of seat 0 and of seat 1, in PGN, SGF and JSONL."""
_HELD_OUT = 10
"""Every so many-th game is not learnt from, but measures the model."""
_SHARD = 512
"""Games whose positions are in memory at once."""


class Import(NamedTuple):
    """What files gave.

    Attributes:
      games: with all their moves.
      skipped: those that were left out, a line a file; empty if none was.
      repeated: how many were left out because the same moves had been there before.
    """

    games: MoveLists
    skipped: list[str]
    repeated: int


class _Game(NamedTuple):
    start: Any
    moves: Sequence[int]
    outcome: float
    rating: tuple[float, float]


def read(paths: Sequence[Path], game: Game, load: Callable[[str], Game], name: str) -> Import:
    """Reads all games of some files; those that are broken are counted and left out.

    Args:
      paths: PGN, SGF or JSONL files.
      game: what must have been played.
      load: gives a game by its name.
      name: of the game, for messages.

    Raises:
      UserError: there is no such file, or no game in any of them.
    """
    found: list[_Game] = []
    told = []
    for path in paths:
        skipped = Skipped()
        for kept in read_games(path, game=game, load=load, skipped=skipped, check=False):
            try:
                found.append(_game(kept, game))
            except ValueError as error:
                skipped.add(len(found), error)
        if skipped.count:
            told.append(f"{path}: {skipped.describe()}")
    distinct = {(*one.moves, *_words(one.start)): one for one in reversed(found) if one.moves}
    found, count = list(reversed(distinct.values())), len(found)
    if not found:
        raise UserError("; ".join([f"there is no game of {name} in these files", *told]))
    lists = MoveLists(
        jax.tree.map(lambda *x: np.stack(x), *[one.start for one in found]),
        np.array([len(one.moves) for one in found], np.int32),
        np.concatenate([np.array(one.moves, np.int32) for one in found]),
        np.array([one.outcome for one in found], np.float32),
        np.array([one.rating for one in found], np.float32),
    )
    return Import(lists, told, count - len(found))


def _words(state: Any) -> tuple[bytes, ...]:
    """A position, to compare it with others."""
    return tuple(leaf.tobytes() for leaf in jax.tree.leaves(state))


def _game(kept: SavedGame, game: Game) -> _Game:
    """A game, whose labels are read one after the other."""
    session = begin(kept, game)
    start = session.position.start
    start = jax.tree.map(np.asarray, game.init() if start is None else start)
    for label in kept.moves:
        session.push(label)
    result = session.result if kept.result is None else kept.result
    first, second = (_rating(kept.tags, names) for names in _RATINGS)
    return _Game(start, session.moves, 0.0 if result is None else result, (first, second))


def _rating(tags: Mapping[str, str | int | float], names: Sequence[str]) -> float:
    """The rating in a game's tags; NaN if there is none."""
    for name in names:
        number = re.match(r"\s*(\d+(\.\d+)?)", str(tags.get(name, "")))
        if number:
            return float(number[1])
    return float("nan")


def pretrain(
    learner: Learner, state: TrainState, games: MoveLists, *, count: int, key: jax.Array
) -> tuple[TrainState, JsonObject]:
    """Has a policy imitate games before it learns from its own.

    Args:
      learner: of the run; its weights are those of one network.
      state: before anything is learnt.
      games: at least one.
      count: positions to learn from in all, each time that one is drawn.
      key: PRNG key.

    Returns:
      the state after it, with a fresh optimiser; and of held-out games the mean log-probability of
      a move in nats before and after, and how often it is the policy's favourite.

    Raises:
      UserError: the learner's weights are of another kind.
    """
    if not isinstance(state.params, dict):
        raise UserError("this learner cannot begin from data: its weights are not one network's")
    number = np.arange(len(games.length))
    held_out = number[(number % _HELD_OUT == 0) & (len(number) > _HELD_OUT)]
    train = np.setdiff1d(number, held_out)
    test = _dataset(learner.game, games, held_out[:_SHARD] if len(held_out) else train[:_SHARD])
    before = imitation.likelihood(learner, state.params, test)
    config = replace(learner.config, replay_ratio=1.0)
    objective = imitation.Objective(learner.game, config)
    fitted, losses = optimisation.init(objective, state.params), {}
    learnt, shards = 0, _shards(train, key)
    while learnt < count:
        part = _dataset(learner.game, games, next(shards))
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
    return TrainState(fitted.params, state.optimiser), figures


def _shards(games: np.ndarray, key: jax.Array) -> Iterator[np.ndarray]:
    """Some games after the other, in another order each time all have been there."""
    chance = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    while True:
        order = chance.permutation(games)
        yield from (order[at : at + _SHARD] for at in range(0, len(order), _SHARD))


def _dataset(game: Game, games: MoveLists, chosen: np.ndarray) -> imitation.Dataset:
    """The moves of some games as what imitation learns from, all of the same weight."""
    moves = imported_games.positions(game, games, chosen)
    weight = np.ones(len(moves.move), np.float32)
    return imitation.Dataset(moves.state, moves.move, weight, moves.outcome)
