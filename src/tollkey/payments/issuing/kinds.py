"""The kinds of objects of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.issuing.stored import StoredIssuingCard, StoredIssuingTransaction
    from tollkey.wire import api

AUTHORIZATION: Kind[api.IssuingAuthorization] = Kind("issuing.authorization")
CARD: Kind[StoredIssuingCard] = Kind("issuing.card")
CARDHOLDER: Kind[api.IssuingCardholder] = Kind("issuing.cardholder")
DISPUTE: Kind[api.IssuingDispute] = Kind("issuing.dispute")
TRANSACTION: Kind[StoredIssuingTransaction] = Kind("issuing.transaction")
