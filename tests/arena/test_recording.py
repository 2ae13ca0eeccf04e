"""Matches whose games are kept, and matches from a book of openings."""

from pathlib import Path

import jax
import numpy as np
import pytest

import games
from agents import uniform
from arena.errors import UserError
from arena.play import match
from arena.play.book import draw_openings
from arena.play.host_loop import hosted
from arena.play.openings import opening_walks, random_openings
from arena.play.recording import PlayedGame, check_recordable
from arena.play.records import SavedGame, Skipped, append_games
from arena.play.session import Session
from games.chess import Chess

TIC_TAC_TOE, KUHN = games.load("tic_tac_toe"), games.load("kuhn_poker")
PAIRS = 5


def play(game, a, b, recorder=None) -> np.ndarray:
    """The scores of two matches."""
    return match.play(
        [a] * 2,
        [b] * 2,
        game,
        key=jax.random.key(3),
        pairs=PAIRS,
        plies=1,
        groups=2,
        slots=4,
        recorder=recorder,
    )


def check(scores: np.ndarray, kept: list[PlayedGame]) -> None:
    """Every game is there, can be played again, and has the result that was scored."""
    assert len({one[2:] for one in kept}) == scores.size == len(kept)
    seats: dict[tuple[int, int], set[int]] = {}
    for one in kept:
        result = Session.of(one.record).result
        assert result is not None
        own = result if one.seat_of_a == 0 else -result
        assert scores[one.match, one.pair, one.second] == np.float32(0.5 + 0.5 * own)
        seats.setdefault((one.match, one.pair), set()).add(one.seat_of_a)
    assert set(map(len, seats.values())) == {2}


@pytest.mark.parametrize("game", [TIC_TAC_TOE, KUHN], ids=["tic_tac_toe", "kuhn_poker"])
def test_games_of_the_compiled_loop_are_kept(game):
    agent, kept = uniform.make(game, ""), []
    scores = play(game, agent, agent, kept.append)
    check(scores, kept)
    np.testing.assert_array_equal(scores, play(game, agent, agent))  # keeping changes no game


def test_games_of_the_loop_on_the_host_are_kept():
    agent, kept = uniform.make(KUHN, ""), []
    check(play(KUHN, agent, hosted(agent, jax.random.key(1)), kept.append), kept)


def test_walks_lead_to_the_random_openings():
    key = jax.random.key(5)
    openings = random_openings(TIC_TAC_TOE, key, shape=(50,), plies=4)
    walks = opening_walks(TIC_TAC_TOE, key, shape=(50,), plies=4)
    for n, at in enumerate(walks.at.tolist()):
        state = TIC_TAC_TOE.init()
        for move in walks.moves[n, :at]:
            state = TIC_TAC_TOE.step(state, move)
        assert int(state.mine) == openings.mine[n]
        assert int(state.theirs) == openings.theirs[n]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    lines = ["b2 a1", "b2 a2 a1", "b2 a1", "c3", "b2 b2", "a1 b1 a2 b2 a3"]
    append_games(
        tmp_path / "book.jsonl",
        [SavedGame(game="tic_tac_toe", moves=tuple(line.split())) for line in lines],
    )
    return tmp_path / "book.jsonl"


def test_openings_of_a_book_differ_and_are_neither_broken_nor_over(book: Path):
    skipped = Skipped()
    found = draw_openings(book, TIC_TAC_TOE, count=3, seed=1, skipped=skipped)
    assert sorted(o.record.labels for o in found) == [("b2", "a1"), ("b2", "a2", "a1"), ("c3",)]
    again = draw_openings(book, TIC_TAC_TOE, count=3, seed=1)
    assert [o.record for o in again] == [o.record for o in found]
    with pytest.raises(UserError, match=r"has 3 different .* 4 pairs .* --pairs 3 \(2 games skip"):
        draw_openings(book, TIC_TAC_TOE, count=4, seed=1)
    cut = draw_openings(book, TIC_TAC_TOE, count=3, seed=1, plies=1)
    assert sorted(o.record.labels for o in cut) == [("a1",), ("b2",), ("c3",)]
    with pytest.raises(UserError, match="has 0 different openings"):
        draw_openings(book, KUHN, count=1, seed=1)


@pytest.mark.parametrize("host", [False, True])
def test_each_opening_of_a_book_is_played_twice(book: Path, host: bool):
    agent = uniform.make(TIC_TAC_TOE, "")
    other = hosted(agent, jax.random.key(1)) if host else agent
    found = draw_openings(book, TIC_TAC_TOE, count=3, seed=1)
    kept: list[PlayedGame] = []
    scores = match.play(
        [agent],
        [other],
        TIC_TAC_TOE,
        key=jax.random.key(3),
        pairs=3,
        plies=0,
        groups=1,
        slots=3,
        openings=found,
        recorder=kept.append,
    )
    check(scores, kept)
    for one in kept:
        opening = found[one.pair].record.labels
        assert one.record.labels[: len(opening)] == opening


def test_an_epd_file_holds_positions_of_chess(tmp_path: Path):
    path = tmp_path / "book.epd"
    fens = [
        "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq -",
        "r1bqkbnr/pppp1ppp/2n5/4p3/4P3/5N2/PPPP1PPP/RNBQKB1R w KQkq - 2 3",
        "8/8/8/8/8/8/8/8 w - -",
    ]
    path.write_text(f'{fens[0]} bm e5; id "first";\n\n{fens[1]}\n{fens[2]}\n')
    with pytest.raises(UserError, match="an EPD file holds positions of chess"):
        draw_openings(path, TIC_TAC_TOE, count=1, seed=0)


@pytest.mark.slow
def test_openings_of_an_epd_file(tmp_path: Path):
    test_an_epd_file_holds_positions_of_chess(tmp_path)
    found = draw_openings(tmp_path / "book.epd", Chess(), count=2, seed=0)
    assert sorted(o.record.start for o in found) == [
        "r1bqkbnr/pppp1ppp/2n5/4p3/4P3/5N2/PPPP1PPP/RNBQKB1R w KQkq - 2 3",
        "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1",
    ]


def test_games_that_an_env_plays_are_not_kept():
    class Outside:
        on_device = False

    with pytest.raises(UserError, match="that an env plays"):
        check_recordable(Outside())  # pyright: ignore[reportArgumentType]
