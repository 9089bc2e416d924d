"""Top-ups: money from a bank account into the balance."""

from __future__ import annotations

import pytest

from tests.payments.methods.steps import Victim
from tests.support.api import Api
from tests.support.connected import audit, available
from tests.support.openapi import assert_valid


def test_a_top_up_arrives_fails_or_is_canceled(api: Api) -> None:
    topup = api.ok("post", "/v1/topups", amount=2_000, currency="usd", source="btok_us_verified")
    assert_valid("POST", "/v1/topups", 200, topup)
    assert (topup["status"], available(api)) == ("pending", 0)
    failing = api.ok("post", "/v1/topups", amount=500, currency="usd", source="btok_us_verified_noAccount")
    canceled = api.ok("post", "/v1/topups", amount=500, currency="usd")
    assert api.ok("post", f"/v1/topups/{canceled['id']}/cancel")["status"] == "canceled"
    api.advance(10)
    assert api.get(f"/v1/topups/{topup['id']}")["status"] == "succeeded"
    assert api.get(f"/v1/topups/{failing['id']}")["failure_code"] == "no_account"
    assert available(api) == 2_000
    types = [event["type"] for event in api.events() if event["type"].startswith("topup")]
    assert sorted(types) == [
        "topup.canceled",
        "topup.created",
        "topup.created",
        "topup.created",
        "topup.failed",
        "topup.succeeded",
    ]
    assert [one["id"] for one in api.get("/v1/topups", amount={"gte": 1_000})["data"]] == [topup["id"]]
    audit(api)


def test_a_top_up_shows_a_source_only_to_who_may_read_it(api: Api) -> None:
    victim = Victim(api)
    answer = api.post(
        "/v1/topups",
        key=api.restricted("topup_write"),
        amount=500,
        currency="usd",
        description="x",
        source=victim.source,
    )
    assert (answer.status, victim.shown_in(answer)) == (403, False), answer


@pytest.mark.parametrize(
    ("state", "source", "status"),
    [
        ("pending", "btok_us_verified", 200),
        ("succeeded", "btok_us_verified", 400),
        ("failed", "btok_us_verified_noAccount", 400),
        ("canceled", "btok_us_verified", 400),
    ],
)
def test_only_a_pending_top_up_is_canceled(api: Api, state: str, source: str, status: int) -> None:
    path = f"/v1/topups/{api.ok('post', '/v1/topups', amount=500, currency='usd', source=source)['id']}"
    if state in ("succeeded", "failed"):
        api.advance(10)
    if state == "canceled":
        api.ok("post", f"{path}/cancel")
    assert api.get(path)["status"] == state
    answer = api.post(f"{path}/cancel")
    assert answer.status == status
    assert status == 200 or f"status of {state}" in answer.error["message"]
    audit(api)


def test_the_statement_of_a_top_up_has_15_characters(api: Api) -> None:
    for length, status in ((15, 200), (16, 400)):
        answer = api.post("/v1/topups", amount=500, currency="usd", statement_descriptor="R" * length)
        assert answer.status == status
