"""The books of a scope, by name.

The meaning of a positive amount in each book of a merchant's scope:

    balance           owed to the merchant
    network           owed by card networks and banks (negative: received from them)
    fees              processing fees paid by the merchant
    payouts           in transit to the merchant's bank
    topups            received from the merchant's bank
    disputes          withdrawn by customers' banks
    application_fees  collected by a platform from its connected accounts
    connected         transferred by a platform to its connected accounts
    platform          the connected account's counterpart of ``connected``
    issuing           the balance of cards that the merchant issues
    connect_reserved  reserved by a platform for its accounts with a negative balance
    tax, adjustments  withheld tax; corrections
    bank              owed to the merchant's own bank account (negative: reached it)
    processor_fees    kept by processors of live mode (negative)
    suspense          settled by a processor and not expected, until a person has looked
"""

from __future__ import annotations

BALANCE = "balance"
NETWORK = "network"
FEES = "fees"
PAYOUTS = "payouts"
TOPUPS = "topups"
DISPUTES = "disputes"
APPLICATION_FEES = "application_fees"
CONNECTED = "connected"
PLATFORM = "platform"
TAX = "tax"
ADJUSTMENTS = "adjustments"
ISSUING = "issuing"
BANK = "bank"
PROCESSOR_FEES = "processor_fees"
SUSPENSE = "suspense"
CONNECT_RESERVED = "connect_reserved"
BOOKS = frozenset(
    {
        BALANCE,
        NETWORK,
        FEES,
        PAYOUTS,
        TOPUPS,
        DISPUTES,
        APPLICATION_FEES,
        CONNECTED,
        PLATFORM,
        TAX,
        ADJUSTMENTS,
        ISSUING,
        CONNECT_RESERVED,
        BANK,
        PROCESSOR_FEES,
        SUSPENSE,
    }
)
