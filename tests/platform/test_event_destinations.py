"""Event destinations, and the thin events and snapshots that they are sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from tests.support.api import Answer, Api
from tests.support.connected import connected
from tests.support.receiver import Receiver, receiver

__all__ = ["receiver"]

PATH = "/v2/core/event_destinations"
SECRET = ["webhook_endpoint.signing_secret", "webhook_endpoint.url"]


def destination(api: Api, url: str = "https://example.com/h", **more: Any) -> Answer:
    """A destination of thin events of new customers."""
    return api.post(PATH, **{**asked(url), **more})


def asked(url: str = "https://example.com/h") -> dict[str, Any]:
    return {
        "name": "Mine",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.customer.created"],
        "webhook_endpoint": {"url": url},
        "include": SECRET,
    }


def test_url_and_secret_are_there_when_they_are_asked_for(api: Api) -> None:
    made = destination(api)
    assert made["webhook_endpoint"]["signing_secret"].startswith("whsec_")
    assert (made["status"], made["events_from"]) == ("enabled", ["@self"])
    assert (made["created"], made["updated"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
    path = f"{PATH}/{made['id']}"
    assert api.get(path)["webhook_endpoint"] is None
    found = api.get(path, include=["webhook_endpoint.url"])["webhook_endpoint"]
    assert found == {"url": "https://example.com/h", "signing_secret": None}
    (listed,) = api.get(PATH, include=["webhook_endpoint.url"])["data"]
    assert listed["webhook_endpoint"] == found
    assert api.get(path, include=SECRET).error["code"] == "invalid_fields"


def test_a_repeated_request_does_not_get_the_secret_again(api: Api) -> None:
    again = {"Idempotency-Key": "once"}
    assert api.post(PATH, headers=again, **asked())["webhook_endpoint"]["signing_secret"] is not None
    assert api.post(PATH, headers=again, **asked())["webhook_endpoint"]["signing_secret"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"type": "amazon_eventbridge"},
        {"type": "azure_event_grid"},
        {"webhook_endpoint": {"url": "nowhere"}},
        {"enabled_events": []},
        {"enabled_events": ["customer.created"]},
        {"enabled_events": ["v1.treasury.received_credit.created"]},
        {"enabled_events": ["v1.nothing"]},
        {"event_payload": "snapshot"},
        {"snapshot_api_version": "2026-05-27.dahlia"},
        {"events_from": ["@organization_members"]},
    ],
)
def test_a_destination_that_nothing_could_be_sent_to_is_refused(api: Api, change: dict[str, Any]) -> None:
    assert destination(api, **change).status == 400
    assert api.get(PATH)["data"] == []


def test_what_a_type_of_destination_needs_must_be_sent(api: Api) -> None:
    params = asked()
    del params["webhook_endpoint"]
    assert "webhook_endpoint" in api.post(PATH, **params).error["message"]


def test_in_live_mode_a_destination_uses_https(api: Api) -> None:
    assert api.post(PATH, key=api.live_sk, **asked("http://example.com/h")).status == 400
    assert api.post(PATH, key=api.live_sk, **asked()).status == 200


def test_a_destination_is_changed_in_parts(api: Api) -> None:
    made = destination(api, metadata={"a": "1", "b": "2"})
    path = f"{PATH}/{made['id']}"
    api.world.clock[0] += 60
    changed = api.ok("POST", path, name="Other", metadata={"a": None}, enabled_events=["v1.product.created"])
    assert (changed["name"], changed["metadata"], changed["description"]) == ("Other", {"b": "2"}, "")
    assert (changed["enabled_events"], changed["updated"]) == (["v1.product.created"], "2026-01-01T00:01:00.000Z")
    moved = api.ok("POST", path, webhook_endpoint={"url": "https://example.com/2"}, include=["webhook_endpoint.url"])
    assert moved["webhook_endpoint"]["url"] == "https://example.com/2"
    assert api.post(path, enabled_events=["product.created"]).status == 400


def test_a_destination_is_disabled_enabled_and_deleted(api: Api) -> None:
    path = f"{PATH}/{destination(api)['id']}"
    for _ in range(2):
        off = api.ok("POST", path + "/disable")
        assert (off["status"], off["status_details"]) == ("disabled", {"disabled": {"reason": "user"}})
    assert api.post(path + "/ping").status == 400
    on = api.ok("POST", path + "/enable")
    assert (on["status"], on["status_details"]) == ("enabled", None)
    assert api.delete(path) == {"id": path.rpartition("/")[2], "object": "v2.core.event_destination"}
    gone = api.get(path)
    assert (gone.status, gone.error["code"]) == (404, "not_found")


def test_a_restricted_key_needs_the_permission_for_webhooks(api: Api) -> None:
    read, write = api.restricted("webhook_read"), api.restricted("webhook_write")
    assert api.post(PATH, key=read, **asked()).status == 403
    assert api.post(PATH, key=write, **asked()).status == 200
    assert api.get(PATH, key=read).status == 200
    assert api.get(PATH, key=api.pk).status == 403


# -- deliveries


def test_a_thin_event_arrives_signed_and_leads_to_event_and_object(api: Api, receiver: Receiver) -> None:
    made = destination(api, receiver.url)
    customer = api.ok("POST", "/v1/customers", email="jenny@example.com")
    api.ok("POST", "/v1/products", name="Not heard of")
    api.deliver()
    ((headers, body),) = receiver.got
    secret = made["webhook_endpoint"]["signing_secret"]
    client = stripe.StripeClient("sk_test_x")
    note = client.parse_event_notification(body, headers["Stripe-Signature"], secret, tolerance=10**9)
    assert type(note).__name__ == "V1CustomerCreatedEventNotification"
    sent = json.loads(body)
    related = {"id": customer["id"], "type": "customer", "url": f"/v1/customers/{customer['id']}"}
    assert (sent["related_object"], "data" in sent) == (related, False)
    assert sent["reason"]["request"]["id"] == customer.headers["request-id"]
    assert api.get(related["url"])["email"] == "jenny@example.com"
    event = api.ok("GET", f"/v2/core/events/{sent['id']}")
    assert {**event, **sent} == event
    snapshot = api.ok("GET", f"/v1/events/{event['snapshot_event']}")
    assert (snapshot["type"], snapshot["pending_webhooks"]) == ("customer.created", 1)


def test_a_snapshot_destination_gets_what_a_webhook_endpoint_gets(api: Api, receiver: Receiver) -> None:
    version = {"event_payload": "snapshot", "snapshot_api_version": "2020-08-27"}
    destination(api, receiver.url, enabled_events=["charge.succeeded"], **version)
    api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")
    api.deliver()
    ((_, body),) = receiver.got
    sent = json.loads(body)
    assert (sent["object"], sent["api_version"]) == ("event", "2020-08-27")
    assert "refunds" in sent["data"]["object"]


@pytest.mark.parametrize("way", ["disable", "delete"])
def test_a_destination_that_is_off_or_gone_gets_nothing(api: Api, receiver: Receiver, way: str) -> None:
    path = f"{PATH}/{destination(api, receiver.url)['id']}"
    api.ok("POST", "/v1/customers")
    assert (api.delete(path) if way == "delete" else api.post(path + "/disable")).status == 200
    api.ok("POST", "/v1/customers")
    api.deliver()
    assert receiver.got == []


def test_a_ping_reaches_its_destination_alone(api: Api, receiver: Receiver) -> None:
    made = destination(api, receiver.url)
    destination(api, receiver.url, name="Other")
    event = api.ok("POST", f"{PATH}/{made['id']}/ping")
    api.deliver()
    ((_, body),) = receiver.got
    sent = json.loads(body)
    assert (sent["id"], sent["type"]) == (event["id"], "v2.core.event_destination.ping")
    assert sent["related_object"]["url"] == f"{PATH}/{made['id']}"
    assert api.ok("GET", f"/v2/core/events/{event['id']}") == event


@pytest.mark.parametrize(("sources", "heard"), [(["@self"], 1), (["@accounts"], 1), (["@self", "@accounts"], 2)])
def test_a_destination_hears_of_the_accounts_it_names(
    api: Api, receiver: Receiver, sources: list[str], heard: int
) -> None:
    account = connected(api)["id"]
    destination(api, receiver.url, events_from=sources)
    api.ok("POST", "/v1/customers")
    api.ok("POST", "/v1/customers", headers={"Stripe-Account": account})
    api.deliver()
    contexts = [json.loads(body).get("context") for _, body in receiver.got]
    assert len(contexts) == heard
    assert (account in contexts, None in contexts) == ("@accounts" in sources, "@self" in sources)
