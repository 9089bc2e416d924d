"""What the makers of invoice lines are told of a line: what it costs, and how it is discounted and taxed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import Pricing


@dataclass(frozen=True)
class Priced:
    """What a line costs.

    amount: minor units. currency: three-letter code. quantity: how many. pricing: the price behind the amount, as lines
        show it; None when there is none. description: the name of the price's product; None when nobody gave it one.
    """

    amount: int
    currency: str
    quantity: int
    pricing: Pricing | None = None
    description: str | None = None


@dataclass(frozen=True)
class Terms:
    """How a line is discounted and taxed.

    discountable: whether the invoice's discounts count for it. discounts: ids of its own discounts. rates: ids of its
        own tax rates.
    """

    discountable: bool = True
    discounts: Sequence[str] = ()
    rates: Sequence[str] = ()
