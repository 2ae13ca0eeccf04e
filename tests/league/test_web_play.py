"""Play, Analyse and Watch in a real browser."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from league.web import tokens
from tests.helpers.web import Web

MINE = "#play[data-turn=you]"
OVER = "#play[data-turn=over]"


def open_game(page: Any, web: Web, **query: str) -> None:
    """Opens a game and waits until the visitor is to move."""
    text = "&".join(f"{key}={value}" for key, value in {"seat": "first", **query}.items())
    page.goto(f"{web.url}/play?{text}")
    page.wait_for_selector(f"{MINE}, {OVER}")


def click(page: Any, *cells: str) -> None:
    """Clicks cells of the board, one after the other."""
    for cell in cells:
        page.locator(f'#board [data-cell="{cell}"]').click()


def answered(page: Any) -> bool:
    """Waits for the agent; whether the game goes on."""
    page.wait_for_selector(f"{MINE}, {OVER}")
    return page.locator(MINE).count() > 0


def made(page: Any) -> list[str]:
    """The moves that the page lists."""
    return re.sub(r"\d+\.\s*", "", page.locator("#made").inner_text()).split()


@pytest.mark.parametrize("seat", ["first", "second"])
def test_connect_four_against_the_shipped_net_is_played_to_its_end(web: Web, page: Any, seat: str):
    open_game(
        page, web, game="connect_four", agent="pretrained:connect_four", seat=seat, limit="16"
    )
    plies = 0 if seat == "first" else 1
    assert len(made(page)) == plies
    while page.locator(MINE).count():
        page.locator("#board .cell.can").first.click()
        if not answered(page):
            break
        plies += 2
        assert len(made(page)) == plies
    assert page.locator("#status").inner_text() in ("You win", "You lose", "A draw")
    assert page.locator("#board .cell.can").count() == 0
    assert f"moves={','.join(made(page))}" in page.url
    where, board = page.url, page.locator("#board").inner_html()
    page.reload()
    page.wait_for_selector(OVER)
    assert (page.url, page.locator("#board").inner_html()) == (where, board)
    page.go_back()  # to the visitor's last move
    page.wait_for_selector(MINE)
    assert len(made(page)) == plies
    with page.expect_download() as download:
        page.locator("#records").get_by_text("JSONL").click()
    kept = json.loads(Path(download.value.path()).read_text())
    assert kept["moves"] == made(page)


def test_moves_are_typed_and_taken_back_and_hinted_and_keys_move_about(web: Web, page: Any):
    open_game(page, web, game="tic_tac_toe", agent="mcts:10")
    page.locator("#move").fill("b2")
    page.keyboard.press("Enter")
    assert answered(page)
    assert made(page)[0] == "b2"
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector(f"{MINE}:has(#undo:disabled)")
    assert made(page) == []
    page.locator("#move").fill("z9")
    page.keyboard.press("Enter")
    page.locator("#error", has_text="z9").wait_for()
    page.get_by_role("button", name="Hint").click()
    page.locator("#status", has_text="Hint: ").wait_for()
    assert page.locator("#board .cell.hint").count() == 1
    page.locator('#board [tabindex="0"]').focus()
    before = page.evaluate("document.activeElement.dataset.cell")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.activeElement.dataset.cell")
    assert after != before
    page.keyboard.press("Enter")
    assert answered(page)
    assert made(page)[0] == after
    page.get_by_role("button", name="Resign").click()
    page.wait_for_selector(OVER)
    assert page.locator("#status").inner_text() == "You resigned"


def test_kuhn_poker_shows_no_card_of_the_other_seat_before_the_end(web: Web, page: Any):
    sent: list[bytes] = []
    page.on("response", lambda answer: sent.append(_body(answer)))
    open_game(page, web, game="kuhn_poker", agent="uniform")
    secret = (web.place.folder / "state" / "arena" / "web-secret").read_bytes()
    deal = parse_qs(urlsplit(page.url).query)["deal"][0]
    seed, _ = tokens.unseal(secret, "kuhn_poker", 0, deal)
    mine, other = _cards(seed)
    assert mine in page.locator("#text").text_content()
    page.locator("#choices").get_by_role("button", name="bet").click()
    if answered(page):
        pytest.fail("a bet is passed or called, and the game is over")
    everything = b"\n".join(sent).decode("utf-8", "replace")
    assert mine in everything
    assert f"{other}♠" not in everything
    assert not re.search(rf">{other}<", everything)
    assert str(seed) not in everything
    page.get_by_role("button", name="Show all").click()
    page.locator("#board").get_by_text(other).first.wait_for()


def _body(answer: Any) -> bytes:
    try:
        return answer.url.encode() + answer.body()
    except Exception:  # of redirects there is none
        return answer.url.encode()


def _cards(seed: int) -> tuple[str, str]:
    """What the seats were dealt."""
    import games
    from arena.play.session import Session

    text = Session(games.load("kuhn_poker"), seed=seed).game.show(
        Session(games.load("kuhn_poker"), seed=seed).state
    )
    one, two = re.findall(r"[JQK]", text)
    return one, two


def test_two_snapshots_analyse_side_by_side(web: Web, page: Any):
    page.goto(f"{web.url}/analyse?game=tic_tac_toe&agent=tiny:3&other=tiny:0&moves=b2,a1,c1")
    for column in ("one", "two"):
        page.wait_for_selector(f"#{column}[data-simulations]")
        heads = page.locator(f"#{column} thead th").all_inner_texts()
        assert heads == ["Move", "Prior", "Visits", "Value"]
        rows = page.locator(f"#{column} tbody tr")
        assert rows.count() == 6
        priors = [float(x) for x in page.locator(f"#{column} td.prior").all_inner_texts()]
        assert sum(priors) == pytest.approx(100, abs=1)
    page.wait_for_selector("#curve path.one >> nth=0", state="attached")
    page.wait_for_selector("#curve path.two >> nth=0", state="attached")
    page.keyboard.press("ArrowLeft")
    page.locator("#status", has_text="After move 2").wait_for()
    assert "ply=2" in page.url
    click(page, "c3")  # another move than the game's
    page.locator("#status", has_text="After move 3, c3").wait_for()
    assert page.locator("#made button").all_inner_texts() == ["1. b2", "2. a1", "3. c3"]


def test_two_agents_are_watched_and_a_reload_misses_nothing(web: Web, page: Any):
    page.goto(f"{web.url}/watch?game=tic_tac_toe")
    page.locator("#agent0").select_option("tiny:3")
    page.locator("#agent1").select_option("mcts:100")
    page.get_by_role("button", name="One more").click()
    page.locator("#agent2").select_option("uniform")
    page.get_by_label("16", exact=True).check()
    page.get_by_role("button", name="Watch").click()
    page.wait_for_selector("#made li:nth-child(4)")
    page.reload()
    page.wait_for_selector("#show[data-over=yes]")
    rows = page.locator("#table tbody tr")
    assert rows.count() == 3
    assert rows.locator("td:nth-last-child(2)").all_inner_texts() == ["4", "4", "4"]
    table = page.locator("#table tbody").inner_text()
    page.reload()
    page.wait_for_selector("#show[data-over=yes]")
    assert page.locator("#table tbody").inner_text() == table
    assert page.locator("#board svg").count() == 1


def test_a_run_that_is_deleted_while_it_is_shown_is_told_of(web: Web, tiny: Path, page: Any):
    web.place.adopt(tiny, "doomed")
    page.goto(f"{web.url}/play?game=tic_tac_toe&agent=doomed:1&seat=first&limit=4")
    page.wait_for_selector(MINE)
    shutil.rmtree(web.run("doomed"))
    click(page, "b2")
    page.locator("#error", has_text="there is no agent 'doomed:1' here").wait_for()
    page.goto(f"{web.url}/play?game=tic_tac_toe&agent=tiny:1&seat=first&limit=4")
    page.wait_for_selector(MINE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_follow_the_theme(web: Web, browser: Any, scheme: str):
    size = {"width": 390, "height": 844}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    for path in ("/", "/play?game=tic_tac_toe&agent=uniform&seat=first", "/analyse"):
        page.goto(web.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.locator("#theme").click()
    after = page.evaluate(ground)
    page.reload()
    assert page.evaluate(ground) == after != before
    context.close()
