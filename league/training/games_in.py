"""Games of others as a dataset, and a policy that begins by imitating them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from agents.learners import imitation, optimisation
from agents.learners.base import Learner, TrainState
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.play.records import SavedGame, Skipped, begin, read_games
from arena.play.sessions import Sessions
from arena.types import Positions, State
from games import OVER, Game, text_positions
from league.settings.json_object import JsonObject
from league.store.imported_games import ImportedMoves

_RATINGS = (("WhiteElo", "WR", "rating_0"), ("BlackElo", "BR", "rating_1"))
"""Tags that give the rating of seat 0 and of seat 1, in PGN, SGF and JSONL."""
_HELD_OUT = 10
"""Every so many-th game is not learnt from, but measures the model."""
_EPOCHS = 4
_TOGETHER = 256
"""Games that are played through side by side."""


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
    parts: list[ImportedMoves] = []
    count, told = 0, []
    for path in paths:
        skipped = Skipped()
        found = read_games(path, game=game, load=load, skipped=skipped, check=False)
        while some := list(islice(found, _TOGETHER)):
            moves, games = _moves(some, game, count, skipped)
            parts.append(moves)
            count += games
        if skipped.count:
            told.append(f"{path}: {skipped.describe()}")
    if not any(len(part.move) for part in parts):
        raise UserError("; ".join([f"there is no game of {name} in these files", *told]))
    return Import(jax.tree.map(lambda *x: np.concatenate(x), *parts), count, told)


def _moves(
    some: Sequence[SavedGame], game: Game, first: int, skipped: Skipped
) -> tuple[ImportedMoves, int]:
    """The moves of games, numbered from `first` on, and how many games there are.

    Those without chance are played through side by side, which is many times as fast.
    """
    lines = _one_by_one(some, game) if game.num_outcomes else _side_by_side(some, game)
    rows, count = [], 0
    for kept, line in zip(some, lines, strict=True):
        if line.fault:
            skipped.add(first + count + 1, line.fault)
            continue
        result = line.result if kept.result is None else kept.result
        ratings = [_rating(kept.tags, names) for names in _RATINGS]
        outcome = np.where(np.array(line.seats) == 0, 1.0, -1.0) * (result or 0.0)
        rows.append((line, outcome, [ratings[seat] for seat in line.seats], first + count))
        count += 1
    rows = [row for row in rows if row[0].moves]
    states = [state for line, *_ in rows for state in line.states]
    none = jax.tree.map(lambda x: np.asarray(x)[None][:0], game.init())
    return ImportedMoves(
        jax.tree.map(lambda *x: np.stack(x), *states) if states else none,
        np.array([move for line, *_ in rows for move in line.moves], np.int32),
        np.concatenate([np.zeros(0), *[outcome for _, outcome, _, _ in rows]]).astype(np.float32),
        np.array([rating for _, _, rated, _ in rows for rating in rated], np.float32),
        np.array([number for line, _, _, number in rows for _ in line.moves], np.int32),
    ), count


@dataclass
class _Line:
    """A game as it is played through.

    Attributes:
      states: positions in which a seat was to move.
      moves: what it played.
      seats: who it was.
      result: seat 0's in [-1, 1] by the rules; None if the game is not over.
      fault: why the game is left out; "" if it is not.
    """

    states: list[State] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    seats: list[int] = field(default_factory=list)
    result: float | None = None
    fault: str = ""

    def add(self, state: State, move: int, seat: int) -> None:
        """One move more."""
        self.states.append(state)
        self.moves.append(move)
        self.seats.append(seat)


def _one_by_one(some: Sequence[SavedGame], game: Game) -> Iterator[_Line]:
    """Games played through, chance as it is recorded."""
    for kept in some:
        line = _Line()
        try:
            session = begin(kept, game)
            for label in kept.moves:
                state, seat = session.state, session.seat
                line.add(jax.tree.map(np.asarray, state), session.push(label), seat)
            line.result = session.result
        except ValueError as error:
            line.fault = str(error)
        yield line


def _side_by_side(some: Sequence[SavedGame], game: Game) -> list[_Line]:
    """Games without chance played through, a move of each at a time."""
    lines, begins = [_Line() for _ in some], []
    for kept, line in zip(some, lines, strict=True):
        try:
            begins.append(text_positions(game).from_text(kept.start) if kept.start else game.init())
        except ValueError as error:
            line.fault = str(error)
            begins.append(game.init())
    states = jax.tree.map(lambda *x: np.stack([np.asarray(one) for one in x]), *begins)
    positions = Positions(states, [[] for _ in some])
    games = Sessions(game, positions, generators=(), room=_TOGETHER)
    for ply in range(max((len(kept.moves) for kept in some), default=0)):
        going = [n for n, kept in enumerate(some) if ply < len(kept.moves) and not lines[n].fault]
        moves = [_move(game, games, n, some[n].moves[ply]) for n in going]
        legal = []
        for n, move in zip(going, moves, strict=True):
            if isinstance(move, str):
                lines[n].fault = f"move {ply + 1}, {move}"
                continue
            lines[n].add(games.position(n).state, move, int(games.view.mover[n]))
            legal.append((n, move))
        if legal:
            games.step([n for n, _ in legal], [move for _, move in legal])
    found = np.asarray(jax.jit(Rules(game).verdict)(games.positions.states))
    for n, line in enumerate(lines):
        over = games.view.mover[n] == OVER
        line.result = float(found[n]) if over else None
    return lines


def _move(game: Game, games: Sessions, n: int, label: str) -> int | str:
    """The number of a move in a game as it stands, or what is wrong with it."""
    if games.view.mover[n] == OVER:
        return f"{label!r:.40}: the game is over"
    try:
        move = int(game.parse(games.position(n).state, label))
    except ValueError as error:
        return f"{label!r:.40}: {error}"
    legal = 0 <= move < game.num_actions and games.view.legal[n][move]
    return move if legal else f"{label!r:.40} is not a legal move"


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
