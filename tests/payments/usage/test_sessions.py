"""The token of a meter event session: it authenticates the stream, in its account and mode, and nothing else."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import connected
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM

STREAM = "/v2/billing/meter_event_stream"
SESSION = "/v2/billing/meter_event_session"


def token(api: Api, key: str = "") -> str:
    text: str = api.post(SESSION, key=key)["authentication_token"]
    return text


def stream(api: Api, text: str, **more: str) -> Answer:
    return api.post(STREAM, key=text, events=[], headers=more)


def test_a_token_authenticates_the_stream(api: Api) -> None:
    made = api.ok("POST", SESSION)
    assert (made["created"], made["expires_at"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:15:00.000Z")
    assert stream(api, made["authentication_token"]).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/customers"),
        ("POST", "/v1/customers"),
        ("POST", SESSION),
        ("POST", "/v1/billing/meter_events"),
        ("POST", "/v2/billing/meter_events"),
        ("POST", "/v1/tokens"),
    ],
)
def test_a_token_may_do_nothing_else(api: Api, method: str, path: str) -> None:
    refused = getattr(api, method.lower())(path, key=token(api))
    assert (refused.status, "only authenticates the meter event stream" in refused.error["message"]) == (403, True)


@pytest.mark.parametrize("kind", ["sk", "pk", "live_sk"])
def test_an_api_key_does_not_authenticate_the_stream(api: Api, kind: str) -> None:
    refused = stream(api, getattr(api, kind))
    assert (refused.status, "/v2/billing/meter_event_session" in refused.error["message"]) == (403, True)


def test_a_restricted_key_needs_the_permission_for_meter_events(api: Api) -> None:
    may, may_not = api.restricted("billing_meter_event_write"), api.restricted("billing_meter_event_read")
    assert stream(api, token(api, may)).status == 200
    assert api.post(SESSION, key=may_not).status == 403
    assert api.post(SESSION, key=api.pk).status == 403


def test_a_token_ends_after_fifteen_minutes(api: Api) -> None:
    text = token(api)
    api.world.clock[0] += 899
    assert stream(api, text).status == 200
    api.world.clock[0] += 1
    refused = stream(api, text)
    assert (refused.error["type"], refused.error["code"]) == (
        "temporary_session_expired",
        "billing_meter_event_session_expired",
    )


def test_a_day_later_its_token_is_unknown_once_another_session_begins(api: Api) -> None:
    text = token(api)
    api.world.clock[0] += 900 + 86_401
    token(api)
    assert stream(api, text).status == 401


def test_a_token_that_was_never_given_out_is_refused(api: Api) -> None:
    refused = stream(api, "token_" + "x" * 60)
    assert (refused.status, "x" * 20 in refused.error["message"]) == (401, False)


def test_a_token_ends_with_the_key_that_made_it(api: Api) -> None:
    key = api.restricted("billing_meter_event_write")
    text, scope = token(api, key), Scope(api.account, False)

    def revoke(tx: object) -> None:
        (found,) = [one for one in api.core.authority.list(tx, scope) if one.kind == "restricted"]
        api.core.authority.revoke(tx, scope, found.id, actor=SYSTEM, now=api.now)

    api.core.database.write(revoke)
    assert (stream(api, text).status, stream(api, text).error["code"]) == (401, "api_key_expired")


def test_a_token_counts_in_its_own_account_and_mode(api: Api) -> None:
    other = api.another()
    event = {"event_name": "calls", "payload": {"stripe_customer_id": "cus_1", "value": "1"}}
    for merchant, key in ((api, api.live_sk), (other, other.sk)):
        answer = api.post(STREAM, key=token(merchant, key), events=[event])
        assert answer.status == 200
    assert api.events() == []
    assert [one["type"] for one in other.events()] == ["v1.billing.meter.no_meter_found"]
    (live,) = api.get("/v1/events", key=api.live_sk)["data"]
    assert (live["type"], live["livemode"]) == ("v1.billing.meter.no_meter_found", True)


def test_a_platform_s_token_for_an_account_is_for_that_account_alone(api: Api) -> None:
    account = connected(api)["id"]
    text = api.post(SESSION, headers={"Stripe-Account": account})["authentication_token"]
    assert stream(api, text).status == 200
    assert stream(api, text, **{"Stripe-Account": account}).status == 200
    assert stream(api, text, **{"Stripe-Account": api.account}).status == 403
    assert stream(api, token(api), **{"Stripe-Account": account}).status == 403


def test_a_repeated_request_does_not_get_the_token_again(api: Api) -> None:
    again = {"Idempotency-Key": "once"}
    first = api.post(SESSION, headers=again)
    second = api.post(SESSION, headers=again)
    assert (second["id"], second["authentication_token"]) == (first["id"], None)
