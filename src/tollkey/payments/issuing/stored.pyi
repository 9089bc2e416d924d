"""Issued cards and their transactions as they are stored, with their private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredIssuingCard(api.IssuingCard):
    """An issued card.

    _printed: the number and the security code that are printed on it, sealed; absent on cards of earlier versions.
    _number, _cvc: the same in clear, as earlier versions kept them.
    _payments: how many payments counted towards ``lifecycle_controls``; absent before the first.
    """

    _payments: NotRequired[int]
    _printed: NotRequired[str]
    _number: NotRequired[str]
    _cvc: NotRequired[str]

class StoredIssuingTransaction(api.IssuingTransaction):
    """A transaction.

    _refunded: how much of it was given back, in minor units; absent before the first refund.
    """

    _refunded: NotRequired[int]
