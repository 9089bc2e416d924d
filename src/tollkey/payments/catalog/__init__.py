"""Products, prices, coupons and what they cost."""

from tollkey.payments.catalog import arithmetic, kinds, pricing, products, redemption, rendering, shipping_rates

__all__ = ["arithmetic", "kinds", "pricing", "products", "redemption", "rendering", "shipping_rates"]
