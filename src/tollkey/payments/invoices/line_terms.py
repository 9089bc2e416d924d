"""The values that an invoice line is created from: amount and price, discounts and taxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import Pricing


@dataclass(frozen=True)
class Priced:
    """The amount and price of a line.

    amount: minor units. currency: three-letter code. pricing: the price in the form of a line; None without one.
        description: the product's name; None if it has none.
    """

    amount: int
    currency: str
    quantity: int
    pricing: Pricing | None = None
    description: str | None = None


@dataclass(frozen=True)
class Terms:
    """The discounts and taxes of a line.

    discountable: whether discounts of the invoice apply to it. discounts: ids of its own discounts. rates: ids of its
        own tax rates.
    """

    discountable: bool = True
    discounts: Sequence[str] = ()
    rates: Sequence[str] = ()
