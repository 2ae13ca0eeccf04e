"""Networks: shapes, and many agents at once."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.nn import networks
from agents.nn.networks import ConvNetConfig, MLPConfig, ResNetConfig, TransformerConfig
from arena.types import stack
from games import Game

SMALL = ResNetConfig(channels=16, blocks=1)


def _seen(game: Game, shape: tuple[int, ...]) -> np.ndarray:
    """Random planes f32[*shape, H, W, C]."""
    board = jax.eval_shape(lambda: game.observe(game.init(), jnp.int32(0))).shape
    return np.random.default_rng(0).integers(0, 2, (*shape, *board)).astype(np.float32)


def _shapes(game: Game, config: networks.NetworkConfig, ownership: bool = False) -> Any:
    initialise = partial(networks.initialise, game, config, ownership=ownership)
    return jax.eval_shape(initialise, jax.random.key(0))


def _params(game: Game, config: networks.NetworkConfig, seed: int, ownership: bool = False) -> Any:
    """Weights in which nothing is zero, so that every layer has a say."""
    leaves, form = jax.tree.flatten(_shapes(game, config, ownership))
    rng = np.random.default_rng(seed)
    return form.unflatten([jnp.asarray(rng.normal(0, 0.2, x.shape), "f") for x in leaves])


@pytest.mark.parametrize("name", games.names())
def test_shapes_and_plain_parameters(name: str):
    game, seen = games.load(name), _seen(games.load(name), (50,))
    small = SMALL if seen.ndim == 4 else MLPConfig(width=32, layers=2)
    for path, leaf in jax.tree_util.tree_leaves_with_path(_shapes(game, small)):
        assert all(isinstance(key, jax.tree_util.DictKey) for key in path)
        assert leaf.dtype == np.float32
    apply = jax.jit(partial(networks.apply, game, small))
    logits, value = apply(_params(game, small, 1), seen)
    assert (logits.shape, logits.dtype) == ((50, game.num_actions), np.float32)
    assert (value.shape, value.dtype) == ((50,), np.float32)
    assert (np.abs(value) <= 1).all()
    different = len(np.unique(seen.reshape(50, -1), axis=0))
    assert len(np.unique(value)) > 0.8 * different  # it looks at the board
    assert (np.ptp(np.asarray(logits), axis=0) > 0).all()


@pytest.mark.parametrize("name", games.names())
def test_a_suitable_network_reads_the_game_and_a_tower_refuses_vectors(name: str):
    game = games.load(name)
    networks.suitable(game).check(game)
    MLPConfig().check(game)
    if isinstance(networks.suitable(game), MLPConfig):
        with pytest.raises(ValueError, match="reads planes"):
            ResNetConfig().check(game)


def test_depth_starts_as_the_identity():
    game = games.load("tic_tac_toe")
    tall = ResNetConfig(channels=16, blocks=3)
    params = networks.initialise(game, tall, jax.random.key(0))
    seen = jnp.asarray(_seen(game, (20,)))
    deep = networks.apply(game, tall, params, seen)
    one_block = {**params, "blocks": {0: params["blocks"][2]}}
    flat = networks.apply(game, SMALL, one_block, seen)
    for x, y in zip(deep, flat, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


def test_a_transformer_reads_boards_cell_by_cell():
    game, small = games.load("connect_four"), TransformerConfig(width=16, layers=1, heads=2)
    small.check(game)
    params = _params(game, small, 1)
    apply = jax.jit(partial(networks.apply, game, small))
    seen = jnp.asarray(_seen(game, (20,)))
    logits, value = apply(params, seen)
    assert (logits.shape, value.shape) == ((20, 7), (20,))
    # It knows where a cell is: with other places, other values, though the stones are the same.
    turned = {**params, "place": params["place"][::-1]}
    assert np.abs(np.asarray(value) - apply(turned, seen)[1]).max() > 1e-3
    # Fresh layers do nothing yet.
    deep = TransformerConfig(width=16, layers=3, heads=2)
    fresh = networks.initialise(game, deep, jax.random.key(0))
    flat = apply({**fresh, "layers": {0: fresh["layers"][2]}}, seen)
    for x, y in zip(networks.apply(game, deep, fresh, seen), flat, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)
    with pytest.raises(ValueError, match="multiple of four times its heads"):
        TransformerConfig(width=20, heads=4)
    with pytest.raises(ValueError, match="reads planes"):
        small.check(games.load("kuhn_poker"))


def test_a_convnet_moves_with_the_stones_and_fits_boards_of_all_sizes():
    game, small = games.load("gomoku:size=19"), ConvNetConfig(channels=8, blocks=2)
    params = _params(game, small, 1)
    # The middle is so far from the edges that nothing there is seen from both.
    seen = np.zeros((2, 19, 19, 2), np.float32)
    stones = np.random.default_rng(0).integers(0, 2, (3, 3, 2))
    seen[0, 8:11, 7:10], seen[1, 8:11, 8:11] = stones, stones
    logits, value = networks.apply(game, small, params, jnp.asarray(seen))
    there, moved = np.asarray(logits).reshape(2, 19, 19)
    np.testing.assert_allclose(moved[:, 6:-5], there[:, 5:-6], atol=1e-4)
    assert np.ptp(there) > 0.1
    np.testing.assert_allclose(value[0], value[1], atol=1e-5)
    smaller = games.load("gomoku:size=9")
    assert _shapes(smaller, small) == _shapes(game, small)
    seen = jnp.asarray(_seen(smaller, (3,)))
    assert networks.apply(smaller, small, params, seen)[0].shape == (3, 81)


@pytest.mark.parametrize("name", ["othello", "chess", "english_draughts"])
def test_a_convnet_reads_every_move_where_it_lies(name: str):
    game, small = games.load(name), ConvNetConfig(channels=8, blocks=1)
    where, seen = game.move_planes(), jnp.asarray(_seen(game, (4,)))
    assert where is not None
    params = _params(game, small, 1)
    logits = networks.apply(game, small, params, seen)[0]
    assert logits.shape == (4, game.num_actions)
    # What raises one plane raises its moves and no others.
    biased = params["move"]["planes"]["bias"].at[0].add(1.0)
    planes = {**params["move"]["planes"], "bias": biased}
    raised = networks.apply(
        game, small, {**params, "move": {**params["move"], "planes": planes}}, seen
    )[0]
    cells = np.prod(seen.shape[1:3])
    expected = (where >= 0) & (where < cells)
    np.testing.assert_allclose(raised - logits, np.tile(expected, (4, 1)), atol=1e-4)
    with pytest.raises(ValueError, match="reads moves on cells"):
        small.check(games.load("connect_four"))


def test_many_agents_are_each_one_by_itself():
    game = games.load("tic_tac_toe")
    params = [_params(game, SMALL, n) for n in range(3)]
    seen = jnp.asarray(_seen(game, (3, 20)))
    apply = jax.jit(partial(networks.apply, game, SMALL))
    logits, value = jax.jit(partial(networks.over_agents, apply))(stack(params), seen)
    assert (logits.shape, value.shape) == ((3, 20, 9), (3, 20))
    for g in range(3):
        alone = apply(params[g], seen[g])
        np.testing.assert_allclose(logits[g], alone[0], atol=1e-5)
        np.testing.assert_allclose(value[g], alone[1], atol=1e-5)
    assert np.abs(np.asarray(apply(params[0], seen[1])[1]) - value[1]).max() > 0.01


@pytest.mark.parametrize(
    "small", [SMALL, MLPConfig(width=32, layers=1), TransformerConfig(16, 1, 2)], ids=lambda x: ""
)
def test_the_head_of_ownership_is_there_for_training_alone(small: networks.NetworkConfig):
    game = games.load("go:size=3")
    with_head = _params(game, small, 1, ownership=True)
    plain = networks.for_play(with_head)
    assert jax.tree.map(np.shape, plain) == jax.tree.map(np.shape, _shapes(game, small))
    seen = jnp.asarray(_seen(game, (20,)))
    logits, value, owners = jax.jit(partial(networks.apply_with_ownership, game, small))(
        with_head, seen
    )
    assert (owners.shape, owners.dtype) == ((20, 9), np.float32)
    assert (np.ptp(np.asarray(owners), axis=0) > 0).all()
    apply = jax.jit(partial(networks.apply, game, small))
    for x, y in zip(apply(plain, seen), (logits, value), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)
    # For play it is not even computed.
    plain_text, text = (
        str(jax.make_jaxpr(partial(networks.apply, game, small))(p, seen))
        for p in (plain, with_head)
    )
    assert plain_text.count("dot_general") == text.count("dot_general")
