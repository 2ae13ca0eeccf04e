"""A stranger's game, learner, network, matchmaker and judge: one file each, outside the project.

They are named on the command line, end up on the run card by name, and are found again by it.
"""

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.command import Place

FILES = {
    "sticks.py": '''
        """Take one, two or three sticks; whoever takes the last one wins."""

        from dataclasses import dataclass
        from typing import NamedTuple

        import jax
        import jax.numpy as jnp

        from games import OVER, Facts, Game

        class State(NamedTuple):
            left: jax.Array
            seat: jax.Array

        @dataclass(frozen=True)
        class Sticks(Game):
            sticks: int = 7
            num_actions, max_plies, facts = 3, 31, Facts()

            def init(self): return State(jnp.int32(self.sticks), jnp.int32(0))
            def mover(self, s): return jnp.where(s.left == 0, OVER, s.seat)
            def legal(self, s): return jnp.arange(1, 4) <= s.left
            def step(self, s, move): return State(s.left - move - 1, 1 - s.seat)
            def payoff(self, s):
                return jnp.where(s.left == 0, 2 * s.seat.astype(jnp.float32) - 1, 0.0)
            def observe(self, s, seat):
                return (jnp.arange(self.sticks) < s.left).astype(jnp.float32)
            def show(self, s): return "|" * int(s.left)
            def draw(self, s):
                return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'
            def label(self, s, move): return str(move + 1)
            def parse(self, s, text): return int(text) - 1
    ''',
    "learner.py": '''
        """REINFORCE with a baseline: R. J. Williams, Machine Learning 8 (1992)."""

        from __future__ import annotations

        from dataclasses import dataclass, field
        from typing import Any, NamedTuple

        import jax
        import jax.numpy as jnp
        import numpy as np
        import optax

        from agents.learners import Learner, LearnerConfig, TrainState
        from agents.nn import networks
        from arena.types import Decision

        class Choice(NamedTuple):
            move: Any

        class Data(NamedTuple):
            state: Any
            move: Any
            outcome: Any

        @dataclass(frozen=True)
        class Config(LearnerConfig):
            network: networks.NetworkConfig = field(default_factory=networks.MLPConfig)
            temperature: float = 1.0

            def make(self, game, judge):
                return Reinforce(game, self, judge)

        @dataclass(frozen=True)
        class Draw:
            game: Any
            network: Any
            greedy: bool

            def __call__(self, params, keys, states):
                groups = len(keys)
                logits, _ = networks.mover_outputs(self.game, self.network, params, states)
                logits = jnp.where(jax.vmap(self.game.legal)(states), logits, -1e9)
                if self.greedy:
                    return Decision(jnp.argmax(logits, -1).astype(jnp.int32))
                noise = jax.vmap(lambda key: jax.random.gumbel(key, (len(logits) // groups, 3)))
                move = jnp.argmax(logits + noise(keys).reshape(logits.shape), -1).astype(jnp.int32)
                return Decision(move, Choice(move))

        @dataclass(frozen=True)
        class Reinforce(Learner):
            Config = Config

            def check(self): pass
            def init(self, key):
                params = networks.initialise(self.game, self.config.network, key)
                return TrainState(params, optax.sgd(0.1).init(params))
            def behaviour_policy(self): return Draw(self.game, self.config.network, False)
            def eval_policy(self, simulations): return Draw(self.game, self.config.network, True)
            def logits(self, params, observations):
                return networks.apply(self.game, self.config.network, params, observations)[0]
            def dataset_template(self):
                return Data(self.game.template(), np.empty(0), np.empty(0))
            def make_dataset(self, record, scores, learns):
                pairs = scores.shape[1]
                used = (record.game < 2 * pairs) & learns[None, :, :, None]
                time, side, group, slot = np.nonzero(used)
                number = record.game[time, side, group, slot]
                score = 2 * scores[group, number % pairs, number // pairs] - 1
                state = jax.tree.map(lambda x: x[time, side, group, slot], record.state)
                move = record.aux.move[time, side, group, slot]
                return Data(state, move, np.where(side == 0, score, -score).astype(np.float32))
            def learn(self, state, data, *, fresh, progress, key):
                seen = jax.vmap(self.game.observe)(
                    data.state, jax.vmap(self.game.mover)(data.state)
                )
                def loss(params):
                    logits, value = networks.apply(
                        self.game, self.config.network, params, seen
                    )
                    log_prob = jax.nn.log_softmax(logits)[jnp.arange(len(data.move)), data.move]
                    gain = jax.lax.stop_gradient(data.outcome - value)
                    return -(log_prob * gain).mean() + jnp.square(value - data.outcome).mean()
                found, grads = jax.value_and_grad(loss)(state.params)
                updates, optimiser = optax.sgd(0.1).update(grads, state.optimiser)
                params = optax.apply_updates(state.params, updates)
                return TrainState(jax.device_get(params), optimiser), {"loss": float(found)}
    ''',
    "network.py": '''
        """One linear layer for each head."""

        import math
        from dataclasses import dataclass

        import jax
        import jax.numpy as jnp
        import numpy as np
        from flax import nnx

        from agents.nn.networks import Network, NetworkConfig

        @dataclass(frozen=True)
        class Linear(NetworkConfig):
            scale: float = 1.0

            def build(self, game, ownership, rngs):
                return Layers(game, self.scale, rngs)

        class Layers(Network):
            def __init__(self, game, scale, rngs):
                shape = jax.eval_shape(game.observe, game.template(), np.int32(0)).shape
                self.move = nnx.Linear(math.prod(shape), game.num_actions, rngs=rngs)
                self.outcome = nnx.Linear(math.prod(shape), 1, rngs=rngs)
                self.scale = scale

            def features(self, observations):
                return observations.reshape(len(observations), -1) * jnp.float32(self.scale)
            def heads(self, features):
                return self.move(features), jnp.tanh(self.outcome(features)[:, 0])
    ''',
    "matchmaker.py": '''
        """The oldest snapshot, always."""

        import numpy as np

        def oldest(pool):
            weights = np.zeros(len(pool.losses))
            weights[0] = 1.0
            return weights
    ''',
    "judge.py": '''
        """Seat 0 has always won."""

        from dataclasses import dataclass

        import jax
        import jax.numpy as jnp

        from arena.types import Judge
        from games import Game

        @dataclass(frozen=True)
        class First(Judge):
            game: Game

            def verdict(self, finals):
                return jnp.ones(len(jax.tree.leaves(finals)[0]))
    ''',
}
SMALL = (
    "--matches 2 --pairs 4 --slots 2 --pool-share 1 --measure.opponents 1 --measure.pairs 2 "
    "--measure.baseline-pairs 2 --measure.simulations 2 --measure.rollouts 2"
)


