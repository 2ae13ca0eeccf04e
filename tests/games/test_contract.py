"""What games/core.py promises, of every game, on random positions."""

import dataclasses
import inspect
import re
from functools import cache
from itertools import pairwise
from typing import Any, cast
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from arena.evaluation.enumeration import choices
from arena.play.session import Session
from games import CHANCE, OVER, Game, TextPositions
from games.tic_tac_toe import TicTacToe
from tests.helpers import heavy
from tests.helpers.playouts import Playouts, playouts, replay
from tests.proofs import proven

GAMES = [games.load(name) for name in games.names()]
every_game = pytest.mark.parametrize("game", GAMES, ids=games.names())
every_game_heavy_ones_slowly = pytest.mark.parametrize("game", heavy.every_game())

PROVEN = proven()
OWNED = [game for game in GAMES if type(game).ownership is not Game.ownership]
ON_CELLS = [game for game in GAMES if game.move_planes() is not None]
TWO_PLANES = [name for name, module in PROVEN.items() if getattr(module, "TWO_PLANES", False)]


@cache
def _played(game: Game) -> Playouts:
    return playouts(game, max(20, min(100, 20_000 // game.max_plies)), seed=7)


def _all(game: Game) -> tuple[Any, np.ndarray]:
    """Every position of the random games [N, ...], and its mover i32[N]."""
    played = _played(game)
    states = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), played.states)
    return states, played.movers.reshape(-1)


def _some(game: Game, over: bool, count: int = 20) -> list[Any]:
    """Single positions, drawn from those where the game is over or a seat is to move."""
    states, mover = _all(game)
    rows = np.flatnonzero(mover == OVER if over else mover >= 0)
    rows = np.random.default_rng(3).choice(rows, count, replace=False)
    return [jax.tree.map(lambda x, r=r: jnp.asarray(x[r]), states) for r in rows]


def _planes(game: Game, state: Any, seat: jax.Array) -> jax.Array:
    """What a seat observes, ownership behind it where the game tells it."""
    seen = game.observe(state, seat)
    if game not in OWNED:
        return seen
    return jnp.concatenate([seen, game.ownership(state, seat)[..., None]], -1)


def _shape(tree: Any) -> Any:
    return jax.tree.map(lambda x: (x.shape, x.dtype), tree)


@every_game
def test_the_docstring_is_the_page_of_the_game(game: Game):
    page = inspect.getdoc(type(game)) or ""
    titles = re.findall(r"^(\w+):$", page, re.MULTILINE)
    options = [field.name for field in dataclasses.fields(cast(Any, game))]
    assert titles == ["Rules", "Moves", "Observation", *["Attributes"] * bool(options), "Source"]
    assert [name for name in options if f"\n  {name}: " not in page] == []
    shape = jax.eval_shape(game.observe, game.template(), np.int32(0)).shape
    sides = re.search(r"f32\[(.*)\]", page)
    assert sides
    assert len(sides[1].split(", ")) == len(shape)
    if re.fullmatch(r"[0-9, ]+", sides[1]):
        assert sides[1] == ", ".join(map(str, shape))


@every_game
def test_shapes_and_dtypes(game: Game):
    state = jax.eval_shape(game.init)
    scalar = jax.ShapeDtypeStruct((), np.int32)
    policy = jax.ShapeDtypeStruct((game.num_actions,), np.float32)
    assert _shape(jax.eval_shape(game.step, state, scalar)) == _shape(state)
    assert _shape(jax.eval_shape(game.mover, state)) == ((), np.int32)
    assert _shape(jax.eval_shape(game.legal, state)) == ((game.num_actions,), np.bool_)
    assert _shape(jax.eval_shape(game.payoff, state)) == ((), np.float32)
    seen = jax.eval_shape(game.observe, state, scalar)
    assert seen.dtype == np.float32
    images, policies = jax.eval_shape(game.symmetries, seen, policy)
    assert _shape(images) == ((len(images), *seen.shape), np.float32)
    assert _shape(policies) == ((len(images), *policy.shape), np.float32)


@pytest.mark.parametrize("name", PROVEN)
def test_state_is_as_small_as_promised(name: str):
    state = games.load(name).init()
    assert sum(x.nbytes for x in jax.tree.leaves(state)) == PROVEN[name].STATE_BYTES


@every_game
def test_games_begin_with_a_move_and_end_in_time(game: Game):
    movers = _played(game).movers
    assert len(movers) == game.max_plies + 1
    assert np.isin(movers, (0, 1, OVER, CHANCE) if game.num_outcomes else (0, 1, OVER)).all()
    assert (movers[0] != OVER).all()
    assert (movers[-1] == OVER).all()


def _mean_plies(played: Playouts) -> float:
    return (played.movers != OVER).sum(0).mean()


@every_game
def test_random_games_are_about_as_long_as_typical_plies(game: Game):
    mean = _mean_plies(_played(game))
    assert mean / 2 <= game.typical_plies <= mean * 2


@pytest.mark.parametrize(
    "spec",
    [
        "dark_hex:size=5",
        "go:size=3",
        "gomoku:size=7",
        "hex:size=4",
        "liars_dice:dice=2,sides=3",
        "nim:piles=20 30",
        pytest.param("animal_shogi:plies=20", marks=pytest.mark.slow),
        pytest.param("backgammon:turns=5", marks=pytest.mark.slow),
        pytest.param("chess:plies=50", marks=pytest.mark.slow),
        pytest.param("gardner_chess:plies=40", marks=pytest.mark.slow),
        pytest.param("go:size=19", marks=pytest.mark.slow),
        pytest.param("hex:size=19", marks=pytest.mark.slow),
    ],
)
def test_typical_plies_depend_on_options(spec: str):
    game = games.load(spec)
    mean = _mean_plies(playouts(game, 50, seed=5))
    assert mean / 2 <= game.typical_plies <= mean * 2
    assert isinstance(game.typical_plies, int)


def test_typical_plies_are_max_plies_where_a_game_gives_none():
    class Other(TicTacToe):
        max_plies = 5
        typical_plies = Game.typical_plies

    assert Other().typical_plies == 5


@every_game
def test_payoff_comes_at_the_end_only(game: Game):
    states, mover = _all(game)
    payoff = np.asarray(jax.jit(jax.vmap(game.payoff))(states))
    assert (payoff[mover != OVER] == 0).all()
    assert (np.abs(payoff) <= game.max_payoff).all()
    assert payoff.min() < 0 < payoff.max()  # random games have winners on both sides


@every_game
def test_whoever_is_to_move_has_a_move(game: Game):
    states, mover = _all(game)
    legal = np.asarray(jax.jit(jax.vmap(game.legal))(states))
    assert legal[mover >= 0].any(1).all()


@every_game
def test_chances_add_up_to_one(game: Game):
    if game.num_outcomes:
        states, mover = _all(game)
        chances = np.asarray(jax.jit(jax.vmap(game.chance))(states))[mover == CHANCE]
        assert chances.shape[1:] == (game.num_outcomes,)
        assert (chances >= 0).all()
        np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-6)


