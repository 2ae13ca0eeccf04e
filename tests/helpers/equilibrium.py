"""Values of games of hidden information, by a linear program over the sequence form."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, hstack

from arena.evaluation.exploitability import SequenceForm, sequence_form
from games import Game


def _flow(form: SequenceForm, seat: int) -> coo_array:
    """What a seat's weights of sequences obey, [1 + I, 1 + I A].

    Row 0 adds up the empty sequence; row 1 + i those that end in information set i, less the one
    that leads there. All rows but the first add up to 0.
    """
    sets, moves = form.legal.shape
    [own] = np.nonzero(form.seat == seat)
    at, move = np.nonzero(form.legal[own])
    rows = np.concatenate([[0], 1 + own[at], 1 + own])
    columns = np.concatenate([[0], 1 + moves * own[at] + move, form.before[own]])
    data = np.concatenate([[1], np.ones(len(at)), -np.ones(len(own))])
    return coo_array((data, (rows, columns)), (1 + sets, 1 + sets * moves))


def value(game: Game) -> float:
    """What seat 0 gets when both play their best (Koller, Megiddo, von Stengel 1996).

    Seat 0 chooses weights x for its sequences. Against them seat 1 does its best where the most
    that x concedes is least: v, one for the start and one for each of its information sets.
    """
    form = sequence_form(game)
    sequences = 1 + form.legal.size
    payoff = coo_array((form.payoff, tuple(form.ends)), (sequences, sequences))
    mine, theirs = _flow(form, 0), _flow(form, 1)
    nodes = 1 + len(form.seat)
    start = np.zeros(nodes)
    start[0] = 1
    # Maximise v of the start, while no sequence of seat 1 keeps seat 0 below v.
    found = linprog(
        np.concatenate([np.zeros(sequences), -start]),
        A_ub=hstack([-payoff.T, theirs.T]),
        b_ub=np.zeros(sequences),
        A_eq=hstack([mine, coo_array((nodes, nodes))]),
        b_eq=start,
        bounds=[(0, None)] * sequences + [(None, None)] * nodes,
    )
    if not found.success:
        raise ValueError(f"no solution: {found.message}")
    return float(-found.fun)
