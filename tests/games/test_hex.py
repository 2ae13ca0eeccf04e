"""Hex: chains, edges and the swap, on boards of several sizes."""

import warnings
from collections import Counter
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation.enumeration import raw
from arena.evaluation.solver import solve
from games import OVER, Game
from tests.helpers.playouts import playouts


def _after(game: Game, *labels: str) -> Any:
    """The position after moves as players write them."""
    state = game.init()
    for label in labels:
        state = game.step(state, jnp.int32(game.parse(state, label)))
    return state


def _joined(stones: np.ndarray) -> bool:
    """Whether bool[n, n] has a chain from the first row to the last: a flood cell by cell."""
    n = len(stones)
    reached = {(0, c) for c in range(n) if stones[0, c]}
    border = list(reached)
    while border:
        r, c = border.pop()
        for dr, dc in ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)):
            cell = r + dr, c + dc
            if min(cell) >= 0 and max(cell) < n and stones[cell] and cell not in reached:
                reached.add(cell)
                border.append(cell)
    return any(r == n - 1 for r, _ in reached)


def _bitset(boards: np.ndarray) -> tuple[jax.Array, ...]:
    """Boards bool[N, cells] as words u32[N] each."""
    padded = np.pad(boards, [(0, 0), (0, -boards.shape[1] % 32)])
    bits = padded.reshape(len(boards), -1, 32).astype(np.uint32) << np.arange(32, dtype=np.uint32)
    return tuple(jnp.asarray(word) for word in bits.sum(2, dtype=np.uint32).T)


@cache
def _rejoined(size: int) -> Any:
    """Jitted: words and a cell of boards [N] that is taken, to whether the edges are joined."""
    game = games.load(f"hex:size={size}")

    def look(board: tuple[jax.Array, ...], cell: jax.Array) -> jax.Array:
        return game.step(game.init()._replace(mine=board), cell).over

    return jax.jit(jax.vmap(look))


def _wins(size: int, boards: np.ndarray) -> np.ndarray:
    """Whether the stones of boards bool[N, cells] join the edges, bool[N]; none does not."""
    taken = jnp.asarray(boards.argmax(1), jnp.int32)
    return np.asarray(_rejoined(size)(_bitset(boards), taken)) & boards.any(1)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 16, 19])
def test_a_full_board_has_exactly_one_winner(size: int):
    rng = np.random.default_rng(size)
    density = rng.uniform(0.3, 0.7, (500, 1, 1))
    red = rng.random((500, size, size)) < density
    blue = ~red.transpose(0, 2, 1)
    red_wins, blue_wins = (_wins(size, stones.reshape(500, -1)) for stones in (red, blue))
    np.testing.assert_array_equal(red_wins, ~blue_wins)
    np.testing.assert_array_equal(red_wins, [_joined(stones) for stones in red])
    assert 0 < red_wins.sum() < 500


@pytest.mark.parametrize("size", [4, 11])
def test_random_games_end_with_the_first_chain(size: int):
    game = games.load(f"hex:size={size}")
    played = playouts(game, 30, seed=size)
    look = jax.jit(jax.vmap(jax.vmap(game.observe, (0, None)), (0, None)))
    red, blue = (np.asarray(look(played.states, seat))[..., 0] > 0 for seat in range(2))
    for ply, game_ in np.ndindex(played.movers.shape):
        done = _joined(red[ply, game_]) or _joined(blue[ply, game_])
        assert (played.movers[ply, game_] == OVER) == done


def test_a_winding_chain_wins_only_when_it_is_whole():
    # Three rows to and fro, joined at their ends: 29 cells, the longest way down a 7×7 board of
    # this kind. Each of them is needed.
    chain = np.zeros((7, 7), bool)
    chain[::2] = True
    chain[1, 6] = chain[3, 0] = chain[5, 6] = True
    chain[0, :6] = chain[6, :6] = False
    chain[2, 6] = chain[4, 6] = True
    assert _wins(7, chain.reshape(1, -1))[0]
    broken = np.repeat(chain.reshape(1, -1), 49, 0) & ~np.eye(49, dtype=bool)
    needed = ~_wins(7, broken)
    np.testing.assert_array_equal(needed, [not _joined(b.reshape(7, 7)) for b in broken])
    assert needed.sum() > 15


