"""State that does not follow from the other objects is found."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.simulation.derived import CHECKS, Stored, wrong
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
    ],
)
def test_what_does_not_follow_from_other_objects_is_found(api: Api, object: str, name: str, other: object) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    api.ok("post", f"/v1/subscriptions/{sub['id']}", cancel_at_period_end=True)
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']}", expand=["payments"])
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    charge = api.get(f"/v1/payment_intents/{intent}")["latest_charge"]
    ids = {"charge": charge, "payment_intent": intent, "invoice": invoice["id"], "subscription": sub["id"]}
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
