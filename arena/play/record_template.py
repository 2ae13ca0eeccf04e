"""The structure of a record, for who reads one that was written elsewhere."""

import jax
import jax.numpy as jnp
import numpy as np

from arena.play.device_loop import Match, _empty_record, _empty_table, _Inputs
from arena.play.record import Record
from arena.types import Params, State


def record_template(
    match: Match, params_a: Params, params_b: Params, *, keys: np.ndarray, openings: State
) -> Record:
    """The structure of what a match records, whose judge has no weights of its own.

    Args: as of `Match.play`, but shapes of weights [G, ...], the data of keys u32[G, K], and numpy
    arrays of openings.
    """
    first = np.zeros(jax.tree.leaves(openings)[0].shape[:2], np.int32)

    def record(a: Params, b: Params, first: jax.Array) -> Record:
        inputs = _Inputs((a, b), jax.random.wrap_key_data(jnp.asarray(keys)), openings, first)
        return _empty_record(match, inputs, _empty_table(match, openings))

    found = jax.eval_shape(record, params_a, params_b, first)
    return found._replace(finals=openings if match.finals else ())
