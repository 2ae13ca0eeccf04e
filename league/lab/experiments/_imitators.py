"""Leagues of tic-tac-toe by the imitation learner, small enough for experiments, as tables."""

from dataclasses import replace

import jax
import numpy as np

import league
from agents.nn.networks import MLPConfig
from arena.types import Params, State
from league.api import League
from league.lab import Work
from league.lab.experiments._leagues import UNMEASURED, trained
from league.lab.experiments._tables import Table
from league.settings.config import Config

GAME = "tic_tac_toe"


def config(generations: int, *, pairs: int, width: int, **learner: float) -> Config:
    """A league whose newest policy plays itself, with a multilayer perceptron of two layers.

    Args:
      generations: of it.
      pairs: of games in each of eight matches of a generation.
      width: of the layers.
      learner: fields of the learner to change.
    """
    default = league.default_config(GAME, learner="imitation")
    return replace(
        default,
        learner=replace(default.learner, network=MLPConfig(width=width, layers=2), **learner),
        generations=generations,
        pairs=pairs,
        slots=min(pairs, 256),
        pool_share=0.0,
        matchmaker="latest",
        measure=UNMEASURED,
    )


def train(made: Config, work: Work) -> League:
    """A league that has run to its end; close it."""
    return trained(GAME, made, work)


def log_policy(found: League, params: Params, states: State) -> np.ndarray:
    """Log-probabilities f64[N, A] of a snapshot's moves in positions [N, ...].

    Those of illegal moves are −∞; where the game is over they mean nothing.
    """
    game, learner = found.game, found.run.learner

    @jax.jit
    def ask(params: Params, states: State) -> tuple[jax.Array, jax.Array]:
        movers = jax.vmap(game.mover)(states)
        seen = jax.vmap(game.observe)(states, movers)
        return learner.logits(params, seen), jax.vmap(game.legal)(states)

    logits, legal = (np.asarray(x) for x in ask(params, states))
    playable = legal | ~legal.any(1, keepdims=True)
    logits = np.where(playable, logits.astype(np.float64), -np.inf)
    most = logits.max(1, keepdims=True)
    return logits - most - np.log(np.exp(logits - most).sum(1, keepdims=True))


def policy(found: League, snapshot: int | str, known: Table) -> np.ndarray:
    """A snapshot's policy without search in all positions of the game, f64[N, A]."""
    chances = np.exp(log_policy(found, found.weights(snapshot), known.states))
    return np.where(known.over[:, None], 0.0, chances)
