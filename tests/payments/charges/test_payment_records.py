"""Payments of other processors, reported attempt by attempt."""

from __future__ import annotations

from typing import Any

from tests.support.api import NOW, Answer, Api
from tests.support.openapi import assert_valid

RECORDS = "/v1/payment_records"


def reported(api: Api, **params: Any) -> Answer:
    given = {
        "amount_requested": {"value": 1_000, "currency": "usd"},
        "initiated_at": NOW,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Wallet"}},
        "processor_details": {"type": "custom", "custom": {"payment_reference": "ref_1"}},
    }
    answer = api.ok("post", RECORDS + "/report_payment", **{**given, **params})
    assert_valid("POST", RECORDS + "/report_payment", 200, dict(answer))
    return answer


def report(api: Api, record: Answer, what: str, **params: Any) -> Answer:
    answer = api.ok("post", f"{RECORDS}/{record['id']}/report_{what}", **params)
    assert_valid("POST", f"{RECORDS}/{{id}}/report_{what}", 200, dict(answer))
    return answer


def test_a_failed_attempt_is_followed_by_one_that_is_guaranteed(api: Api) -> None:
    record = reported(api, outcome="failed", failed={"failed_at": NOW})
    assert (record["amount_failed"]["value"], record["amount_guaranteed"]["value"]) == (1_000, 0)
    again = report(api, record, "payment_attempt", initiated_at=NOW)
    assert again["latest_payment_attempt_record"] != record["latest_payment_attempt_record"]
    assert again["amount_failed"]["value"] == 0
    done = report(api, record, "payment_attempt_guaranteed", guaranteed_at=NOW)
    assert done["amount_guaranteed"] == {"currency": "usd", "value": 1_000}
    attempts = api.ok("get", "/v1/payment_attempt_records", payment_record=record["id"])
    assert_valid("GET", "/v1/payment_attempt_records", 200, dict(attempts))
    assert [one["amount_failed"]["value"] for one in attempts["data"]] == [0, 1_000]


def test_an_attempt_ends_once_and_no_other_begins_before(api: Api) -> None:
    record = reported(api)
    assert api.post(f"{RECORDS}/{record['id']}/report_payment_attempt", initiated_at=NOW).status == 400
    report(api, record, "payment_attempt_canceled", canceled_at=NOW)
    assert api.post(f"{RECORDS}/{record['id']}/report_payment_attempt_failed", failed_at=NOW).status == 400


def test_only_what_was_guaranteed_can_be_refunded(api: Api) -> None:
    record = reported(api, outcome="guaranteed", guaranteed={"guaranteed_at": NOW})
    told: dict[str, Any] = {
        "outcome": "refunded",
        "refunded": {"refunded_at": NOW},
        "processor_details": {"type": "custom", "custom": {"refund_reference": "r"}},
    }
    part = report(api, record, "refund", amount={"value": 400, "currency": "usd"}, **told)
    assert part["amount_refunded"]["value"] == 400
    assert (
        api.post(f"{RECORDS}/{record['id']}/report_refund", amount={"value": 601, "currency": "usd"}, **told).status
        == 400
    )
    assert report(api, record, "refund", **told)["amount_refunded"]["value"] == 1_000
    assert api.get("/v1/balance_transactions")["data"] == []


def test_what_is_known_of_an_attempt_can_be_added(api: Api) -> None:
    record = reported(api)
    more = report(
        api, record, "payment_attempt_informational", description="Hat", customer_details={"email": "a@example.com"}
    )
    assert (more["description"], more["customer_details"]["email"]) == ("Hat", "a@example.com")
