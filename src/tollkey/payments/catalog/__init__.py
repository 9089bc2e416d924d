"""Products, prices, coupons and what they cost."""

__all__: list[str] = []
