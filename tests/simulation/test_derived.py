"""State that does not follow from the other objects is found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.simulation.derived import CHECKS, Stored, delinquent, wrong
from tests.support.api import Api
from tollkey.db import Scope, Tx


@pytest.mark.parametrize(
    ("object", "name", "other"),
    [
        ("charge", "amount_refunded", 1),
        ("payment_intent", "latest_charge", "ch_other"),
        ("invoice", "amount_remaining", 1),
        ("subscription", "currency", "eur"),
        ("subscription", "cancel_at", 1),
        ("customer", "default_source", None),
        ("customer", "default_source", "card_other"),
        ("setup_intent", "latest_attempt", None),
        ("product", "default_price", "{price}"),
    ],
)
def test_what_does_not_follow_from_other_objects_is_found(api: Api, object: str, name: str, other: object) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    api.ok("post", f"/v1/subscriptions/{sub['id']}", cancel_at_period_end=True)
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']}", expand=["payments"])
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    charge = api.get(f"/v1/payment_intents/{intent}")["latest_charge"]
    api.ok("post", f"/v1/customers/{who}/sources", source="tok_visa")
    set_up = api.ok(
        "post", "/v1/setup_intents", payment_method="pm_card_visa", confirm=True, return_url="https://example.com"
    )
    price = {"currency": "usd", "unit_amount": 100}
    product = api.ok("post", "/v1/products", name="Hat", default_price_data=price)["id"]
    ids = {
        "charge": charge, "payment_intent": intent, "invoice": invoice["id"], "subscription": sub["id"],
        "customer": who, "setup_intent": set_up["id"], "product": product,
    }  # fmt: skip
    if other == "{price}":
        other = api.ok("post", "/v1/prices", **price, product_data={"name": "Coat"})["id"]
    core = api.core

    def look(tx: Tx) -> tuple[list[str], set[str]]:
        stored = Stored(core.setup.tables.of, tx, Scope(api.account, False))
        value = stored.one(object, ids[object])
        assert value is not None
        findings = CHECKS[object](stored, {**value, name: other})
        return list(wrong(stored, object, ids[object])), {one for one, told, found in findings if told != found}

    right, found = core.database.read(look)
    assert right == []
    assert name in found


def event(type: str, request: str | None = None) -> dict[str, Any]:
    return {"type": type, "request": {"id": request}}


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (["invoice.payment_failed"], True),
        (["invoice.payment_failed", "invoice.paid"], False),
        (["invoice.paid", "invoice.overdue"], True),
        (["invoice.overdue", "invoice.created"], True),
        (["invoice.payment_action_required", "invoice.payment_failed"], None),
        (["invoice.payment_action_required", "invoice.payment_failed", "invoice.paid"], False),
    ],
)
def test_what_a_customer_owes_follows_from_the_events_of_their_invoices(happened: list[str], told: bool | None) -> None:
    found: bool | None = False
    for type in happened:
        found = delinquent(found, event(type))
    assert found is told


def test_what_was_done_by_hand_tells_less() -> None:
    assert delinquent(False, event("invoice.payment_failed", "req_1")) is None
    assert delinquent(True, event("invoice.marked_uncollectible", "req_1")) is False
    assert delinquent(True, event("invoice.marked_uncollectible")) is True
