"""The balance of a customer: credit that the next invoices use (negative), or debt that they collect (positive).

A customer has one balance for each currency. ``balance`` is the one in the customer's ``currency``; the private
``_balances`` holds the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tollkey.ledger import Money
from tollkey.payments.customers import kinds
from tollkey.wire import Call, new_object

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import BalanceChangeDetails, StoredCustomer
    from tollkey.wire import api


def balance_in(customer: StoredCustomer, currency: str) -> Money:
    """Return a customer's balance in a currency: negative is credit that invoices use up, positive is debt.

    currency: lower-case code. Source: a balance counts for invoices in its own currency only
    (``invoice_credit_balance`` of the Customers API).
    """
    if customer.get("currency") in (None, currency):
        return Money(customer.get("balance") or 0, currency)
    return Money((customer.get("_balances") or {}).get(currency, 0), currency)


def change_balance(
    call: Call,
    customer: StoredCustomer,
    amount: Money,
    type: str,
    *,
    event: bool = True,
    **details: Unpack[BalanceChangeDetails],
) -> api.CustomerBalanceTransaction:
    """Change a customer's balance by ``amount`` minor units (negative is credit), with a balance transaction.

    details: ``invoice``, ``credit_note``, ``description``, ``metadata`` of the transaction.
    """
    ending = balance_in(customer, amount.currency) + amount
    if customer.get("currency") in (None, ending.currency):
        customer["balance"], customer["currency"] = ending.amount, ending.currency
    else:
        customer["_balances"] = {**(customer.get("_balances") or {}), ending.currency: ending.amount}
    transaction = new_object(
        kinds.BALANCE_TRANSACTION,
        id=call.ids.new("cbtxn"),
        amount=amount.amount,
        created=call.now,
        currency=amount.currency,
        customer=customer["id"],
        ending_balance=ending.amount,
        livemode=call.livemode,
        type=type,
        **details,
    )
    call.objects.insert(transaction)
    call.objects.save(customer, "customer.updated" if event else None)
    return transaction


def change_currency(customer: StoredCustomer, currency: str) -> None:
    """Set the customer's ``currency`` (lower-case code), and ``balance`` to the balance in it.

    The caller saves the customer.
    """
    known = customer.get("currency")
    if known is None:
        customer["currency"] = currency
        return
    balances = {**(customer.get("_balances") or {}), known: customer["balance"]}
    customer["currency"], customer["balance"] = currency, balances.pop(currency, 0)
    customer["_balances"] = {code: amount for code, amount in balances.items() if amount}


def balances_of(customer: StoredCustomer) -> dict[str, int]:
    """Return the non-zero balances of a customer: minor units by currency."""
    known = customer.get("currency")
    own = {known: customer["balance"]} if known else {}
    return {code: amount for code, amount in {**own, **(customer.get("_balances") or {})}.items() if amount}
