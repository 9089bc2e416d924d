"""How tests make the objects of ``payments.charges`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.payments.intents.recipes import bank_debit, paid_intent
from tests.payments.methods.recipes import card_token
from tests.platform.recipes import enabled_account
from tests.support.recipes import META, Body, Json, Maker


def new_charge(m: Maker, **params: Any) -> Json:
    """A paid charge of 20 dollars, unless other parameters are given."""
    return m.post("/v1/charges", **{"amount": 2000, "currency": "usd", "source": "tok_visa", **params})


def _disputed(m: Maker) -> Json:
    new_charge(m, source="tok_createDispute")
    m.api.advance(1)
    return m.first("/v1/disputes")


def funded(m: Maker) -> Json:
    """A charge whose 5,000 dollars are available at once."""
    return new_charge(m, amount=500_000, source="tok_bypassPending")


def _transfer(m: Maker, **more: Any) -> Json:
    funded(m)
    return m.post("/v1/transfers", amount=1000, currency="usd", destination=enabled_account(m)["id"], **more)


def _application_fee(m: Maker) -> Json:
    new_charge(m, application_fee_amount=100, transfer_data={"destination": enabled_account(m)["id"]})
    return m.first("/v1/application_fees")


def _reported(m: Maker, **more: Any) -> Json:
    """A payment of another processor."""
    return m.post("/v1/payment_records/report_payment", **m.body("POST /v1/payment_records/report_payment"), **more)


def _warning(m: Maker) -> Json:
    m.api.advance(1)
    return m.first("/v1/radar/early_fraud_warnings")


def _held_card(m: Maker) -> list[str]:
    return [new_charge(m, capture=False)["id"]]


def _waiting_refund(m: Maker) -> str:
    """A refund that has not reached its card yet: only those can be cancelled."""
    found: str = m.post("/v1/refunds", charge=new_charge(m, source=card_token(m, "4000000000007726"))["id"])["id"]
    return found


def _pending_refund(m: Maker) -> None:
    m.post("/v1/refunds", charge=new_charge(m, source="tok_pendingRefund")["id"])


COLLECTIONS = {
    "/v1/application_fees/{}/refunds": "fee_refund",
    "/v1/transfers/{}/reversals": "transfer_reversal",
    "/v1/charges/{}/refunds": "refund",
}


PARENT_FIELDS = {
    ("fee_refund", "application_fee"): "fee",
}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "application_fee": _application_fee,
    "dispute": _disputed,
    "fee_refund": lambda m: m.post(f"/v1/application_fees/{_application_fee(m)['id']}/refunds", amount=10),
    "payment_record": _reported,
    "payment_attempt_record": lambda m: m.get(
        f"/v1/payment_attempt_records/{_reported(m)['latest_payment_attempt_record']}"
    ),
    "radar.early_fraud_warning": lambda m: (new_charge(m, source=card_token(m, "4000000000005423")), _warning(m))[1],
    "refund": lambda m: m.post("/v1/refunds", charge=new_charge(m)["id"], amount=100),
    "review": lambda m: (new_charge(m, source="tok_riskLevelElevated"), m.api.advance(1), m.first("/v1/reviews"))[2],
    "transfer": _transfer,
    "transfer_reversal": lambda m: m.post(f"/v1/transfers/{_transfer(m)['id']}/reversals", amount=10),
    "radar.value_list_item": lambda m: m.post(
        "/v1/radar/value_list_items", value_list=m.make("radar.value_list")["id"], value="1.2.3.4"
    ),
}


BODIES: dict[str, Body] = {
    "POST /v1/application_fees/{}/refunds": {"amount": 5},
    "POST /v1/application_fees/{}/refunds/{}": META,
    "POST /v1/charges": {"amount": 2000, "currency": "usd", "source": "tok_visa"},
    "POST /v1/charges/{}": META,
    "GET /v1/charges/search": {"query": "amount>100"},
    "POST /v1/disputes/{}": META,
    "POST /v1/charges/{}/dispute": META,
    "POST /v1/payment_records/report_payment": lambda m: {
        "amount_requested": {"value": 1000, "currency": "usd"}, "initiated_at": m.api.now,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Wallet"}}},
    "POST /v1/payment_records/{}/report_payment_attempt": lambda m: {"initiated_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_canceled": lambda m: {"canceled_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_failed": lambda m: {"failed_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_guaranteed": lambda m: {"guaranteed_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_informational": {"description": "Hat"},
    "POST /v1/payment_records/{}/report_refund": lambda m: {
        "outcome": "refunded", "refunded": {"refunded_at": m.api.now},
        "processor_details": {"type": "custom", "custom": {"refund_reference": "r1"}}},
    "GET /v1/payment_attempt_records": lambda m: {"payment_record": m.make("payment_record")["id"]},
    "POST /v1/radar/value_lists": lambda m: {"alias": f"list_{m.next()}", "name": "Bad ones",
    "item_type": "ip_address"},
    "POST /v1/radar/value_lists/{}": META,
    "POST /v1/radar/value_list_items": lambda m: {"value_list": m.make("radar.value_list")["id"], "value": "1.2.3.4"},
    "GET /v1/radar/value_list_items": lambda m: {"value_list": m.id("radar.value_list")},
    "POST /v1/refunds": lambda m: {"charge": new_charge(m)["id"]},
    "POST /v1/refunds/{}": META,
    "POST /v1/charges/{}/refunds/{}": META,
    "POST /v1/transfers": lambda m: (
        funded(m), {"amount": 1000, "currency": "usd", "destination": enabled_account(m)["id"]})[1],
    "POST /v1/transfers/{}": META,
    "POST /v1/transfers/{}/reversals": {"amount": 10},
    "POST /v1/transfers/{}/reversals/{}": META,
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/payment_records/{}/report_payment_attempt": lambda m: [
        _reported(m, outcome="failed", failed={"failed_at": m.api.now})["id"]
    ],
    "POST /v1/payment_records/{}/report_refund": lambda m: [
        _reported(m, outcome="guaranteed", guaranteed={"guaranteed_at": m.api.now})["id"]
    ],
    "POST /v1/charges/{}/capture": _held_card,
    "GET /v1/charges/{}/dispute": lambda m: [_disputed(m)["charge"]],
    "POST /v1/charges/{}/dispute": lambda m: [_disputed(m)["charge"]],
    "POST /v1/charges/{}/dispute/close": lambda m: [_disputed(m)["charge"]],
    "POST /v1/charges/{}/refund": lambda m: [new_charge(m)["id"]],
    "POST /v1/refunds/{}/cancel": lambda m: [_waiting_refund(m)],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "charge.collect": lambda m: paid_intent(m, capture_method="automatic_async"),
    "charge.expire": lambda m: new_charge(m, capture=False),
    "charge.settle": bank_debit,
    "dispute.due": _disputed,
    "refund.settle": _pending_refund,
}
