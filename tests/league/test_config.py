"""Configurations: through JSON and back, and nothing unknown or impossible in them."""

import dataclasses
import json
import math

import pytest

import games
from arena.errors import UserError
from league.commands import train
from league.settings import config, defaults


@pytest.mark.parametrize("game", games.names())
def test_json_keeps_a_configuration(game):
    default = defaults.default(game, games.load(game))
    assert config.parse(json.loads(json.dumps(dataclasses.asdict(default)))) == default


def changed(path: str, value: object) -> dict:
    """The general configuration as JSON, with one change; None takes the key away."""
    whole = part = json.loads(json.dumps(dataclasses.asdict(config.Config())))
    *parents, last = path.split(".")
    for name in parents:
        part = part[name]
    part[last] = value
    if value is None:
        del part[last]
    return whole


@pytest.mark.parametrize("path", ["seed", "learner.window", "learner.network.blocks", "measure"])
def test_a_change_is_kept_or_refused(path):
    with pytest.raises(UserError, match="does not have the keys"):
        config.parse(changed(path, None))
    with pytest.raises(UserError, match="does not have the keys"):
        config.parse(changed(f"{path}s" if path != "measure" else "measure.x", 1))
    if path != "measure":
        assert config.parse(changed(path, 7)) != config.Config()


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
        ("learner.value_weight", math.inf),
        ("learner.ownership_weight", -0.5),
        ("learner.ownership_weight", math.inf),
        ("learner.network.channels", 3),
        ("learner.network.blocks", -1),
    ],
)
def test_what_cannot_be_is_refused(path, value):
    with pytest.raises(UserError):
        config.parse(changed(path, value))


@pytest.mark.parametrize("value", [None, [], 3, {}])
def test_what_is_no_configuration_is_refused(value):
    with pytest.raises(UserError):
        config.parse(value)


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
