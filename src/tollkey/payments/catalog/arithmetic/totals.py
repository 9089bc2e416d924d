"""Totals of an invoice: discounts and taxes of each line, and their sums.

Pure arithmetic; amounts are whole minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tollkey.payments.shared import rounding


@dataclass
class Off:
    """A discount: a share of each line (``percent``) or an amount of money spread over the lines, once an invoice.

    products: only lines of these products; all when empty.
    """

    id: str
    percent: Decimal | None = None
    amount: int = 0
    products: frozenset[str] = frozenset()


class Rate(NamedTuple):
    """A tax rate in percent; an inclusive one is part of the price.

    reason: ``taxability_reason``, why it is what it is.
    """

    id: str
    percent: Decimal
    inclusive: bool = False
    reason: str = "not_available"


class Tax(NamedTuple):
    """What one rate takes of one line. taxable: the amount it was taken of, without the tax."""

    rate: Rate
    amount: int
    taxable: int


@dataclass
class Line:
    """One line, before and after.

    amount: what it costs. discounts, rates: its own, used before the invoice's. credits: what billing credits pay of
        it, before taxes. given_back: what discounts had taken of an amount that is credited now. off and taxes are
        worked out.
    """

    amount: int
    discountable: bool = True
    product: str | None = None
    discounts: Sequence[Off] = ()
    rates: Sequence[Rate] = ()
    credits: int = 0
    given_back: Sequence[tuple[str, int]] = ()
    off: list[tuple[str, int]] = field(default_factory=list)
    taxes: list[Tax] = field(default_factory=list)

    @property
    def net(self) -> int:
        """The amount after discounts and billing credits."""
        return self.amount - self.credits - sum(amount for _, amount in self.off)

    @property
    def excluding(self) -> int:
        """The amount after discounts without inclusive taxes."""
        return self.net - sum(tax.amount for tax in self.taxes if tax.rate.inclusive)

    @property
    def gross(self) -> int:
        """What the line adds to the total: after discounts, with exclusive taxes."""
        return self.net + sum(tax.amount for tax in self.taxes if not tax.rate.inclusive)


class Totals(NamedTuple):
    """The sums of an invoice."""

    subtotal: int
    subtotal_excluding_tax: int
    total: int
    total_excluding_tax: int
    discounts: list[tuple[str, int]]
    taxes: list[Tax]


def compute(lines: Sequence[Line], discounts: Sequence[Off] = (), rates: Sequence[Rate] = ()) -> Totals:
    """Fill the discounts and taxes of every line, and add them up.

    discounts: the invoice's, after the lines' own, one after another. rates: for lines that have none.
    """
    for line in lines:
        line.off, line.taxes = list(line.given_back), []
        for discount in line.discounts:
            _apply_discount(line, discount, discount.amount)
    for discount in discounts:
        _spread_discount(lines, discount)
    for line in lines:
        line.taxes = _taxes(line.net, line.rates or rates)
    off: dict[str, int] = {}
    taxes: dict[Rate, tuple[int, int]] = {}
    for line in lines:
        for id, amount in line.off:
            off[id] = off.get(id, 0) + amount
        for tax in line.taxes:
            amount, taxable = taxes.get(tax.rate, (0, 0))
            taxes[tax.rate] = amount + tax.amount, taxable + tax.taxable
    subtotal = sum(line.amount for line in lines)
    included = sum(
        sum(tax.amount for tax in _taxes(line.amount, [r for r in line.rates or rates if r.inclusive]))
        for line in lines
    )
    return Totals(
        subtotal,
        subtotal - included,
        sum(line.gross for line in lines),
        sum(line.excluding for line in lines),
        list(off.items()),
        [Tax(rate, amount, taxable) for rate, (amount, taxable) in taxes.items()],
    )


def _discount_applies(line: Line, discount: Off) -> bool:
    return line.discountable and line.net > 0 and (not discount.products or line.product in discount.products)


def _apply_discount(line: Line, discount: Off, amount: int) -> None:
    if not _discount_applies(line, discount):
        return
    part = rounding.percent_off(line.net, discount.percent) if discount.percent is not None else amount
    line.off.append((discount.id, min(part, line.net)))


def _spread_discount(lines: Sequence[Line], discount: Off) -> None:
    """Share an amount out over the lines in proportion to what they cost; the last line takes what rounding leaves."""
    if discount.percent is not None:
        for line in lines:
            _apply_discount(line, discount, 0)
        return
    fitting = [line for line in lines if _discount_applies(line, discount)]
    whole = sum(line.net for line in fitting)
    left = min(discount.amount, whole)
    shares = []
    for line in fitting:
        part = rounding.share_down(left, line.net, whole)
        shares.append(part)
    for place in range(left - sum(shares)):
        shares[place % len(shares)] += 1
    for line, part in zip(fitting, shares, strict=True):
        _apply_discount(line, discount, part)


def _taxes(net: int, rates: Sequence[Rate]) -> list[Tax]:
    inclusive = [rate for rate in rates if rate.inclusive]
    base = net
    made: list[Tax] = []
    if inclusive:
        whole = sum((rate.percent for rate in inclusive), Decimal(0))
        for rate in inclusive:
            made.append(Tax(rate, rounding.inclusive_tax(net, rate.percent, whole), 0))
        base = net - sum(tax.amount for tax in made)
        made = [Tax(tax.rate, tax.amount, base) for tax in made]
    return made + [Tax(rate, rounding.exclusive_tax(base, rate.percent), base) for rate in rates if not rate.inclusive]
