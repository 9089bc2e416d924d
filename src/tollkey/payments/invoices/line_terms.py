"""The values that an invoice line is created from: amount and price, discounts and taxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tollkey.payments.catalog import pricing

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import Pricing


@dataclass(frozen=True)
class Priced:
    """The amount and price of a line.

    amount: minor units. currency: three-letter code. pricing: the price in the form of a line; None without one.
        description: the product's name; None if it has none. exact: the quantity with its decimal places, of which
        ``quantity`` has none; None if it is whole.
    """

    amount: int
    currency: str
    quantity: int
    pricing: Pricing | None = None
    description: str | None = None
    exact: Decimal | None = None

    @property
    def quantity_decimal(self) -> str:
        """Return the quantity with its decimal places, as items and lines show it."""
        return str(self.quantity) if self.exact is None else pricing.decimal_text(self.exact)


@dataclass(frozen=True)
class Terms:
    """The discounts and taxes of a line.

    discountable: whether discounts of the invoice apply to it. discounts: ids of its own discounts. rates: ids of its
        own tax rates.
    """

    discountable: bool = True
    discounts: Sequence[str] = ()
    rates: Sequence[str] = ()
