"""Products, prices, coupons, and the computation of amounts from them."""

from tollkey.payments.catalog import (
    arithmetic,
    custom_amounts,
    kinds,
    pricing,
    products,
    redemption,
    rendering,
    restrictions,
    shipping_rates,
    tax_code_table,
)

__all__ = [
    "arithmetic",
    "custom_amounts",
    "kinds",
    "pricing",
    "products",
    "redemption",
    "rendering",
    "restrictions",
    "shipping_rates",
    "tax_code_table",
]
