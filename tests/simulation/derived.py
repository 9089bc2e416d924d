"""State that follows from other objects, worked out anew from them: after each call for the objects that it touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from tollkey.db import Scope, Table, Tx

Value = dict[str, Any]
ENDED = ("canceled", "incomplete_expired")
NO_REFUND = ("failed", "canceled")
SAVED = ("card", "bank_account", "source")


class Stored:
    """The stored objects of one scope."""

    def __init__(self, tables: Mapping[str, Table], tx: Tx, scope: Scope) -> None:
        self.tables, self.tx, self.scope = tables, tx, scope

    def one(self, object: str, id: str) -> Value | None:
        record = self.tables[object].get(self.tx, self.scope, id)
        return orjson.loads(record.body) if record is not None else None

    def every(self, object: str, **equal: str) -> list[Value]:
        """Those with these properties, newest first."""
        records = self.tables[object].page(self.tx, self.scope, 1000, equal)
        return [orjson.loads(record.body) for record in records]


def wrong(stored: Stored, object: str, id: str) -> Iterator[str]:
    """What of an object does not follow from the others, in words."""
    check = CHECKS.get(object)
    value = stored.one(object, id) if check is not None else None
    if check is not None and value is not None and not value.get("deleted"):
        for name, told, found in check(stored, value):
            if told != found:
                yield f"{object} {id}: {name} is {told}, but follows as {found}"


Finding = tuple[str, Any, Any]


def _charge(stored: Stored, charge: Value) -> Iterator[Finding]:
    refunds = [one for one in stored.every("refund", charge=charge["id"]) if one["status"] not in NO_REFUND]
    yield "amount_refunded", charge["amount_refunded"], sum(one["amount"] for one in refunds)
    yield "refunded", charge["refunded"], charge["amount_refunded"] == charge["amount"] > 0
    dispute = stored.every("dispute", charge=charge["id"])
    yield "disputed", charge["disputed"], bool(dispute)


def _intent(stored: Stored, intent: Value) -> Iterator[Finding]:
    charges = stored.every("charge", payment_intent=intent["id"])
    if charges:
        yield "latest_charge", intent["latest_charge"], charges[0]["id"]
    taken = sum(one["amount_captured"] for one in charges if one["status"] == "succeeded")
    yield "amount_received", intent["amount_received"], taken


def _invoice(stored: Stored, invoice: Value) -> Iterator[Finding]:
    yield "amount_remaining", invoice["amount_remaining"], max(invoice["amount_due"] - invoice["amount_paid"], 0)
    lines = invoice["lines"]
    yield "lines.has_more", lines["has_more"], lines.get("total_count", len(lines["data"])) > len(lines["data"])
    if not lines["has_more"]:
        yield "subtotal", invoice["subtotal"], sum(line["amount"] for line in lines["data"])
    off = sum(one["amount"] for one in invoice["total_discount_amounts"])
    taxes = sum(one["amount"] for one in invoice["total_taxes"] if one["tax_behavior"] == "exclusive")
    shipping = (invoice["shipping_cost"] or {}).get("amount_subtotal", 0)
    yield "total", invoice["total"], invoice["subtotal"] - off + taxes + shipping
    before = invoice["starting_balance"]
    if invoice["status"] == "draft":
        yield "ending_balance", invoice["ending_balance"], None
    elif invoice["ending_balance"] is not None and invoice["total"] + before <= 0:
        yield "amount_due", invoice["amount_due"], 0


def _subscription(stored: Stored, subscription: Value) -> Iterator[Finding]:
    items = stored.every("subscription_item", subscription=subscription["id"])
    names = ("id", "current_period_start", "current_period_end")
    shown = subscription["items"]
    yield "items.has_more", shown["has_more"], len(items) > len(shown["data"])
    if not shown["has_more"]:
        told = sorted(tuple(item[name] for name in names) for item in shown["data"])
        yield "items", told, sorted(tuple(item[name] for name in names) for item in items)
    ends = subscription["status"] not in ENDED
    if ends and subscription["cancel_at_period_end"]:
        yield "cancel_at", subscription["cancel_at"], min(item["current_period_end"] for item in items)
    yield "ended_at is set", subscription["ended_at"] is not None, not ends
    of = {"parent.subscription_details.subscription": subscription["id"]}
    invoices = [one for one in stored.every("invoice", **of) if one["billing_reason"] != "manual"]
    if invoices and subscription["latest_invoice"] in {one["id"] for one in invoices}:
        yield "latest_invoice", subscription["latest_invoice"], invoices[0]["id"]
    currencies = {item["price"]["currency"] for item in items if item["price"].get("currency_options") is None}
    if len(currencies) == 1:
        yield "currency", subscription["currency"], currencies.pop()
    trialing = subscription["status"] == "trialing"
    yield "trial_end is set", subscription["trial_end"] is not None or not trialing, True


def _customer(stored: Stored, customer: Value) -> Iterator[Finding]:
    moves = stored.every("customer_balance_transaction", customer=customer["id"])
    own = [one for one in moves if one["currency"] == customer.get("currency")]
    if own:
        yield "balance", customer["balance"], own[0]["ending_balance"]
        yield "the sum of its balance", customer["balance"], sum(one["amount"] for one in own)
    method = (customer.get("invoice_settings") or {}).get("default_payment_method")
    found = stored.one("payment_method", method) if method else None
    if found is not None:
        yield "the customer of its default_payment_method", customer["id"], found["customer"]
    saved = {one["id"] for kind in SAVED for one in stored.every(kind, customer=customer["id"])}
    default = customer.get("default_source")
    yield "default_source", default, default if default in saved else min(saved, default=None)


def _setup_intent(stored: Stored, intent: Value) -> Iterator[Finding]:
    attempts = stored.every("setup_attempt", setup_intent=intent["id"])
    yield "latest_attempt", intent["latest_attempt"], attempts[0]["id"] if attempts else None


def _product(stored: Stored, product: Value) -> Iterator[Finding]:
    price = stored.one("price", product["default_price"]) if product.get("default_price") else None
    if price is not None:
        yield "default_price", price["id"], price["id"] if price["product"] == product["id"] else None


def delinquent(before: bool | None, event: Value) -> bool | None:
    """What an event of an invoice makes of its customer's ``delinquent``; None when the event alone does not tell.

    A failed payment that was asked for by hand changes nothing, and that of a request may be either.
    """
    told = {"invoice.paid": False, "invoice.overdue": True}
    type, by_itself = event["type"], event["request"]["id"] is None
    if type == "invoice.marked_uncollectible" and not by_itself:
        return False
    if type == "invoice.payment_failed":
        return True if by_itself and before is not None else None
    if type == "invoice.payment_action_required":
        return None
    return told.get(type, before)


CHECKS: dict[str, Callable[[Stored, Value], Iterator[Finding]]] = {
    "charge": _charge,
    "payment_intent": _intent,
    "invoice": _invoice,
    "subscription": _subscription,
    "customer": _customer,
    "setup_intent": _setup_intent,
    "product": _product,
}
