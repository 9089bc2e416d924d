"""The discounts that apply to the invoices of a subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription


def discounts_of(subscription: StoredSubscription, customer: StoredCustomer) -> list[str]:
    """Return the ids of the discounts of a subscription's invoices: its own, or the customer's if it has none."""
    return list(subscription["discounts"]) or discounts_of_customer(customer)


def discounts_of_customer(customer: StoredCustomer) -> list[str]:
    """Return the id of the customer's own discount in a list; empty without one."""
    discount = customer.get("discount")
    return [discount["id"]] if discount else []
