"""How tests make the objects of ``payments.intents`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.recipes import HOME, META, Body, Json, Maker, Visit, visit_of
from tollkey.server import run_due

_DEPOSIT = {"descriptor_code": "SM11AA"}
#: The test account to which micro-deposits fail.
_NO_DEPOSITS = "000666666661"


def new_intent(m: Maker, **params: Any) -> Json:
    """An intent of 20 dollars that takes cards, unless other parameters are given."""
    return m.post(
        "/v1/payment_intents", **{"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"], **params}
    )


def paid_intent(m: Maker, **params: Any) -> Json:
    """An intent that was confirmed with a card."""
    return new_intent(m, payment_method="pm_card_visa", confirm=True, **params)


def new_setup_intent(m: Maker, **params: Any) -> Json:
    """An intent to save a card, unless other parameters are given."""
    return m.post("/v1/setup_intents", **{"allowed_payment_method_types": ["card"], **params})


def _cash_movement(m: Maker) -> Json:
    customer = m.post("/v1/customers")["id"]
    m.post(f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=100, currency="usd")
    return m.first(f"/v1/customers/{customer}/cash_balance_transactions")


def _growing(m: Maker) -> str:
    options = {"card": {"request_incremental_authorization": "if_available"}}
    found: str = paid_intent(m, capture_method="manual", payment_method_options=options)["id"]
    return found


def microdeposit(m: Maker, kind: str, account_number: str = "000123456789") -> str:
    """The id of an intent that waits for the amounts of the deposits. kind: ``payment`` or ``setup``."""
    method = {
        "type": "us_bank_account", "billing_details": {"name": "Jenny"},
        "us_bank_account": {"account_holder_type": "individual", "account_number": account_number,
        "routing_number": "110000000"},
    }  # fmt: skip
    make = new_intent if kind == "payment" else new_setup_intent
    accepted = {"customer_acceptance": {"type": "online", "online": {"ip_address": "1.2.3.4", "user_agent": "x"}}}
    made = make(
        m, allowed_payment_method_types=["us_bank_account"], payment_method_data=method, confirm=True,
        mandate_data=accepted,
        payment_method_options={"us_bank_account": {"verification_method": "microdeposits"}},
    )  # fmt: skip
    found: str = made["id"]
    return found


def _transfer_intent(m: Maker) -> str:
    made = new_intent(
        m, customer=m.id("customer"), allowed_payment_method_types=["customer_balance"],
        payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": {"funding_type": "bank_transfer",
        "bank_transfer": {"type": "us_bank_transfer"}}},
        confirm=True,
    )  # fmt: skip
    found: str = made["id"]
    return found


def bank_debit(m: Maker) -> None:
    """A SEPA debit that the bank has not decided on yet."""
    mandate = {"customer_acceptance": {"type": "offline"}}
    data = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": "DE89370400440532013000"},
        "billing_details": {"name": "J", "email": "j@example.com"},
    }
    m.post(
        "/v1/payment_intents",
        amount=2_000,
        currency="eur",
        allowed_payment_method_types=["sepa_debit"],
        payment_method_data=data,
        mandate_data=mandate,
        confirm=True,
    )


def _bank_debit_settled(m: Maker) -> None:
    """One look of the server's timer: what the debit brings about is left for the next."""
    bank_debit(m)
    m.api.world.clock[0] += 6
    for _ in range(100):
        m.api.world.runner.run(run_due(m.api.core, m.api.world.server.edge))
        if "succeeded" in {charge["status"] for charge in m.get("/v1/charges")["data"]}:
            return


def _challenged(m: Maker, what: str) -> str:
    found: str = m.post(
        f"/v1/{what}", allowed_payment_method_types=["card"], payment_method="pm_card_authenticationRequired",
        confirm=True,
        return_url=HOME,
        **({"amount": 2000, "currency": "usd"} if what == "payment_intents" else {}),
    )["id"]  # fmt: skip
    return found


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "payment_intent": new_intent,
    "setup_intent": new_setup_intent,
    "customer_cash_balance_transaction": _cash_movement,
    "cash_balance": lambda m: {"id": m.id("customer")},
}


