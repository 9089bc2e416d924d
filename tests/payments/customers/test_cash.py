"""A customer's cash is kept by currency, and each movement says what is left."""

from __future__ import annotations

from tests.support.api import Api


def test_cash_is_kept_by_currency_and_each_movement_says_what_is_left(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/customers/{customer}/cash_balance"
    assert api.get(path)["available"] is None
    for amount, currency in ((300, "usd"), (200, "eur"), (50, "usd")):
        api.ok("POST", f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=amount, currency=currency)
    assert api.get(path)["available"] == {"usd": 350, "eur": 200}
    moved = api.get(f"{path}_transactions")["data"]
    assert [(one["net_amount"], one["ending_balance"]) for one in moved] == [(50, 350), (200, 200), (300, 300)]


def test_an_intent_never_takes_more_than_there_is(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    api.ok("POST", f"/v1/customers/{customer}/cash_balance", settings={"reconciliation_mode": "manual"})
    api.ok("POST", f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=300, currency="usd")
    options = {"funding_type": "bank_transfer", "bank_transfer": {"type": "us_bank_transfer"}}
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=1000, currency="usd", customer=customer, confirm=True,
        allowed_payment_method_types=["customer_balance"], payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": options},
    )["id"]  # fmt: skip
    api.ok("POST", f"/v1/payment_intents/{intent}/apply_customer_balance")
    assert api.get(f"/v1/customers/{customer}/cash_balance")["available"] is None
    assert api.get(f"/v1/payment_intents/{intent}")["status"] == "requires_action"
