"""The page on scale: from one machine to ten, as it is written there, on simulated machines."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import DOCS, ROOT
from tests.helpers.command import Place, tables
from tests.helpers.ray_nodes import nodes

_SECTION = "## From one machine to ten\n"


def lines() -> list[str]:
    """The commands of the section, in order."""
    section = (DOCS / "scale.md").read_text().partition(_SECTION)[2].partition("\n## ")[0]
    shown = "".join(re.findall("```sh\n(.*?)```", section, re.DOTALL)).splitlines()
    return [line.partition(" # ")[0].rstrip() for line in shown if line]


def test_the_section_joins_machines_before_it_uses_them():
    kinds = [line.split()[0] for line in lines()]
    assert kinds == ["arena"] * 2 + ["ray"] * 2 + ["arena"] * 5


def test_the_cluster_file_is_one_of_rays():
    text = (ROOT / "examples" / "cluster.yaml").read_text()
    found = yaml.safe_load(text)
    assert len(found["provider"]["worker_ips"]) == found["min_workers"] == 9
    assert "arena-selfplay[cluster]" in found["setup_commands"][0]


@pytest.mark.slow
def test_the_cluster_file_is_taken_by_ray():
    pytest.importorskip("ray")
    from ray.autoscaler._private.util import prepare_config, validate_config

    found = yaml.safe_load((ROOT / "examples" / "cluster.yaml").read_text())
    validate_config(prepare_config(found))


@pytest.mark.slow
def test_one_machine_and_ten_have_the_same_rows(place: Place, tmp_path: Path, monkeypatch):
    asked = [shlex.split(line.replace("/mnt/arena", str(tmp_path / "store"))) for line in lines()]
    told = {}
    with nodes(3) as cluster:  # in place of `ray start`, which `auto` would find
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        for _, *words in (words for words in asked if words[0] == "arena"):
            done = place.call(*words)
            assert done.returncode == 0, done.stderr
            told[" ".join(words)] = done.stdout
    kept = {name: tables(place.run(name) / "league.db") for name in ("one", "cores", "ten")}
    for name in ("one", "cores"):
        del kept["ten"]["matches"][len(kept[name]["matches"]) :]  # those of rate and gate follow
        del kept["ten"]["pairs"][len(kept[name]["pairs"]) :]
        assert kept[name] == kept["ten"]
    assert "no cluster plays for it now" in told["status ten"]
    assert "no actors of Arena" in told["status auto"]
