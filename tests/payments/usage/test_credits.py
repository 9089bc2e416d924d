"""Billing credits at work: which grants an invoice uses up, in which order, and what comes back when it is voided."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.payments.usage.steps import grant, left, metered, renewed, transactions
from tests.support.api import Api

GRANTS = "/v1/billing/credit_grants"


def test_credits_pay_metered_lines_before_anything_is_charged(api: Api) -> None:
    clock, who, sub, _ = metered(api, 100)
    given = grant(api, who, 300, name="Welcome", category="promotional")
    invoice = renewed(api, clock, sub)
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"], invoice["status"]) == (500, 200, 200, "paid")
    used = invoice["total_pretax_credit_amounts"]
    assert [(one["type"], one["amount"]) for one in used] == [("credit_balance_transaction", 300)]
    assert transactions(api, who) == [("credits_granted", 300), ("credits_applied", 300)]
    applied = api.get("/v1/billing/credit_balance_transactions", credit_grant=given["id"])["data"][0]["debit"][
        "credits_applied"
    ]
    assert applied == {"invoice": invoice["id"], "invoice_line_item": invoice["lines"]["data"][0]["id"]}
    assert left(api, who) == 0
    types = [event["type"] for event in api.events() if "credit" in event["type"]]
    assert types == ["billing.credit_grant.created", *["billing.credit_balance_transaction.created"] * 2]


def test_grants_are_used_by_priority_then_by_expiry(api: Api) -> None:
    clock, who, sub, price = metered(api, 100)
    last = grant(api, who, 400)
    soon = grant(api, who, 200, expires_at=api.now + 90 * 86_400)
    first = grant(api, who, 100, priority=0, applicability_config={"scope": {"prices": [{"id": price}]}})
    assert left(api, who, prices=[{"id": price}]) == 700
    assert renewed(api, clock, sub)["total"] == 0
    spent = [
        one["credit_grant"]
        for one in api.get("/v1/billing/credit_balance_transactions", customer=who)["data"]
        if one["debit"]
    ]
    assert spent == [last["id"], soon["id"], first["id"]]
    assert left(api, who) == 200


def test_a_licensed_price_uses_no_credits(api: Api) -> None:
    _, who = clocked(api)
    grant(api, who, 300)
    subscribe(api, who, plan(api))
    assert api.get("/v1/invoices", customer=who)["data"][0]["total"] == 1_000
    assert left(api, who) == 300
    refused = api.post(
        GRANTS,
        customer=who,
        amount={"type": "monetary", "monetary": {"value": 1, "currency": "usd"}},
        applicability_config={"scope": {"prices": [{"id": plan(api)}]}},
    )
    assert (refused.status, refused.error["param"]) == (400, "applicability_config[scope][prices][0][id]")


def test_a_voided_invoice_gives_its_credits_back(api: Api) -> None:
    clock, who, sub, _ = metered(api, 100)
    grant(api, who, 300)
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    invoice = renewed(api, clock, sub)
    assert (invoice["status"], left(api, who)) == ("open", 0)
    api.ok("post", f"/v1/invoices/{invoice['id']}/void")
    assert left(api, who) == 300
    assert transactions(api, who)[-1] == ("credits_application_invoice_voided", 300)