@every_game_heavy_ones_slowly
def test_a_batch_is_its_positions_one_by_one(game: Game):
    batched = {f: jax.jit(jax.vmap(f)) for f in (game.mover, game.legal, game.payoff)}
    step = jax.jit(jax.vmap(game.step, (0, None)))
    for state in _some(game, over=False, count=5):
        pair = jax.tree.map(lambda x: jnp.stack([x, x]), state)
        move = jnp.argmax(game.legal(state))
        for one, batch in batched.items():
            np.testing.assert_array_equal(batch(pair)[1], one(state))
        jax.tree.map(
            lambda x, y: np.testing.assert_array_equal(x[1], y),
            step(pair, move),
            game.step(state, move),
        )


@every_game
def test_symmetries_are_permutations_and_the_first_is_the_identity(game: Game):
    states, _ = _all(game)
    policy = jnp.arange(game.num_actions, dtype=jnp.float32)
    look = jax.jit(
        jax.vmap(lambda s: (o := game.observe(s, jnp.int32(0)), game.symmetries(o, policy)))
    )
    seen, (images, policies) = jax.tree.map(np.asarray, look(states))
    np.testing.assert_array_equal(images[:, 0], seen)
    np.testing.assert_array_equal(policies[:, 0], np.broadcast_to(policy, policies[:, 0].shape))
    np.testing.assert_array_equal(np.sort(policies, -1), np.broadcast_to(policy, policies.shape))
    assert len(np.unique(policies[0], axis=0)) == policies.shape[1]  # none is given twice


