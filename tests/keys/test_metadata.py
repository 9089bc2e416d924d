"""Metadata of keys: names and values of the host's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keys.conftest import TEST, World, refused
from tollkey.db import Ids
from tollkey.keys import audit
from tollkey.keys.rules import check_metadata
from tollkey.keys.token import generate


def test_metadata_is_stored_sorted_and_read_only(world: World) -> None:
    key, _ = world.make("restricted", permissions=["charge_read"], metadata={"team": "billing", "host": "ci-1"})
    assert world.get(key) == key
    assert list(key.metadata.items()) == [("host", "ci-1"), ("team", "billing")]
    with pytest.raises(TypeError):
        key.metadata["team"] = "x"  # type: ignore[index]
    assert len({key, world.get(key)}) == 1, "a key can be in a set"


def test_an_update_merges_metadata_and_an_empty_value_removes_its_entry(world: World) -> None:
    key, _ = world.make("secret", metadata={"a": "1", "b": "2", "c": "3"})
    assert world.on("update", key, metadata={"a": "", "b": None, "d": "4"}).metadata == {"c": "3", "d": "4"}
    assert world.on("update", key, name="Other").metadata == {"c": "3", "d": "4"}
    assert world.on("update", key, metadata={}).metadata == {}


def test_a_successor_has_the_metadata_of_the_key_it_replaces(world: World) -> None:
    key, _ = world.make("secret", TEST, metadata={"team": "billing"})
    assert world.on("roll", key, 3600)[1].metadata == {"team": "billing"}


def test_metadata_is_in_the_audit_log(world: World) -> None:
    key, _ = world.make("secret", metadata={"a": "1"})
    world.on("update", key, metadata={"a": "2"})
    latest = world.read(lambda tx: audit.entries(tx, key.scope, key.id))[0]
    assert (latest.was, latest.became) == ({"metadata": {"a": "1"}}, {"metadata": {"a": "2"}})


@pytest.mark.parametrize(
    "metadata",
    [
        {str(n): "x" for n in range(51)},
        {"n" * 41: "x"},
        {"": "x"},
        {"a[b]": "x"},
        {"a\n": "x"},
        {"a": "v" * 501},
        {"a": ""},
        {"a": "\x00"},
        {"a": 1},
        {1: "a"},
        {"a": generate("secret", True, "alice", Ids.seeded(1))},
    ],
    ids=range(11),
)
def test_metadata_beyond_its_limits_is_refused(metadata: Any) -> None:
    with refused("metadata_invalid"):
        check_metadata(metadata)


def test_metadata_up_to_its_limits_is_accepted() -> None:
    metadata = {f"{n:040}": "v" * 500 for n in range(50)}
    assert check_metadata(metadata) == metadata
