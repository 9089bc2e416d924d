"""Balance transactions: one wire object (``txn_…``) for each ledger transaction that moves a merchant's balance."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import acting, connected


def test_a_dispute_settled_abroad_tells_no_exchange_rate(api: Api) -> None:
    bank = {
        "object": "bank_account",
        "country": "CA",
        "currency": "cad",
        "account_number": "000123456789",
        "routing_number": "11000-000",
    }
    abroad = connected(api, country="CA", external_account=bank)["id"]
    intent = api.ok(
        "post", "/v1/payment_intents", amount=1000, currency="usd", confirm=True,
        payment_method="pm_card_createDispute",
        allowed_payment_method_types=["card"], on_behalf_of=abroad, transfer_data={"destination": abroad},
        expand=["latest_charge.balance_transaction"],
    )  # fmt: skip
    taken = intent["latest_charge"]["balance_transaction"]
    withdrawn = api.ok("get", f"/v1/disputes/{intent['latest_charge']['dispute']}")["balance_transactions"][0]
    assert (taken["currency"], withdrawn["currency"], withdrawn["amount"]) == ("cad", "cad", -taken["amount"])
    assert taken["exchange_rate"] is not None
    assert withdrawn["exchange_rate"] is None


def test_a_payment_is_held_as_long_as_the_settings_of_its_account_say(api: Api) -> None:
    account = connected(api)
    given = {"amount": 1_000, "currency": "usd", "source": "tok_visa", "headers": acting(account)}

    def held_days() -> int:
        charge = api.ok("post", "/v1/charges", **given)
        made = api.get(f"/v1/balance_transactions/{charge['balance_transaction']}", headers=acting(account))
        return int((made["available_on"] - api.now // 86_400 * 86_400) // 86_400)

    assert held_days() == 4  # two business days, from a Thursday
    payments = {"settlement_timing": {"delay_days_override": 7}}
    api.ok("post", "/v1/balance_settings", headers=acting(account), payments=payments)
    assert held_days() == 11
