"""Go: captures, ko, superko, scores, and the tags of groups."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest

import games
from arena.evaluation import enumeration
from games import OVER, Game
from games.go import Go
from tests.helpers.playouts import playouts
from tests.proofs.go import StonesOnly

GO, SUPERKO = Go(), Go(superko=True)
EMPTY, KO = 0b00011, 0b10011


@cache
def _step(game: Game) -> Any:
    return jax.jit(game.step)


def _after(game: Game, moves: str, state: Any = None) -> Any:
    """The position after moves as players write them."""
    state = game.init() if state is None else state
    for move in moves.split():
        state = _step(game)(state, jnp.int32(game.parse(state, move)))
    return state


def _set_up(game: Game, picture: str, mover: str = "X") -> Any:
    """A corner of the board, its lowest row last; whoever has no stone left to set passes."""
    lines = picture.split()
    stones: dict[str, list[str]] = {"X": [], "O": []}
    for row, line in zip(range(len(lines), 0, -1), lines, strict=True):
        for column, stone in zip("ABCDEFGHJ", line, strict=False):
            if stone != ".":
                stones[stone].append(f"{column}{row}")
    state, turn = game.init(), "X"
    while stones["X"] or stones["O"] or turn != mover:
        state = _after(game, stones[turn].pop() if stones[turn] else "pass", state)
        turn = "O" if turn == "X" else "X"
    return _becomes(game, state, "", picture)


def _becomes(game: Game, state: Any, moves: str, picture: str) -> Any:
    """Plays moves, and checks what the corner of the board looks like then."""
    state = _after(game, moves, state)
    lines = picture.split()
    shown = game.show(state).splitlines()[-1 - len(lines) : -1]
    assert [line[3:].replace(" ", "")[: len(lines[0])] for line in shown] == lines
    return state


def _refusal(game: Game, state: Any, move: str) -> str:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as caught:
        game.parse(state, move)
    return str(caught.value)


def _atari(state: Any, seat: int) -> set[str]:
    """The stones in atari of a seat on 9×9, as it sees them."""
    seen = np.asarray(GO.observe(state, jnp.int32(seat)))[..., 2].reshape(-1)
    return {GO.label(state, move) for move in np.flatnonzero(seen).tolist()}


def test_a_stone_takes_several_groups_at_once():
    state = _set_up(GO, "..XX. .XOOX XO.OX .XOX. ..X..")
    assert _atari(state, 1) == {"B3", "C2", "C4", "D4", "D3"}
    _becomes(GO, state, "C3", "..XX. .X..X X.X.X .X.X. ..X..")


def test_a_winding_group_is_taken_whole():
    state = _set_up(GO, "OOOO. XXXXO OOOXO .XXXO OOOO.", mover="O")
    _becomes(GO, state, "A2", "OOOO. ....O OOO.O O...O OOOO.")


def test_suicide_is_forbidden_to_one_stone_and_to_several():
    assert _refusal(GO, _set_up(GO, "O.. .O. O.."), "A2") == "A2 would be suicide"
    assert _refusal(GO, _set_up(GO, "O.. XO. .O. O.."), "A2") == "A2 would be suicide"
    assert _refusal(GO, _set_up(GO, "OO. X.O OO."), "B2") == "B2 would be suicide"
    # One liberty is enough.
    _becomes(GO, _set_up(GO, "O.. X.O OO."), "B2", "O.. XXO OO.")


def test_what_takes_a_stone_is_no_suicide():
    _becomes(GO, _set_up(GO, "OX. .OX"), "A1", "OX. X.X")
    _becomes(GO, _set_up(GO, "XXXX OOOX .XOX", mover="O"), "A1", "XXXX OOOX O.OX")


def test_taking_a_stone_gives_liberties_to_groups_that_do_not_touch_the_move():
    # Three white stones in atari surround one black stone, and none of them touches C2.
    state = _set_up(GO, "XOX. OX.. .OX.", mover="O")
    assert _atari(state, 0) == {"A3", "B2"}
    assert _atari(state, 1) == {"A2", "B1", "B3"}
    state = _becomes(GO, state, "C2", "XOX. O.O. .OX.")
    assert _atari(state, 1) == set()
    assert _refusal(GO, state, "A1") == "A1 would be suicide"


def test_a_ko_may_be_retaken_after_a_threat_and_after_a_pass():
    before, taken, filled = ".XO. XO.O .XO.", ".XO. X.XO .XO.", ".XO. XXXO .XO."
    state = _becomes(GO, _set_up(GO, before), "C2", taken)
    assert _refusal(GO, state, "B2") == "B2 would retake the ko at once"
    for between in ("J9 H9", "pass H9", "J9 pass"):
        retaken = _becomes(GO, state, f"{between} B2", before)
        assert _refusal(GO, retaken, "C2") == "C2 would retake the ko at once"
    _becomes(GO, state, "pass B2", filled)  # it is closed to White only


def test_a_snapback_is_no_ko():
    # White takes one stone, but with a group that is then in atari as a whole.
    state = _becomes(GO, _set_up(GO, "XXXX OOOX ..OX"), "B1 A1", "XXXX OOOX O.OX")
    _becomes(GO, state, "B1", "XXXX ...X .X.X")


def test_a_stone_that_took_two_may_be_retaken_at_once():
    state = _becomes(GO, _set_up(GO, "OOX. .X.X"), "A1 C1", "OOX. ..OX")
    _becomes(GO, state, "B1", "OOX. .X.X")


def test_superko_forbids_to_send_two_and_return_one():
    # The board would be the one set up, with the other side to move.
    for game in (GO, SUPERKO):
        state = _becomes(game, _set_up(game, "OOX. .X.X"), "A1 C1", "OOX. ..OX")
        assert game.legal(state)[1] == (game is GO)
        assert game.legal(_after(game, "J9 H9", state))[1]
    assert _refusal(SUPERKO, state, "B1") == "B1 would bring back an earlier board"


def test_superko_forbids_the_last_move_round_a_triple_ko():
    kos = ".XO...... X.XO..... .XO...... ......... .XO...XO. XO.O.XO.O .XO...XO."
    for game in (GO, SUPERKO):
        state = _after(game, "C2 B6 H2 B2 C6", _set_up(game, kos))
        assert game.legal(state)[game.size + 6] == (game is GO)
        if game is GO:
            _becomes(game, state, "G2", kos)
    assert _refusal(SUPERKO, state, "G2") == "G2 would bring back an earlier board"


def test_superko_always_lets_pass():
    state = _after(SUPERKO, "A1 pass B1 pass C1")
    assert SUPERKO.legal(state)[-1]
    assert SUPERKO.mover(_after(SUPERKO, "pass pass", state)) == OVER


def test_openspiel_ends_a_game_whose_board_comes_back_as_a_draw():
    moves = "C2 B2 D1 A2 B1 pass A1 C1 B1"
    theirs = pyspiel.load_game("go(board_size=9)").new_initial_state()
    for move in moves.split():
        assert not theirs.is_terminal()
        theirs.apply_action(81 if move == "pass" else GO.parse(GO.init(), move))
    assert theirs.is_terminal()
    assert theirs.returns() == [0, 0]
    assert GO.mover(_after(GO, moves)) == 1


class Region(NamedTuple):
    """Connected points that hold the same.

    Attributes:
      holds: 0 for nothing, 1 and 2 for stones of seats 0 and 1.
      points: where.
      beside: the points that touch it.
    """

    holds: int
    points: set[tuple[int, int]]
    beside: set[tuple[int, int]]


def _regions(board: np.ndarray) -> Iterator[Region]:
    """All regions of a board i[n, n], flooded point by point."""
    left = set(np.ndindex(board.shape))
    while left:
        start = min(left)
        region = Region(int(board[start]), {start}, set())
        border = [start]
        while border:
            r, c = border.pop()
            for point in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                if min(point) < 0 or max(point) == len(board) or point in region.points:
                    continue
                if board[point] == region.holds:
                    region.points.add(point)
                    border.append(point)
                else:
                    region.beside.add(point)
        left -= region.points
        yield region


def _margin(board: np.ndarray) -> int:
    """Seat 0's points less seat 1's."""
    margin = 0
    for region in _regions(board):
        owners = {region.holds} if region.holds else {int(board[point]) for point in region.beside}
        margin += len(region.points) * ((owners == {1}) - (owners == {2}))
    return margin


def _tags(board: np.ndarray) -> np.ndarray:
    """The tags of all points i[n, n], without ko."""
    tags = np.full(board.shape, EMPTY)
    for region in _regions(board):
        if region.holds:
            seat, liberties = region.holds - 1, sum(board[point] == 0 for point in region.beside)
            least = min(region.points)
            tag = (least[0] * len(board) + least[1]) << 4 | 4 << seat
            tag |= 1 << seat if liberties > 1 else 2 >> seat
            for point in region.points:
                tags[point] = tag
    return tags


def _points(game: Go, states: Any) -> np.ndarray:
    """The tags of positions as a board each, i64[N, n, n]."""
    n = game.size
    return np.asarray(states.points)[:, n : n + n * n].reshape(-1, n, n).astype(np.int64)


@pytest.mark.parametrize(("size", "count"), [(2, 20), (3, 20), (6, 8), (9, 6), (19, 1)])
def test_tags_are_what_the_board_says(size: int, count: int):
    # So equal boards have equal tags, whatever led to them.
    game = Go(size)
    played = playouts(game, count, seed=size).states
    states = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:: 1 + size // 10], played)
    for tags in _points(game, states):
        board = tags >> 2 & 3
        board[tags == KO] = 0
        np.testing.assert_array_equal(np.where(tags == KO, EMPTY, tags), _tags(board))


@pytest.mark.parametrize(("size", "komi"), [(2, 0), (5, 1), (5, -3.5), (9, 7.5)])
def test_scores_are_what_the_board_says(size: int, komi: float):
    game = Go(size, komi)
    final = jax.tree.map(lambda x: x[-1], playouts(game, 200, seed=size).states)
    margins = np.array([_margin(tags >> 2 & 3) for tags in _points(game, final)])
    assert len(np.unique(margins)) > 3
    payoff, owned = jax.jit(jax.vmap(lambda x: (game.payoff(x), game.ownership(x, jnp.int32(0)))))(
        final
    )
    np.testing.assert_array_equal(payoff, np.sign(margins - komi))
    np.testing.assert_array_equal(np.asarray(owned).sum((1, 2)), margins)


def _ends_with(picture: str, margin: int, owners: str = "") -> None:
    """Checks the score of a corner of 9×9 when both have passed, by the komi that makes a draw.

    And who owns its points, if they are given, and that all points add up to the score.
    """
    state = _set_up(GO, picture)
    while GO.mover(state) != OVER:
        state = _after(GO, "pass", state)
    assert jax.jit(Go(komi=margin).payoff)(state) == 0
    black, white = (np.asarray(_owners(state, jnp.int32(seat)), int) for seat in range(2))
    assert black.sum() == margin
    np.testing.assert_array_equal(white, -black)
    lines = owners.split()
    drawn = ["".join(".XO"[point] for point in row) for row in black[: len(lines)][::-1]]
    assert [row[: len(lines[0])] for row in drawn] == lines


_owners = jax.jit(GO.ownership)


def test_a_side_owns_its_stones_and_what_only_they_touch():
    _ends_with(".", 0)
    _ends_with("X", 81)
    _ends_with("X..O", 0, "X..O")  # all the rest is nobody's
    # B2 was not taken in the game, so it stands.
    _ends_with("OOO .XO OOO", 1 - 79, "OOOO .XOO OOOO")
    _ends_with("OOOO. XXXO. ..XO.", 6 - 75, "OOOOO XXXOO XXXOO")


def test_points_between_groups_in_seki_are_nobodys():
    # Whoever plays on A1 or D1 lets the other take; both may.
    seki = "OOOOOO XXXXXO .OO.XO"
    for mover in "XO":
        state = _set_up(GO, seki, mover)
        assert GO.legal(state)[0]
        assert GO.legal(state)[3]
    # Black 6 stones; White 10, and the 63 points outside.
    _ends_with(seki, 6 - 73, seki)


def test_two_passes_end_the_game_and_one_does_not():
    assert GO.mover(_after(GO, "pass")) == 1
    assert GO.mover(_after(GO, "pass A1 pass")) == 1
    state = _after(GO, "pass pass")
    assert GO.mover(state) == OVER
    assert GO.payoff(state) == -1
    assert Go(komi=0).payoff(state) == 0


def test_the_last_ply_ends_the_game_and_the_board_counts():
    for size in range(2, 20):
        theirs = pyspiel.load_game(f"go(board_size={size})")
        assert Go(size).max_plies == theirs.max_game_length()
    game = Go(2, 0.5)
    *_, last = enumeration.levels(game)
    assert last.over.all()
    assert (last.states.plies == 8).all()
    cut = last.states.passes < 2
    payoff = np.asarray(jax.jit(jax.vmap(game.payoff))(last.states))[cut]
    assert (payoff == 1).any()
    assert (payoff == -1).any()


@pytest.mark.parametrize(("size", "count"), [(2, 57), (3, 12_675)])
def test_every_legal_board_can_be_played_and_no_other(size: int, count: int):
    # oeis.org/A094777: boards on which every group has a liberty.
    game = Go(size)
    look, step = jax.jit(jax.vmap(game.legal)), jax.jit(jax.vmap(game.step))
    fresh = np.asarray(game.init().points)[None]
    known: set[bytes] = set()
    while len(fresh):
        known.update(points.tobytes() for points in fresh)
        found = []
        for seat in range(2):
            plies, passes = np.full(len(fresh), seat, np.int32), np.zeros(len(fresh), np.int32)
            states: Any = game.init()._replace(points=fresh, plies=plies, passes=passes)
            row, move = np.nonzero(enumeration.in_chunks(look, states))
            states = jax.tree.map(lambda x, row=row: x[row], states)
            found.append(enumeration.in_chunks(step, states, move.astype(np.int32)).points)
        points = np.concatenate(found)
        points = np.unique(np.where(points == KO, np.uint16(EMPTY), points), axis=0)
        fresh = points[[row.tobytes() not in known for row in points]]
    assert len(known) == count


@pytest.mark.slow
def test_ways_to_set_seven_stones_on_a_small_board():
    # From the same source as the fact of 9×9.
    assert enumeration.perft(StonesOnly(5), 7)[7] == 2_411_088_112


def test_a_seat_sees_its_own_stones_first():
    state = _after(GO, "C2", _set_up(GO, ".XO. XO.O .XO."))
    planes = [np.asarray(GO.observe(state, jnp.int32(seat))) for seat in range(2)]
    sums = np.array([[p[..., k].sum() for k in range(5)] for p in planes])
    assert sums.tolist() == [[4, 3, 1, 1, 1], [3, 4, 1, 1, 1]]
    assert planes[0][1, 1, 4] == 1  # B2
    assert [p[0, 0, 5] for p in planes] == [1, 0]
    assert planes[0][0, 0, 6] == 0
    assert planes[0][0, 0, 7] == pytest.approx(9 / 162)
    state = _after(GO, "pass", state)
    seen = np.asarray(GO.observe(state, jnp.int32(0)))
    assert (seen[..., 4] == 0).all()
    assert (seen[..., 6] == 1).all()


def test_moves_are_written_as_players_write_them():
    game = Go(19)
    state = game.init()
    assert [game.label(state, move) for move in (0, 8, 18, 360, 361)] == [
        *("A1", "J1", "T1", "T19"),
        "pass",
    ]
    assert game.parse(state, " q16 ") == 15 * 19 + 15
    assert game.parse(state, "PASS") == 361
    for text in ("I9", "U1", "A20", "A0", "16Q", "A01"):
        message = f"{text!r} is not a move; moves are A1 to T19 and pass"
        assert _refusal(game, state, text) == message
    assert _refusal(game, _after(game, "d4"), "d4") == "D4 is taken"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("size=1", "^go: size=1 is not one of 2 to 19$"),
        ("size=20", "^go: size=20 is not one of 2 to 19$"),
        ("komi=nan", "^go: komi=nan is not a finite number$"),
        ("komi=inf", "^go: komi=inf is not a finite number$"),
        ("superko=yes", "^go: superko='yes' is not true or false$"),
    ],
)
def test_what_cannot_be_played_is_refused(options: str, message: str):
    with pytest.raises(ValueError, match=message):
        games.load(f"go:{options}")
