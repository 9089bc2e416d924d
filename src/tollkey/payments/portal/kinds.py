"""The kinds of objects of this room, with the types that they are stored as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredCoupon, StoredPrice, StoredProduct
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.payments.portal.stored import StoredPortalSession
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api

SESSION: Kind[StoredPortalSession] = Kind("billing_portal.session")
CONFIGURATION: Kind[api.BillingPortalConfiguration] = Kind("billing_portal.configuration")
# Kinds of rooms below.
CUSTOMER: Kind[StoredCustomer] = Kind("customer")
SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")
SUBSCRIPTION_ITEM: Kind[StoredSubscriptionItem] = Kind("subscription_item")
INVOICE: Kind[StoredInvoice] = Kind("invoice")
PAYMENT_METHOD: Kind[StoredPaymentMethod] = Kind("payment_method")
PRODUCT: Kind[StoredProduct] = Kind("product")
PRICE: Kind[StoredPrice] = Kind("price")
COUPON: Kind[StoredCoupon] = Kind("coupon")
