"""A key that was put where an id, a name or a header belongs is not repeated by the error: errors end up in the
caller's own logs.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.altered import altered
from tests.support.api import Api

MISPLACED: dict[str, tuple[str, str, dict[str, Any], dict[str, str]]] = {
    "an id in the path": ("GET", "/v1/customers/{key}", {}, {}),
    "the id of a key": ("GET", "/v1/api_keys/{key}", {}, {}),
    "a path that nobody knows": ("GET", "/v1/nothing/{key}", {}, {}),
    "a path of v2": ("GET", "/v2/nothing/{key}", {}, {}),
    "a parameter's value": ("POST", "/v1/payment_intents", {"amount": 100, "currency": "usd", "customer": "{key}"}, {}),
    "a currency": ("POST", "/v1/payment_intents", {"amount": 100, "currency": "{key}"}, {}),
    "a parameter's name": ("POST", "/v1/customers", {"{key}": "yes"}, {}),
    "a name within brackets": ("POST", "/v1/customers", {"address": {"{key}": "yes"}}, {}),
    "a cursor": ("GET", "/v1/customers", {"starting_after": "{key}"}, {}),
    "an expansion": ("GET", "/v1/customers", {"expand": ["{key}"]}, {}),
    "the account": ("GET", "/v1/customers", {}, {"stripe-account": "{key}"}),
    "the context": ("GET", "/v1/customers", {}, {"stripe-context": "{key}"}),
    "the version": ("GET", "/v1/customers", {}, {"stripe-version": "{key}"}),
    "a search": ("GET", "/v1/customers/search", {"query": "{key}"}, {}),
}


def filled(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {filled(name, key): filled(inner, key) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, key) for inner in value]
    return value.replace("{key}", key) if isinstance(value, str) else value


def credentials(key: str) -> str:
    return b64encode(f"{key}:".encode()).decode()


@pytest.mark.parametrize("form", [str, "Retry{}".format, credentials], ids=["alone", "after letters", "credentials"])
@pytest.mark.parametrize("where", MISPLACED)
def test_an_error_does_not_repeat_a_key(api: Api, where: str, form: Callable[[str], str]) -> None:
    text = form(api.sk)
    method, path, params, headers = filled(list(MISPLACED[where]), text)
    send = api.get if method == "GET" else api.post
    refused = send(path, headers=headers, **params)
    assert refused.status in (400, 403, 404)
    assert text[-20:-4].encode() not in refused.body


def test_an_idempotency_key_that_is_a_key_is_not_repeated(api: Api) -> None:
    headers = {"idempotency-key": api.sk}
    api.post("/v1/customers", headers=headers, name="Jenny")
    refused = api.post("/v1/customers", headers=headers, name="Jane")
    assert refused.status == 400
    assert api.sk.encode() not in refused.body


@pytest.mark.parametrize("form", ["Retry{}".format, credentials], ids=["after letters", "credentials"])
def test_an_idempotency_key_that_holds_a_key_is_kept_nowhere(api: Api, form: Callable[[str], str]) -> None:
    text = form(api.sk)
    for name in ("Jenny", "Jane"):
        assert text[-20:-4].encode() not in api.post("/v1/customers", headers={"idempotency-key": text}, name=name).body
    rows = "SELECT key FROM idempotency WHERE account = ?"
    kept = repr(api.core.database.read(lambda tx: tx.execute(rows, (api.account,))))
    assert len(kept) > 20
    assert text[-20:-4] not in kept + repr(api.events("customer.created"))


def test_an_idempotency_key_that_is_a_key_is_kept_nowhere(api: Api) -> None:
    headers = {"idempotency-key": api.sk}
    first = api.ok("POST", "/v1/customers", headers=headers, name="Jenny")
    again = api.ok("POST", "/v1/customers", headers=headers, name="Jenny")
    assert (again["id"], again.headers["idempotent-replayed"]) == (first["id"], "true")
    other = api.ok(
        "POST", "/v1/customers", headers={"idempotency-key": altered(api.sk[:-8]) + api.sk[-8:]}, name="Jenny"
    )
    assert other["id"] != first["id"]
    kept = api.core.database.read(
        lambda tx: tx.execute("SELECT key FROM idempotency WHERE account = ?", (api.account,))
    )
    assert len(kept) == 2
    assert api.sk not in repr(kept)
    (event, _) = api.events("customer.created")
    assert event["request"]["idempotency_key"].startswith("sk_test_***")
    assert api.sk not in repr(event)


def test_ids_that_look_a_little_like_keys_are_repeated_in_full(api: Api) -> None:
    id = "cs_test_a1vJ2KpDh3fQb4Wm5Xc6Yz7Ts8Rl9Ng0"
    assert api.get(f"/v1/checkout/sessions/{id}").error["message"].endswith(f"'{id}'")
