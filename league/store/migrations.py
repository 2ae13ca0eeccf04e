"""What runs of earlier versions look like, and how they are read by this one.

A card is migrated when it is read, and written in its new form when training goes on; the database
when it is opened, see `upgrade.py`. What it holds of gates is read in both forms.
"""

from arena.errors import UserError
from arena.shards import SHARDS
from league.settings.json_object import JsonObject

FORMAT = "arena-run-2"
_FIRST = "arena-run-1"

_CONFIG = {"jump": "max_elo_step", "exam_pairs": "baseline_pairs"}
_LEARNERS = {
    "alphazero": {
        "reuse": "replay_ratio",
        "window": "replay_window",
        "considered": "max_considered_actions",
        "trace": "td_lambda",
        "spread": "min_value_range",
    },
    "ppo": {"reuse": "replay_ratio", "window": "replay_window", "trace": "gae_lambda"},
    "mmd": {"reuse": "replay_ratio"},
}
_ADDED: dict[str, JsonObject] = {
    "alphazero": {"search": "gumbel"},
    "ppo": {},
    "mmd": {"replay_window": 1},
}
"""Keys of a learner's configuration that version 0.1 had not, and the values that it played by."""

_MEASURE: JsonObject = {"every": 1, "last_pairs": 0, "rungs": 1}
"""The same of how snapshots are measured."""

LATER: JsonObject = {"lag": 0}
"""Keys of the configuration that came after the form, and the values that runs before had."""
LATER_OF_LEARNERS: dict[str, JsonObject] = {"alphazero": {"legality_weight": 0.0}}
"""The same of a learner's configuration."""

_DATA = {"search_target": "lesson", "pieces": "men", "history": "past"}
"""Parts of the names of arrays in datasets, new and old."""


def card(found: JsonObject) -> JsonObject:
    """A card in the form of this version.

    Raises:
      UserError: no version that this one can read has written it.
    """
    form = found.get("format")
    if form == FORMAT:
        return _with_later(found)
    if form != _FIRST:
        raise UserError(f"it is of the form {form!r}, which this version of Arena cannot read")
    config = found.get("config")
    if not (isinstance(config, dict) and _parts(config, "learner", "measure")):
        raise UserError("it does not say 'config'")
    if not _parts(config["learner"], "network"):
        raise UserError("it does not say 'network'")
    learner = _learner(config["learner"])
    shards = found.get("devices", SHARDS)  # version 0.1 split work by the devices there were
    return {
        **{key: value for key, value in found.items() if key != "devices"},
        "format": FORMAT,
        "arena": "0.1.0",
        "game_version": 1,
        "learner": learner,
        "network": _network(config["learner"]["network"]),
        "judge": "rules",
        "config": {
            **config,
            "time": "",
            "plateau": 0,
            **LATER,
            "shards": shards,
            "learner": {
                **_renamed(config["learner"], _LEARNERS[learner]),
                **_ADDED[learner],
                **LATER_OF_LEARNERS.get(learner, {}),
                "replay_share": 1.0,
                "shards": shards,
            },
            "measure": {**_MEASURE, **_renamed(config["measure"], _CONFIG)},
        },
    }


def _with_later(found: JsonObject) -> JsonObject:
    """A card of this form, with the keys that came later."""
    config = found.get("config")
    if not isinstance(config, dict):
        return found
    config = {**LATER, **config}
    later = LATER_OF_LEARNERS.get(str(found.get("learner")), {})
    if _parts(config, "learner"):
        config["learner"] = {**later, **config["learner"]}
    return {**found, "config": config}


def without_later(learner: str, config: JsonObject) -> JsonObject:
    """A configuration as it was before there were such keys, where it has their first values."""
    config = _without(config, LATER)
    if not _parts(config, "learner"):  # which is complained of elsewhere
        return config
    later = LATER_OF_LEARNERS.get(learner, {})
    return {**config, "learner": _without(config["learner"], later)}


def _without(part: JsonObject, later: JsonObject) -> JsonObject:
    return {k: v for k, v in part.items() if not (k in later and v == later[k])}


def _parts(config: JsonObject, *names: str) -> bool:
    """Whether a configuration has these parts."""
    return all(isinstance(config.get(name), dict) for name in names)


def _renamed(part: JsonObject, names: dict[str, str]) -> JsonObject:
    return {names.get(key, key): value for key, value in part.items()}


def _learner(config: JsonObject) -> str:
    """Which learner a configuration of version 0.1 is of, by its keys."""
    for name, key in (("alphazero", "considered"), ("ppo", "clip"), ("mmd", "magnet")):
        if key in config:
            return name
    raise UserError("its learner is of no known kind")


def _network(config: JsonObject) -> str:
    """Which kind of network a configuration of version 0.1 is of, by its keys."""
    if "channels" in config:
        return "resnet"
    return "transformer" if "heads" in config else "mlp"


def old_names(name: str) -> list[str]:
    """The names under which an array of a dataset may have been saved, the newest first."""
    return [name, ".".join(_DATA.get(part, part) for part in name.split("."))]
