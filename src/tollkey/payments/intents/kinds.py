"""The kinds of objects of this room, with their types, and of rooms below that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import StoredConfirmationToken, StoredPaymentIntent, StoredSetupIntent
    from tollkey.wire import api

PAYMENT_INTENT: Kind[StoredPaymentIntent] = Kind("payment_intent")
SETUP_INTENT: Kind[StoredSetupIntent] = Kind("setup_intent")
SETUP_ATTEMPT: Kind[api.SetupAttempt] = Kind("setup_attempt")
CONFIRMATION_TOKEN: Kind[StoredConfirmationToken] = Kind("confirmation_token")
CUSTOMER: Kind[StoredCustomer] = Kind("customer")
CHARGE: Kind[StoredCharge] = Kind("charge")
CASH_TRANSACTION: Kind[api.CustomerCashBalanceTransaction] = Kind("customer_cash_balance_transaction")
FUNDING: Kind[api.FundingInstructions] = Kind("funding_instructions")
