"""Invoices: from a draft to a paid one, with what is taken off, added, and given back."""

from __future__ import annotations

import pytest

from tests.support.api import NOW, Answer, Api
from tests.support.openapi import assert_valid


def customer(api: Api, card: str | None = "pm_card_visa", **params: object) -> str:
    saved = {"payment_method": card, "invoice_settings": {"default_payment_method": card}} if card else {}
    return str(api.ok("post", "/v1/customers", email="a@example.com", **saved, **params)["id"])


def draft(api: Api, who: str, amount: int = 2000, **params: object) -> Answer:
    api.ok("post", "/v1/invoiceitems", customer=who, amount=amount, currency="usd", description="Work")
    return api.ok("post", "/v1/invoices", customer=who, pending_invoice_items_behavior="include", **params)


def test_paying_a_draft_finalizes_numbers_and_charges_it(api: Api) -> None:
    who = customer(api)
    invoice = draft(api, who)
    assert (invoice["status"], invoice["number"]) == ("draft", None)
    assert_valid("POST", "/v1/invoices", 200, dict(invoice))
    paid = api.ok("post", f"/v1/invoices/{invoice['id']}/pay", expand=["payments"])
    assert_valid("POST", "/v1/invoices/{invoice}/pay", 200, dict(paid))
    assert (paid["status"], paid["amount_paid"], paid["number"][-5:]) == ("paid", 2000, "-0001")
    intent = api.get(f"/v1/payment_intents/{paid['payments']['data'][0]['payment']['payment_intent']}")
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 2000)
    types = [event["type"] for event in api.events() if event["type"].startswith("invoice.")]
    assert types == [
        "invoice.created",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_a_refused_card_leaves_the_invoice_open_with_its_attempt(api: Api) -> None:
    who = customer(api, "pm_card_chargeCustomerFail")
    invoice = draft(api, who)
    refused = api.post(f"/v1/invoices/{invoice['id']}/pay")
    assert (refused.status, refused.error["code"]) == (402, "card_declined")
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert (after["status"], after["attempt_count"], after["amount_remaining"]) == ("open", 1, 2000)
    assert len(api.events("invoice.payment_failed")) == 1


def test_credit_of_the_customer_is_used_before_the_card(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="usd")
    paid = api.ok("post", f"/v1/invoices/{draft(api, who)['id']}/pay")
    assert (paid["total"], paid["starting_balance"], paid["amount_due"], paid["ending_balance"]) == (
        2000,
        -500,
        1500,
        0,
    )
    assert api.get(f"/v1/customers/{who}")["balance"] == 0


def test_a_voided_invoice_gives_the_credit_back_and_cannot_be_paid(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="usd")
    invoice = draft(api, who)
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize")
    assert api.ok("post", f"/v1/invoices/{invoice['id']}/void")["status"] == "void"
    assert api.get(f"/v1/customers/{who}")["balance"] == -500
    assert api.post(f"/v1/invoices/{invoice['id']}/pay").status == 400


def test_a_coupon_and_a_tax_change_the_total_line_by_line(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=25)["id"]
    rate = api.ok("post", "/v1/tax_rates", display_name="VAT", inclusive=False, percentage=20)["id"]
    invoice = draft(api, customer(api), 1000, discounts=[{"coupon": coupon}], default_tax_rates=[rate])
    assert (invoice["subtotal"], invoice["total_excluding_tax"], invoice["total"]) == (1000, 750, 900)
    assert invoice["lines"]["data"][0]["discount_amounts"][0]["amount"] == 250
    assert api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 1


@pytest.mark.parametrize("where", ["refund_amount", "credit_amount"])
def test_a_credit_note_of_a_paid_invoice_refunds_or_credits(api: Api, where: str) -> None:
    who = customer(api)
    paid = api.ok("post", f"/v1/invoices/{draft(api, who)['id']}/pay")
    note = api.ok("post", "/v1/credit_notes", invoice=paid["id"], amount=700, **{where: 700})
    assert_valid("POST", "/v1/credit_notes", 200, dict(note))
    assert (note["type"], note["number"]) == ("post_payment", f"{paid['number']}-CN-01")
    if where == "refund_amount":
        assert api.get(f"/v1/refunds/{note['refunds'][0]['refund']}")["amount"] == 700
    else:
        assert api.get(f"/v1/customers/{who}")["balance"] == -700


def test_a_credit_note_of_an_open_invoice_lowers_what_is_due_until_it_is_voided(api: Api) -> None:
    invoice = api.ok("post", f"/v1/invoices/{draft(api, customer(api))['id']}/finalize")
    note = api.ok("post", "/v1/credit_notes", invoice=invoice["id"], amount=700)
    assert api.get(f"/v1/invoices/{invoice['id']}")["amount_remaining"] == 1300
    api.ok("post", f"/v1/credit_notes/{note['id']}/void")
    assert api.get(f"/v1/invoices/{invoice['id']}")["amount_remaining"] == 2000


def test_the_hosted_page_shows_the_invoice_and_takes_a_card(api: Api) -> None:
    invoice = api.ok("post", f"/v1/invoices/{draft(api, customer(api, None))['id']}/finalize")
    path = "/" + invoice["hosted_invoice_url"].split("/", 3)[3]
    shown = api.send("GET", path, key=None)
    assert (shown.status, b"$20.00" in shown.body) == (200, True)
    browser = {"accept": "text/html"}
    refused = api.send(
        "POST",
        path + "/pay",
        key=None,
        headers=browser,
        body=b"number=4000000000000002&exp_month=12&exp_year=2030&cvc=123",
    )
    assert (refused.status, b"Your card was declined." in refused.body) == (402, True)
    assert f'action="{path}/pay"'.encode() in refused.body
    done = api.send(
        "POST",
        path + "/pay",
        key=None,
        headers=browser,
        body=b"number=4242424242424242&exp_month=12&exp_year=2030&cvc=123",
    )
    assert done.status == 200
    assert api.get(f"/v1/invoices/{invoice['id']}")["status"] == "paid"
    assert api.send("GET", path + "/pdf", key=None).body.startswith(b"%PDF-1.4")


def test_a_challenge_passed_later_pays_the_first_invoice_and_starts_the_subscription(api: Api) -> None:
    price = api.ok(
        "post",
        "/v1/prices",
        product_data={"name": "P"},
        unit_amount=900,
        currency="usd",
        recurring={"interval": "month"},
    )["id"]
    who = customer(api, "pm_card_threeDSecure2Required")
    sub = api.ok(
        "post", "/v1/subscriptions", customer=who, items=[{"price": price}], expand=["latest_invoice.payments"]
    )
    assert sub["status"] == "incomplete"
    intent = api.get(f"/v1/payment_intents/{sub['latest_invoice']['payments']['data'][0]['payment']['payment_intent']}")
    assert intent["status"] == "requires_action"
    later = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    api.ok("post", f"/v1/invoices/{sub['latest_invoice']['id']}/void")
    assert api.get(f"/v1/subscriptions/{sub['id']}")["status"] == "incomplete_expired"
    again = api.ok("post", "/v1/subscriptions", customer=who, items=[{"price": price}], default_payment_method=later)
    assert (again["status"], again["created"]) == ("active", NOW)


def test_what_an_older_version_names_it_expands_too(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    price = {
        "currency": "usd",
        "unit_amount": 500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Gold"},
    }
    price_id = api.ok("POST", "/v1/prices", **price)["id"]
    invoice = api.ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": price_id}])["latest_invoice"]
    paths = [
        "lines.data.price.product",
        "lines.data.plan.product",
        "payment_intent",
        "charge.balance_transaction",
        "subscription",
    ]
    shown = api.get(f"/v1/invoices/{invoice}", headers={"Stripe-Version": "2022-08-01"}, expand=paths)
    (line,) = shown["lines"]["data"]
    assert (line["price"]["product"]["name"], line["plan"]["product"]["name"]) == ("Gold", "Gold")
    assert shown["payment_intent"]["charges"]["data"][0]["id"] == shown["charge"]["id"]
    assert shown["charge"]["refunds"]["data"] == []
    assert shown["charge"]["balance_transaction"]["amount"] == 500
    assert shown["subscription"]["current_period_end"] > shown["subscription"]["current_period_start"]
    for name in ("lines.data.price", "payment_intent"):
        answer = api.get(f"/v1/invoices/{invoice}", expand=[f"{name}.product"])
        assert answer.error["message"] == f"This property cannot be expanded ({name})."


def test_older_names_of_how_an_invoice_is_collected_and_taxed(api: Api) -> None:
    older = {"Stripe-Version": "2018-11-08"}
    who = customer(api)
    api.ok("POST", "/v1/invoiceitems", customer=who, amount=500, currency="usd")
    invoice = api.post("/v1/invoices", headers=older, customer=who, billing="send_invoice", days_until_due=5)
    assert (invoice.status, invoice["billing"], invoice["tax_percent"], invoice["application_fee"]) == (
        200,
        "send_invoice",
        None,
        None,
    )
