"""Analysis: the same tree in chunks, limits that are obeyed, and a tree that is kept."""

from functools import cache
from threading import Event
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents import mcts, uniform
from agents.learners import mmd
from agents.nn import networks
from agents.nn.networks import MLPConfig
from agents.policies import SearchPolicy
from agents.search import analysis
from arena.analysis import Analysis, Limit
from arena.errors import UserError
from arena.types import Agent, Position
from games import Game
from league.store import pretrained
from tests.helpers.false_judge import Inverted

GAME = games.load("tic_tac_toe")
NETWORK = MLPConfig(width=16, layers=1)


@cache
def _weights() -> Any:
    return networks.initialise(GAME, NETWORK, jax.random.key(0))


@cache
def _agent() -> Agent:
    return Agent("net", SearchPolicy(GAME, NETWORK, 8), _weights())


def _analyst(agent: Agent | None = None, **options: Any) -> analysis.TreeAnalyst:
    agent = agent or _agent()
    assert isinstance(agent.policy, analysis.Searches)
    params = jax.tree.map(lambda x: x[None], agent.params)
    return analysis.TreeAnalyst(agent.policy.tree_search(), params, **options)


def _after(game: Game, text: str) -> Position:
    state, moves = game.init(), []
    for move in text.split():
        moves.append(game.parse(state, move))
        state = game.step(state, jnp.int32(moves[-1]))
    return Position(jax.tree.map(np.asarray, state), tuple(moves))


def _visits(found: Analysis) -> dict[int, int]:
    return {move.move: move.visits for move in found.moves}


def test_chunks_grow_the_tree_of_one_run():
    whole = _analyst(chunk=40).analyse(_after(GAME, ""), Limit(simulations=40))
    seen: list[Analysis] = []
    chunks = _analyst(chunk=8).analyse(
        _after(GAME, ""), Limit(simulations=40), callback=seen.append
    )
    assert [found.simulations for found in seen] == [8, 16, 24, 32, 40]
    assert seen[-1] is chunks
    assert sum(_visits(chunks).values()) == 40
    assert _visits(chunks) == _visits(whole)
    assert [m.q for m in chunks.moves] == [m.q for m in whole.moves]
    assert chunks.variation == whole.variation
    assert chunks.move == chunks.variation[0] == chunks.moves[0].move
    assert sum(m.prior for m in chunks.moves) == pytest.approx(1, abs=1e-5)


def test_a_limit_that_is_no_multiple_of_a_chunk_is_obeyed():
    found = _analyst(chunk=8).analyse(_after(GAME, ""), Limit(simulations=13))
    assert found.simulations == sum(_visits(found).values()) == 13


def test_a_tree_that_is_full_is_enlarged(monkeypatch: pytest.MonkeyPatch):
    limit, start = Limit(simulations=24), _after(GAME, "")
    wide = _analyst().analyse(start, limit)
    monkeypatch.setattr(analysis, "_CAPACITY", 16)
    assert _visits(_analyst(chunk=8).analyse(start, limit)) == _visits(wide)
    monkeypatch.setattr(analysis, "_BYTES", 1)
    assert _analyst(chunk=8).analyse(start, limit).simulations == 16


def test_a_tree_of_fixed_room_ends_the_analysis():
    analyst, start = _analyst(chunk=5, capacity=16, fixed=True), _after(GAME, "")
    found = analyst.analyse(start, Limit(simulations=24))
    assert (found.simulations, found.filled) == (16, 1.0)
    assert _visits(found) == _visits(_analyst().analyse(start, Limit(simulations=16)))
    again = analyst.analyse(start, Limit(simulations=24))
    assert (again.simulations, again.move) == (0, found.move)


def test_every_move_that_was_tried_has_a_variation():
    found = _analyst().analyse(_after(GAME, "a1"), Limit(simulations=64))
    for move in found.moves:
        assert move.variation[:1] == ((move.move,) if move.visits else ())
        assert (move.raw_value is None) == (move.q is None) == (move.visits == 0)
    best = next(move for move in found.moves if move.move == found.move)
    assert best.variation == found.variation


