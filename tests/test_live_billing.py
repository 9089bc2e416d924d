"""What is billed in live mode stays unpaid: nobody makes charges there without a provider."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api
from tests.support.live import real_card

TRIAL = {"subscription_data": {"trial_period_days": 7}}
BANK = {
    "type": "us_bank_account",
    "billing_details": {"name": "Jo Doe", "email": "jo@example.com"},
    "us_bank_account": {
        "account_number": "000123456789",
        "routing_number": "110000000",
        "account_holder_type": "individual",
    },
}


def live_customer(api: Api) -> str:
    """A live customer with a card that is nobody's test card."""
    live = {"key": api.live_sk}
    card = {"number": real_card(), "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = api.ok("post", "/v1/payment_methods", type="card", card=card, **live)["id"]
    customer: str = api.ok("post", "/v1/customers", **live)["id"]
    api.ok("post", f"/v1/payment_methods/{method}/attach", customer=customer, **live)
    api.ok("post", f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method}, **live)
    return customer


def live_invoice(api: Api, amount: int) -> Answer:
    live, customer = {"key": api.live_sk}, live_customer(api)
    api.ok("post", "/v1/invoiceitems", customer=customer, amount=amount, currency="usd", **live)
    made = api.ok("post", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", **live)
    return api.ok("post", f"/v1/invoices/{made['id']}/finalize", auto_advance=False, **live)


def test_a_live_invoice_is_not_paid_by_a_charge_that_nobody_makes(api: Api) -> None:
    made = live_invoice(api, 1200)
    refused = api.post(f"/v1/invoices/{made['id']}/pay", key=api.live_sk)
    assert (refused.status, refused.error["code"]) == (402, "testmode_charges_only")
    after = api.get(f"/v1/invoices/{made['id']}", key=api.live_sk)
    assert (after["status"], after["amount_paid"], after["attempted"]) == ("open", 0, True)


def test_a_live_invoice_with_nothing_due_is_paid_and_so_is_one_that_was_paid_elsewhere(api: Api) -> None:
    assert live_invoice(api, 0)["status"] == "paid"
    made = live_invoice(api, 1200)
    paid = api.ok("post", f"/v1/invoices/{made['id']}/pay", key=api.live_sk, paid_out_of_band=True)
    assert (paid["status"], paid["amount_paid"]) == ("paid", 1200)


def test_a_live_subscription_is_past_due_after_its_trial_and_active_while_it_is_free(api: Api) -> None:
    live = {"key": api.live_sk}
    price = {
        "currency": "usd",
        "unit_amount": 1500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Gold"},
    }
    dear = api.ok("post", "/v1/prices", **price, **live)["id"]
    free = api.ok("post", "/v1/prices", **{**price, "unit_amount": 0}, **live)["id"]
    customer = live_customer(api)
    now = api.ok("post", "/v1/subscriptions", customer=customer, items=[{"price": dear}], **live)
    assert now["status"] == "incomplete"
    assert api.ok("post", "/v1/subscriptions", customer=customer, items=[{"price": free}], **live)["status"] == "active"
    trial = api.ok("post", "/v1/subscriptions", customer=customer, items=[{"price": dear}], trial_period_days=1, **live)
    assert trial["status"] == "trialing"
    api.advance(2 * 86_400)
    api.advance(2 * 86_400)
    after = api.get(f"/v1/subscriptions/{trial['id']}", **live)
    invoice = api.get(f"/v1/invoices/{after['latest_invoice']}", **live)
    assert (after["status"], invoice["status"], invoice["attempt_count"] > 0) == ("past_due", "open", True)
    assert api.get("/v1/charges", **live)["data"] == []


@pytest.mark.parametrize("way", ["page", "key"])
@pytest.mark.parametrize(("amount", "more"), [(1000, TRIAL), (0, {})], ids=["trial", "free"])
def test_a_session_that_collects_what_nobody_can_use_stays_open(
    api: Api, way: str, amount: int, more: dict[str, object]
) -> None:
    price = {
        "currency": "usd",
        "unit_amount": amount,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Plan"},
    }
    made = {
        "mode": "subscription",
        "success_url": "https://example.com/",
        "line_items": [{"price_data": price, "quantity": 1}],
    }
    session = api.ok(
        "POST",
        "/v1/checkout/sessions",
        key=api.live_sk,
        allowed_payment_method_types=["us_bank_account"],
        **made,
        **more,
    )
    if way == "page":
        person = {
            "email": "jo@example.com",
            "name": "Jo Doe",
            "country": "US",
            "postal_code": "94111",
            "method": "us_bank_account",
        }
        numbers = {name: str(BANK["us_bank_account"][name]) for name in ("account_number", "routing_number")}  # type: ignore[index]
        answer = api.post("/" + session["url"].split("/", 3)[3], key=None, **person, **numbers)
        assert answer.status != 303
    else:
        method = api.ok("POST", "/v1/payment_methods", key=api.live_pk, **BANK)["id"]
        path = f"/v1/payment_pages/{session['id']}/confirm"
        assert api.post(path, key=api.live_pk, payment_method=method).error["code"] == "testmode_charges_only"
    assert api.get(f"/v1/checkout/sessions/{session['id']}", key=api.live_sk)["status"] == "open"
    assert api.get("/v1/subscriptions", key=api.live_sk)["data"] == []
