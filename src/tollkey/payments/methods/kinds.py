"""The kinds of objects of this room, and of the customers that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import (
        StoredBankAccount,
        StoredCard,
        StoredEphemeralKey,
        StoredPaymentMethod,
        StoredSource,
        StoredToken,
    )
    from tollkey.wire import api

PAYMENT_METHOD: Kind[StoredPaymentMethod] = Kind("payment_method")
CARD: Kind[StoredCard] = Kind("card")
BANK_ACCOUNT: Kind[StoredBankAccount] = Kind("bank_account")
SOURCE: Kind[StoredSource] = Kind("source")
TOKEN: Kind[StoredToken] = Kind("token")
MANDATE: Kind[api.Mandate] = Kind("mandate")
EPHEMERAL_KEY: Kind[StoredEphemeralKey] = Kind("ephemeral_key")
CUSTOMER: Kind[api.Customer] = Kind("customer")
