"""Weights on disk, and the digest that vouches for them."""

import hashlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from arena.errors import UserError
from league.store.checkpoints import FolderStore, digest
from tests.league.test_results import full_disk

TREE = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": {"c": np.zeros(3, np.int32)}}


def test_any_change_of_bits_type_shape_or_place_changes_the_digest():
    a, c = TREE["a"], TREE["b"]["c"]
    flipped = [
        (np.frombuffer(a.tobytes(), np.uint8) ^ np.eye(24, dtype=np.uint8)[i] * (1 << i % 8))
        .view(np.float32)
        .reshape(2, 3)
        for i in range(24)
    ]
    others = [
        *({"a": x, "b": {"c": c}} for x in flipped),
        {"a": a.reshape(3, 2), "b": {"c": c}},
        {"a": a.reshape(-1), "b": {"c": c}},
        {"a": a.view(np.int32), "b": {"c": c}},
        {"a": a, "b": {"c": c.astype(np.uint32)}},
        {"a": a, "b": {"c": c.view(np.float32)}},
        {"a": a, "b": {"d": c}},
        {"a": a, "b": c},
        {"a": a, "b": [c]},
        {"a": a},
        {"a": a, "b": {"c": c, "d": np.zeros(0, np.int32)}},
        {"a": np.negative(np.zeros_like(a)), "b": {"c": c}},
        {"a": np.zeros_like(a), "b": {"c": c}},
    ]
    assert len({digest(TREE), *map(digest, others)}) == len(others) + 1


def test_the_digest_is_of_values_not_of_where_they_lie():
    assert digest(jax.tree.map(jnp.asarray, TREE)) == digest(TREE)
    assert digest({"a": np.asfortranarray(TREE["a"]), "b": TREE["b"]}) == digest(TREE)
    # Written out by hand: digests in the records of users must stay good.
    a, c = (leaf.tobytes() for leaf in (TREE["a"], TREE["b"]["c"]))
    text = b"['a'] float32 (2, 3)" + a + b"['b']['c'] int32 (3,)" + c
    assert digest(TREE) == hashlib.sha256(text).hexdigest()


@pytest.fixture
def store(tmp_path: Path):
    store = FolderStore(tmp_path / "store")
    yield store
    store.close()


def test_a_store_gives_back_what_it_got(store: FolderStore, tmp_path: Path):
    assert store.numbers() == []
    assert not (tmp_path / "store").exists()
    for number in (0, 1, 2, 10):
        store.save(number, {**TREE, "a": TREE["a"] + np.float32(number)})
    assert store.numbers() == [0, 1, 2, 10]
    assert digest(store.load(0, TREE)) == digest(TREE)
    assert store.load(2, TREE)["a"].tolist() == (TREE["a"] + 2).tolist()
    store.drop_after(1)
    assert store.numbers() == [0, 1]
    with pytest.raises(UserError, match="2 is not there"):
        store.load(2, TREE)


def test_only_the_newest_are_kept(tmp_path: Path):
    store = FolderStore(tmp_path / "store", keep=2)
    for number in range(4):
        store.save(number, TREE)
    assert store.numbers() == [2, 3]
    store.close()


def test_other_shapes_are_refused(store: FolderStore):
    store.save(0, TREE)
    for like in ({"a": TREE["a"]}, {**TREE, "d": TREE["a"]}, {**TREE, "a": np.zeros((3, 3))}):
        with pytest.raises(UserError, match="0 is damaged"):
            store.load(0, like)


def test_what_is_no_number_is_refused(store: FolderStore):
    store.save(0, {**TREE, "a": np.where(TREE["a"] == 3, np.nan, TREE["a"])})
    with pytest.raises(UserError, match="0 is damaged: it holds numbers that are not finite"):
        store.load(0, TREE)


def test_a_full_disk_is_told_in_words_and_leaves_nothing(store: FolderStore):
    store.save(0, TREE)
    with full_disk(64), pytest.raises(UserError, match="1 cannot be written"):
        store.save(1, TREE)
    assert store.numbers() == [0]
    store.save(1, TREE)
    assert digest(store.load(1, TREE)) == digest(TREE)
