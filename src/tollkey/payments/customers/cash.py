"""The cash balance of a customer: money from bank transfers that has not been used yet.

It is stored in the private ``_cash`` of the customer: currency -> minor units; each change is a
``customer_cash_balance_transaction``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.customers import kinds
from tollkey.wire import Call, new_object

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.wire import api


def cash_balance(call: Call, customer: StoredCustomer) -> api.CashBalance:
    """Return the ``cash_balance`` object of a customer."""
    cash = {currency: amount for currency, amount in (customer.get("_cash") or {}).items() if amount}
    mode = customer.get("_reconciliation")
    settings = {"reconciliation_mode": mode or "automatic", "using_merchant_default": mode is None}
    return new_object(
        kinds.CASH_BALANCE, available=cash or None, customer=customer["id"], livemode=call.livemode, settings=settings
    )


def cash_in(customer: StoredCustomer, currency: str) -> Money:
    """Return a customer's unapplied cash in a currency (lower-case code)."""
    return Money((customer.get("_cash") or {}).get(currency, 0), currency)


def move_cash(
    call: Call, customer: StoredCustomer, amount: Money, type: str, about: Mapping[str, Any]
) -> api.CustomerCashBalanceTransaction:
    """Add to a customer's cash balance, or subtract a negative amount, with a transaction and its event.

    amount: minor units. about: the value of the transaction's field that is named like its type.
    Raises ValueError if the balance would become negative.
    """
    ending = cash_in(customer, amount.currency) + amount
    if ending < amount.with_amount(0):
        raise ValueError("a cash balance cannot be negative")
    customer["_cash"] = {**(customer.get("_cash") or {}), ending.currency: ending.amount}
    call.objects.save(customer)
    transaction = new_object(
        kinds.CASH_TRANSACTION,
        id=call.ids.new("ccsbtxn"),
        created=call.now,
        currency=amount.currency,
        customer=customer["id"],
        ending_balance=ending.amount,
        livemode=call.livemode,
        net_amount=amount.amount,
        type=type,
        **{type: about},
    )
    return call.objects.insert(transaction, "customer_cash_balance_transaction.created")
