"""Games of others as a dataset, policies that begin by imitating them, and what a dataset holds."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

import games
import league
from agents.learners.imitation import ImitationConfig, divergence, weights
from agents.nn.networks import MLPConfig
from arena.errors import UserError
from arena.play.records import Player, append_games, saved
from arena.play.session import Session
from league.evaluation import selection
from league.settings import game_names
from league.settings.config import Config, MeasureConfig
from league.store import imported_games
from league.training import games_in

GAME = games.load("tic_tac_toe")
SMALL = Config(
    generations=2,
    matches=2,
    pairs=16,
    slots=16,
    learner=ImitationConfig(network=MLPConfig(width=32, layers=1), batch_size=32),
    measure=MeasureConfig(opponents=1, pairs=2, baseline_pairs=2, simulations=2, rollouts=2),
)


def write(path: Path, count: int) -> Path:
    """Games in which the centre is taken first, and then at random."""
    rng, kept = np.random.default_rng(0), []
    for _ in range(count):
        session = Session(GAME)
        session.push("b2")
        while not session.over:
            session.push(int(rng.choice(np.flatnonzero(session.legal))))
        tags = {"WhiteElo": "1500", "BlackElo": "?"}
        kept.append(saved(session.record, "tic_tac_toe", (Player("ann"), Player("bob")), tags=tags))
    append_games(path, kept)
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The moves of 40 such games, and a broken one that is left out."""
    folder = tmp_path_factory.mktemp("games")
    path = write(folder / "games.jsonl", 40)
    text = path.read_text()
    path.write_text(text + text.splitlines()[0].replace('"b2"', '"z9"') + "\n")
    found = games_in.read([path], GAME, game_names.load, "tic_tac_toe")
    assert len(found.games.length) + found.repeated == 40
    assert len(found.skipped) == 1
    assert "1 game skipped" in found.skipped[0]
    out = folder / "games.npz"
    imported_games.write(out, found.games, GAME)
    return out


def test_a_dataset_keeps_positions_moves_results_and_ratings(dataset: Path):
    lists = imported_games.read(dataset, GAME).games
    count = len(lists.length)
    moves = imported_games.positions(GAME, lists, np.arange(count))
    assert len(moves.move) == lists.length.sum() == len(lists.move)
    first = np.cumsum(lists.length) - lists.length
    assert (moves.move[first] == GAME.parse(GAME.init(), "b2")).all()
    assert set(np.unique(moves.outcome)) <= {-1.0, 0.0, 1.0}
    assert (moves.rating[first] == 1500).all()
    assert np.isnan(moves.rating[first + 1]).all()


def test_games_of_chess_come_back_with_their_positions(tmp_path: Path):
    (tmp_path / "games.pgn").write_text(
        '[White "a"]\n[Black "b"]\n[Result "0-1"]\n[WhiteElo "1900"]\n\n1. f3 e5 2. g4 Qh4# 0-1\n\n'
        '[White "a"]\n[Black "b"]\n[Result "1-0"]\n\n1. e4 e5 1-0\n\n' * 2
    )
    chess = games.load("chess")
    found = games_in.read([tmp_path / "games.pgn"], chess, game_names.load, "chess")
    assert (found.repeated, found.skipped) == (2, [])
    imported_games.write(tmp_path / "games.npz", found.games, chess)
    lists = imported_games.read(tmp_path / "games.npz", chess).games
    moves = imported_games.positions(chess, lists, np.array([1, 0]))
    position, labels = jax.tree.map(lambda x: x[5], moves.state), []
    for row, move in enumerate(moves.move):
        labels.append(chess.label(jax.tree.map(lambda x, r=row: x[r], moves.state), int(move)))
    assert labels == ["e4", "e5", "f3", "e5", "g4", "Qh4#"]
    assert (
        games.text_positions(chess).to_text(position).split()[0]
        == "rnbqkbnr/pppp1ppp/8/4p3/6P1/5P2/PPPPP2P/RNBQKBNR"
    )
    assert moves.outcome.tolist() == [1, -1, -1, 1, -1, 1]
    assert np.nan_to_num(moves.rating).tolist() == [0, 0, 1900, 0, 1900, 0]


def test_a_dataset_of_something_else_is_refused(dataset: Path, tmp_path: Path):
    with pytest.raises(UserError, match="holds games of TicTacToe"):
        imported_games.read(dataset, games.load("connect_four"))
    with pytest.raises(UserError, match="arena data import makes one"):
        imported_games.read(tmp_path / "none.npz", GAME)
    (tmp_path / "cut.npz").write_bytes(dataset.read_bytes()[:300])
    with pytest.raises(UserError, match="no dataset that can be read"):
        imported_games.read(tmp_path / "cut.npz", GAME)
    with pytest.raises(UserError, match="there is no game of connect_four"):
        games_in.read(
            [write(tmp_path / "x.jsonl", 1)],
            games.load("connect_four"),
            game_names.load,
            "connect_four",
        )


@pytest.mark.parametrize(
    ("selection_name", "options", "kept", "kl"),
    [
        # Of four games, won, drawn, drawn, lost. KL of a share p of all is -ln p.
        ("winners", {}, [1, 0, 0, 0], np.log(4)),
        ("threshold", {"threshold": 0.0}, [1, 1, 1, 0], np.log(4 / 3)),
        # F(x)^2 - F⁻(x)^2: 1/16, 8/16 over two games, 7/16.
        ("best", {"samples": 2}, [7 / 16, 4 / 16, 4 / 16, 1 / 16], None),
        ("tilt", {"temperature": 1.0}, [np.e, 1, 1, 1 / np.e], None),
    ],
)
def test_a_selection_weighs_games_by_its_law(selection_name, options, kept, kl):
    config = ImitationConfig(selection=selection_name, **options)
    outcome = np.array([1, 0, 0, -1], np.float32)
    found = weights(config, outcome, np.zeros(4, np.float32))
    share = np.array(kept) / np.sum(kept)
    np.testing.assert_allclose(found, 4 * share, rtol=1e-5)
    expected = kl if kl is not None else float((share * np.log(4 * share)).sum())
    assert divergence(found) == pytest.approx(expected, rel=1e-5)


def test_nothing_is_learnt_where_nothing_is_kept():
    found = weights(ImitationConfig(selection="winners"), np.zeros(3, np.float32), np.zeros(3))
    assert (found == 0).all()
    assert divergence(found) == 0
    with pytest.raises(UserError, match="selection must be one of"):
        ImitationConfig(selection="x")  # pyright: ignore[reportArgumentType]


@pytest.mark.slow
def test_a_run_begins_with_the_moves_of_a_dataset(dataset: Path, tmp_path: Path):
    with league.train("tic_tac_toe", SMALL, start=dataset, name="a", folder=tmp_path) as run:
        found = run.figures()[0]["imitated"]
        assert found["games"] == 40
        assert found["log_likelihood"] > found["log_likelihood_before"]
        assert found["agreement"] > found["agreement_before"]
        assert run.run.card["imitates"]["file"] == str(dataset)
        held = selection.of_generation(run.run, 1)
        assert held.positions > 100
        assert held.divergence >= 0
        assert set(held.cosines) == {1, 2}
        assert held.cosines[1] > 0
    # The first policy depends on data and seed alone, and data that was changed is told of.
    again = dataclasses.replace(SMALL, generations=1)
    with league.train("tic_tac_toe", again, start=dataset, name="b", folder=tmp_path) as other:
        assert other.run.digests()["0"] == run.run.digests()["0"]
