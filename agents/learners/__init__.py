"""The learners: one file each, found by its name.

A file here that defines a subclass of `Learner` is a learner. One of your own is named
`MODULE:CLASS`, `FILE.py:CLASS`, or by an entry point in the group `arena.learners`.
"""

import importlib
import pkgutil
from functools import cache

from agents.learners.base import Learner, LearnerConfig, TrainState
from agents.nn.networks import NETWORKS, NetworkConfig
from arena import extensions
from arena.errors import UserError
from arena.judges.rules import Rules
from games import Game

__all__ = [
    "Learner",
    "LearnerConfig",
    "TrainState",
    "builtin",
    "check",
    "find",
    "find_network",
    "name_of",
    "network_name",
]


@cache
def builtin() -> dict[str, type[Learner]]:
    """The learners of this folder by name."""
    modules = [
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    ]
    return {
        module.__name__.rpartition(".")[2]: value
        for module in modules
        for value in vars(module).values()
        if _is_learner(value) and value.__module__ == module.__name__
    }


def _is_learner(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Learner) and value is not Learner


def find(name: str) -> type[Learner]:
    """The learner that a name means; raises UserError if there is none."""
    found = extensions.find("learner", name, builtin())
    if not _is_learner(found):
        raise UserError(f"{name} is no learner: it does not extend agents.learners.Learner")
    return found


def find_network(name: str) -> type[NetworkConfig]:
    """The kind of network that a name means; raises UserError if there is none."""
    found = extensions.find("network", name, NETWORKS)
    if not (isinstance(found, type) and issubclass(found, NetworkConfig)):
        raise UserError(f"{name} is no network: it does not extend agents.nn.NetworkConfig")
    return found


def name_of(config: LearnerConfig) -> str:
    """The name of the learner that a configuration belongs to; `find` takes it."""
    own = {kind.Config: name for name, kind in builtin().items()}
    return own.get(type(config)) or extensions.spec_of(_learner_of(config))


def _learner_of(config: LearnerConfig) -> type[Learner]:
    kinds = [Learner]
    while kinds:
        kind = kinds.pop()
        if kind.__dict__.get("Config") is type(config):
            return kind
        kinds += kind.__subclasses__()
    raise UserError(f"no learner has the configuration {type(config).__name__}")


def network_name(config: NetworkConfig) -> str:
    """The name of a kind of network; `find_network` takes it."""
    own = {kind: name for name, kind in NETWORKS.items()}
    return own.get(type(config)) or extensions.spec_of(type(config))


def check(game: Game, config: LearnerConfig) -> None:
    """Raises UserError if this learner or its network cannot learn the game."""
    try:
        config.make(game, Rules(game)).check()
        config.network.check(game)
    except ValueError as error:
        raise UserError(f"{name_of(config)} cannot learn this game: {error}") from None
