"""Nets that come with Arena: written from a snapshot, and found by their game's name."""

import json
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
import pytest

from arena.errors import UserError
from arena.evaluation import score
from arena.play import match
from arena.types import Agent
from games import Game
from league.cli import names
from league.cli.entry import main
from league.store import pretrained
from tests.helpers.command import Place


@pytest.fixture
def nets(here: Place, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Path:
    """A folder of nets that holds the tiny run's third snapshot."""
    here.adopt(tiny, "mine")
    folder = here.folder / "nets"
    folder.mkdir()
    monkeypatch.setattr(pretrained, "folder", lambda: folder)
    main(["export", "mine:3", "--out", "nets/tic_tac_toe.npz", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] == (folder / "tic_tac_toe.npz").stat().st_size
    return folder


def device(spec: str) -> tuple[Game, Agent]:
    game, agent = names.agent(spec, None)
    assert isinstance(agent, Agent)
    return game, agent


def test_a_net_is_the_snapshot_that_it_was_made_of(nets: Path):
    game, net = device("pretrained:tic_tac_toe")
    there, snapshot = device("mine:3")
    assert game == there
    assert net.policy == snapshot.policy
    ours, theirs = jax.tree.leaves(net.params), jax.tree.leaves(snapshot.params)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, np.asarray(b).astype(np.float16))


def test_a_net_has_all_that_its_learner_plays_by(nets: Path, capsys):
    # A magnetic mirror descent keeps two networks; its mean plays.
    size = ("--generations=1", "--rounds=1", "--matches=1", "--pairs=16", "--slots=8")
    main(["train", "kuhn_poker", *size, "--name", "poker", "--json"])
    main(["export", "poker", "--out", "nets/kuhn_poker.npz", "--json"])
    capsys.readouterr()
    _, net = device("pretrained:kuhn_poker")
    _, snapshot = device("poker:1")
    for a, b in zip(*(jax.tree.leaves(x.params.mean) for x in (net, snapshot)), strict=True):
        np.testing.assert_array_equal(a, np.asarray(b).astype(np.float16))


def test_it_searches_where_it_is_told_to(nets: Path):
    _, net = device("pretrained:tic_tac_toe,simulations=4")
    _, snapshot = device("mine:3,simulations=4")
    assert net.policy == snapshot.policy
    assert net.name == "pretrained:tic_tac_toe,simulations=4"


def test_it_plays(nets: Path, capsys):
    main(["match", "pretrained:tic_tac_toe", "uniform", "--pairs", "8", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["a"] == "pretrained:tic_tac_toe"
    assert told["wins"] + told["draws"] + told["losses"] == 16


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("pretrained:chess", "no net comes with Arena for 'chess'; there are: tic_tac_toe"),
        ("pretrained", "no net comes with Arena for ''"),
        ("pretrained:../../etc", "no net comes with Arena for '../../etc'"),
        ("pretrained:tic_tac_toe,simulations=x", "simulations must be a number"),
    ],
)
def test_what_is_not_there_is_refused(nets: Path, spec: str, says: str):
    with pytest.raises(UserError, match=says.replace("?", "[?]")):
        names.agent(spec, None)


def _rewritten(path: Path, **changes: object) -> None:
    with np.load(path) as file:
        held = dict(file)
    card = {**json.loads(held.pop("card").item()), **changes}
    held = {name: leaf for name, leaf in held.items() if name not in changes}
    np.savez(path, card=np.array(json.dumps(card)), **held)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "cannot be used"),
        (lambda path: path.write_bytes(b""), "cannot be used"),
        (lambda path: _rewritten(path, format="arena-net-0"), "another version"),
        (lambda path: _rewritten(path, digest="0"), "wrong digest"),
        (lambda path: _rewritten(path, size={"channels": 16, "blocks": 1}), "other shapes"),
    ],
    ids=["cut", "empty", "version", "digest", "shapes"],
)
def test_a_damaged_file_is_a_line(nets: Path, damage, says: str):
    damage(nets / "tic_tac_toe.npz")
    with pytest.raises(UserError, match=says):
        names.agent("pretrained:tic_tac_toe", None)


def test_a_net_with_what_is_no_number_is_refused(nets: Path, monkeypatch: pytest.MonkeyPatch):
    path = nets / "tic_tac_toe.npz"
    with np.load(path) as file:
        held = dict(file)
    card = json.loads(held["card"].item())
    next(leaf for leaf in held.values() if leaf.dtype == np.float16).flat[0] = np.nan
    np.savez(path, **held)
    monkeypatch.setattr(pretrained, "digest", lambda weights: card["digest"])
    with pytest.raises(UserError, match="holds numbers that are not finite"):
        names.agent("pretrained:tic_tac_toe", None)


def test_every_net_that_comes_with_arena_can_be_used_and_is_small():
    for name in pretrained.files():
        assert len((pretrained.folder() / name).read_bytes()) <= 1e6
        game, _ = pretrained.load(f"pretrained:{name.removesuffix('.npz')}", 0)
        assert game.num_actions


def test_a_search_is_not_written(here: Place, tiny: Path, capsys):
    here.adopt(tiny, "mine")
    with pytest.raises(SystemExit):
        main(["export", "mine:3,simulations=4"])
    assert "leave simulations away" in capsys.readouterr().err


@pytest.mark.slow
def test_more_simulations_never_lower_the_score():
    budgets = ("", ",simulations=8", ",simulations=32", ",simulations=128")
    players = [device(f"pretrained:connect_four{budget}") for budget in budgets]
    for number, ((game, fewer), (_, more)) in enumerate(pairwise(players)):
        key = jax.random.fold_in(jax.random.key(0), number)
        found = score.of(
            match.play([more], [fewer], game, key=key, pairs=128, plies=8, groups=1, slots=64)[0]
        )
        assert found.score + found.half_width > 0.5
