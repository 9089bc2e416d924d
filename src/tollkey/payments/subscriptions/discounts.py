"""Which discounts count for what a subscription bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription


def discounts_of(subscription: StoredSubscription, customer: StoredCustomer) -> list[str]:
    """The discounts of a subscription's invoices: its own, or the customer's when it has none."""
    return list(subscription["discounts"]) or discounts_of_customer(customer)


def discounts_of_customer(customer: StoredCustomer) -> list[str]:
    """The id of a customer's own discount; nothing without one."""
    discount = customer.get("discount")
    return [discount["id"]] if discount else []