@pytest.fixture
def outside(place: Place) -> Place:
    """An empty folder with the strangers' files in it."""
    for name, text in FILES.items():
        (place.folder / name).write_text(textwrap.dedent(text))
    return place


def card(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


@pytest.mark.slow
def test_all_of_them_train_a_league_together(outside: Place):
    names = "--learner learner:Reinforce --network network:Linear --matchmaker matchmaker:oldest"
    options = [*names.split(), "--judge", "judge:First", "--learner.temperature", "2"]
    options += ["--learner.network.scale", "0.5", "--name", "mine"]
    line = ["train", "sticks:Sticks,sticks=5", *options, *SMALL.split()]
    events = outside.lines(*line, "--generations", "2")
    assert len(events[-1]["snapshots"]) == 3
    found = card(outside.run("mine"))
    parts = {key: found[key] for key in ("game", "learner", "network", "judge")}
    assert parts == {
        "game": "sticks:Sticks,sticks=5",
        "learner": "learner:Reinforce",
        "network": "network:Linear",
        "judge": "judge:First",
    }
    assert found["config"]["learner"]["network"] == {"scale": 0.5}
    with np.load(outside.run("mine") / "data" / "1.npz") as data:  # what the judge said is learnt
        assert (data["outcome"] == np.where(data["state.seat"] == 0, 1, -1)).all()
    # The run is found again by its card alone, rated, and its snapshots play.
    [rated] = outside.lines("rate", "mine", "--games", "0")
    assert rated["transitivity"]["transitive"] in (True, False)
    [played] = outside.lines("match", "mine:2", "uniform", "--pairs", "2")
    assert 0 <= played["score"] <= 1
    events = outside.lines(*line, "--generations", "3", "--resume")
    assert len(events[-1]["snapshots"]) == 4


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--learner learner:Nobody", "learner defines no 'Nobody'"),
        ("--learner nowhere:Reinforce", "there is no module 'nowhere'"),
        ("--learner judge:First", "is no learner"),
        ("--network learner:Reinforce", "is no network"),
        ("--judge learner:Reinforce", "is no judge"),
        ("--matchmaker ./none.py:oldest", "there is no Python file './none.py'"),
        ("--learner ./broken.py:X", "broken.py does not load: ZeroDivisionError"),
    ],
)
def test_what_is_not_one_of_them_is_refused_in_one_line(outside: Place, option: str, says: str):
    (outside.folder / "broken.py").write_text("1 / 0")
    done = outside.call("train", "tic_tac_toe", *option.split(), *SMALL.split())
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not outside.folder.joinpath("runs").exists()
