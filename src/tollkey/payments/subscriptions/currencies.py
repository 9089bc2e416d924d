"""The currency of a customer's subscriptions: one at a time; it may change once nothing is active in the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.customers import balance, views
from tollkey.payments.invoices import drafts
from tollkey.payments.subscriptions import kinds
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer


def check(call: Call, customer: StoredCustomer, currency: str) -> None:
    """Raise ApiError 400 if the customer has an active object in another currency.

    currency: lower-case code. Source: the guide to multi-currency customers, which has the text of the error.
    """
    known = customer.get("currency")
    taken = [known] if known and known != currency and is_active(call, customer, known) else _planned(call, customer)
    other = next((one for one in taken if one != currency), None)
    if other is not None:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription,"
            " subscription schedule, discount,"
            f" quote, or invoice item with currency {other}",
            "currency",
        )


def _planned(call: Call, customer: StoredCustomer) -> list[str]:
    """Return the currencies of the subscriptions that schedules of the customer will begin."""
    planned = call.objects.query(kinds.SCHEDULE, {"customer": customer["id"], "status": "not_started"})
    return [phase["currency"] for schedule in planned for phase in schedule["phases"]]


def set_currency(call: Call, customer: StoredCustomer, currency: str) -> None:
    """Make this the currency that a customer is billed in (lower-case code)."""
    if customer.get("currency") != currency:
        balance.change_currency(customer, currency)
        call.objects.save(customer, "customer.updated")


def is_active(call: Call, customer: StoredCustomer, currency: str) -> bool:
    """Return whether the customer has a subscription, schedule, discount, quote or pending item in a currency."""
    query, own = call.objects.query, {"customer": customer["id"]}
    had = customer.get("discount")
    discount = call.objects.find(kinds.DISCOUNT, had["id"]) if had else None
    return (
        any(one["currency"] == currency for one in query(kinds.SUBSCRIPTION, {**own, "status": list(views.LIVE)}))
        or any(
            phase["currency"] == currency
            for schedule in query(kinds.SCHEDULE, {**own, "status": "not_started"})
            for phase in schedule["phases"]
        )
        or any(one["currency"] == currency for one in query(kinds.QUOTE, {**own, "status": "open"}))
        or bool(drafts.pending_items(call, customer["id"], currency))
        or (discount is not None and discount["_coupon"]["currency"] == currency)
    )
