"""The customer's balance: credit that invoices use up, and debt that they collect. Negative is credit."""

from __future__ import annotations

from tests.support.api import Api


def test_a_balance_given_at_creation_is_a_transaction(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", balance=-500)
    assert customer["balance"] == -500
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, balance=100)["balance"] == 100
    listed = api.ok("get", path + "/balance_transactions")["data"]
    assert [(entry["amount"], entry["type"]) for entry in listed] == [(600, "adjustment"), (-500, "initial")]


def test_credit_in_one_currency_pays_no_invoice_in_another(api: Api) -> None:
    who = api.ok("post", "/v1/customers", payment_method="pm_card_visa")["id"]
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="eur")
    invoice = api.ok("post", "/v1/invoices", customer=who, currency="usd")["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=2000, currency="usd")
    open_invoice = api.ok("post", f"/v1/invoices/{invoice}/finalize", auto_advance=False)
    assert [open_invoice[name] for name in ("starting_balance", "amount_due", "ending_balance")] == [0, 2000, 0]
    assert api.get(f"/v1/customers/{who}")["balance"] == -500


def test_each_currency_has_a_balance_of_its_own(api: Api) -> None:
    who = api.ok("post", "/v1/customers", payment_method="pm_card_visa")["id"]
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="eur")
    dues = []
    for amount in (-300, 1000):
        invoice = api.ok("post", "/v1/invoices", customer=who, currency="usd")["id"]
        api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=amount, currency="usd")
        dues.append(api.ok("post", f"/v1/invoices/{invoice}/finalize", auto_advance=False)["amount_due"])
    assert dues == [0, 700]
    assert api.get(f"/v1/customers/{who}")["balance"] == -500
    changes = api.get(f"/v1/customers/{who}/balance_transactions")["data"]
    assert [(one["amount"], one["currency"], one["ending_balance"]) for one in changes] == [
        (300, "usd", 0),
        (-300, "usd", -300),
        (-500, "eur", -500),
    ]


def test_the_credit_in_each_currency_is_shown_when_asked_for(api: Api) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    shown = []
    for amount, currency in ((-500, "eur"), (-700, "cad"), (700, "cad")):
        api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=amount, currency=currency)
        shown.append(api.get(f"/v1/customers/{who}", expand=["invoice_credit_balance"])["invoice_credit_balance"])
    assert shown == [{"eur": -500}, {"eur": -500, "cad": -700}, {"eur": -500}]
    assert api.get(f"/v1/customers/{who}")["currency"] == "eur"
