"""Balance transactions, top-ups and the payments that transfers make, as they are stored, with their private fields."""

from typing import NotRequired, TypedDict

from tollkey.wire import api

class StoredBalanceTransaction(api.BalanceTransaction):
    """A balance transaction.

    _payout: the id of the automatic payout that paid it out, or that it is of; absent for others.
    """

    _payout: NotRequired[str]

class StoredTopup(api.Topup):
    """A top-up.

    _failure: what the test bank account says that the debit fails with, or null; absent for test funds.
    """

    _failure: NotRequired[str | None]

class PaymentSender(TypedDict):
    """The account that a payment came from, as its ``source`` shows it."""

    id: str
    object: str
    application_icon: str
    application_logo: str
    application_name: str
    application_url: str

class StoredPayment(api.Charge):
    """The charge (``py_…``) that a transfer makes in the account it goes to.

    source: the account that it came from. destination, dispute, invoice, order: always null, for older versions.
    """

    source: NotRequired[PaymentSender]
    destination: NotRequired[None]
    dispute: NotRequired[None]
    invoice: NotRequired[None]
    order: NotRequired[None]

class PayoutTarget(TypedDict):
    """What a payout says of the external account that it goes to. object: ``bank_account`` or ``card``."""

    id: str
    object: str

class ExternalFacts(TypedDict):
    """What is known of an external account and was not told on the wire, as its account keeps it.

    _instant: whether it takes instant payouts. _failure: what a payout to it fails with, or null. Both are absent for
        external accounts that an earlier version stored.
    """

    _instant: NotRequired[bool]
    _failure: NotRequired[str | None]

class AccountReserves(TypedDict):
    """What a platform keeps of a connected account for the balance.

    _reserved: minor units that it reserves for the account's negative balance, by currency; absent before the first.
    """

    _reserved: NotRequired[dict[str, int]]

class AccountStart(TypedDict):
    """When a day of an account's payouts begins: ``hour`` and ``minutes`` in a time zone of the IANA database."""

    hour: int
    minutes: int
    timezone: str

class AccountPayouts(TypedDict):
    """What an account's balance settings say of its balance.

    _delay_days: business days that a payment is held, in place of the country's. _minimum_balances: minor units by
        currency that automatic payouts leave, or null. _start_of_day: when they are made, or null for midnight UTC. All
        are absent before they are first told.
    """

    _delay_days: NotRequired[int]
    _minimum_balances: NotRequired[dict[str, int] | None]
    _start_of_day: NotRequired[AccountStart | None]