@pytest.mark.parametrize(
    "game", [game for game in GAMES if game.move_planes() is not None], ids=str
)
def test_a_move_changes_the_cell_on_which_it_lies(game: Game):
    where, played = game.move_planes(), _played(game)
    assert where is not None
    assert where.shape == (game.num_actions,)
    assert len(np.unique(where[where >= 0])) == (where >= 0).sum()
    before, after = (jax.tree.map(lambda x, k=k: x[k], played.states) for k in (3, 4))
    movers, moves = played.movers[3], played.moves[3]
    look = jax.jit(jax.vmap(game.observe))
    changed = np.asarray(look(after, movers) - look(before, movers)).astype(bool)
    counts = changed.any((1, 2)) & changed.all((1, 2))  # of plies, the same on all cells
    changed = (
        np.logical_and(changed, ~np.asarray(counts)[:, None, None]).any(-1).reshape(len(moves), -1)
    )
    lies = (movers >= 0) & (where[moves] >= 0)
    assert lies.sum() > len(moves) / 2
    assert changed[lies, where[moves[lies]] % changed.shape[1]].all()
    assert not changed[lies].all(1).any()


@every_game_heavy_ones_slowly
def test_symmetries_commute_with_the_rules(game: Game):
    """The mirrored moves lead through the mirrored positions, from start to end."""
    if game.num_outcomes:
        pytest.skip("a symmetry says nothing of chance outcomes")
    played = _played(game)

    def look(state: Any) -> Any:
        return (
            jnp.stack([_planes(game, state, seat) for seat in jnp.arange(2)]),
            game.legal(state).astype(jnp.float32),
            game.mover(state),
            game.payoff(state),
        )

    def mirror(seen: jax.Array, legal: jax.Array) -> tuple[jax.Array, jax.Array]:
        images, policies = jax.vmap(game.symmetries, (0, None))(seen, legal)
        return images, policies[0]

    grid = jax.jit(jax.vmap(jax.vmap(look)))
    seen, legal, mover, payoff = grid(played.states)
    images, policies = jax.jit(jax.vmap(jax.vmap(mirror)))(seen, legal)
    names = jnp.arange(game.num_actions, dtype=jnp.float32)
    # orders[k, j]: the move that symmetry k puts in place j; its inverse tells where a move goes.
    orders = np.asarray(game.symmetries(seen[0, 0, 0], names)[1]).astype(np.int32)
    for k, order in enumerate(orders):
        moves = np.argsort(order).astype(np.int32)[played.moves]
        seen_k, legal_k, mover_k, payoff_k = grid(replay(game, moves))
        going = np.asarray(mover != OVER)
        np.testing.assert_array_equal(seen_k, images[:, :, :, k])
        np.testing.assert_array_equal(
            np.asarray(legal_k)[going], np.asarray(policies)[:, :, k][going]
        )
        np.testing.assert_array_equal(mover_k, mover)
        np.testing.assert_array_equal(payoff_k, payoff)


@pytest.mark.parametrize("name", TWO_PLANES)
def test_the_two_seats_see_the_planes_swapped(name: str):
    game = games.load(name)
    states, _ = _all(game)
    look = jax.jit(jax.vmap(game.observe, (0, None)))
    first, second = np.asarray(look(states, 0)), np.asarray(look(states, 1))
    np.testing.assert_array_equal(first, second[..., ::-1])
    assert (first.sum((1, 2, 3)) > 1).any()
    assert set(np.unique(first.sum(-1))) == {0.0, 1.0}  # no cell holds two stones


@pytest.mark.parametrize("name", TWO_PLANES)
def test_own_stones_come_first(name: str):
    game = games.load(name)
    state = game.step(game.init(), jnp.int32(0))
    for seat, stones in ((0, [1, 0]), (1, [0, 1])):
        seen = np.asarray(game.observe(state, jnp.int32(seat)))
        assert seen.sum((0, 1)).tolist() == stones


def _refusal(game: Game, state: Any, text: str) -> str:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as caught:
        game.parse(state, text)
    return str(caught.value)


@every_game
def test_labels_are_read_back_and_those_of_other_positions_refused(game: Game):
    labels = []
    for state in [s for s in [game.init(), *_some(game, over=False)] if game.mover(s) >= 0]:
        moves = np.flatnonzero(game.legal(state)).tolist()
        labels.append((state, {game.label(state, move): move for move in moves}))
        assert len(labels[-1][1]) == len(moves)
    known = {label for _, here in labels for label in here}
    for state, here in labels:
        for label, move in here.items():
            assert game.parse(state, label) == move
            assert game.parse(state, f"  {label}\n") == move
        for label in sorted(known - set(here))[:5]:
            _refusal(game, state, label)


@every_game
@pytest.mark.parametrize("text", ["", " ", "?", "-1", "99", "1.0", "hello there", "a\nb", "é"])
def test_junk_is_no_move(game: Game, text: str):
    assert _refusal(game, _some(game, over=False, count=1)[0], text)


