"""The web app's boards in a real browser: what is particular to a game. Takes minutes."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.web import Web
from tests.league.test_web_play import MINE, OVER, answered, click, made, open_game

pytestmark = pytest.mark.slow


def chess(page: Any, web: Web, moves: str) -> None:
    open_game(page, web, game="chess", agent="uniform", moves=moves)


def test_castling_is_two_clicks(web: Web, page: Any):
    chess(page, web, "e4,e5,Nf3,Nc6,Bc4,Bc5")
    click(page, "e1")
    assert page.locator("#board .cell.next").count() == 3  # e2, f1, and g1
    click(page, "g1")
    answered(page)
    assert made(page)[6] == "O-O"


def test_a_pawn_is_taken_in_passing(web: Web, page: Any):
    chess(page, web, "e4,a6,e5,d5")
    click(page, "e5", "d6")
    answered(page)
    assert made(page)[4] == "exd6"


def test_a_promotion_is_chosen(web: Web, page: Any):
    chess(page, web, "h4,g5,hxg5,h6,gxh6,a6,h7,a5")
    click(page, "h7", "g8")
    choices = page.locator("#choices button")
    assert sorted(choices.all_inner_texts()) == ["hxg8=B", "hxg8=N", "hxg8=Q", "hxg8=R"]
    page.locator("#choices").get_by_text("hxg8=N", exact=True).click()
    answered(page)
    assert made(page)[8] == "hxg8=N"


def test_a_game_of_chess_is_played_to_mate_and_kept_as_pgn(web: Web, page: Any):
    chess(page, web, "f3,e5")
    page.locator("#move").fill("g4")
    page.keyboard.press("Enter")
    answered(page)
    open_game(page, web, game="chess", agent="uniform", moves="e4,e5,Bc4,Nc6,Qh5,Nf6")
    click(page, "h5", "f7")
    page.wait_for_selector(OVER)
    assert page.locator("#status").inner_text() == "You win"
    with page.expect_download() as download:
        page.locator("#records").get_by_text("PGN").click()
    assert "Qxf7# 1-0" in Path(download.value.path()).read_text()


def test_go_is_passed_to_its_score_and_kept_as_sgf(web: Web, page: Any):
    open_game(page, web, game="go", agent="uniform", moves="E5,pass")
    page.locator("#choices").get_by_text("pass", exact=True).click()
    page.wait_for_selector(OVER)
    assert page.locator("#status").inner_text() == "You win"
    with page.expect_download() as download:
        page.locator("#records").get_by_text("SGF").click()
    assert "SZ[9]" in Path(download.value.path()).read_text()


def test_hex_is_swapped(web: Web, page: Any):
    open_game(page, web, game="hex:size=5,swap=true", agent="uniform", seat="second", moves="c3")
    page.locator("#choices").get_by_text("swap", exact=True).click()
    answered(page)
    assert made(page)[1] == "swap"


def test_backgammon_shows_dice_and_a_blocked_turn(web: Web, page: Any):
    """Turns without a move are passed by a button; not every game has one."""
    assert any(_has_a_blocked_turn(web, page) for _ in range(8))


def _has_a_blocked_turn(web: Web, page: Any) -> bool:
    """Plays a game of backgammon to its end; whether a turn of it had no move."""
    open_game(page, web, game="backgammon", agent="uniform")
    assert page.locator("#board svg").count() == 1
    passed = False
    for _ in range(400):
        if page.locator(OVER).count():
            break
        if page.locator("#choices button:enabled").count():
            labels = page.locator("#choices button:enabled").all_inner_texts()
            passed |= labels == ["pass"]
            page.locator("#choices button:enabled").first.click()
        else:
            page.locator("#board .cell.can").first.click()
            if page.locator("#board .cell.next").count():
                page.locator("#board .cell.next").first.click()
            if page.locator("#choices button:enabled").count():
                page.locator("#choices button:enabled").first.click()
        page.wait_for_selector(f"{MINE}, {OVER}")
    assert page.locator("#status").inner_text()[:3] in ("You", "A d")
    return passed


def test_a_pasted_fen_and_a_loaded_sgf_are_analysed(web: Web, page: Any, tmp_path: Path):
    page.goto(f"{web.url}/analyse")
    page.locator("#text").fill("6k1/5ppp/8/8/8/8/5PPP/3R2K1 w - - 0 1")
    page.get_by_role("button", name="Analyse").click()
    page.wait_for_selector("#one[data-simulations]")
    page.locator("#one .value strong", has_text="Rd8#").wait_for()
    (tmp_path / "game.sgf").write_text("(;GM[1]SZ[9]KM[7];B[ee];W[cc];B[gc])")
    page.goto(f"{web.url}/analyse")
    page.locator("#file").set_input_files(str(tmp_path / "game.sgf"))
    page.get_by_role("button", name="Analyse").click()
    page.wait_for_selector("#one[data-simulations]")
    assert page.locator("#made button").all_inner_texts() == ["1. E5", "2. C7", "3. G7"]
