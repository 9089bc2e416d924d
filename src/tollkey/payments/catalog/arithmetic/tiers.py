"""The cost of a quantity of a price: per unit, in packages, graduated or by volume.

Pure arithmetic on price objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

from tollkey.payments.shared import rounding

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.wire import api


class Part(NamedTuple):
    """The part of a price that becomes one invoice line: quantity, amount in minor units, and unit amount or None.

    label: empty without tiers; ``volume``, ``flat`` or ``tier``. tier: number of the tier of a graduated price, from 1.
    """

    quantity: int
    amount: int
    unit: Decimal | None
    label: str = ""
    tier: int = 0


def unit_of(price: StoredPrice) -> Decimal:
    """Return the unit amount of a price in minor units, possibly with a fraction; 0 if it has none."""
    return _decimal(price.get("unit_amount_decimal"), price.get("unit_amount"))


def packages(price: StoredPrice, quantity: int) -> int:
    """Return the billed quantity: ``transform_quantity`` divides and rounds it."""
    transform = price.get("transform_quantity")
    if not transform:
        return quantity
    ratio = Decimal(quantity) / Decimal(transform["divide_by"])
    return int(ratio.to_integral_value(ROUND_CEILING if transform["round"] == "up" else ROUND_FLOOR))


def cost(price: StoredPrice, quantity: int) -> int:
    """Return the amount for a quantity of a price, in minor units, rounded once."""
    return sum(part.amount for part in parts(price, quantity))


def parts(price: StoredPrice, quantity: int) -> list[Part]:
    """Return the invoice lines of a quantity: one, or for a graduated price one for each tier and flat fee.

    price: a price object with its tiers in ``_tiers``.
    """
    tiers = price.get("_tiers") or price.get("tiers")
    if price.get("billing_scheme") != "tiered" or not tiers:
        units = packages(price, quantity)
        unit = unit_of(price)
        return [Part(quantity, rounding.price_amount(unit, units), unit)]
    if price.get("tiers_mode") == "volume":
        tier = _tier_of(tiers, quantity)
        flat = rounding.price_amount(_decimal(tier.get("flat_amount_decimal"), tier.get("flat_amount")), 1)
        unit = _decimal(tier.get("unit_amount_decimal"), tier.get("unit_amount"))
        made = [Part(quantity, rounding.price_amount(unit, quantity), unit, "volume")]
        return [*made, Part(0, flat, None, "flat")] if flat else made
    return _graduated(tiers, quantity)


def parts_after(price: StoredPrice, before: int, quantity: int) -> list[Part]:
    """Return the invoice lines of a quantity in addition to ``before`` units that were billed already.

    Graduated tiers continue where those units ended.
    """
    if before <= 0:
        return parts(price, quantity)
    if price.get("billing_scheme") != "tiered" or price.get("tiers_mode") == "volume":
        units, amount = quantity - before, cost(price, quantity) - cost(price, before)
        whole = parts(price, quantity)[0]
        plain = whole.unit if whole.unit is not None and rounding.price_amount(whole.unit, units) == amount else None
        return [Part(units, amount, plain, whole.label if plain is not None else "")]
    billed = {(part.label, part.tier): part for part in parts(price, before)}
    none = Part(0, 0, None)
    made = []
    for part in parts(price, quantity):
        old = billed.get((part.label, part.tier), none)
        if part.quantity > old.quantity or part.amount > old.amount:
            made.append(part._replace(quantity=part.quantity - old.quantity, amount=part.amount - old.amount))
    return made


def _graduated(tiers: Sequence[api.PriceTier], quantity: int) -> list[Part]:
    made: list[Part] = []
    below = 0
    for place, tier in enumerate(tiers):
        limit = tier.get("up_to")
        inside = max(0, quantity - below if limit is None else min(quantity, limit) - below)
        if inside == 0 and place > 0:
            break
        unit = _decimal(tier.get("unit_amount_decimal"), tier.get("unit_amount"))
        made.append(Part(inside, rounding.price_amount(unit, inside), unit, "tier", place + 1))
        flat = rounding.price_amount(_decimal(tier.get("flat_amount_decimal"), tier.get("flat_amount")), 1)
        if flat:
            made.append(Part(0, flat, None, "flat", place + 1))
        if limit is None or quantity <= limit:
            break
        below = limit
    return made


def _tier_of(tiers: Sequence[api.PriceTier], quantity: int) -> api.PriceTier:
    for tier in tiers:
        limit = tier.get("up_to")
        if limit is None or quantity <= limit:
            return tier
    return tiers[-1]


def _decimal(text: str | None, whole: int | None) -> Decimal:
    return Decimal(text) if text is not None else Decimal(whole or 0)
