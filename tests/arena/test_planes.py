"""Observations of envs as networks get them."""

import jax.numpy as jnp
import numpy as np
import pytest

from arena.pettingzoo.errors import BadObservation
from arena.pettingzoo.planes import as_planes
from arena.pettingzoo.spec import EnvSpec


@pytest.mark.parametrize(
    ("shape", "dtype", "low", "high", "expected"),
    [
        ((6, 7, 2), "int8", 0, 1, (6, 7, 2)),
        ((2, 6, 7), "int8", 0, 1, (6, 7, 2)),
        ((8, 8, 111), "bool", 0, 1, (8, 8, 111)),
        ((111, 8, 8), "bool", 0, 1, (8, 8, 111)),
        ((6, 7, 20), "int8", 0, 1, (6, 7, 20)),
        ((20, 6, 7), "int8", 0, 1, (6, 7, 20)),
        ((6, 7, 8), "int8", 0, 1, (6, 7, 8)),
        ((3, 3), "int8", -1, 1, (3, 3, 3)),
        ((3, 3), "uint8", 0, 255, (3, 3, 1)),
        ((3, 4), "float32", -np.inf, np.inf, (12,)),
        ((1, 1, 5), "float32", 0, 1, (5,)),
        ((5, 1), "int8", 0, 1, (5,)),
    ],
)
def test_observations_become_planes_or_vectors(shape, dtype, low, high, expected):
    spec = EnvSpec(
        agents=("a", "b"), num_actions=2, shape=shape, dtype=dtype, low=low, high=high, masked=True,
        add_seat=False, hidden_or_chance=False, reproducible=True, copyable=True, longest_game=9,
        max_plies=9, max_payoff=1.0,
    )  # fmt: skip
    raw = np.arange(np.prod(shape)).reshape(shape) % 2
    seen = np.asarray(as_planes(spec, jnp.asarray(raw.astype(dtype))))
    assert (seen.shape, seen.dtype) == (expected, np.float32)
    if len(shape) == 3 and shape[0] == 2:  # channels first
        np.testing.assert_array_equal(seen[..., 1], raw[1])
    if (low, high) == (-1, 1):  # a plane for each value
        np.testing.assert_array_equal(seen.argmax(-1), raw + 1)
        np.testing.assert_array_equal(seen.sum(-1), 1)
    if high == 255:
        assert seen.max() == np.float32(1 / 255)


def test_on_a_board_no_number_is_dropped():
    spec = EnvSpec(
        agents=("a", "b"), num_actions=2, shape=(2, 2), dtype="int8", low=0, high=6, masked=True,
        add_seat=False, hidden_or_chance=False, reproducible=True, copyable=True, longest_game=9,
        max_plies=9, max_payoff=1.0,
    )  # fmt: skip
    assert spec.stored(np.array([[0, 1], [2, 6]])).dtype == np.int8
    for wrong, line in ((7, "holds 0 to 7, and its space allows 0 to 6"), (0.5, "are no int8")):
        with pytest.raises(BadObservation, match=line):
            spec.stored(np.array([[0, 1], [2, wrong]]))
