"""The discounts that apply to the invoices of a subscription, and the minimum amounts of promotion codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.catalog import kinds, redemption, restrictions
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription


def discounts_of(subscription: StoredSubscription, customer: StoredCustomer) -> list[str]:
    """Return the ids of the discounts of a subscription's invoices: its own, or the customer's if it has none."""
    return list(subscription["discounts"]) or discounts_of_customer(customer)


def discounts_of_customer(customer: StoredCustomer) -> list[str]:
    """Return the id of the customer's own discount in a list; empty without one."""
    discount = customer.get("discount")
    return [discount["id"]] if discount else []


def check_minimum(call: Call, params: Mapping[str, Any], purchase: Money) -> None:
    """Raise ApiError 400 for a promotion code whose ``minimum_amount`` is more than what is bought.

    params: ``discounts``, or ``promotion_code`` of older versions.
    """
    for place, entry in enumerate(redemption.entries_of(params) or ()):
        code = call.objects.find(kinds.PROMOTION_CODE, entry.get("promotion_code") or "")
        if code is not None:
            named = entry.get("_named") or f"discounts[{place}][promotion_code]"
            restrictions.check_minimum(code, purchase, named)


def previewed(call: Call, entries: Iterable[DiscountEntry]) -> list[str]:
    """Return the ids of kept discounts, then of those that exist only in this request. entries: of ``discounts``."""
    kept, made = [], []
    for place, entry in enumerate(entries):
        if entry.get("discount"):
            kept.append(
                call.objects.get(kinds.DISCOUNT, entry["discount"] or "", f"discounts[{place}][discount]")["id"]
            )
        if entry.get("coupon") or entry.get("promotion_code"):
            made.append(redemption.preview_discount(call, entry, f"discounts[{place}]")["id"])
    return kept + made
