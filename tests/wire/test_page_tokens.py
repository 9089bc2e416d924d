"""The token of a later page comes from the caller, who may have made it up: 400, on both databases."""

from __future__ import annotations

import base64
import json

import pytest

from tests.support.api import Api


def token(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


#: What the token of a v2 list says.
V2 = {
    "nested without end": token(b"[" * 9_000),
    "not JSON": token(b"{"),
    "not base64": "!" * 40,
    "one character": "a",
    "no pair": token(b"5"),
    "a NUL": token(json.dumps([20, "acct_\0"]).encode()),
    "half a surrogate pair": token(rb'[20, "\ud800"]'),
    "an infinite place": token(b'[1e999, "acct_1"]'),
    "a negative place": token(b'[-1, "acct_1"]'),
    "an object of nobody": token(b'[20, "acct_1nobody"]'),
}
SEARCH = {
    "a NUL": token(b"cus_\0"),
    "not UTF-8": token(b"\xff\xfe"),
    "half a surrogate pair": token(b"\xed\xa0\x80"),
    "one character": "a",
    "not ASCII": "é",
}


@pytest.mark.parametrize("name", V2)
def test_a_made_up_page_of_a_v2_list_is_refused(api: Api, name: str) -> None:
    for path in ("/v2/core/accounts", "/v2/core/events", "/v2/core/event_destinations"):
        answer = api.get(path, page=V2[name])
        assert answer.status in (200, 400), (path, answer)
        assert answer.status == 400 or answer["data"] == []


@pytest.mark.parametrize("name", SEARCH)
def test_a_made_up_page_of_a_search_is_refused(api: Api, name: str) -> None:
    api.ok("POST", "/v1/customers", name="Jenny")
    for path in ("/v1/customers/search", "/v1/charges/search"):
        answer = api.get(path, query="created>0", page=SEARCH[name])
        assert answer.status in (200, 400), (path, answer)
