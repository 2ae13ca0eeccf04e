"""Nets that come with Arena: a snapshot in one small file, `league/nets/GAME.npz`.

A file holds the weights, in half precision, and a card: the game and the version of its rules, the
learner with its options, the network's size, the run that it is from, and a digest. Options that
come or go later do not make it unreadable. `arena export` writes one.
"""

import dataclasses
import io
import json
import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import jax
import numpy as np

from agents import learners
from agents.learners.base import LearnerConfig
from agents.nn import networks
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.types import Agent, Params
from games import Game
from league.settings import game_names
from league.settings.json_object import JsonObject
from league.store.checkpoints import digest, finite
from league.store.files import replacing
from league.store.run import Run

KIND = "pretrained"
FORMAT = "arena-net-1"


def folder() -> Traversable:
    """Where the files lie."""
    return resources.files("league") / "nets"


def file(game: str) -> str:
    """The name of a game's file."""
    return re.sub(r"[^\w.=-]+", "-", game) + ".npz"


def files() -> list[str]:
    """The names of the files there are."""
    place = folder()
    return sorted(x.name for x in place.iterdir() if x.name.endswith(".npz"))


def write(where: Run, number: str, path: Path) -> None:
    """Makes a file of a snapshot.

    Raises:
      UserError: there is no such snapshot, or a weight is too large for half precision.
    """
    learner = where.config.learner
    if where.rating_scale is not None:
        raise UserError(f"the network of {where.name!r} is told of ratings, which a net is not")
    weights = networks.for_play(where.weights(number))
    weights = jax.tree.map(lambda x: np.asarray(x, np.float16), weights)
    if not finite(weights):
        raise UserError(f"{where.name}:{number} has weights that half precision cannot hold")
    card = {
        "format": FORMAT,
        "game": where.card["game"],
        "game_version": where.game.version,
        "learner": learners.name_of(learner),
        "network": learners.network_name(learner.network),
        "size": dataclasses.asdict(learner.network),
        "options": {k: v for k, v in dataclasses.asdict(learner).items() if k != "network"},
        "run": {key: where.card.get(key) for key in ("seed", "revision", "versions", "device")},
        "snapshot": number,
        "digest": digest(weights),
    }
    leaves = {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(weights)
    }
    with replacing(path) as whole:
        np.savez_compressed(whole, allow_pickle=False, card=np.array(json.dumps(card)), **leaves)


@dataclasses.dataclass(frozen=True)
class Net:
    """A net that comes with Arena.

    Attributes:
      game: what it plays.
      config: the learner that made it, its network included.
      params: its weights, f32.
    """

    game: Game
    config: LearnerConfig
    params: Params


def read(spec: str) -> Net:
    """The net of `pretrained:GAME`.

    Raises:
      UserError: there is no file for the game, or it is damaged.
    """
    name = spec.partition(":")[2]
    if file(name) not in files():
        there = ", ".join(x.removesuffix(".npz") for x in files()) or "none"
        raise UserError(f"no net comes with Arena for {name!r}; there are: {there}")
    try:
        with np.load(io.BytesIO((folder() / file(name)).read_bytes())) as held:
            return _read(dict(held))
    except Exception as error:  # a cut zip file shows in many ways
        raise UserError(f"the net for {name!r} cannot be used: {error}") from None


def load(spec: str, simulations: int) -> tuple[Game, Agent]:
    """The game and the agent of `pretrained:GAME`.

    Raises:
      UserError: there is no file for the game, it is damaged, or the game cannot be searched.
    """
    net = read(spec)
    try:
        policy = net.config.make(net.game, Rules(net.game)).eval_policy(simulations)
    except ValueError as error:
        raise UserError(str(error)) from None
    title = spec + (f",simulations={simulations}" if simulations else "")
    return net.game, Agent(title, policy, net.params)


def _read(held: dict[str, np.ndarray]) -> Net:
    """From what a file holds."""
    card = json.loads(held["card"].item())
    if card["format"] != FORMAT:
        raise ValueError("it is of another version of Arena")
    game = game_names.load(card["game"])
    if game.version != card.get("game_version", game.version):
        raise ValueError(f"it was trained on version {card['game_version']} of the rules")
    config = _config(card)
    learner = config.make(game, Rules(game))
    like = networks.for_play(jax.eval_shape(lambda: learner.init(jax.random.key(0)).params))
    paths, tree = jax.tree_util.tree_flatten_with_path(like)
    leaves = [held[jax.tree_util.keystr(p, simple=True, separator=".")] for p, _ in paths]
    if [leaf.shape for leaf in leaves] != [leaf.shape for _, leaf in paths]:
        raise ValueError("its arrays have other shapes")
    weights = jax.tree.unflatten(tree, leaves)
    if digest(weights) != card["digest"]:
        raise ValueError("it is damaged: wrong digest")
    if not finite(weights):
        raise ValueError("it holds numbers that are not finite")
    return Net(game, config, jax.tree.map(lambda x: x.astype(np.float32), weights))


def _config(card: JsonObject) -> LearnerConfig:
    """The learner's configuration; options that there are no more are left out."""
    kind = learners.find(card["learner"]).Config
    known = {field.name for field in dataclasses.fields(kind)}
    options = {key: value for key, value in card.get("options", {}).items() if key in known}
    network = _network(card["network"])(**card["size"])
    return dataclasses.replace(kind(network=network), **options)


_CLASSES = {"ResNetConfig": "resnet", "MLPConfig": "mlp", "TransformerConfig": "transformer"}
"""Networks as files of version 0.1 name them."""


def _network(name: str) -> type[networks.NetworkConfig]:
    return learners.find_network(_CLASSES.get(name, name))
