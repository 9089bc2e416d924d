"""Disputes: a customer's bank takes a payment back, and the merchant may answer with evidence."""

from __future__ import annotations

import pytest

from tests.payments.steps import told
from tests.support.api import Api


def test_evidence_that_is_a_file_must_be_there(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_createDispute")["id"]
    dispute = api.get("/v1/disputes", charge=charge)["data"][0]["id"]
    path = f"/v1/disputes/{dispute}"
    assert told(api, path, evidence={"receipt": "file_no"}) == ("evidence[receipt]", "No such file upload: 'file_no'")


def disputed(api: Api) -> str:
    """The path of a dispute that waits for an answer."""
    api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_createDispute")
    api.advance(1)
    return f"/v1/disputes/{api.get('/v1/disputes')['data'][0]['id']}"


@pytest.mark.parametrize(
    ("words", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost"), ("x", "under_review")]
)
def test_the_words_of_the_evidence_decide_in_test_mode(api: Api, words: str, status: str) -> None:
    path = disputed(api)
    answered = api.ok("POST", path, evidence={"uncategorized_text": words})
    assert (answered["status"], answered["evidence_details"]["submission_count"]) == ("under_review", 1)
    assert api.get(path)["status"] == status


def test_evidence_may_be_kept_back_until_it_is_submitted(api: Api) -> None:
    path = disputed(api)
    staged = api.ok("POST", path, evidence={"uncategorized_text": "winning_evidence"}, submit=False)
    assert (staged["status"], staged["evidence_details"]["has_evidence"]) == ("needs_response", True)
    api.ok("POST", path, submit=True)
    assert api.get(path)["status"] == "won"


def test_a_closed_dispute_is_lost_and_not_answered_any_more(api: Api) -> None:
    path = disputed(api)
    assert api.ok("POST", f"{path}/close")["status"] == "lost"
    assert api.post(f"{path}/close").error["message"] == "This dispute is already closed"
    assert api.post(path, evidence={"uncategorized_text": "winning_evidence"}).status == 400
    assert api.post(path, metadata={"a": "1"}).status == 200


def test_a_charge_that_nobody_disputes_has_no_dispute(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    assert api.get(f"/v1/charges/{charge}/dispute").status == 404