def test_moves_can_be_chosen_from_some():
    analyst, start = _analyst(), _after(GAME, "")
    found = analyst.analyse(start, Limit(simulations=32), among=[0, 7])
    assert set(_visits(found)) == {0, 7}
    assert sum(_visits(found).values()) == 32
    more = analyst.analyse(start, Limit(simulations=8), among=[0, 7])
    assert sum(_visits(more).values()) == 40
    assert sum(_visits(analyst.analyse(start, Limit(simulations=8))).values()) == 8
    with pytest.raises(ValueError, match="none of the moves"):
        analyst.analyse(_after(GAME, "a1"), Limit(simulations=8), among=[6])
    # A win that is not among the moves to choose from is not found.
    winning = _after(GAME, "a1 a3 b1 b3")
    assert analyst.analyse(winning, Limit(simulations=64)).proven
    assert analyst.analyse(winning, Limit(simulations=64), among=[3]).value != 1


def test_reports_come_no_more_often_than_asked_for():
    now = iter(range(100))
    seen: list[Analysis] = []
    analyst = _analyst(chunk=1, clock=lambda: float(next(now)))
    start = _after(GAME, "")
    analyst.analyse(start, Limit(simulations=9), callback=seen.append, every=4.0)
    assert [found.seconds for found in seen] == [1.0, 5.0, 9.0]


def test_a_deadline_is_obeyed():
    now = iter(range(100))  # a second goes by between any two looks at the clock
    analyst = _analyst(chunk=4, clock=lambda: float(next(now)))
    found = analyst.analyse(_after(GAME, ""), Limit(time=3.0))
    assert (found.simulations, found.seconds) == (12, 3.0)


def test_a_stop_is_obeyed():
    stop = Event()

    def callback(found: Analysis) -> None:
        if found.simulations == 12:
            stop.set()

    found = _analyst(chunk=4).analyse(_after(GAME, ""), Limit(), callback=callback, stop=stop)
    assert found.simulations == 12
    with pytest.raises(UserError, match="an analysis needs"):
        _analyst().analyse(_after(GAME, ""), Limit())
    with pytest.raises(UserError, match="time must be positive"):
        Limit(time=0)


def test_the_tree_is_kept_for_the_next_move():
    analyst, limit = _analyst(chunk=8), Limit(simulations=64)
    first = analyst.analyse(_after(GAME, ""), limit)
    ours, theirs = first.variation[:2]
    assert analyst._tree is not None
    whole = jax.tree.map(np.asarray, analyst._tree.progress.tree)
    analyst.advance(ours)
    assert analyst._tree is not None
    kept = int(analyst._tree.number)
    assert kept == _visits(first)[ours] - 1  # all but the simulation that added it went on from it
    _is_subtree(whole, jax.tree.map(np.asarray, analyst._tree.progress.tree), ours)
    analyst.advance(theirs)
    assert analyst._tree is not None
    kept = int(analyst._tree.number)
    assert kept > 0
    line = f"{GAME.label(GAME.init(), ours)} "
    line += GAME.label(_after(GAME, line).state, theirs)
    again = analyst.analyse(_after(GAME, line), Limit(simulations=8))
    assert again.simulations == 8
    assert sum(_visits(again).values()) == kept + 8
    # Another position begins a tree of its own.
    other = analyst.analyse(_after(GAME, "b2 a1"), Limit(simulations=8))
    assert sum(_visits(other).values()) == 8


def _is_subtree(whole: Any, part: Any, move: int) -> None:
    """Node by node, from the root of one and from a child of the other's root."""
    here = {int(whole.node.parent_action[c]): int(c) for c in whole.children[1] if c}[move]
    todo, count = [(here, 1)], 0
    while todo:
        old, new = todo.pop()
        count += 1
        for name in ("visits", "value_sum", "num_tried"):
            assert getattr(whole, name)[old] == getattr(part, name)[new]
        old_node, new_node = (
            jax.tree.map(lambda x, n=n: x[n], tree.node) for tree, n in ((whole, old), (part, new))
        )
        jax.tree.map(np.testing.assert_array_equal, old_node, new_node)
        for a, b in zip(whole.children[old], part.children[new], strict=True):
            assert (a == 0) == (b == 0)
            if a:
                todo.append((int(a), int(b)))
    assert count == (part.visits > 0).sum()


