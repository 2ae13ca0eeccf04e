"""Whoever plays and however the learner waits: games of every kind end with the same bits.

Rows of the record, digests of weights, states and data are those of one process with one device, on
several devices, on actors of this machine, on a cluster of three nodes, and on two hosts that learn
together. Each lag has its own.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command import Place, contents
from tests.helpers.hosts import helping
from tests.helpers.ports import free_port
from tests.helpers.ray_nodes import nodes

pytestmark = pytest.mark.slow

_SMALL = """
    --generations 3 --matches 4 --rounds 2 --shards 4 --learner.shards 4
    --learner.batch-size 32 --pool-share 0.5 --measure.opponents 2 --measure.pairs 2
    --measure.baseline-pairs 2
"""
_FEW = "--pairs 4 --slots 4"
_SEARCHED = """
    --learner.network.channels 8 --learner.network.blocks 1 --learner.simulations 4
    --learner.replay-window 2 --measure.simulations 4 --measure.rollouts 4 --opening-plies 4
    --main-exploiters 1 --league-exploiters 1 --exploiter-generations 2
"""
_MLP = "--network mlp --learner.network.width 16 --learner.network.layers 1"
_ENV = "pettingzoo:pettingzoo.classic.tictactoe_v3 --learner ppo"
LEAGUES = {
    "connect_four": f"connect_four {_SMALL} {_FEW} {_SEARCHED}",
    "connect_four, lag": f"connect_four {_SMALL} {_FEW} {_SEARCHED} --lag 1",
    "tic_tac_toe": f"tic_tac_toe {_SMALL} {_FEW} {_SEARCHED}",
    "tic_tac_toe, lag": f"tic_tac_toe {_SMALL} {_FEW} {_SEARCHED} --lag 1",
    # Its games are cheap, and sums over many of them are what may differ.
    "kuhn_poker": f"kuhn_poker {_SMALL} --pairs 256 --slots 128",
    "kuhn_poker, lag": f"kuhn_poker --learner ppo {_SMALL} {_FEW} {_MLP} --lag 1",
    "pettingzoo": f"{_ENV} {_SMALL} {_FEW} {_MLP}",
    "pettingzoo, lag": f"{_ENV} {_SMALL} {_FEW} {_MLP} --lag 1",
}
_PATIENCE = 3000


@pytest.fixture(autouse=True, scope="module")
def threads() -> Iterator[None]:
    """As many threads of XLA in all processes, whose number may decide how a gradient is added up.

    There are as many as devices at least. Actors have one in any case.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NPROC", "PJRT_NPROC"):
            patch.setenv(name, "4")
        yield


@pytest.fixture(scope="module")
def alone(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a league holds that one process has trained on one device, by its name."""
    return cache_of(Place(tmp_path_factory.mktemp("alone"), cache))


def cache_of(place: Place) -> Any:
    @cache
    def found(name: str) -> dict[str, Any]:
        return trained(place, name)

    return found


def trained(place: Place, name: str, *more: str, devices: str = "1") -> dict[str, Any]:
    """All that a league holds in the end but for the names of its files."""
    arguments = ("train", *LEAGUES[name].split(), "--json", "--name", "many", *more)
    folder = place.run("many")
    if folder.exists():
        folder.rename(folder.with_name(f"before {len(list(folder.parent.iterdir()))}"))
    with place.start(*arguments, devices=devices) as process:
        _, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, err
    return {key: value for key, value in contents(folder).items() if key != "files"}


@pytest.mark.parametrize("name", LEAGUES)
@pytest.mark.parametrize("devices", ["2", "4"])
def test_on_more_devices(place: Place, alone: Any, name: str, devices: str):
    assert trained(place, name, devices=devices) == alone(name)


@pytest.mark.parametrize("name", LEAGUES)
@pytest.mark.parametrize("actors", ["1", "2"])
def test_on_actors(place: Place, alone: Any, name: str, actors: str):
    pytest.importorskip("ray")
    assert trained(place, name, "--cluster", f"local:{actors}", devices="2") == alone(name)


@pytest.mark.parametrize("name", LEAGUES)
def test_on_two_hosts(place: Place, alone: Any, name: str):
    rendezvous, devices = f"127.0.0.1:{free_port()},2", "1" if "lag" in name else "2"
    with helping(place, rendezvous, devices=devices):
        assert trained(place, name, "--hosts", rendezvous, devices=devices) == alone(name)


@pytest.mark.parametrize("name", LEAGUES)
def test_on_three_nodes(place: Place, alone: Any, name: str):
    with nodes(3) as cluster:
        found = trained(place, name, "--cluster", cluster.address, "--actors", "3")
    assert found == alone(name)