@every_game
def test_pictures_are_well_formed_and_follow_the_game(game: Game):
    start = game.init()
    for state in [start, *_some(game, over=False, count=5), *_some(game, over=True, count=5)]:
        root = ElementTree.fromstring(game.draw(state))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "viewBox" in root.attrib
        assert game.show(state).strip()
    moved = game.step(start, jnp.argmax(choices(game, start)))
    assert game.draw(moved) != game.draw(start)
    assert game.show(moved) != game.show(start)


@every_game
def test_clicks_tell_all_moves_apart_on_both_pictures(game: Game):
    for state in _some(game, over=False, count=5):
        seat, state = int(game.mover(state)), jax.tree.map(np.asarray, state)
        legal = np.flatnonzero(game.legal(state)).tolist()
        clicks = sorted(filter(None, (game.clicks(state, move) for move in legal)))
        for shorter, longer in pairwise(clicks):
            assert longer[: len(shorter)] != shorter
        named = {name for path in clicks for name in path if not name.startswith("=")}
        for picture in (game.draw(state), game.draw_view(state, seat)):
            cells = re.findall(' data-cell="([^"]*)"', picture)
            assert len(cells) == len(set(cells))
            assert named <= set(cells)
            # A page's content security policy forbids inline styles.
            assert " style=" not in picture
            assert "<style" not in picture
        assert not any("=" in name for name in cells)


def test_marks_are_classes_of_cells():
    game = games.load("tic_tac_toe")
    picture = games.mark(game.draw(game.init()), ["a1", "b2", "nowhere"])
    assert re.findall('class="cell last" data-cell="(..)"', picture) == ["b2", "a1"]
    both = games.mark(picture, ["a1"], kind="chosen")
    assert 'class="cell last chosen" data-cell="a1"' in both


@pytest.mark.parametrize(
    ("name", "moves", "clicks"),
    [
        ("connect_four", "4", ("4",)),
        ("nim", "4-7", ("4-7",)),
        ("chess", "e2e4", ("e2", "e4")),
        ("go", "pass", ()),
        ("hex:swap=true", "c3 swap", ()),
        ("english_draughts", "11-15", ("11", "15")),
        ("animal_shogi", "Cb3xb2 Lb1xb2 Gc4-c3 C*b3", ("hand1-C", "b3")),
        ("matrix", "2 1", ("column-1",)),
        ("kuhn_poker", "", None),
    ],
)
def test_what_is_clicked(name: str, moves: str, clicks: tuple[str, ...] | None):
    session = Session(games.load(name))
    *before, last = moves.split() or [""]
    for move in before:
        session.push(move)
    if clicks is not None:
        assert session.clicks(session.parse(last)) == clicks
    else:
        assert {session.clicks(move) for move in session.legal_moves.values()} == {()}


@pytest.mark.parametrize(
    ("name", "turned_for"),
    [
        ("chess", 1),
        ("gardner_chess", 1),
        ("breakthrough", 1),
        ("animal_shogi", 1),
        ("english_draughts", 0),
        ("othello", None),
    ],
)
def test_players_see_the_board_from_their_side(name: str, turned_for: int | None):
    game = games.load(name)
    state = game.init()
    shown = game.show(state)
    for seat in (0, 1):
        view = game.view(state, seat)
        assert sorted(view.replace("\n", "")) == sorted(shown.replace("\n", ""))
        assert (view == shown) == (seat != turned_for)
        assert (game.draw_view(state, seat) == game.draw(state)) == (seat != turned_for)
    if name == "chess":
        assert game.view(state, 1).splitlines()[-2:] == ["8  r n b k q b n r", "   h g f e d c b a"]
    if name == "english_draughts":
        assert game.view(state, 0).splitlines()[0] == "32    w   w   w   w  29"


@every_game
def test_nothing_is_left_to_chance_unless_it_says_so(game: Game):
    if game.num_outcomes == 0:
        with pytest.raises(ValueError, match="has no chance moves"):
            game.chance(game.init())


WITH_TEXT = [game for game in GAMES if isinstance(game, TextPositions)]


@pytest.mark.slow
@pytest.mark.parametrize("game", WITH_TEXT, ids=lambda game: type(game).__name__)
def test_text_gives_a_position_again(game: Any):
    for state in [game.init(), *_some(game, over=False)]:
        again = game.from_text(game.to_text(state))
        assert game.to_text(again) == game.to_text(state)
        assert game.show(again) == game.show(state)
        assert int(game.mover(again)) == int(game.mover(state))
    with pytest.raises(ValueError, match=re.escape(game.position_format)) as refused:
        game.from_text("no position")
    assert "\n" not in str(refused.value)
