"""Webhook endpoints, and the events they hear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.support.api import Api, open_world
from tests.support.receiver import Receiver, receiver
from tollkey import __version__
from tollkey.wire.versions import LATEST

__all__ = ["receiver"]


def test_an_event_reaches_its_endpoint_with_a_signature_that_the_official_sdk_verifies(
    api: Api, receiver: Receiver
) -> None:
    endpoint = api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=["customer.created"])
    customer = api.ok("POST", "/v1/customers", email="jenny@example.com")
    api.ok("POST", f"/v1/customers/{customer['id']}", email="j@example.com")
    api.deliver()
    ((headers, body),) = receiver.got
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], endpoint["secret"], tolerance=10**9)
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", customer["id"])
    assert headers["User-Agent"] == f"Tollkey/{__version__}"


def test_events_are_listed_by_whether_they_were_delivered(api: Api, receiver: Receiver) -> None:
    gone = "http://127.0.0.1:1/hook"
    api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=["customer.created"])
    api.ok("POST", "/v1/webhook_endpoints", url=gone, enabled_events=["product.created"])
    types = ["customer.created", "product.created", "coupon.created"]
    api.ok("POST", "/v1/customers")
    api.ok("POST", "/v1/products", name="Tea")
    api.ok("POST", "/v1/coupons", percent_off=5)

    def listed(**params: Any) -> list[str]:
        return [event["type"] for event in api.get("/v1/events", **params)["data"]]

    assert listed(delivery_success=False) == ["product.created", "customer.created"]
    api.deliver()
    assert listed(delivery_success=False) == ["product.created"]
    assert listed(delivery_success=True, types=types) == ["coupon.created", "customer.created"]
    assert listed(delivery_success=True, type="product.*") == []
    assert listed(types=types) == ["coupon.created", "product.created", "customer.created"]


def test_an_endpoint_of_an_older_version_is_sent_its_objects_in_that_version_s_shape(
    api: Api, receiver: Receiver
) -> None:
    api.ok(
        "POST",
        "/v1/webhook_endpoints",
        url=receiver.url,
        enabled_events=["payment_intent.succeeded"],
        api_version="2016-07-06",
    )
    api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=["payment_intent.succeeded"])
    paid = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "allowed_payment_method_types": ["card"],
        "confirm": True,
    }
    api.ok("POST", "/v1/payment_intents", **paid)
    api.deliver()
    older, newest = sorted((json.loads(body) for _, body in receiver.got), key=lambda event: event["api_version"])
    assert older["api_version"] == "2016-07-06"
    assert older["request"].startswith("req_")
    assert [charge["object"] for charge in older["data"]["object"]["charges"]["data"]] == ["charge"]
    assert newest["request"]["id"] == older["request"]
    assert "charges" not in newest["data"]["object"]


@pytest.fixture
def of_2022(tmp_path: Path) -> Iterator[Api]:
    """A merchant whose requests and webhook endpoints have a version of 2022 unless they name one."""
    for world in open_world("", tmp_path, "2022-08-01"):
        yield Api(world)


def test_an_endpoint_without_a_version_is_sent_the_default_one(of_2022: Api, receiver: Receiver) -> None:
    api = of_2022
    for version in ({}, {"api_version": LATEST}):
        api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=["payment_intent.created"], **version)
    api.ok(
        "POST",
        "/v2/core/event_destinations",
        name="Hook",
        type="webhook_endpoint",
        event_payload="snapshot",
        enabled_events=["payment_intent.created"],
        webhook_endpoint={"url": receiver.url},
    )
    intent = api.ok("POST", "/v1/payment_intents", amount=500, currency="usd", payment_method_types=["card"])
    api.deliver()
    sent = sorted((json.loads(body) for _, body in receiver.got), key=lambda event: str(event["api_version"]))
    assert [event["api_version"] for event in sent] == ["2022-08-01", "2022-08-01", LATEST]
    for event in sent:
        assert ("charges" in event["data"]["object"]) == (event["api_version"] != LATEST)
    (event,) = api.events("payment_intent.created")
    again = api.ok("POST", f"/v1/events/{event['id']}/retry")
    for seen in (event, api.get(f"/v1/events/{event['id']}", headers={"Stripe-Version": LATEST}), again):
        assert (seen["api_version"], "charges" in seen["data"]["object"]) == ("2022-08-01", True)
    api.deliver()
    resent = [json.loads(body)["api_version"] for _, body in receiver.got[3:]]
    assert sorted(resent) == ["2022-08-01", LATEST]
    assert intent["charges"]["data"] == []


def test_events_are_listed_for_callers_of_every_version_and_what_they_carry_keeps_the_shape_it_was_sent_in(
    api: Api,
) -> None:
    api.ok("POST", "/v1/payment_intents", amount=500, currency="usd")
    newest = api.get("/v1/events", limit=1)["data"][0]
    for version in ("2014-12-08", "2019-08-14", "2022-11-15", "2025-03-31.basil"):
        event = api.get("/v1/events", headers={"Stripe-Version": version}, limit=1)["data"][0]
        assert (event["data"], event["api_version"]) == (newest["data"], newest["api_version"])
    assert (
        api.get("/v1/events", headers={"Stripe-Version": "2014-12-08"}, limit=1)["data"][0]["request"]
        == newest["request"]["id"]
    )


def test_the_signing_secret_is_answered_once(api: Api) -> None:
    endpoint = api.ok("POST", "/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"])
    assert endpoint["secret"].startswith("whsec_")
    assert "secret" not in api.get(f"/v1/webhook_endpoints/{endpoint['id']}")


def test_a_url_that_is_none_is_refused(api: Api) -> None:
    answer = api.post("/v1/webhook_endpoints", url="nowhere", enabled_events=["*"])
    assert (answer.status, answer.error["code"]) == (400, "url_invalid")


def test_a_disabled_endpoint_gets_nothing(api: Api, receiver: Receiver) -> None:
    endpoint = api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=["*"])
    api.ok("POST", f"/v1/webhook_endpoints/{endpoint['id']}", disabled=True)
    api.ok("POST", "/v1/customers")
    api.deliver()
    assert receiver.got == []


def test_an_endpoint_has_a_url_and_the_events_that_it_hears(api: Api) -> None:
    given: dict[str, Any] = {"url": "https://shop.example/hook", "enabled_events": ["customer.created"]}
    for missing in given:
        refused = api.post("/v1/webhook_endpoints", **{name: given[name] for name in given if name != missing})
        assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_missing", missing)
    path = f"/v1/webhook_endpoints/{api.ok('POST', '/v1/webhook_endpoints', **given)['id']}"
    for name in given:
        refused = api.post(path, **{name: ""})
        assert (refused.status, refused.error["param"]) == (400, name)
    assert {name: api.get(path)[name] for name in given} == given
