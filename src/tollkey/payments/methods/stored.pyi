"""Payment methods, cards, bank accounts, sources, tokens, ephemeral keys and customer sessions as they are stored, with
their private fields.
"""

from typing import NotRequired, TypeAlias, TypedDict

from tollkey.wire import api, operations

class Known(TypedDict):
    """What is known of the money behind an instrument or a token, and was not told on the wire.

    _card: the key of the test card; absent for bank accounts and in live mode.
    _bank: ``TestBank.key`` of the test account; absent for cards and in live mode, None for an account that is no test
        account.
    _cvc, _zip, _line1: whether the security code, the postal code and the first line of the address were given;
        absent for bank accounts.
    _vault: the reference of the card's number in the card vault; absent when that does not have it.
    """

    _card: NotRequired[str]
    _bank: NotRequired[str | None]
    _cvc: NotRequired[bool]
    _zip: NotRequired[bool]
    _line1: NotRequired[bool]
    _vault: NotRequired[str]

class InstrumentFields(Known):
    """The private fields of everything that money can be taken from.

    _set_up: it was prepared for payments without the customer; absent until then.
    _used: it was paid with while it belonged to nobody, or was detached, and may not be used again.
    _client: a publishable key made it.
    _token: the processor's token for it, sealed; absent for what was not made from one.
    _typed: the account's number was typed in, so deposits have to verify it before its first debit.
    _verified: its account was verified; absent until then.
    _deposit_attempts: how many times the amounts of the deposits were guessed wrongly; absent before the first.
    _exp: month and year of the card behind a source of type ``three_d_secure``; absent for others.
    """

    _set_up: NotRequired[bool]
    _used: NotRequired[bool]
    _client: NotRequired[bool]
    _token: NotRequired[str]
    _typed: NotRequired[bool]
    _verified: NotRequired[bool]
    _deposit_attempts: NotRequired[int]
    _exp: NotRequired[list[int | None]]

class StoredPaymentMethod(api.PaymentMethod, InstrumentFields):
    """A payment method."""

class StoredCard(api.Card, InstrumentFields):
    """A card that a customer has saved, or that an account is paid out to.

    _created: when the customer saved it, UTC epoch seconds; absent in tokens and for external accounts.
    _failure: what a payout to it fails with, or None; absent unless it is an external account.
    _instant: whether it takes instant payouts; absent unless it is an external account.
    """

    _created: NotRequired[int]
    _failure: NotRequired[str | None]
    _instant: NotRequired[bool]

class StoredBankAccount(api.BankAccount, InstrumentFields):
    """A bank account that a customer has saved, or that an account is paid out to.

    _created: when the customer saved it, UTC epoch seconds; absent in tokens and for external accounts.
    _attempts: how many times the amounts of the two deposits were guessed wrongly; absent before the first.
    _failure: what a payout to it fails with, or None; absent unless it is an external account.
    _instant: whether it takes instant payouts; absent unless it is an external account.
    _owner: what the verification of its owner will find, ``match`` or ``mismatch``; None or absent for none.
    """

    _owner: NotRequired[str | None]
    _created: NotRequired[int]
    _attempts: NotRequired[int]
    _failure: NotRequired[str | None]
    _instant: NotRequired[bool]

class StoredSource(api.Source, InstrumentFields):
    """A source.

    _transactions: what has been paid into a receiver, newest first; absent before the first payment.
    _mandate: the customer's consent to debits, as it was sent; absent without one.
    _debited: how many debits under that mandate succeeded or are pending, true in sources of earlier versions for
        one; absent before the first.
    """

    _transactions: NotRequired[list[api.SourceTransaction]]
    _mandate: NotRequired[operations.Mandate]
    _debited: NotRequired[int]

#: What a customer saves the old way.
SavedSource: TypeAlias = StoredCard | StoredBankAccount | StoredSource
#: What money can be taken from.
Instrument: TypeAlias = StoredPaymentMethod | SavedSource

class StoredToken(api.Token, Known):
    """A token.

    _account, _person: what a token of an account or a person holds until it is used, sealed; absent for other tokens.
    _code: under what the card vault holds a security code in memory; absent for other tokens, and without a vault.
    """

    _account: NotRequired[str]
    _person: NotRequired[str]
    _code: NotRequired[str]

class AssociatedObject(TypedDict):
    """What an ephemeral key is for: the id of an object, and its kind as ``object`` says it."""

    id: str
    type: str

class StoredEphemeralKey(api.EphemeralKey):
    """An ephemeral key.

    associated_objects: what it is for, in a list of one.
    _digest: SHA-256 of its text, in hex.
    _subject: the id of the object that it is for.
    _maker: the account and the id of the API key that made it, or its customer session; None when no key did.
    _granted: what the customer session that it was made for grants; absent for a key that an API key made.
    """

    associated_objects: list[AssociatedObject]
    _digest: str
    _subject: str
    _maker: list[str] | None
    _granted: NotRequired[list[str]]

class StoredCustomerSession(api.CustomerSession):
    """A customer session.

    id: what it is stored under; the mobile SDKs see it. _digest: SHA-256 of its client secret, in hex; absent in
        sessions of earlier versions. _maker: the account and the id of the API key that made it; None when no key did.
    """

    id: str
    _digest: NotRequired[str]
    _maker: NotRequired[list[str] | None]