def _attempt(m: Maker) -> str:
    """An attempt of 3-D Secure 2 that an intent waits for."""
    intent = m.post(
        "/v1/payment_intents",
        amount=2000,
        currency="usd",
        payment_method="pm_card_threeDSecure2Required",
        allowed_payment_method_types=["card"],
        confirm=True,
    )
    attempt: str = intent["next_action"]["use_stripe_sdk"]["three_d_secure_2_source"]
    return attempt


BODIES: dict[str, Body] = {
    "POST /v1/confirmation_tokens": {"payment_method": "pm_card_visa"},
    "POST /v1/test_helpers/confirmation_tokens": {"payment_method": "pm_card_visa"},
    "POST /v1/customers/{}/cash_balance": {"settings": {"reconciliation_mode": "manual"}},
    "POST /v1/customers/{}/funding_instructions": {
        "bank_transfer": {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "DE"}}, "currency": "eur",
        "funding_type": "bank_transfer"},
    "POST /v1/test_helpers/customers/{}/fund_cash_balance": {"amount": 100, "currency": "usd"},
    "GET /v1/elements/sessions": {
        "type": "deferred_intent", "deferred_intent": {"mode": "payment", "amount": 2000, "currency": "usd"}},
    "POST /v1/consumers/sessions/lookup": {"email_address": "jenny@example.com"},
    "POST /v1/3ds2/authenticate": lambda m: {"source": _attempt(m)},
    "POST /v1/3ds2/challenge_complete": lambda m: {"source": _attempt(m)},
    "GET /v1/payment_intents/search": {"query": "status:'succeeded'"},
    "POST /v1/payment_intents": {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"]},
    "POST /v1/payment_intents/{}": META,
    "POST /v1/payment_intents/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/payment_intents/{}/increment_authorization": {"amount": 3000},
    "POST /v1/payment_intents/{}/verify_microdeposits": {"amounts": [32, 45]},
    "POST /v1/setup_intents": {"allowed_payment_method_types": ["card"]},
    "POST /v1/setup_intents/{}": META,
    "POST /v1/setup_intents/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/setup_intents/{}/verify_microdeposits": {"amounts": [32, 45]},
    "GET /v1/setup_attempts": lambda m: {"setup_intent": m.id("setup_intent")},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/payment_intents/{}/capture": lambda m: [paid_intent(m, capture_method="manual")["id"]],
    "POST /v1/payment_intents/{}/increment_authorization": lambda m: [_growing(m)],
    "POST /v1/payment_intents/{}/verify_microdeposits": lambda m: [microdeposit(m, "payment")],
    "POST /v1/setup_intents/{}/verify_microdeposits": lambda m: [microdeposit(m, "setup")],
    "POST /v1/payment_intents/{}/apply_customer_balance": lambda m: [_transfer_intent(m)],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "payment_intent.charge_settled": _bank_debit_settled,
    "payment_intent.expire": lambda m: paid_intent(m, capture_method="manual"),
    "payment_intent.waited": lambda m: microdeposit(m, "payment", _NO_DEPOSITS),
    "setup_intent.deposits": lambda m: microdeposit(m, "setup", _NO_DEPOSITS),
}


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "GET /3ds/{token}": (lambda m, card: Visit(_challenged(m, "payment_intents"), {}),),
    "POST /3ds/{token}/complete": (lambda m, card: Visit(_challenged(m, "payment_intents"), {}),),
    "POST /3ds/{token}/fail": (lambda m, card: Visit(_challenged(m, "payment_intents"), {}),),
    "GET /3ds-setup/{token}": (lambda m, card: Visit(_challenged(m, "setup_intents"), {}),),
    "POST /3ds-setup/{token}/complete": (lambda m, card: Visit(_challenged(m, "setup_intents"), {}),),
    "POST /3ds-setup/{token}/fail": (lambda m, card: Visit(_challenged(m, "setup_intents"), {}),),
    "GET /bank-transfer/{token}": (visit_of("payment_intent"),),
    "GET /microdeposit/{token}": (lambda m, card: Visit(microdeposit(m, "payment"), {}),),
    "POST /microdeposit/{token}/verify": (lambda m, card: Visit(microdeposit(m, "payment"), _DEPOSIT),),
    "GET /microdeposit-setup/{token}": (lambda m, card: Visit(microdeposit(m, "setup"), {}),),
    "POST /microdeposit-setup/{token}/verify": (lambda m, card: Visit(microdeposit(m, "setup"), _DEPOSIT),),
}
