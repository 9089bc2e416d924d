"""The kinds of objects of this room, with the types that they are stored as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import (
        StoredCoupon,
        StoredDiscount,
        StoredPrice,
        StoredProduct,
        StoredPromotionCode,
    )
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import OrderedLine, StoredInvoice, StoredInvoiceItem
    from tollkey.payments.subscriptions.stored import (
        StoredEntitlement,
        StoredProductFeature,
        StoredQuote,
        StoredSchedule,
        StoredSubscription,
        StoredSubscriptionItem,
    )
    from tollkey.wire import api

SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")
SUBSCRIPTION_ITEM: Kind[StoredSubscriptionItem] = Kind("subscription_item")
SCHEDULE: Kind[StoredSchedule] = Kind("subscription_schedule")
QUOTE: Kind[StoredQuote] = Kind("quote")
QUOTE_LINE: Kind[OrderedLine] = Kind("item")
FEATURE: Kind[api.EntitlementsFeature] = Kind("entitlements.feature")
PRODUCT_FEATURE: Kind[StoredProductFeature] = Kind("product_feature")
ENTITLEMENT: Kind[StoredEntitlement] = Kind("entitlements.active_entitlement")
# Kinds of rooms below.
CUSTOMER: Kind[StoredCustomer] = Kind("customer")
PRICE: Kind[StoredPrice] = Kind("price")
PRODUCT: Kind[StoredProduct] = Kind("product")
DISCOUNT: Kind[StoredDiscount] = Kind("discount")
COUPON: Kind[StoredCoupon] = Kind("coupon")
PROMOTION_CODE: Kind[StoredPromotionCode] = Kind("promotion_code")
INVOICE: Kind[StoredInvoice] = Kind("invoice")
INVOICE_ITEM: Kind[StoredInvoiceItem] = Kind("invoiceitem")
TAX_RATE: Kind[api.TaxRate] = Kind("tax_rate")
PAYMENT_INTENT: Kind[api.PaymentIntent] = Kind("payment_intent")
PAYMENT_METHOD: Kind[api.PaymentMethod] = Kind("payment_method")
