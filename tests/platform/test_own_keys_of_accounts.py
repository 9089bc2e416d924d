"""Keys of a connected account's own: a secret one, or one for an app's customer there.

What they do belongs to the account as much as what its platform does for it: under the same lock, with the account
    named in the events, told to the platform's endpoints. They have none of the platform's rights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.connected import acting, connected
from tollkey.db import Scope, Tx
from tollkey.keys.actors import SYSTEM

VERSION = {"Stripe-Version": "2020-08-27"}


def secret_key(api: Api, account: dict[str, Any], customer: str) -> str:
    """Such a key is made by a person; a platform's key cannot make one."""
    scope, authority = Scope(account["id"], False), api.core.authority
    return api.core.database.write(lambda tx: authority.create(tx, scope, "secret", actor=SYSTEM, now=api.now))[1]


def ephemeral_key(api: Api, account: dict[str, Any], customer: str) -> str:
    text: str = api.ok("POST", "/v1/ephemeral_keys", customer=customer, headers={**VERSION, **acting(account)})[
        "secret"
    ]
    return text


KINDS = [secret_key, ephemeral_key]
Maker = Callable[[Api, dict[str, Any], str], str]


@pytest.mark.parametrize("make", KINDS)
def test_their_events_name_the_account_and_reach_the_platform(api: Api, make: Maker) -> None:
    account = connected(api)
    customer = api.ok("POST", "/v1/customers", headers=acting(account))["id"]
    endpoint = api.ok(
        "POST",
        "/v1/webhook_endpoints",
        url="https://example.com/hook",
        enabled_events=["customer.updated"],
        connect=True,
    )
    api.ok(
        "POST",
        f"/v1/customers/{customer}",
        key=make(api, account, customer),
        shipping={"name": "Ada", "address": {"line1": "1"}},
    )
    event = api.get("/v1/events", type="customer.updated", headers=acting(account))["data"][0]
    assert (event["account"], event["pending_webhooks"]) == (account["id"], 1)
    rows = api.core.database.read(
        lambda tx: tx.execute("SELECT endpoint FROM outbox_deliveries WHERE event = ?", (event["id"],))
    )
    assert [row[0] for row in rows] == [endpoint["id"]]


@pytest.mark.parametrize("make", KINDS)
def test_their_writes_wait_for_the_platform_s(api: Api, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    account = connected(api)
    customer = api.ok("POST", "/v1/customers", headers=acting(account))["id"]
    text, edge = make(api, account, customer), api.world.server.edge
    locks, write = [], edge.write

    async def noting(work: Callable[[Tx], Any], lock: str | None = None, **options: Any) -> Any:
        locks.append(lock)
        return await write(work, lock=lock, **options)

    monkeypatch.setattr(edge, "write", noting)
    shipping = {"name": "Ada", "address": {"line1": "1"}}
    api.ok("POST", f"/v1/customers/{customer}", headers=acting(account), description="A")
    api.ok("POST", f"/v1/customers/{customer}", key=text, shipping=shipping)
    api.ok("POST", f"/v1/customers/{customer}", key=text, shipping=shipping, headers={"Idempotency-Key": text[-20:]})
    assert locks == [f"{api.account}:0"] * 3


def test_they_are_none_of_the_platform_s(api: Api) -> None:
    account = connected(api)
    customer = api.ok("POST", "/v1/customers", source="tok_visa")
    key = secret_key(api, account, "")
    assert api.get(f"/v1/customers/{customer['id']}", key=key).status == 404
    assert api.post("/v1/tokens", key=key, customer=customer["id"]).status == 400
    assert (
        api.post(
            "/v1/payment_methods", key=key, customer=customer["id"], payment_method=customer["default_source"]
        ).status
        == 400
    )
    assert api.get(f"/v1/accounts/{api.account}", key=key).status == 403
    assert api.post(f"/v1/accounts/{account['id']}", key=key, email="a@example.com").status == 403


def test_they_read_their_account(api: Api) -> None:
    account = connected(api, country="US")
    assert api.ok("GET", "/v1/account", key=secret_key(api, account, ""))["id"] == account["id"]


def test_an_account_that_left_stands_for_itself(api: Api) -> None:
    account = connected(api)
    customer = api.ok("POST", "/v1/customers", headers=acting(account))["id"]
    key = secret_key(api, account, customer)
    api.ok("POST", "/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"], connect=True)
    api.ok("POST", f"/v1/customers/{customer}", key=key, description="A")
    api.ok("DELETE", f"/v1/accounts/{account['id']}")
    api.ok("POST", f"/v1/customers/{customer}", key=key, description="B")
    event = api.get("/v1/events", type="customer.updated", key=key)["data"][0]
    assert ("account" in event, event["pending_webhooks"]) == (False, 0)


def test_pages_that_they_publish_belong_to_the_account_too(api: Api) -> None:
    account = connected(api)
    key = secret_key(api, account, "")
    intent = api.ok(
        "POST", "/v1/payment_intents", key=key, amount=2000, currency="usd", confirm=True,
        payment_method="pm_card_authenticationRequired",
        return_url="https://example.com/", allowed_payment_method_types=["card"],
    )  # fmt: skip
    path = "/" + intent["next_action"]["redirect_to_url"]["url"].split("/", 3)[3]
    assert api.post(f"{path}/complete", key=None).status == 303
    event = api.get("/v1/events", type="payment_intent.succeeded", headers=acting(account))["data"][0]
    assert event["account"] == account["id"]


def test_what_the_platform_was_told_is_not_told_them_again(api: Api) -> None:
    account = connected(api)
    once = {"Idempotency-Key": f"once-{account['id']}"}
    told = api.ok("POST", "/v1/customers", headers={**acting(account), **once}, email="a@example.com")
    assert (
        api.ok("POST", "/v1/customers", headers={**acting(account), **once}, email="a@example.com")["id"] == told["id"]
    )
    refused = api.post("/v1/customers", key=secret_key(api, account, ""), headers=once, email="a@example.com")
    assert (refused.status, refused.error["type"]) == (400, "idempotency_error")
