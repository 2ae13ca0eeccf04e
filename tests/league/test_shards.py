"""No result depends on how many devices there are: only on the shards, which a run settles."""

import json
from pathlib import Path

import jax
import pytest

from league.store import card as cards
from league.store.run import Run
from tests.helpers.command import TINY, Place


def found(run: Path) -> dict[str, str]:
    """Digests of all snapshots."""
    opened = Run(run)
    try:
        return opened.digests()
    finally:
        opened.close()


@pytest.mark.parametrize("devices", ["1", pytest.param("4", marks=pytest.mark.slow)])
def test_a_run_has_the_same_bits_on_other_devices(place: Place, tiny: Path, devices: str):
    with place.start(*TINY, "--name", "other", devices=devices) as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert found(place.run("other")) == found(tiny)
    assert len(found(tiny)) == 6
    assert json.loads(out.splitlines()[-1])["event"] == "result"


def test_a_card_tells_of_how_many_threads_gradients_are(monkeypatch: pytest.MonkeyPatch):
    for number in ("PJRT_NPROC", "NPROC"):
        monkeypatch.delenv(number, raising=False)
    usual = cards.threads()
    assert usual is None or usual >= jax.device_count()
    if usual is not None:
        monkeypatch.setenv("PJRT_NPROC", "77")
        assert cards.threads() == cards.circumstances()["threads"] == 77
