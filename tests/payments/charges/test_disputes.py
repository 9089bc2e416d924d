"""Disputes: a customer's bank takes a payment back, and the merchant may answer with evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.checkout.steps import upload
from tests.payments.steps import told
from tests.support.api import Answer, Api, rule_table


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


@pytest.mark.parametrize("name", ["customer_device_fingerprint", "customer_device_id"])
@pytest.mark.parametrize("part", ["disputed_transaction", "prior_undisputed_transactions"])
def test_what_identifies_a_device_has_so_many_characters(api: Api, part: str, name: str) -> None:
    path, least = disputed(api), {"customer_device_fingerprint": 20, "customer_device_id": 15}[name]
    where = "disputed_transaction" if part == "disputed_transaction" else "prior_undisputed_transactions][0"
    for length, status in ((least - 1, 400), (least, 200)):
        one = {name: "d" * length}
        prior = [{"charge": api.get("/v1/charges")["data"][0]["id"], **one}]
        given = {part: one if part == "disputed_transaction" else prior}
        answer = api.post(path, evidence={"enhanced_evidence": {"visa_compelling_evidence_3": given}}, submit=False)
        assert answer.status == status, answer
        if status == 400:
            found = answer.error["param"]
            assert found == f"evidence[enhanced_evidence][visa_compelling_evidence_3][{where}][{name}]"


# -- its states

CLOSED = "This dispute is already closed"
SUBMITTED = "The evidence of this dispute has already been submitted."
#: State -> the token whose charge is disputed, and what is done then.
STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "needs_response": ("tok_createDispute", ()),
    "under_review": ("tok_createDispute", ("waiting_evidence",)),
    "won": ("tok_createDispute", ("winning_evidence",)),
    "lost": ("tok_createDispute", ("losing_evidence",)),
    "warning_needs_response": ("tok_createDisputeInquiry", ()),
    "warning_under_review": ("tok_createDisputeInquiry", ("waiting_evidence",)),
    "warning_closed": ("tok_createDisputeInquiry", ("winning_evidence",)),
}
WAITING = ("needs_response", "warning_needs_response")
OPEN = (*WAITING, "under_review", "warning_under_review")


def _in(api: Api, state: str) -> str:
    """The path of a dispute in that state."""
    token, words = STATES[state]
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source=token)["id"]
    api.advance(1)
    path = f"/v1/disputes/{api.get('/v1/disputes', charge=charge)['data'][0]['id']}"
    for text in words:
        api.ok("POST", path, evidence={"uncategorized_text": text})
    assert api.get(path)["status"] == state
    return path


def _of_charge(path: str) -> Callable[[Api, str], str]:
    return lambda api, dispute: f"/v1/charges/{api.get(dispute)['charge']}/dispute{path}"


def _itself(path: str) -> Callable[[Api, str], str]:
    return lambda api, dispute: dispute + path


#: What is done -> where, with what, and the states in which it is.
TABLE: dict[str, tuple[Callable[[Api, str], str], dict[str, Any], tuple[str, ...]]] = {
    "change its metadata": (_itself(""), {"metadata": {"a": "b"}}, tuple(STATES)),
    "stage evidence": (_itself(""), {"evidence": {"customer_name": "Jo"}, "submit": False}, WAITING),
    "submit evidence": (_itself(""), {"evidence": {"customer_name": "Jo"}}, WAITING),
    "submit what there is": (_itself(""), {"submit": True}, WAITING),
    "close it": (_itself("/close"), {}, OPEN),
    "submit evidence for its charge": (_of_charge(""), {"evidence": {"customer_name": "Jo"}}, WAITING),
    "close that of its charge": (_of_charge("/close"), {}, OPEN),
}


@rule_table
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", TABLE)
def test_each_step_is_for_disputes_in_its_states(api: Api, what: str, state: str) -> None:
    where, params, allowed = TABLE[what]
    dispute = _in(api, state)
    answer = api.post(where(api, dispute), **params)
    assert answer.status == (200 if state in allowed else 400), answer
    if state not in allowed:
        assert answer.error["message"] == (SUBMITTED if state in OPEN else CLOSED)
        assert api.get(dispute)["status"] == state


@rule_table
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", TABLE)
def test_a_step_leads_to_the_next_state_or_leaves_it(api: Api, what: str, state: str) -> None:
    where, params, allowed = TABLE[what]
    dispute = _in(api, state)
    before = api.get(dispute)["evidence_details"]["submission_count"]
    api.post(where(api, dispute), **params)
    inquiry, after = state.startswith("warning_"), state
    if what.startswith("close") and state in allowed:
        after = "warning_closed" if inquiry else "lost"
    elif what.startswith("submit") and state in WAITING:
        after = "warning_under_review" if inquiry else "under_review"
    found = api.get(dispute)
    assert found["status"] == after
    submitted = what.startswith("submit") and state in WAITING
    assert found["evidence_details"]["submission_count"] == before + submitted


@pytest.mark.parametrize("state", STATES)
def test_the_charge_of_a_dispute_is_refunded_where_no_money_is_disputed_any_more(api: Api, state: str) -> None:
    dispute = api.get(_in(api, state))
    refundable = state.startswith("warning_") or state == "won"
    assert dispute["is_charge_refundable"] is refundable
    answer: Answer = api.post("/v1/refunds", charge=dispute["charge"])
    assert answer.status == (200 if refundable else 400), answer
    assert refundable or answer.error["code"] == "charge_disputed"


@pytest.mark.parametrize(
    ("token", "after"), [("tok_createDispute", "lost"), ("tok_createDisputeInquiry", "warning_closed")]
)
def test_a_dispute_that_nobody_answers_ends_when_its_evidence_is_due(api: Api, token: str, after: str) -> None:
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source=token)["id"]
    path = f"/v1/disputes/{api.get('/v1/disputes', charge=charge)['data'][0]['id']}"
    api.ok("POST", path, evidence={"customer_name": "Jo"}, submit=False)
    before = api.get(path)
    api.advance(before["evidence_details"]["due_by"] - api.now)
    assert api.get(path)["status"] == before["status"]
    api.advance(1)
    found = api.get(path)
    assert (found["status"], found["evidence_details"]["past_due"]) == (after, True)
    assert [one["data"]["object"]["id"] for one in api.events("charge.dispute.closed")] == [found["id"]]
    assert api.post(path, evidence={"customer_name": "Jo"}).error["message"] == CLOSED


def test_an_answered_dispute_waits_for_the_bank_after_its_evidence_was_due(api: Api) -> None:
    path = _in(api, "under_review")
    api.advance(30 * 86_400)
    assert api.get(path)["status"] == "under_review"


@pytest.mark.parametrize("state", ["warning_needs_response", "warning_under_review"])
def test_an_inquiry_is_closed_once_its_payment_is_refunded_in_full(api: Api, state: str) -> None:
    path = _in(api, state)
    charge = api.get(path)["charge"]
    api.ok("POST", "/v1/refunds", charge=charge, amount=200)
    assert (api.get(path)["status"], api.get(path)["is_charge_refundable"]) == (state, True)
    api.ok("POST", "/v1/refunds", charge=charge)
    assert (api.get(path)["status"], api.get(path)["is_charge_refundable"]) == ("warning_closed", False)
    assert api.get(path)["balance_transactions"] == []


def test_nothing_is_left_to_refund_of_a_dispute_that_was_won_and_refunded(api: Api) -> None:
    path = _in(api, "won")
    api.ok("POST", "/v1/refunds", charge=api.get(path)["charge"])
    assert (api.get(path)["status"], api.get(path)["is_charge_refundable"]) == ("won", False)


def test_a_file_of_evidence_was_uploaded_as_such(api: Api) -> None:
    path = disputed(api)
    file = upload(api, purpose="identity_document")["id"]
    refused = api.post(path, evidence={"receipt": file})
    assert (refused.status, refused.error["param"]) == (400, "evidence[receipt]")
    assert api.post(path, evidence={"receipt": upload(api, purpose="dispute_evidence")["id"]}).status == 200
