"""The moves that both sides of a match choose in one tick.

Positions lie in an array [2, G, S, ...]: S of each of G matches for A to move in, then as many for
B. Agents that move by the same policy are called once, as one batch of 2G agents.
"""

from functools import partial

import jax
import jax.numpy as jnp

from arena.types import Cache, CachedPolicy, Decision, Key, Params, Policy, State

Policies = tuple[Policy, Policy]
Weights = tuple[Params, Params]
Caches = tuple[Cache, ...]


def decide(policies: Policies, params: Weights, *, keys: Key, states: State) -> Decision:
    """Chooses a move in every position, without caches.

    Args:
      policies: of A and of B.
      params: their weights, stacked [G, ...] each.
      keys: PRNG keys [G].
      states: positions [2, G, S, ...].

    Returns:
      moves i32[2, G, S] and aux [2, G, S, ...]; zeros for B's aux if its structure is not A's.
    """
    return decide_with_caches((None, None), policies, params, keys=keys, states=states)[0]


def init_caches(policies: Policies, params: Weights) -> Caches:
    """Empty caches of A and of B, one for both if they move by the same policy; None for none."""
    if policies[0] == policies[1]:
        return (_init(policies[0], _concatenated(*params)),)
    return _init(policies[0], params[0]), _init(policies[1], params[1])


def decide_with_caches(
    caches: Caches, policies: Policies, params: Weights, *, keys: Key, states: State
) -> tuple[Decision, Caches]:
    """As `decide`, with caches of these agents; the decision, and the caches after it."""
    shape = jax.tree.leaves(states)[0].shape[:3]
    flat = jax.tree.map(lambda x: x.reshape(2, -1, *x.shape[3:]), states)
    keys_a, keys_b = (jax.vmap(partial(_fold, side))(keys) for side in (0, 1))
    if policies[0] == policies[1]:
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), flat)
        both, keys = _concatenated(*params), jnp.concatenate([keys_a, keys_b])
        decision, after = _call(policies[0], caches[0], both, keys, flat)
        return jax.tree.map(lambda x: x.reshape(*shape, *x.shape[1:]), decision), (after,)
    for_a, for_b = (jax.tree.map(lambda x, n=n: x[n], flat) for n in (0, 1))
    a, after_a = _call(policies[0], caches[0], params[0], keys_a, for_a)
    b, after_b = _call(policies[1], caches[1], params[1], keys_b, for_b)
    if jax.tree.structure(a.aux) != jax.tree.structure(b.aux):
        b = b._replace(aux=jax.tree.map(jnp.zeros_like, a.aux))
    decision = jax.tree.map(lambda *x: jnp.stack(x).reshape(*shape, *x[0].shape[1:]), a, b)
    return decision, (after_a, after_b)


def _init(policy: Policy, params: Params) -> Cache:
    return policy.init_cache(params) if isinstance(policy, CachedPolicy) else None


def _call(
    policy: Policy, cache: Cache, params: Params, keys: Key, states: State
) -> tuple[Decision, Cache]:
    """One side's decision [G·S], and its cache after that, None if it has none."""
    if cache is None or not isinstance(policy, CachedPolicy):
        return policy(params, keys, states), None
    return policy.with_cache(cache, params, keys, states)


def _concatenated(params_a: Params, params_b: Params) -> Params:
    """Weights of all agents, [2G, ...]."""
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), params_a, params_b)


def _fold(number: int, key: Key) -> Key:
    return jax.random.fold_in(key, number)
