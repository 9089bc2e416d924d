"""A failed invoice is collected again after 3, 5 and 7 days, and then no more."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY
from tests.support.api import Api
from tests.support.recipes import BAD_CARD, Maker
from tollkey.payments.invoices.retries import RETRY_DAYS


def test_the_attempts_are_days_apart_and_end(api: Api) -> None:
    customer = api.ok(
        "POST", "/v1/customers", payment_method=BAD_CARD, invoice_settings={"default_payment_method": BAD_CARD}
    )["id"]
    api.ok("POST", "/v1/invoiceitems", customer=customer, amount=1000, currency="usd")
    given = {"customer": customer, "pending_invoice_items_behavior": "include", "auto_advance": True}
    path = f"/v1/invoices/{api.ok('POST', '/v1/invoices', **given)['id']}"
    api.advance(3_600)
    for attempts, days in enumerate(RETRY_DAYS, 1):
        invoice = api.get(path)
        assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (attempts, api.now + days * DAY)
        api.advance(days * DAY - 1)
        assert api.get(path)["attempt_count"] == attempts
        api.advance(1)
    ended = api.get(path)
    assert (ended["attempt_count"], ended["next_payment_attempt"], ended["status"]) == (4, None, "open")


def test_the_first_invoice_of_a_subscription_is_not_collected_again(api: Api) -> None:
    customer = api.ok(
        "POST", "/v1/customers", payment_method=BAD_CARD, invoice_settings={"default_payment_method": BAD_CARD}
    )["id"]
    made = Maker(api).post(
        "/v1/subscriptions", customer=customer, payment_behavior="allow_incomplete",
        items=[{"price_data": {"currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"},
                               "product": api.ok("POST", "/v1/products", name="Gold")["id"]}}],
    )  # fmt: skip
    invoice = api.get(f"/v1/invoices/{made['latest_invoice']}")
    assert (made["status"], invoice["attempt_count"], invoice["next_payment_attempt"]) == ("incomplete", 1, None)
