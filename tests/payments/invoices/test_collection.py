"""The PaymentIntent behind an invoice: made when it is finalized, confirmed when it is collected."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.invoices.steps import customer, draft
from tests.support.api import NOW, Answer, Api, rule_table
from tests.support.connected import connected


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


def _intent(api: Api, invoice: str) -> Answer:
    payment = api.get("/v1/invoice_payments", invoice=invoice)["data"][0]["payment"]["payment_intent"]
    return api.get(f"/v1/payment_intents/{payment}", expand=["latest_charge"])


def test_the_payment_has_the_options_of_the_invoice_and_follows_them_while_it_waits(api: Api) -> None:
    options = {"card": {"request_three_d_secure": "any"}}
    settings = {"payment_method_types": ["card"], "payment_method_options": options}
    invoice = draft(api, customer(api), payment_settings=settings)["id"]
    api.ok("post", f"/v1/invoices/{invoice}/finalize", auto_advance=False)
    shown = _intent(api, invoice)["payment_method_options"]
    assert (shown.keys(), shown["card"]["request_three_d_secure"]) == ({"card"}, "any")
    later = {
        "payment_method_types": ["card", "sepa_debit"],
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    }
    api.ok("post", f"/v1/invoices/{invoice}", payment_settings=later)
    after = _intent(api, invoice)
    assert after["payment_method_types"] == ["card", "sepa_debit"]
    assert after["payment_method_options"]["card"]["request_three_d_secure"] == "automatic"


def _bank(api: Api) -> str:
    """The payment method of a German bank account."""
    given = {"name": "Jenny", "email": "jenny@example.com"}
    iban = {"iban": "DE89370400440532013000"}
    made = api.ok("post", "/v1/payment_methods", type="sepa_debit", sepa_debit=iban, billing_details=given)
    return str(made["id"])


def _mandate(api: Api, who: str, bank: str) -> str:
    """Save a bank account for a customer, and return the mandate."""
    accepted = {"customer_acceptance": {"type": "offline"}}
    setup = {"customer": who, "payment_method": bank, "allowed_payment_method_types": ["sepa_debit"], "confirm": True}
    return str(api.ok("post", "/v1/setup_intents", mandate_data=accepted, **setup)["mandate"])


def test_the_default_mandate_of_an_invoice_is_used_with_its_payment_method(api: Api) -> None:
    who = customer(api)
    bank = _bank(api)
    first, _ = (_mandate(api, who, bank) for _ in range(2))
    settings = {"payment_method_types": ["card", "sepa_debit"], "default_mandate": first}
    invoice = api.ok("post", "/v1/invoices", customer=who, currency="eur", payment_settings=settings)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=900, currency="eur")
    api.ok("post", f"/v1/invoices/{invoice}/pay", payment_method=bank)
    assert _intent(api, invoice)["latest_charge"]["payment_method_details"]["sepa_debit"]["mandate"] == first


def test_an_invoice_takes_the_type_of_its_customers_default_method(api: Api) -> None:
    who = customer(api)
    bank = _bank(api)
    _mandate(api, who, bank)
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bank})
    for currency, types in (("eur", ["card", "sepa_debit"]), ("gbp", ["card"])):
        invoice = api.ok("post", "/v1/invoices", customer=who, currency=currency)["id"]
        api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=900, currency=currency)
        api.ok("post", f"/v1/invoices/{invoice}/finalize")
        assert _intent(api, invoice)["payment_method_types"] == types
        assert api.post(f"/v1/invoices/{invoice}/pay").status == (200 if currency == "eur" else 400)


@rule_table
@pytest.mark.parametrize(("given", "before", "after"), [
    ({"application_fee_amount": 700}, (700, None), (500, None)),
    ({"application_fee_amount": 300}, (300, None), (300, None)),
    ({"share": {"amount": 700}}, (None, 700), (None, 500)),
    ({}, (None, None), (None, None)),
], ids=str)  # fmt: skip
def test_other_accounts_get_at_most_what_a_credit_note_leaves(
    api: Api, given: dict[str, Any], before: tuple[int | None, int | None], after: tuple[int | None, int | None]
) -> None:
    fee = {name: value for name, value in given.items() if name != "share"}
    share = {"destination": connected(api)["id"], **given.get("share", {})}
    invoice = draft(api, customer(api), 1000, auto_advance=False, transfer_data=share, **fee)["id"]
    api.ok("post", f"/v1/invoices/{invoice}/finalize")

    def parts() -> tuple[int | None, int | None]:
        intent = _intent(api, invoice)
        return intent["application_fee_amount"], intent["transfer_data"].get("amount")

    assert parts() == before
    note = api.ok("post", "/v1/credit_notes", invoice=invoice, amount=500)["id"]
    assert (_intent(api, invoice)["amount"], parts()) == (500, after)
    api.ok("post", f"/v1/credit_notes/{note}/void")
    assert (_intent(api, invoice)["amount"], parts()) == (1000, before)


def test_the_payment_of_an_open_invoice_follows_its_transfer(api: Api) -> None:
    one, other = connected(api)["id"], connected(api)["id"]
    invoice = draft(api, customer(api), 1000, auto_advance=False, transfer_data={"destination": one})["id"]
    api.ok("post", f"/v1/invoices/{invoice}/finalize")
    path = f"/v1/invoices/{invoice}"
    refused = api.post(path, transfer_data={"destination": other, "amount": 1001})
    assert (refused.status, refused.error["param"]) == (400, "transfer_data[amount]")
    assert _intent(api, invoice)["transfer_data"]["destination"] == one
    api.ok("post", path, transfer_data={"destination": other, "amount": 400})
    assert _intent(api, invoice)["transfer_data"] == {"destination": other, "amount": 400}
    api.ok("post", path, transfer_data="")
    assert _intent(api, invoice)["transfer_data"] is None
    paid = api.ok("post", f"{path}/pay")
    assert (paid["status"], api.get("/v1/transfers")["data"]) == ("paid", [])


def test_a_payment_elsewhere_cancels_the_one_that_was_prepared(api: Api) -> None:
    invoice = draft(api, customer(api), 1000, auto_advance=False)["id"]
    api.ok("post", f"/v1/invoices/{invoice}/finalize")
    api.ok("post", f"/v1/invoices/{invoice}/pay", paid_out_of_band=True)
    assert _intent(api, invoice)["status"] == "canceled"
    assert [one["status"] for one in api.get("/v1/invoice_payments", invoice=invoice)["data"]] == ["canceled"]
