"""The kinds of objects of this room, with the types that they are stored as, and those of other rooms that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredDiscount, StoredPrice, StoredProduct
    from tollkey.payments.charges.stored import StoredCharge, StoredRefund
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.invoices.stored import StoredInvoice, StoredInvoiceItem, StoredLine
    from tollkey.payments.tax.stored import StoredTaxRate
    from tollkey.wire import api

INVOICE: Kind[StoredInvoice] = Kind("invoice")
LINE: Kind[StoredLine] = Kind("line_item")
INVOICE_ITEM: Kind[StoredInvoiceItem] = Kind("invoiceitem")
INVOICE_PAYMENT: Kind[api.InvoicePayment] = Kind("invoice_payment")
CREDIT_NOTE: Kind[api.CreditNote] = Kind("credit_note")
CREDIT_NOTE_LINE: Kind[api.CreditNoteLineItem] = Kind("credit_note_line_item")
# Kinds of other rooms.
CUSTOMER: Kind[StoredCustomer] = Kind("customer")
SUBSCRIPTION: Kind[api.Subscription] = Kind("subscription")
PAYMENT_INTENT: Kind[StoredPaymentIntent] = Kind("payment_intent")
DISCOUNT: Kind[StoredDiscount] = Kind("discount")
CHARGE: Kind[StoredCharge] = Kind("charge")
PRICE: Kind[StoredPrice] = Kind("price")
PRODUCT: Kind[StoredProduct] = Kind("product")
MANDATE: Kind[api.Mandate] = Kind("mandate")
REFUND: Kind[StoredRefund] = Kind("refund")
TAX_RATE: Kind[StoredTaxRate] = Kind("tax_rate")
