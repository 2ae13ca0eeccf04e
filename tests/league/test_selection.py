"""What a dataset holds: kinds of positions and skills, games put together again, and its page."""

from pathlib import Path

import jax
import numpy as np
import pytest

import games
from agents.learners.base import Preferred
from arena.play.records import read_games
from arena.play.session import Session
from league.cli.entry import main
from league.evaluation import dataset_games, position_kinds
from tests.helpers.command import Place, strict_json
from tests.helpers.web_client import client, refusal

GAME = games.load("tic_tac_toe")
WINS = ["a1", "a3", "b1", "b3"]  # X wins by c1
THREAT = ["a1", "b2", "c3", "b1"]  # X has to prevent b3
LOST = ["a1", "b2", "c3", "a3", "b3"]  # O has a3, b2; X has to stop nothing: O to move wins by c1
QUIET = ["b2"]


def positions(*lines: list[str]):
    """Positions [N, ...] to which moves lead."""
    states = []
    for line in lines:
        session = Session(GAME)
        for move in line:
            session.push(move)
        states.append(session.position.state)
    return jax.tree.map(lambda *x: np.stack(x), *states)


def test_skills_are_told_by_kinds_of_positions():
    states = positions(*[WINS] * 8, *[THREAT] * 8, *[LOST] * 4, *[QUIET] * 4)
    legal = np.asarray(jax.vmap(GAME.legal)(states))
    policy = legal / legal.sum(1, keepdims=True)
    wanted = policy.copy()
    first = Session(GAME)
    wanted[:8] = 0
    wanted[:8, GAME.parse(first.position.state, "c1")] = 1
    win, parry, lost, quiet = position_kinds.kinds(
        GAME, states, policy, wanted, np.log((wanted / np.where(legal, policy, 1)).max(1))
    )
    assert (win.positions, parry.positions, lost.positions, quiet.positions) == (12, 8, 0, 4)
    assert win.skill == "wins"
    assert win.before == pytest.approx((8 / 5 + 4 / 4) / 12)  # one of five moves, one of four
    assert win.wanted == pytest.approx((8 + 4 / 4) / 12)
    assert win.divergence == pytest.approx(8 * np.log(5) / 12)
    assert (parry.before, parry.wanted) == (pytest.approx(1 / 5), pytest.approx(1 / 5))
    assert quiet.divergence == pytest.approx(0)
    assert position_kinds.kinds(games.load("kuhn_poker"), states, policy, wanted, policy[0]) == ()


def test_games_are_put_together_from_rows(tmp_path: Path):
    """Two games that part after two moves; a third, of which a row is missing, is none."""
    lines = [[*WINS, "c1"], ["a1", "a3", "c3", "b3", "b2"], ["b2", "a1", "a2", "a3", "c2"]]
    rows = [(line[:k], move) for line in lines for k, move in enumerate(line)]
    del rows[-2]
    moves = np.array([[GAME.parse(Session(GAME).position.state, m)] for _, m in rows], np.int32)
    weight = np.ones(moves.shape, np.float32)
    found = Preferred(positions(*[line for line, _ in rows]), moves, weight, weight[:, 0], True)
    kept = dataset_games.games(GAME, found)
    labels = {dataset_games.record(GAME, line).labels for line in kept}
    assert labels == {tuple(lines[0]), tuple(lines[1])}
    path = tmp_path / "games.jsonl"
    dataset_games.write(path, GAME, kept, name="tic_tac_toe", source="a:1")
    assert {tuple(one.moves) for one in read_games(path)} == labels
    assert dataset_games.games(games.load("backgammon"), found) == ()


def test_a_dataset_is_shown_as_text_numbers_and_a_page(
    place: Place, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    place.adopt(tiny, "tiny")
    monkeypatch.chdir(place.folder)
    main(["data", "show", "tiny:2", "--json", "--games", "some.jsonl"])
    found = strict_json(capsys.readouterr().out)
    assert found["distinct"] <= found["positions"]
    assert sum(found["results"]) == pytest.approx(1)
    mean, low, high = found["length"]
    assert 0 < low <= mean <= high <= 9
    assert [kind["skill"] for kind in found["kinds"]] == ["wins", "prevents it", "", ""]
    assert list(found["cosines"]) == ["1", "2"]
    assert len(list(read_games(place.folder / "some.jsonl"))) == len(found["games"])
    page = Path(found["page"]).read_text()
    assert "which skills are amplified" in page
    assert "<script" not in page
    assert found["opening"][0][2][0][0] in page
    main(["data", "show", "tiny:2"])
    assert "positions in which a move wins: wins" in capsys.readouterr().out


@pytest.mark.slow
def test_the_web_app_shows_a_dataset(place: Place, tiny: Path):
    place.adopt(tiny, "tiny")
    with client(place.folder / "runs") as visitor:
        assert 'action="/train/tiny/data"' in visitor.get("/train/tiny").text
        page = visitor.get("/train/tiny/data?generation=2").text
        assert "which skills are amplified" in page
        for generation in ("0", "x", "99"):
            answer = visitor.get(f"/train/tiny/data?generation={generation}")
            assert refusal(answer, 400)
