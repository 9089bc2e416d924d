"""The customer's balance: credit that invoices use up, and debt that they collect. Negative is credit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tollkey.payments.customers import kinds
from tollkey.wire import Call, invalid, new_object

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import BalanceChangeDetails, StoredCustomer
    from tollkey.wire import api


def change_balance(
    call: Call,
    customer: StoredCustomer,
    amount: int,
    type: str,
    *,
    currency: str,
    event: bool = True,
    **details: Unpack[BalanceChangeDetails],
) -> api.CustomerBalanceTransaction:
    """Move a customer's balance by ``amount`` minor units (negative gives credit) and record why.

    details: ``invoice``, ``credit_note``, ``description``, ``metadata``.
    """
    customer["balance"] = (customer.get("balance") or 0) + amount
    customer["currency"] = customer.get("currency") or currency
    transaction = new_object(
        kinds.BALANCE_TRANSACTION,
        id=call.ids.new("cbtxn"),
        amount=amount,
        created=call.now,
        currency=currency,
        customer=customer["id"],
        ending_balance=customer["balance"],
        livemode=call.livemode,
        type=type,
        **details,
    )
    call.objects.insert(transaction)
    call.objects.save(customer, "customer.updated" if event else None)
    return transaction


def check_currency_of(customer: api.Customer, currency: str) -> None:
    """A customer is billed in one currency. Raises ApiError for another one while they have subscriptions or a balance
    in it.
    """
    known = customer.get("currency")
    if known and known != currency:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription,"
            " subscription schedule, discount,"
            f" quote, or invoice item with currency {known}",
            "currency",
        )
