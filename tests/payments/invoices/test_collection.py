"""The PaymentIntent behind an invoice: made when it is finalized, confirmed when it is collected."""

from __future__ import annotations

from tests.payments.invoices.steps import customer, draft
from tests.support.api import NOW, Api


def test_a_refused_card_leaves_the_invoice_open_with_its_attempt(api: Api) -> None:
    who = customer(api, "pm_card_chargeCustomerFail")
    invoice = draft(api, who)
    refused = api.post(f"/v1/invoices/{invoice['id']}/pay")
    assert (refused.status, refused.error["code"]) == (402, "card_declined")
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert (after["status"], after["attempt_count"], after["amount_remaining"]) == ("open", 1, 2000)
    assert len(api.events("invoice.payment_failed")) == 1


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
