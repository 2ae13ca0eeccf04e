"""Games of others as a dataset, and a policy that begins by imitating them."""

import re
from collections.abc import Callable, Mapping, Sequence
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
from league.store.imported_games import ImportedMoves

_RATINGS = (("WhiteElo", "WR", "rating_0"), ("BlackElo", "BR", "rating_1"))
"""Tags that give the rating of seat 0 and of seat 1, in PGN, SGF and JSONL."""
_HELD_OUT = 10
"""Every so many-th game is not learnt from, but measures the model."""
_EPOCHS = 4


class Import(NamedTuple):
    """What files gave.

    Attributes:
      moves: all moves in all games.
      games: how many there are.
      skipped: those that were left out, a line a file; empty if none was.
    """

    moves: ImportedMoves
    games: int
    skipped: list[str]


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
    rows: list[tuple[Any, int, float, float, int]] = []
    count, told = 0, []
    for path in paths:
        skipped = Skipped()
        for kept in read_games(path, game=game, load=load, skipped=skipped, check=False):
            try:
                rows += _moves(kept, game, count)
                count += 1
            except ValueError as error:
                skipped.add(count, error)
        if skipped.count:
            told.append(f"{path}: {skipped.describe()}")
    if not rows:
        raise UserError("; ".join([f"there is no game of {name} in these files", *told]))
    states, move, outcome, rating, number = zip(*rows, strict=True)
    moves = ImportedMoves(
        jax.tree.map(lambda *x: np.stack(x), *states),
        np.array(move, np.int32),
        np.array(outcome, np.float32),
        np.array(rating, np.float32),
        np.array(number, np.int32),
    )
    return Import(moves, count, told)


def _moves(kept: SavedGame, game: Game, number: int) -> list[tuple[Any, int, float, float, int]]:
    """A game's moves: position, move, outcome for the mover, its rating, and the game's number."""
    session, found = begin(kept, game), []
    ratings = [_rating(kept.tags, names) for names in _RATINGS]
    for label in kept.moves:
        state = session.state
        move = game.parse(state, label)
        found.append((session.seat, jax.tree.map(np.asarray, state), move))
        session.push(move)
    result = session.result if kept.result is None else kept.result
    result = 0.0 if result is None else result
    return [
        (state, move, result if seat == 0 else -result, ratings[seat], number)
        for seat, state, move in found
    ]


def _rating(tags: Mapping[str, str | int | float], names: Sequence[str]) -> float:
    """The rating in a game's tags; NaN if there is none."""
    for name in names:
        number = re.match(r"\s*(\d+(\.\d+)?)", str(tags.get(name, "")))
        if number:
            return float(number[1])
    return float("nan")


def pretrain(
    learner: Learner, state: TrainState, moves: ImportedMoves, key: jax.Array
) -> tuple[TrainState, JsonObject]:
    """Has a policy imitate games before it learns from its own.

    Args:
      learner: of the run; its weights are those of one network.
      state: before anything is learnt.
      moves: of at least one game.
      key: PRNG key.

    Returns:
      the state after it, with a fresh optimiser; and of held-out games the mean log-probability of
      a move in nats before and after, and how often it is the policy's favourite.

    Raises:
      UserError: the learner's weights are of another kind.
    """
    if not isinstance(state.params, dict):
        raise UserError("this learner cannot begin from data: its weights are not one network's")
    held_out = (moves.game % _HELD_OUT == 0) & (moves.game.max() >= _HELD_OUT)
    train, test = (_dataset(moves, part) for part in (~held_out, held_out))
    test = test if held_out.any() else train
    before = imitation.likelihood(learner, state.params, test)
    config = replace(learner.config, replay_ratio=1.0)
    objective = imitation.Objective(learner.game, config)
    fitted, losses = optimisation.init(objective, state.params), {}
    for epoch in range(_EPOCHS):
        fitted, losses = optimisation.fit(
            objective,
            fitted,
            train,
            fresh=len(train.move),
            progress=epoch / (_EPOCHS - 1),
            key=jax.random.fold_in(key, epoch),
        )
    after = imitation.likelihood(learner, fitted.params, test)
    figures = {
        "moves": len(moves.move),
        "games": int(moves.game.max()) + 1,
        "held_out": len(test.move) if held_out.any() else 0,
        "log_likelihood_before": before[0],
        "log_likelihood": after[0],
        "agreement_before": before[1],
        "agreement": after[1],
        "loss": losses["loss"],
    }
    return TrainState(fitted.params, state.optimiser), figures


def _dataset(moves: ImportedMoves, part: np.ndarray) -> imitation.Dataset:
    """Some of the moves as what imitation learns from, all of the same weight."""
    state = jax.tree.map(lambda x: x[part], moves.state)
    weight = np.ones(int(part.sum()), np.float32)
    return imitation.Dataset(state, moves.move[part], weight, moves.outcome[part])
