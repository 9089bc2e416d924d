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
    from tollkey.wire import api

PRODUCT: Kind[StoredProduct] = Kind("product")
PRICE: Kind[StoredPrice] = Kind("price")
PLAN: Kind[api.Plan] = Kind("plan")
COUPON: Kind[StoredCoupon] = Kind("coupon")
DISCOUNT: Kind[StoredDiscount] = Kind("discount")
PROMOTION_CODE: Kind[StoredPromotionCode] = Kind("promotion_code")
TAX_CODE: Kind[api.TaxCode] = Kind("tax_code")
SHIPPING_RATE: Kind[api.ShippingRate] = Kind("shipping_rate")
RENDERING_TEMPLATE: Kind[api.InvoiceRenderingTemplate] = Kind("invoice_rendering_template")
