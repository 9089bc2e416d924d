"""The settlement currency: the currency of the charge, or the account's default if it holds no money in that
currency.

charge in eur ──▶ account with a bank account or a balance in eur: eur
             └──▶ any other: its default currency, at the ``exchange_rate`` of its balance transaction
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey import ledger
from tollkey.ledger import Money
from tollkey.payments.balance import kinds
from tollkey.payments.shared import conversion, fields
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredBalanceTransaction
    from tollkey.wire import api


def settlement_currency(receiver: Call, currency: str) -> str:
    """Return the currency in which money settles.

    It is the charge's currency if the account has a bank account for it or a balance in it, else the account's default.
    """
    account = fields.acting_account(receiver)
    if account is None or account["default_currency"] in (currency, None):
        return currency
    every = (account.get("external_accounts") or {}).get("data") or []
    if any(other["currency"] == currency for other in every) or currency in ledger.balance(
        receiver.tx, receiver.scope, receiver.now
    ):
        return currency
    return str(account["default_currency"])


def currency_to_settle_in(call: Call, charge: api.Charge) -> str:
    """Return the currency a charge will settle in, decided by its account or its ``on_behalf_of`` account."""
    owner = charge.get("on_behalf_of")
    return settlement_currency(call.within(owner) if owner else call, charge["currency"])


def charge_settlement_currency(call: Call, charge: api.Charge) -> str:
    """Return the currency of a charge's balance transaction; before there is one, the charge's own."""
    found = call.objects.find(kinds.BALANCE_TRANSACTION, charge.get("balance_transaction") or "")
    return str(found["currency"] if found is not None else charge["currency"])


def to_settlement_currency(call: Call, charge: api.Charge, amount: Money) -> Money:
    """Convert a part of a charge to its settlement currency. amount: minor units of the charge's currency."""
    return conversion.convert(amount, charge_settlement_currency(call, charge))


def record_exchange_rate(call: Call, transaction: StoredBalanceTransaction, currency: str) -> StoredBalanceTransaction:
    """Set ``exchange_rate`` of a balance transaction if the customer paid in another currency."""
    if transaction["currency"] != currency:
        transaction["exchange_rate"] = conversion.rate(currency, transaction["currency"])
        call.objects.save(transaction)
    return transaction