@pytest.mark.parametrize(
    ("size", "paths"), [(1, {1: 1}), (2, {2: 3}), (3, {3: 8, 4: 2, 5: 1}), (4, {4: 20, 5: 14})]
)
def test_winning_paths_are_as_many_as_published(size: int, paths: dict[int, int]):
    # Sets of cells that join the edges and of which none can be left out. oeis.org/A096367: there
    # are (n + 1) 2^(n - 2) of n cells, and 2, 14 of n + 1 cells for n = 3, 4. oeis.org/A375298: the
    # longest have 1, 2, 5, 8 cells.
    sets = np.arange(1 << size**2)
    wins = _wins(size, (sets[:, None] >> np.arange(size**2) & 1).astype(bool))
    minimal = wins.copy()
    for cell in range(size**2):
        minimal &= ~wins[sets & ~(1 << cell)] | (sets >> cell & 1 == 0)
    found = Counter(np.bitwise_count(sets[minimal]).tolist())
    assert paths.items() <= found.items()
    assert max(found) == {1: 1, 2: 2, 3: 5, 4: 8}[size]


def test_cells_touch_along_one_diagonal_only():
    game = games.load("hex:size=2")
    # Red on a2 and b1 touches across the short diagonal, on a1 and b2 it does not.
    assert game.mover(_after(game, "b1", "a1", "a2")) == OVER
    assert game.mover(_after(game, "a1", "b1", "b2")) != OVER
    # Blue joins left and right along row 2, and red does not.
    state = _after(game, "a1", "a2", "b1", "b2")
    assert game.mover(state) == OVER
    assert game.payoff(state) == -1
    state = _after(game, "a1", "b1", "a2")
    assert game.payoff(state) == 1


def test_each_seat_sees_itself_going_down():
    game = games.load("hex:size=4")
    state = _after(game, "d1", "b3")  # row 0, column 3 for red; row 1, column 2 for blue
    red, blue = (np.asarray(game.observe(state, jnp.int32(seat))) for seat in range(2))
    assert np.argwhere(red[..., 0]).tolist() == [[0, 3]]
    assert np.argwhere(red[..., 1]).tolist() == [[2, 1]]
    assert np.argwhere(blue[..., 0]).tolist() == [[1, 2]]
    assert np.argwhere(blue[..., 1]).tolist() == [[3, 0]]
    # And moves are counted in that view too.
    assert game.parse(state, "d2") == 1 * 4 + 3
    state = _after(game, "d1")
    assert game.parse(state, "d2") == 3 * 4 + 1
    assert not np.asarray(game.legal(state))[3 * 4 + 0]


def test_opening_moves_of_small_boards_keep_what_is_published():
    # hexwiki.net/index.php/Swap: a1, b1 and what is symmetric to them lose on every size, but b1
    # on 2×2, where it wins. Turned half-way round, a1 and b1 of 3×3 are c3 and b3.
    assert solve(games.load("hex:size=2")).optimal[0].tolist() == [False, True, True, False]
    three = solve(games.load("hex:size=3"))
    assert three.value[0] == 1
    assert not three.optimal[0][[0, 1, 7, 8]].any()
    assert three.optimal[0][4]


def test_the_swap_turns_the_win_over_to_the_second_seat():
    # A winning first stone is taken over, a losing one is left.
    game = games.load("hex:size=3,swap=true")
    solution = solve(game)
    assert solution.value[0] == -1
    plain = solve(games.load("hex:size=3")).optimal[0]
    for move in range(9):
        state = jax.tree.map(lambda x: x[None], game.step(game.init(), jnp.int32(move)))
        [row] = np.flatnonzero(raw(solution.states) == raw(state))
        assert solution.optimal[row][9] == plain[move]


