"""Metadata of any object: reference section 1.9."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, World


@pytest.fixture
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def test_metadata_is_merged_and_an_empty_text_unsets_a_key(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", metadata={"a": "1", "b": "2"})["id"]
    assert api.ok("POST", f"/v1/customers/{made}", metadata={"b": "3", "c": "4"})["metadata"] == {
        "a": "1",
        "b": "3",
        "c": "4",
    }
    assert api.ok("POST", f"/v1/customers/{made}", metadata={"a": ""})["metadata"] == {"b": "3", "c": "4"}
    assert api.send("POST", f"/v1/customers/{made}", body=b"metadata=")["metadata"] == {}


def test_metadata_has_fifty_keys_of_forty_characters_at_most(api: Api) -> None:
    assert api.post("/v1/customers", metadata={f"k{n}": "v" for n in range(50)}).status == 200
    assert api.post("/v1/customers", metadata={f"k{n}": "v" for n in range(51)}).status == 400
    assert api.post("/v1/customers", metadata={"k" * 40: "v" * 500}).status == 200
    assert api.post("/v1/customers", metadata={"k" * 41: "v"}).status == 400
    assert api.post("/v1/customers", metadata={"k": "v" * 501}).status == 400


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/v1/customers", {}),
        ("/v1/products", {"name": "Tea"}),
        ("/v1/webhook_endpoints", {"url": "https://example.com/hook", "enabled_events": ["*"]}),
    ],
)
def test_metadata_grows_to_fifty_keys_and_no_further(api: Api, path: str, given: dict[str, Any]) -> None:
    made = api.ok("post", path, metadata={f"key_{n}": "v" for n in range(50)}, **given)
    assert (
        api.post(f"{path}/{made['id']}", metadata={"one_more": "v"})
        .error["message"]
        .startswith("Metadata can have up to 50 keys")
    )
    changed = api.ok("post", f"{path}/{made['id']}", metadata={"one_more": "v", "key_0": ""})
    assert (len(changed["metadata"]), "key_0" in changed["metadata"]) == (50, False)
