"""The kinds of objects of this room, with the types that they are stored as, and of those above that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        StoredCalculation,
        StoredTaxRate,
        StoredTaxSettings,
        StoredTaxTransaction,
        TaxedIntent,
    )
    from tollkey.wire import api

CALCULATION: Kind[StoredCalculation] = Kind("tax.calculation")
CALCULATION_LINE: Kind[api.TaxCalculationLineItem] = Kind("tax.calculation_line_item")
TRANSACTION: Kind[StoredTaxTransaction] = Kind("tax.transaction")
TRANSACTION_LINE: Kind[api.TaxTransactionLineItem] = Kind("tax.transaction_line_item")
REGISTRATION: Kind[api.TaxRegistration] = Kind("tax.registration")
SETTINGS: Kind[StoredTaxSettings] = Kind("tax.settings")
ASSOCIATION: Kind[api.TaxAssociation] = Kind("tax.association")
TAX_ID: Kind[api.TaxId] = Kind("tax_id")
TAX_RATE: Kind[StoredTaxRate] = Kind("tax_rate")
CUSTOMER: Kind[api.Customer] = Kind("customer")
PAYMENT_INTENT: Kind[TaxedIntent] = Kind("payment_intent")
