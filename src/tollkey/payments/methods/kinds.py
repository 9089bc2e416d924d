"""The kinds of objects of this room, and of the customers that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from tollkey.payments.methods.stored import (
        Instrument,
        StoredBankAccount,
        StoredCard,
        StoredCustomerSession,
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
CUSTOMER_SESSION: Kind[StoredCustomerSession] = Kind("customer_session")
CUSTOMER: Kind[api.Customer] = Kind("customer")


def is_payment_method(value: Instrument) -> TypeIs[StoredPaymentMethod]:
    """Return whether an instrument is a payment method."""
    return value["object"] == "payment_method"


def is_card(value: Instrument) -> TypeIs[StoredCard]:
    """Return whether an instrument is a saved legacy card."""
    return value["object"] == "card"


def is_bank_account(value: Instrument) -> TypeIs[StoredBankAccount]:
    """Return whether an instrument is a saved legacy bank account."""
    return value["object"] == "bank_account"


def is_source(value: Instrument) -> TypeIs[StoredSource]:
    """Return whether an instrument is a source."""
    return value["object"] == "source"