def test_a_swap_takes_the_stone_to_the_reflected_cell():
    game = games.load("hex:size=5,swap=true")
    state = _after(game, "b4")
    assert game.legal(state)[25]
    assert np.asarray(game.observe(state, jnp.int32(1)))[..., 2].all()
    state = _after(game, "b4", "swap")
    assert game.show(state).replace("O", ".") == game.show(game.init())
    assert game.label(game.init(), 1 * 5 + 3) == "d2"
    assert game.show(state).splitlines()[2] == "  2 . . . O ."
    assert game.mover(state) == 0
    # It comes once, and only at once.
    assert not game.legal(state)[25]
    assert not np.asarray(game.observe(state, jnp.int32(0)))[..., 2].any()
    for moves in ((), ("b4", "swap", "a1"), ("b4", "a1"), ("b4", "a1", "a2")):
        assert not game.legal(_after(game, *moves))[25]
    with pytest.raises(ValueError, match=r"^only the first stone can be swapped, and at once$"):
        game.parse(state, "swap")
    with pytest.raises(ValueError, match=r"^'swap' is not a cell; cells are a1 to e5$"):
        games.load("hex:size=5").parse(games.load("hex:size=5").init(), "swap")


def test_symmetries_of_a_game_with_swap():
    game = games.load("hex:size=3,swap=true")
    seen = game.observe(_after(game, "a2"), jnp.int32(1))
    images, policies = game.symmetries(seen, jnp.arange(10.0))
    np.testing.assert_array_equal(images[1], np.asarray(seen)[::-1, ::-1])
    assert policies[1].tolist() == [8, 7, 6, 5, 4, 3, 2, 1, 0, 9]


def test_random_games_agree_with_pgx():
    """pgx numbers all moves in the first seat's view."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgx

        env = pgx.make("hex")

    def lenient(function: Any) -> Any:
        """Jitted, of a batch; pgx mixes types."""

        def call(*arguments: Any) -> Any:
            with jax.numpy_dtype_promotion("standard"):
                return jax.vmap(function)(*arguments)

        return jax.jit(call)

    game = games.load("hex:swap=true")
    count, rng = 64, np.random.default_rng(0)
    reflected = np.append(np.arange(121).reshape(11, 11).T.reshape(-1), 121)
    repeat = partial(jax.tree.map, lambda x: jnp.repeat(jnp.asarray(x)[None], count, 0))
    ours: Any = repeat(game.init())
    theirs = lenient(env.init)(jax.random.split(jax.random.key(0), count))
    first = np.asarray(theirs.current_player)
    look = jax.jit(jax.vmap(lambda s: (game.mover(s), game.legal(s), game.payoff(s))))
    step, their_step = jax.jit(jax.vmap(game.step)), lenient(env.step)
    alive = np.ones(count, bool)
    for ply in range(game.max_plies + 1):
        mover, legal, payoff = map(np.asarray, look(ours))
        over = np.asarray(theirs.terminated)
        np.testing.assert_array_equal((mover == OVER)[alive], over[alive])
        rewards = np.asarray(theirs.rewards)[np.arange(count), first]
        np.testing.assert_array_equal(payoff[alive], rewards[alive])
        alive = ~over
        if not alive.any():
            break
        mask = np.asarray(theirs.legal_action_mask)
        mask = mask[:, reflected] if ply % 2 else mask
        np.testing.assert_array_equal(legal[alive], mask[alive])
        # Half the games swap where they can, which few random ones would.
        likes = rng.random(mask.shape) + 2 * (np.arange(122) == 121) * (
            rng.random((count, 1)) < 0.5
        )
        moves = np.where(mask, likes, -1).argmax(1).astype(np.int32)
        ours = step(ours, jnp.asarray(moves))
        theirs = their_step(theirs, jnp.asarray(reflected[moves] if ply % 2 else moves))
    assert not alive.any()


@pytest.mark.parametrize("size", [0, 20, -1])
def test_a_size_that_cannot_be_played_is_refused(size: int):
    with pytest.raises(ValueError, match=rf"^hex: size={size} is not one of 1 to 19$"):
        games.load(f"hex:size={size}")
