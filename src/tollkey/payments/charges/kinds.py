"""The kinds of objects of this room, with the types that they are stored as, and of those above that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredAttempt, StoredCharge, StoredDispute, StoredRefund
    from tollkey.wire import api

CHARGE: Kind[StoredCharge] = Kind("charge")
REFUND: Kind[StoredRefund] = Kind("refund")
DISPUTE: Kind[StoredDispute] = Kind("dispute")
REVIEW: Kind[api.Review] = Kind("review")
EARLY_FRAUD_WARNING: Kind[api.RadarEarlyFraudWarning] = Kind("radar.early_fraud_warning")
VALUE_LIST: Kind[api.RadarValueList] = Kind("radar.value_list")
VALUE_LIST_ITEM: Kind[api.RadarValueListItem] = Kind("radar.value_list_item")
PAYMENT_RECORD: Kind[api.PaymentRecord] = Kind("payment_record")
PAYMENT_ATTEMPT_RECORD: Kind[StoredAttempt] = Kind("payment_attempt_record")
PAYMENT_INTENT: Kind[api.PaymentIntent] = Kind("payment_intent")