def test_a_kept_tree_is_searched_as_before():
    """Under moves that were tried often, what is found goes on to agree with a fresh search."""
    analyst = _analyst()
    first = analyst.analyse(_after(GAME, ""), Limit(simulations=300))
    analyst.advance(first.move)
    label = first.labels[0]
    kept = analyst.analyse(_after(GAME, label), Limit(simulations=300))
    fresh = _analyst().analyse(_after(GAME, label), Limit(simulations=600))
    assert abs(kept.value - fresh.value) < 0.2


@pytest.mark.parametrize("agent", ["net", "mcts"])
def test_wins_are_proven(agent: str):
    player = _agent() if agent == "net" else mcts.make(GAME, "8")
    # X at a3 and b3, O at a2 and b2: X completes the top row.
    found = _analyst(player).analyse(_after(GAME, "a3 a2 b3 b2"), Limit(simulations=500))
    assert (found.proven, found.value, found.labels) == (True, 1.0, ("c3",))
    assert found.simulations < 500
    # O to move after that cannot stop both threats of X: b2, a1 and c3 against a3, and c2.
    lost = _analyst(player).analyse(_after(GAME, "a3 b3 c1 b2 a1"), Limit(simulations=2000))
    assert (lost.proven, lost.value) == (True, 1.0 if lost.labels[0] == "b1" else -1.0)


def test_a_false_judge_proves_nothing():
    policy = SearchPolicy(GAME, NETWORK, 8, judge=Inverted(GAME))
    agent = Agent("false", policy, _weights())
    found = _analyst(agent).analyse(_after(GAME, "a3 a2 b3 b2"), Limit(simulations=200))
    assert not found.proven
    assert found.labels[0] != "c3"  # it is told that this loses


def test_who_does_not_search_does_not_analyse():
    with pytest.raises(UserError, match="uniform does not search"):
        analysis.analyst(uniform.make(GAME, ""))
    over = _after(GAME, "a3 a2 b3 b2 c3")
    with pytest.raises(ValueError, match="no seat is to move"):
        _analyst().analyse(over, Limit(simulations=1))


def test_a_mean_of_weights_analyses():
    weights = mmd.Weights(jax.tree.map(jnp.zeros_like, _weights()), _weights())
    agent = Agent("mean", mmd.Mean(SearchPolicy(GAME, NETWORK, 8)), weights)
    mean = analysis.analyst(agent).analyse(_after(GAME, ""), Limit(simulations=20))
    plain = analysis.analyst(_agent()).analyse(_after(GAME, ""), Limit(simulations=20))
    assert _visits(mean) == _visits(plain)


def test_dice_are_analysed():
    game = games.load("backgammon")
    state = game.init()
    while int(game.mover(state)) < 0:  # the opening roll
        state = game.step(state, jnp.argmax(game.chance(state)))
    analyst = analysis.analyst(mcts.make(game, "4"))
    position = Position(jax.tree.map(np.asarray, state), ())
    found = analyst.analyse(position, Limit(simulations=40))
    assert not found.proven
    assert sum(_visits(found).values()) == 40
    assert len(found.moves) == int(game.legal(state).sum())


def test_a_trained_net_analyses_connect_four():
    game, agent = pretrained.load("pretrained:connect_four", 16)
    analyst = analysis.analyst(agent)
    start = analyst.analyse(_after(game, ""), Limit(simulations=128))
    # The first player wins from the centre (J. D. Allen 1988, V. Allis 1988).
    assert start.labels[0] == "4"
    assert start.value > 0
    assert len(start.variation) > 3
    state = game.init()
    for move, label in zip(start.variation, start.labels, strict=True):
        assert game.legal(state)[move]
        assert game.label(state, move) == label
        state = game.step(state, jnp.int32(move))
    # Three in a column, and the turn: the fourth wins.
    won = analyst.analyse(_after(game, "1 2 1 2 1 2"), Limit(simulations=200))
    assert (won.labels[0], won.value, won.proven) == ("1", 1.0, True)
