"""The part of a credit note that reduces the amount due, and the part that is given back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.invoices.steps import attach, customer, draft, payment_for
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

PATH = "/v1/credit_notes"
STATES = ("draft", "open", "partly paid", "paid", "paid elsewhere", "uncollectible", "void")


def _in(api: Api, state: str) -> Answer:
    """An invoice of 20 dollars in that state; of a partly paid one 15 dollars are due."""
    invoice = draft(api, customer(api))
    path = f"/v1/invoices/{invoice['id']}"
    if state != "draft":
        invoice = api.ok("post", f"{path}/finalize")
    if state == "partly paid":
        attach(api, invoice, payment_for(api, invoice, 500, payment_method="pm_card_visa", confirm=True))
    elif state.startswith("paid"):
        api.ok("post", f"{path}/pay", paid_out_of_band=state == "paid elsewhere")
    elif state in ("uncollectible", "void"):
        api.ok("post", f"{path}/{'void' if state == 'void' else 'mark_uncollectible'}")
    return api.get(path)


def _refund(api: Api, invoice: Answer) -> str:
    """A refund of 7 dollars of what paid the invoice, or of something else when nothing did."""
    paid = [one for one in api.get("/v1/invoice_payments", invoice=invoice["id"])["data"] if one["status"] == "paid"]
    if paid and paid[0]["payment"].get("payment_intent"):
        of = paid[0]["payment"]["payment_intent"]
        amount = min(700, paid[0]["amount_paid"])
    else:
        of, amount = payment_for(api, invoice, 700, payment_method="pm_card_visa", confirm=True)["id"], 700
    return str(api.ok("post", "/v1/refunds", payment_intent=of, amount=amount)["id"])


SUM, STATE, CHARGE, LEFT = "refund_amount", "invoice", "refund_amount", "amount"
OTHER = "refunds[0][refund]"
#: How 7 dollars are given back -> what comes of it in each of the states: the note's type, or the parameter refused.
GIVEN: dict[str, tuple[str, ...]] = {
    "nowhere": (STATE, "pre_payment", "pre_payment", SUM, SUM, "pre_payment", STATE),
    "refund_amount": (STATE, SUM, SUM, "post_payment", CHARGE, SUM, STATE),
    "credit_amount": (STATE, SUM, SUM, "post_payment", "post_payment", SUM, STATE),
    "out_of_band_amount": (STATE, SUM, SUM, "post_payment", "post_payment", SUM, STATE),
    "refunds": (STATE, OTHER, SUM, "post_payment", OTHER, OTHER, STATE),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("given", GIVEN)
def test_a_note_credits_what_is_due_or_gives_back_what_was_paid(api: Api, given: str, state: str) -> None:
    invoice, expected = _in(api, state), GIVEN[given][STATES.index(state)]
    params: dict[str, Any] = {} if given == "nowhere" else {given: 700}
    if given == "refunds":
        params = {"refunds": [{"refund": _refund(api, invoice)}]}
    note = api.post(PATH, invoice=invoice["id"], amount=700, **params)
    if expected not in ("pre_payment", "post_payment"):
        assert (note.status, note.error["param"]) == (400, expected)
        return
    assert_valid("POST", PATH, 200, dict(note))
    pre = expected == "pre_payment"
    assert (note["type"], note["pre_payment_amount"], note["post_payment_amount"]) == (
        expected,
        700 if pre else 0,
        0 if pre else 700,
    )
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert after["amount_remaining"] == invoice["amount_remaining"] - (700 if pre else 0)
    assert (after["pre_payment_credit_notes_amount"], after["post_payment_credit_notes_amount"]) == (
        note["pre_payment_amount"],
        note["post_payment_amount"],
    )


@pytest.mark.parametrize("state", ["open", "partly paid", "paid", "paid elsewhere", "uncollectible"])
def test_all_notes_together_credit_the_total_at_most(api: Api, state: str) -> None:
    invoice = _in(api, state)
    paid = invoice["amount_paid"] if state.startswith("paid") else 0

    def credit(amount: int, back: int) -> Answer:
        return api.post(PATH, invoice=invoice["id"], amount=amount, credit_amount=back)

    assert credit(2001, paid and 2001).error["param"] == "amount"
    assert credit(1400, paid and 1400).status == 200
    assert credit(601, paid and 601).error["param"] == "amount"
    assert credit(600, 600 if paid else 500 if state == "partly paid" else 0).status == 200
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert (after["status"], after["amount_remaining"]) == ("paid", 0)
    assert credit(1, 1).error["param"] == "amount"


def test_a_note_of_a_partly_paid_invoice_is_mixed_when_it_credits_more_than_is_due(api: Api) -> None:
    invoice = _in(api, "partly paid")["id"]
    refused = api.post(PATH, invoice=invoice, amount=1800, credit_amount=299)
    assert refused.error["message"] == (
        "The sum of credit amount, refund amount and out of band amount ($2.99) must equal the post payment amount"
        " ($3.00)."
    )
    note = api.ok("post", PATH, invoice=invoice, amount=1800, credit_amount=100, refund_amount=200)
    assert (note["type"], note["pre_payment_amount"], note["post_payment_amount"]) == ("mixed", 1500, 300)
    assert api.get(f"/v1/refunds/{note['refunds'][0]['refund']}")["amount"] == 200
    assert api.get(f"/v1/invoices/{invoice}")["status"] == "paid"


def test_a_note_below_zero_is_refused(api: Api) -> None:
    refused = api.post(PATH, invoice=_in(api, "open")["id"], amount=-1)
    assert (refused.status, refused.error["param"]) == (400, "amount")


def test_of_a_paid_invoice_the_three_ways_add_up_to_the_note(api: Api) -> None:
    given = {"invoice": _in(api, "paid")["id"], "amount": 700, "refund_amount": 300, "credit_amount": 200}
    refused = api.post(PATH, out_of_band_amount=199, **given)
    assert (refused.error["param"], refused.error["message"]) == (
        "refund_amount",
        "The sum of credit amount, refund amount and out of band amount ($6.99) must equal the credit note amount"
        " ($7.00).",
    )
    note = api.ok("post", PATH, out_of_band_amount=200, **given)
    assert (note["refunds"][0]["amount_refunded"], note["out_of_band_amount"]) == (300, 200)


def test_a_refund_is_linked_with_what_is_left_of_it(api: Api) -> None:
    invoice = _in(api, "paid")
    refund = _refund(api, invoice)

    def link(amount: int, **entry: Any) -> Answer:
        return api.post(PATH, invoice=invoice["id"], amount=amount, refunds=[{"refund": refund, **entry}])

    assert link(800, amount_refunded=800).error["param"] == "refunds[0][amount_refunded]"
    first = link(300, amount_refunded=300)
    assert first["refunds"] == [
        {"amount_refunded": 300, "payment_record_refund": None, "refund": refund, "type": "refund"}
    ]
    assert link(700).error["param"] == "refunds[0][refund]"
    assert link(400, amount_refunded=400).status == 200
    assert len(api.get("/v1/refunds")["data"]) == 1


@pytest.mark.parametrize(
    ("entry", "param"),
    [
        ({}, "refunds[0][refund]"),
        ({"type": "refund"}, "refunds[0][refund]"),
        ({"refund": "re_none"}, "refunds[0][refund]"),
        ({"type": "payment_record_refund"}, "refunds[0][payment_record_refund]"),
        (
            {"refund": "re_1", "payment_record_refund": {"payment_record": "pr_1", "refund_group": "a"}},
            "refunds[0][payment_record_refund][payment_record]",
        ),
        (
            {
                "type": "payment_record_refund",
                "payment_record_refund": {"payment_record": "pr_1", "refund_group": "a"},
            },
            "refunds[0][payment_record_refund][payment_record]",
        ),
    ],
)
def test_an_entry_of_refunds_names_what_its_type_links(api: Api, entry: dict[str, Any], param: str) -> None:
    refused = api.post(PATH, invoice=_in(api, "paid")["id"], amount=700, refunds=[{"amount_refunded": 700, **entry}])
    assert (refused.status, refused.error["param"]) == (400, param)


def test_before_2025_03_31_a_note_links_one_refund(api: Api) -> None:
    invoice = _in(api, "paid")
    refund = _refund(api, invoice)
    assert api.post(PATH, invoice=invoice["id"], amount=700, refund=refund).error["code"] == "parameter_unknown"
    note = api.under("2025-02-24.acacia").ok("post", PATH, invoice=invoice["id"], amount=700, refund=refund)
    assert note["refund"] == refund


def test_a_note_changes_the_payment_that_an_open_invoice_still_asks_for(api: Api) -> None:
    invoice = _in(api, "open")["id"]
    note = api.ok("post", PATH, invoice=invoice, amount=700)["id"]
    intent = api.get("/v1/invoice_payments", invoice=invoice)["data"][0]["payment"]["payment_intent"]
    assert api.get(f"/v1/payment_intents/{intent}")["amount"] == 1300
    api.ok("post", f"{PATH}/{note}/void")
    assert api.get(f"/v1/payment_intents/{intent}")["amount"] == 2000
    api.ok("post", PATH, invoice=invoice, amount=800)
    assert api.ok("post", f"/v1/invoices/{invoice}/pay")["amount_paid"] == 1200
    assert api.get(f"/v1/payment_intents/{intent}")["amount_received"] == 1200


def test_a_note_over_all_that_is_due_cancels_the_payment(api: Api) -> None:
    invoice = _in(api, "open")["id"]
    api.ok("post", PATH, invoice=invoice, amount=2000)
    payment = api.get("/v1/invoice_payments", invoice=invoice)["data"][0]
    assert payment["status"] == "canceled"
    assert api.get(f"/v1/payment_intents/{payment['payment']['payment_intent']}")["status"] == "canceled"


def test_an_invoice_with_a_pending_payment_gets_no_note(api: Api) -> None:
    who = customer(api, None)
    bank = {"routing_number": "110000000", "account_number": "000123456789", "account_holder_type": "individual"}
    method = api.ok(
        "post", "/v1/payment_methods", type="us_bank_account", us_bank_account=bank, billing_details={"name": "Jenny"}
    )["id"]
    invoice = draft(api, who)["id"]
    api.ok("post", f"/v1/invoices/{invoice}/finalize")
    intent = api.get("/v1/invoice_payments", invoice=invoice)["data"][0]["payment"]["payment_intent"]
    mandate = {"customer_acceptance": {"type": "offline"}}
    api.ok("post", f"/v1/payment_intents/{intent}/confirm", payment_method=method, mandate_data=mandate)
    assert api.get(f"/v1/payment_intents/{intent}")["status"] in ("processing", "requires_action")
    if api.get(f"/v1/payment_intents/{intent}")["status"] == "requires_action":
        api.ok("post", f"/v1/payment_intents/{intent}/verify_microdeposits", amounts=[32, 45])
    refused = api.post(PATH, invoice=invoice, amount=700)
    assert (refused.status, "pending payment" in refused.error["message"]) == (400, True)


def test_what_shipping_costs_is_credited_with_the_rate_of_the_invoice(api: Api) -> None:
    price = {"amount": 400, "currency": "usd"}
    rate, other = (
        api.ok("post", "/v1/shipping_rates", display_name="Post", type="fixed_amount", fixed_amount=price)["id"]
        for _ in range(2)
    )
    invoice = draft(api, customer(api), shipping_cost={"shipping_rate": rate})["id"]
    api.ok("post", f"/v1/invoices/{invoice}/finalize")
    refused = api.post(PATH, invoice=invoice, shipping_cost={"shipping_rate": other})
    assert (refused.status, refused.error["param"]) == (400, "shipping_cost[shipping_rate]")
    note = api.ok("post", PATH, invoice=invoice, shipping_cost={"shipping_rate": rate})
    assert (note["total"], note["amount_shipping"], note["shipping_cost"]["shipping_rate"]) == (400, 400, rate)
    assert api.get(f"/v1/invoices/{invoice}")["amount_remaining"] == 2000


@pytest.mark.parametrize("state", ["open", "paid"])
def test_events_tell_of_the_invoice_before_the_note(api: Api, state: str) -> None:
    invoice = _in(api, state)["id"]
    known = len(api.events())
    back = {"refund_amount": 300, "credit_amount": 400} if state == "paid" else {}
    note = api.ok("post", PATH, invoice=invoice, amount=700, **back)["id"]
    told = [event["type"] for event in api.events()[known:]]
    told = [type for type in told if type.startswith(("invoice.", "credit_note.", "customer.", "charge.refunded"))]
    if state == "paid":
        assert told == ["charge.refunded", "invoice.updated", "customer.updated", "credit_note.created"]
    else:
        api.ok("post", f"{PATH}/{note}/void")
        told = [event["type"] for event in api.events()[known:]]
        assert told == ["invoice.updated", "credit_note.created", "invoice.updated", "credit_note.voided"]


def test_an_amount_beside_lines_is_their_sum(api: Api) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    invoice = api.ok("post", "/v1/invoices", customer=who, auto_advance=False)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    line = api.ok("post", f"/v1/invoices/{invoice}/finalize")["lines"]["data"][0]["id"]
    lines = [{"type": "invoice_line_item", "invoice_line_item": line, "amount": 400}]
    refused = api.post(PATH, invoice=invoice, amount=399, lines=lines)
    assert (refused.status, refused.error["param"]) == (400, "amount")
    assert api.ok("post", PATH, invoice=invoice, amount=400, lines=lines)["amount"] == 400
