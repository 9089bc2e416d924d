"""In which currency money settles: that of the charge, or the account's own when it keeps no money in the charge's.

charge in eur ──▶ account with a bank account or a balance in eur: eur
             └──▶ any other: its default currency, at the exchange rate that the balance transaction tells
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
    """The currency that money arrives in: its own when the account has a bank account for it or money in it, else the
    account's default.
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
    """The currency that a charge will settle in: decided by the account it is made on, or on behalf of."""
    owner = charge.get("on_behalf_of")
    return settlement_currency(call.within(owner) if owner else call, charge["currency"])


def charge_settlement_currency(call: Call, charge: api.Charge) -> str:
    """The currency of a charge's balance transaction; the charge's own while it has none."""
    found = call.objects.find(kinds.BALANCE_TRANSACTION, charge.get("balance_transaction") or "")
    return str(found["currency"] if found is not None else charge["currency"])


def to_settlement_currency(call: Call, charge: api.Charge, amount: Money) -> Money:
    """A part of a charge in the currency that the charge settled in. amount: in the currency of the charge."""
    return conversion.convert(amount, charge_settlement_currency(call, charge))


def record_exchange_rate(call: Call, transaction: StoredBalanceTransaction, currency: str) -> StoredBalanceTransaction:
    """Store the exchange rate in a balance transaction of money that came in another currency."""
    if transaction["currency"] != currency:
        transaction["exchange_rate"] = conversion.rate(currency, transaction["currency"])
        call.objects.save(transaction)
    return transaction
