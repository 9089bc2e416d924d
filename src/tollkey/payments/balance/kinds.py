"""The kinds of objects of this room, with the types that they are stored as, and of those above that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredBalanceTransaction, StoredPayment, StoredTopup
    from tollkey.wire import api

BALANCE_TRANSACTION: Kind[StoredBalanceTransaction] = Kind("balance_transaction")
PAYOUT: Kind[api.Payout] = Kind("payout")
TOPUP: Kind[StoredTopup] = Kind("topup")
EXCHANGE_RATE: Kind[api.ExchangeRate] = Kind("exchange_rate")
APPLICATION_FEE: Kind[api.ApplicationFee] = Kind("application_fee")
FEE_REFUND: Kind[api.FeeRefund] = Kind("fee_refund")
TRANSFER: Kind[api.Transfer] = Kind("transfer")
TRANSFER_REVERSAL: Kind[api.TransferReversal] = Kind("transfer_reversal")
PAYMENT: Kind[StoredPayment] = Kind("charge")
REFUND: Kind[api.Refund] = Kind("refund")
