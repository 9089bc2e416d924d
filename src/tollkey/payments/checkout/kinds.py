"""The kinds of objects of this room, with the types that they are stored as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredCoupon, StoredPrice, StoredProduct, StoredPromotionCode
    from tollkey.payments.checkout.stored import StoredLink, StoredSession
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import StoredPaymentIntent, StoredSetupIntent
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import api

SESSION: Kind[StoredSession] = Kind("checkout.session")
PAYMENT_LINK: Kind[StoredLink] = Kind("payment_link")
# Kinds of rooms below.
CUSTOMER: Kind[StoredCustomer] = Kind("customer")
PRODUCT: Kind[StoredProduct] = Kind("product")
PRICE: Kind[StoredPrice] = Kind("price")
COUPON: Kind[StoredCoupon] = Kind("coupon")
PROMOTION_CODE: Kind[StoredPromotionCode] = Kind("promotion_code")
SHIPPING_RATE: Kind[api.ShippingRate] = Kind("shipping_rate")
INVOICE: Kind[StoredInvoice] = Kind("invoice")
TAX_RATE: Kind[api.TaxRate] = Kind("tax_rate")
PAYMENT_INTENT: Kind[StoredPaymentIntent] = Kind("payment_intent")
PAYMENT_METHOD: Kind[StoredPaymentMethod] = Kind("payment_method")
SETUP_INTENT: Kind[StoredSetupIntent] = Kind("setup_intent")
