"""Nets that come with Arena: a snapshot in one small file, `league/nets/GAME.npz`.

A file holds the weights, in half precision, and a card: the game, the learner, the network's size,
the run that it is from, and a digest. Nothing else of the run's configuration is in it, so that new
options do not make it unreadable. `arena export` writes one.
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
from agents.nn import networks
from arena.errors import UserError
from arena.judges.rules import Rules
from arena.types import Agent, Params, Policy
from games import Game
from league.settings import game_names
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
    weights = networks.for_play(where.weights(number))
    weights = jax.tree.map(lambda x: np.asarray(x, np.float16), weights)
    if not finite(weights):
        raise UserError(f"{where.name}:{number} has weights that half precision cannot hold")
    card = {
        "format": FORMAT,
        "game": where.card["game"],
        "learner": learners.name_of(learner),
        "network": learners.network_name(learner.network),
        "size": dataclasses.asdict(learner.network),
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


def load(spec: str, simulations: int) -> tuple[Game, Agent]:
    """The game and the agent of `pretrained:GAME`.

    Raises:
      UserError: there is no file for the game, or it is damaged.
    """
    name = spec.partition(":")[2]
    if file(name) not in files():
        there = ", ".join(x.removesuffix(".npz") for x in files()) or "none"
        raise UserError(f"no net comes with Arena for {name!r}; there are: {there}")
    try:
        with np.load(io.BytesIO((folder() / file(name)).read_bytes())) as held:
            game, policy, weights = _read(dict(held), simulations)
    except Exception as error:  # a cut zip file shows in many ways
        raise UserError(f"the net for {name!r} cannot be used: {error}") from None
    title = spec + (f",simulations={simulations}" if simulations else "")
    return game, Agent(title, policy, weights)


def _read(held: dict[str, np.ndarray], simulations: int) -> tuple[Game, Policy, Params]:
    """From what a file holds: the game, how the agent moves, and its weights in f32."""
    card = json.loads(held["card"].item())
    if card["format"] != FORMAT:
        raise ValueError("it is of another version of Arena")
    game, kind = game_names.load(card["game"]), learners.find(card["learner"])
    network = _network(card["network"])(**card["size"])
    learner = kind.Config(network=network).make(game, Rules(game))
    like = jax.eval_shape(lambda: learner.init(jax.random.key(0)).params)
    paths, tree = jax.tree_util.tree_flatten_with_path(like)
    leaves = [held[jax.tree_util.keystr(p, simple=True, separator=".")] for p, _ in paths]
    if [leaf.shape for leaf in leaves] != [leaf.shape for _, leaf in paths]:
        raise ValueError("its arrays have other shapes")
    weights = jax.tree.unflatten(tree, leaves)
    if digest(weights) != card["digest"]:
        raise ValueError("it is damaged: wrong digest")
    if not finite(weights):
        raise ValueError("it holds numbers that are not finite")
    policy = learner.eval_policy(simulations)
    return game, policy, jax.tree.map(lambda x: x.astype(np.float32), weights)


_CLASSES = {"ResNetConfig": "resnet", "MLPConfig": "mlp", "TransformerConfig": "transformer"}
"""Networks as files of version 0.1 name them."""


def _network(name: str) -> type[networks.NetworkConfig]:
    return learners.find_network(_CLASSES.get(name, name))
