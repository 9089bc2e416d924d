"""PaymentIntents that pay invoices outside of a collection."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import attach, drafted, finalized, payment_for, read
from tests.support.api import Api
from tests.support.live import real_card
from tests.support.processor import Live, connected


@pytest.mark.parametrize(("amount", "paid", "over"), [(1_200, 1_200, 0), (1_500, 1_200, 300)])
def test_what_is_paid_beyond_an_invoice_is_credited_to_the_customer(
    api: Api, amount: int, paid: int, over: int
) -> None:
    invoice = finalized(api, drafted(api))
    card = api.get(f"/v1/customers/{invoice['customer']}/payment_methods")["data"][0]["id"]
    attach(api, invoice, payment_for(api, invoice, amount, payment_method=card, confirm=True, off_session=True))
    after = read(api, invoice)
    assert (after["status"], after["amount_paid"], after["amount_overpaid"]) == ("paid", paid, over)
    assert api.get(f"/v1/customers/{invoice['customer']}")["balance"] == -over
    moved = api.get(f"/v1/customers/{invoice['customer']}/balance_transactions")["data"]
    assert [one["type"] for one in moved] == ["invoice_overpaid"] * bool(over)
    assert len(api.events("invoice.overpaid")) == bool(over)


def test_an_invoice_that_is_partly_paid_is_not_voided(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    card = api.get(f"/v1/customers/{invoice['customer']}/payment_methods")["data"][0]["id"]
    attach(api, invoice, payment_for(api, invoice, 400, payment_method=card, confirm=True, off_session=True))
    refused = api.post(f"/v1/invoices/{invoice['id']}/void")
    assert (refused.status, refused.error["message"]) == (400, "Invoices with `paid` payments cannot be voided.")
    assert read(api, invoice)["amount_remaining"] == 800


# -- through a processor on a network, in live mode


def _live_invoice(live: Live, amount: int = 1_200) -> tuple[str, str]:
    """The ids of an open invoice, and of its customer, whose default card is a token of the processor."""
    method, customer = live.method(), live.post("/v1/customers")["id"]
    live.post(f"/v1/payment_methods/{method}/attach", customer=customer)
    live.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
    live.post("/v1/invoiceitems", customer=customer, amount=amount, currency="usd")
    made = live.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    live.post(f"/v1/invoices/{made['id']}/finalize", auto_advance=False)
    return made["id"], customer


def test_an_invoice_is_paid_when_its_processor_approves(api: Api) -> None:
    with connected(api) as live:
        id, _ = _live_invoice(live)
        paid = live.post(f"/v1/invoices/{id}/pay")
        assert (paid.status, paid["status"], paid["amount_paid"]) == (200, "paid", 1_200)
        assert live.money() == [1_200]
        assert "invoice.paid" in live.events()


def test_an_invoice_stays_open_when_its_processor_refuses_and_the_attempt_is_recorded_once(api: Api) -> None:
    with connected(api) as live:
        id, customer = _live_invoice(live)
        live.network.script = ["declined:insufficient_funds"]
        refused = live.post(f"/v1/invoices/{id}/pay")
        assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")
        after = live.get(f"/v1/invoices/{id}")
        assert (after["status"], after["attempt_count"], after["amount_paid"]) == ("open", 1, 0)
        assert live.events().count("invoice.payment_failed") == 1
        assert live.get(f"/v1/customers/{customer}")["delinquent"] is True


def test_an_invoice_whose_outcome_is_unknown_is_paid_when_it_is_known(api: Api) -> None:
    with connected(api) as live:
        id, _ = _live_invoice(live)
        live.network.script = ["unanswered"]
        waiting = live.post(f"/v1/invoices/{id}/pay")
        assert (waiting.status, waiting["status"]) == (200, "open")
        again = live.post(f"/v1/invoices/{id}/pay")
        assert (again.status, again.error["code"]) == (429, "lock_timeout")
        live.recover(10)
        assert live.get(f"/v1/invoices/{id}")["status"] == "paid"
        assert live.money() == [1_200]


def test_an_invoice_that_no_token_pays_fails_as_a_declined_card_does(api: Api) -> None:
    with connected(api) as live:
        customer = live.post("/v1/customers")["id"]
        card = {"number": real_card(), "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        method = live.post("/v1/payment_methods", type="card", card=card)["id"]
        live.post(f"/v1/payment_methods/{method}/attach", customer=customer)
        live.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
        price = {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
        product = live.post("/v1/products", name="Tea")["id"]
        made = live.post("/v1/subscriptions", customer=customer, items=[{"price_data": {**price, "product": product}}])
        assert (made.status, made["status"]) == (200, "incomplete")
        assert live.said() == []


def test_a_subscription_is_active_when_its_first_payment_is_approved(api: Api) -> None:
    with connected(api) as live:
        _, customer = _live_invoice(live)
        price = {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
        product = live.post("/v1/products", name="Tea")["id"]
        items = [{"price_data": {**price, "product": product}}]
        made = live.post("/v1/subscriptions", customer=customer, items=items)
        assert (made.status, made["status"]) == (200, "active")
        assert live.money() == [500]
        api.advance(32 * 86_400)
        live.recover(1)
        api.advance(3_700)
        live.recover(1)
        assert live.money() == [500, 500]
