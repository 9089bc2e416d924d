"""``POST /v1/events/{id}/retry``: an event is sent once more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import Api

HOOK = {"url": "http://127.0.0.1:1/hook", "enabled_events": ["customer.created"]}


def sent(api: Api) -> list[tuple[str, dict[str, Any]]]:
    """What is to be sent to this merchant's endpoints, oldest first: (endpoint, event)."""
    rows = api.core.database.read(
        lambda tx: tx.execute(
            "SELECT d.endpoint, m.body FROM outbox_deliveries d JOIN outbox_messages m ON m.id = d.message"
            " WHERE d.account = ? ORDER BY d.id",
            (api.account,),
        )
    )
    return [(endpoint, json.loads(bytes(body))) for endpoint, body in rows]


def happened(api: Api, **more: Any) -> dict[str, Any]:
    """The event of a new customer."""
    api.post("/v1/customers", **more)
    event: dict[str, Any] = api.get("/v1/events", type="customer.created", limit=1, **more)["data"][0]
    return event


def test_it_is_sent_to_the_endpoint_that_is_named(api: Api) -> None:
    event = happened(api)
    hook, other = (api.ok("POST", "/v1/webhook_endpoints", **HOOK)["id"] for _ in range(2))
    answer = api.ok("POST", f"/v1/events/{event['id']}/retry", webhook_endpoint=hook)
    assert (answer["id"], answer["pending_webhooks"]) == (event["id"], 1)
    assert [(endpoint, body["id"]) for endpoint, body in sent(api)] == [(hook, event["id"])]
    assert other not in dict(sent(api))


def test_without_an_endpoint_all_that_hear_of_it_get_it(api: Api) -> None:
    event = happened(api)
    hook = api.ok("POST", "/v1/webhook_endpoints", **HOOK)["id"]
    api.ok("POST", "/v1/webhook_endpoints", **{**HOOK, "enabled_events": ["charge.failed"]})
    api.ok("POST", f"/v1/events/{event['id']}/retry")
    assert [endpoint for endpoint, _ in sent(api)] == [hook]


def test_an_endpoint_of_an_older_version_gets_the_older_shape(api: Api) -> None:
    event = happened(api)
    hook = api.ok("POST", "/v1/webhook_endpoints", **HOOK, api_version="2016-07-06")["id"]
    api.ok("POST", f"/v1/events/{event['id']}/retry", webhook_endpoint=hook)
    ((_, body),) = sent(api)
    assert (body["api_version"], body["request"]) == ("2016-07-06", event["request"]["id"])


def test_an_endpoint_of_a_newer_version_is_sent_the_newest_shape_under_its_own_name(api: Api) -> None:
    api.ok("POST", "/v1/webhook_endpoints", **HOOK, api_version="2026-10-28.endive")
    event = happened(api)
    ((_, body),) = sent(api)
    assert body["api_version"] == event["api_version"]


def test_an_event_of_a_connected_account_is_sent_again_by_its_platform(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    event = happened(api, headers={"Stripe-Account": account})
    hook = api.ok("POST", "/v1/webhook_endpoints", **HOOK, connect=True)["id"]
    assert api.post(f"/v1/events/{event['id']}/retry", webhook_endpoint=hook).status == 404
    api.ok("POST", f"/v1/events/{event['id']}/retry", webhook_endpoint=hook, account=account)
    api.ok("POST", f"/v1/events/{event['id']}/retry", account=account)
    assert [(endpoint, body["account"]) for endpoint, body in sent(api)] == [(hook, account)] * 2


@pytest.mark.parametrize(
    ("params", "status", "param"),
    [
        ({"webhook_endpoint": "we_none"}, 400, "webhook_endpoint"),
        ({"webhook_endpoint": "{disabled}"}, 400, "webhook_endpoint"),
        ({}, 400, "webhook_endpoint"),
        ({"account": "acct_none", "for_stripecli": True}, 403, None),
        ({"wat": 1}, 400, "wat"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_sent(
    api: Api, params: dict[str, Any], status: int, param: str | None
) -> None:
    event = happened(api)
    hook = api.ok("POST", "/v1/webhook_endpoints", **HOOK)["id"]
    api.ok("POST", f"/v1/webhook_endpoints/{hook}", disabled=True)
    given = {name: hook if value == "{disabled}" else value for name, value in params.items()}
    answer = api.post(f"/v1/events/{event['id']}/retry", **given)
    assert (answer.status, answer.error.get("param")) == (status, param)
    assert sent(api) == []


def test_an_old_event_is_not_sent_again(api: Api) -> None:
    event = happened(api)
    api.ok("POST", "/v1/webhook_endpoints", **HOOK)
    api.advance(31 * 86400)
    assert api.post(f"/v1/events/{event['id']}/retry").status == 400


def test_it_needs_the_permission_to_change_webhook_endpoints(api: Api) -> None:
    event = happened(api)
    assert (
        api.post(f"/v1/events/{event['id']}/retry", key=api.restricted("event_read"), for_stripecli=True).status == 403
    )
    assert (
        api.post(f"/v1/events/{event['id']}/retry", key=api.restricted("webhook_write"), for_stripecli=True).status
        == 200
    )


def test_another_account_s_event_is_not_there(api: Api) -> None:
    event = happened(api.another())
    assert api.post(f"/v1/events/{event['id']}/retry", for_stripecli=True).status == 404
