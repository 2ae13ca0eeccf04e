"""Configurations: through JSON and back, and nothing unknown or impossible in them."""

import json
import math
from dataclasses import dataclass, replace

import pytest

import games
from agents.learners.alphazero import AlphaZeroConfig
from agents.nn import networks
from arena.errors import UserError
from league.commands import train
from league.settings import config, defaults


@pytest.mark.parametrize("game", games.names())
def test_json_keeps_a_configuration(game):
    default = defaults.default(game, games.load(game))
    assert config.from_card(json.loads(json.dumps(config.to_card(default)))) == default


def changed(path: str, value: object) -> dict:
    """The card of the general configuration, with one change; None takes the key away."""
    card = json.loads(json.dumps(config.to_card(config.Config())))
    part = card["config"]
    *parents, last = path.split(".")
    for name in parents:
        part = part[name]
    part[last] = value
    if value is None:
        del part[last]
    return card


@pytest.mark.parametrize(
    "path", ["seed", "learner.replay_window", "learner.network.blocks", "measure"]
)
def test_a_change_is_kept_or_refused(path):
    with pytest.raises(UserError, match="does not have the keys"):
        config.from_card(changed(path, None))
    with pytest.raises(UserError, match="does not have the keys"):
        config.from_card(changed(f"{path}s" if path != "measure" else "measure.x", 1))
    if path != "measure":
        assert config.from_card(changed(path, 7)) != config.Config()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("generations", "3"),
        ("generations", 3.5),
        ("generations", True),
        ("pool_share", "half"),
        ("matchmaker", "nobody"),
        ("matchmaker", []),
        ("matchmaker", "0.5*latest"),
        ("measure", 3),
        ("learner.network", []),
        ("learner.learning_rate", "fast"),
        ("generations", 0),
        ("pairs", -1),
        ("seed", -1),
        ("seed", 2**32),
        ("pool_share", 1.5),
        ("pool_share", math.nan),
        ("opening_plies", -1),
        ("measure.opening_plies", -1),
        ("measure.rollouts", 0),
        ("learner.batch_size", 0),
        ("learner.learning_rate", -1.0),
        ("learner.learning_rate", math.nan),
        ("learner.weight_decay", -0.1),
        ("learner.td_lambda", 1.5),
        ("learner.simulations", 0),
        ("learner.value_weight", math.inf),
        ("learner.ownership_weight", -0.5),
        ("learner.ownership_weight", math.inf),
        ("learner.legality_weight", -0.5),
        ("learner.network.channels", 3),
        ("learner.network.blocks", -1),
    ],
)
def test_what_cannot_be_is_refused(path, value):
    with pytest.raises(UserError):
        config.from_card(changed(path, value))


@pytest.mark.parametrize("value", [None, [], 3, {}])
def test_what_is_no_configuration_is_refused(value):
    with pytest.raises(UserError):
        config.from_card({**config.to_card(config.Config()), "config": value})


@pytest.mark.parametrize(
    "arguments",
    [
        "tic_tac_toe --generations 3",
        "--generations 3 tic_tac_toe",
        "--json --name connect_four tic_tac_toe --learner.simulations=4",
        "--learner.simulations=4 --no-resume tic_tac_toe --seed 1",
    ],
)
def test_the_defaults_are_the_games_wherever_its_name_stands(arguments):
    assert defaults.default("tic_tac_toe", games.load("tic_tac_toe")) != config.Config()
    assert train.default(arguments.split()).config == defaults.default(
        "tic_tac_toe", games.load("tic_tac_toe")
    )


@pytest.mark.parametrize("part", ["learner", "network"])
def test_a_learner_or_network_that_is_not_there_is_refused(part):
    with pytest.raises(UserError, match=f"there is no {part} 'none'"):
        config.from_card({**config.to_card(config.Config()), part: "none"})


@pytest.mark.parametrize(
    ("learner", "game"), [("ppo", "connect_four"), ("mmd", "liars_dice"), ("ppo", "hex")]
)
def test_a_learner_that_is_asked_for_is_the_one_that_learns(learner, game):
    found = defaults.default(game, games.load(game), learner=learner)
    assert config.to_card(found)["learner"] == learner


def test_after_imitation_nothing_undoes_what_was_learnt():
    game = games.load("gardner_chess")
    alone, after = (
        defaults.default("gardner_chess", game, imitates=imitates).learner
        for imitates in (False, True)
    )
    assert after == replace(alone, min_value_range=1.0, legality_weight=0.0)
    assert alone == replace(alone, min_value_range=1e-6, legality_weight=0.2)


def test_a_network_that_is_asked_for_is_the_one_that_learns():
    found = defaults.default("connect_four", games.load("connect_four"), network="transformer")
    assert config.to_card(found)["network"] == "transformer"
    assert config.from_card(config.to_card(found)) == found


def test_a_network_that_no_card_can_name_is_refused():
    @dataclass(frozen=True)
    class Mine(networks.MLPConfig):
        pass

    mine = config.Config(learner=AlphaZeroConfig(network=Mine()))
    with pytest.raises(UserError, match="does not stand at the top of the module"):
        config.to_card(mine)
