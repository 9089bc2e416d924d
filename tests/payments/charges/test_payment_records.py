"""Payments of other processors, reported attempt by attempt."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize("outcome", ["failed", "guaranteed", "canceled"])
def test_an_attempt_does_not_end_before_it_began(api: Api, outcome: str) -> None:
    record = reported(api)
    path, time = f"{RECORDS}/{record['id']}/report_payment_attempt_{outcome}", f"{outcome}_at"
    early = api.post(path, **{time: NOW - 1})
    assert (early.status, early.error["param"]) == (400, time)
    assert api.post(path, **{time: NOW}).status == 200


def test_the_outcome_of_a_report_has_its_own_details_and_no_others(api: Api) -> None:
    given = {
        "amount_requested": {"value": 1_000, "currency": "usd"},
        "initiated_at": NOW,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Wallet"}},
    }
    path, failed, guaranteed = RECORDS + "/report_payment", {"failed_at": NOW}, {"guaranteed_at": NOW}
    assert api.post(path, failed=failed, **given).error["param"] == "failed"
    both = api.post(path, outcome="failed", failed=failed, guaranteed=guaranteed, **given)
    assert both.error["param"] == "guaranteed"
    assert api.post(path, outcome="guaranteed", failed=failed, **given).error["param"] == "guaranteed"
    early = api.post(path, outcome="failed", failed={"failed_at": NOW - 1}, **given)
    assert early.error["param"] == "failed[failed_at]"


def test_a_refund_is_not_made_before_it_was_initiated_or_its_payment_guaranteed(api: Api) -> None:
    record = reported(api, outcome="guaranteed", guaranteed={"guaranteed_at": NOW + 5})
    path = f"{RECORDS}/{record['id']}/report_refund"
    told: dict[str, Any] = {"outcome": "refunded", "processor_details": {"type": "custom"}}
    for times in ({}, {"initiated_at": NOW + 7}):
        refused = api.post(path, refunded={"refunded_at": NOW + 4}, **times, **told)
        assert refused.error["param"] == "refunded[refunded_at]"
    assert api.post(path, refunded={"refunded_at": NOW + 8}, initiated_at=NOW + 7, **told).status == 200


def test_another_attempt_may_be_shipped_elsewhere(api: Api) -> None:
    record = reported(api, outcome="failed", failed={"failed_at": NOW}, shipping_details={"name": "Jo"})
    again = report(api, record, "payment_attempt", initiated_at=NOW, shipping_details={"name": "Li"})
    attempt = api.get(f"/v1/payment_attempt_records/{again['latest_payment_attempt_record']}")
    assert (again["shipping_details"]["name"], attempt["shipping_details"]["name"]) == ("Li", "Li")
