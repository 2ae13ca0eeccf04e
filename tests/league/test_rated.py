"""A policy that imitates games, and is told how strong the players were."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import games
from agents.learners.imitation import ImitationConfig
from agents.nn import networks
from agents.nn.networks import MLPConfig, ResNetConfig
from agents.nn.rated import RATING, RatedConfig, at_rating, rated
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.play.records import Player, append_games, saved
from arena.play.session import Session
from league.store.imported_games import MoveLists, RatingScale
from league.training import imitating
from tests.helpers.command import Place

GAME = games.load("tic_tac_toe")
STRONG, WEAK, CENTRE = 2000.0, 1000.0, "b2"
EDGES = "a2", "b1", "b3", "c2"
"""Of which the games take the first; training shows the others as well, as their images."""


def session(strong: bool, chance: np.random.Generator) -> Session:
    """A game in which strong players take the centre first, weak ones an edge; then at random."""
    found = Session(GAME)
    found.push(CENTRE if strong else EDGES[0])
    while not found.over:
        found.push(int(chance.choice(np.flatnonzero(found.legal))))
    return found


def lists(count: int) -> MoveLists:
    """Games of either kind by turns; a third of the players are not rated."""
    chance, found = np.random.default_rng(0), []
    for number in range(count):
        found.append(session(number % 2 == 0, chance))
    rating = np.array([[STRONG, WEAK] if n % 2 == 0 else [WEAK, STRONG] for n in range(count)])
    rating[::6] = np.nan
    return MoveLists(
        jax.tree.map(lambda x: np.repeat(np.asarray(x)[None], count, 0), GAME.init()),
        np.array([len(one.moves) for one in found], np.int32),
        np.concatenate([one.moves for one in found]).astype(np.int32),
        np.array([one.result for one in found], np.float32),
        rating.astype(np.float32),
    )


@pytest.mark.parametrize("network", [MLPConfig(width=16), ResNetConfig(channels=8, blocks=1)])
def test_a_network_takes_a_rating_with_the_observation_or_from_its_weights(network):
    config, key = RatedConfig(network), jax.random.key(0)
    config.check(GAME)
    params = networks.initialise(GAME, config, key)
    assert params[RATING] == 0
    plain = networks.initialise(GAME, network, key)
    assert set(params) == {*plain, RATING}
    seen = jax.random.normal(
        jax.random.key(1), (3, 3, 3, GAME.observe(GAME.init(), jnp.int32(0)).shape[-1])
    )
    high = at_rating(params, 1.5)
    own = networks.apply(GAME, config, high, seen)
    given = networks.apply(GAME, config, params, rated(seen, jnp.full(3, 1.5)))
    for one, other in zip(own, given, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert not np.allclose(own[0], networks.apply(GAME, config, params, seen)[0])
    slope = jax.grad(lambda p: networks.apply(GAME, config, p, seen)[0].sum())(high)
    assert slope[RATING] == 0


def test_a_policy_moves_like_players_of_the_rating_that_is_asked_for():
    found = lists(240)
    scale = RatingScale.of(found)
    assert scale.plays == STRONG
    assert scale.normalised(np.array([np.nan, scale.mean])).tolist() == [0, 0]
    network = RatedConfig(MLPConfig(width=32, layers=1))
    learner = ImitationConfig(network=network, batch_size=32).make(GAME, Rules(GAME))
    key = jax.random.key(0)
    state, told = imitating.pretrain(
        learner, learner.init(key), found, count=6000, key=key, scale=scale
    )
    assert told["log_likelihood"] > told["log_likelihood_unrated"]
    assert state.params[RATING] == pytest.approx(scale.normalised(STRONG))

    def first(rating: float) -> int:
        params = at_rating(state.params, scale.normalised(rating))
        seen = GAME.observe(GAME.init(), jnp.int32(0))[None]
        return int(learner.logits(params, seen)[0].argmax())

    assert first(STRONG) == GAME.parse(GAME.init(), CENTRE)
    assert first(WEAK) in [GAME.parse(GAME.init(), edge) for edge in EDGES]
    unrated = found._replace(rating=np.full_like(found.rating, 1500))
    with pytest.raises(UserError, match="not two different ratings"):
        RatingScale.of(unrated)


@pytest.mark.slow
def test_a_league_is_told_of_ratings_and_plays_at_any(place: Place):
    chance, tags = np.random.default_rng(0), []
    for number in range(200):
        strong = number % 2 == 0
        elo = {"WhiteElo": str(STRONG if strong else WEAK), "BlackElo": "?"}
        players = Player("ann"), Player("bob")
        tags.append(saved(session(strong, chance).record, "tic_tac_toe", players, tags=elo))
    append_games(Path(place.folder) / "games.jsonl", tags)
    [found] = place.lines("data", "import", "tic_tac_toe", "games.jsonl", "--out", "d.npz")
    assert found["games"] > 0
    small = "--learner imitation --network mlp --learner.network.width 32 --generations 1"
    small += " --matches 2 --pairs 8 --slots 8 --measure.opponents 1 --measure.pairs 2"
    small += " --measure.baseline-pairs 2 --learner.batch-size 32 --name r"
    line = ["train", "tic_tac_toe", "--from", "d.npz", "--rated", *small.split()]
    place.lines(*line)
    for rating in (WEAK, STRONG):
        games_of = f"r:0,rating={rating:g}", "uniform"
        options = "--pairs 4 --opening-plies 0"
        place.lines("match", *games_of, *options.split(), "--record", f"{rating:g}.jsonl")
    # Every second game is one in which the snapshot moves first.
    first = {rating: (place.folder / f"{rating:g}.jsonl").read_text() for rating in (WEAK, STRONG)}
    assert first[STRONG].count(f'"moves":["{CENTRE}"') >= 4
    assert sum(first[WEAK].count(f'"moves":["{edge}"') for edge in EDGES) >= 4
    for spec, says in (("r:0,rating=x", "rating=R"), ("r:0,rating=1,rating=2", "rating=R")):
        done = place.call("match", spec, "uniform", "--pairs", "1")
        assert done.returncode == 2
        assert says in done.stderr
    done = place.call("train", "tic_tac_toe", "--from", "r:1", "--generations", "1")
    assert "told of ratings" in done.stderr
    done = place.call("train", "tic_tac_toe", "--rated", "--generations", "1")
    assert "--rated goes with --from FILE.npz" in done.stderr
