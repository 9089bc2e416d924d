"""Invoice totals: discounts and taxes of each line, and their sums.

Pure arithmetic. What comes together here is ``Money``, so that a line or a discount in another currency than the
invoice raises CurrencyMismatch; the parts of one line (discounts, taxes) are minor units of its currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tollkey.ledger import Money
from tollkey.payments.shared import rounding


@dataclass
class Off:
    """A discount: a percentage of each line (``percent``), or an amount for the whole invoice spread over its lines.

    products: apply to lines of these products only; empty for all.
    """

    id: str
    percent: Decimal | None = None
    amount: Money | None = None
    products: frozenset[str] = frozenset()


class Rate(NamedTuple):
    """A tax rate in percent; an inclusive rate is part of the price. reason: its ``taxability_reason``."""

    id: str
    percent: Decimal
    inclusive: bool = False
    reason: str = "not_available"


class Tax(NamedTuple):
    """The tax of one rate on one line. taxable: the amount it was computed on, without the tax."""

    rate: Rate
    amount: int
    taxable: int


@dataclass
class Line:
    """One invoice line.

    amount: minor units before discounts. discounts, rates: those of the line, applied before the invoice's. credits:
        the part that billing credits pay, before taxes. given_back: the discounts of an amount that is now credited.
        given_taxes: taxes that are taken as they are, in place of those of the rates.
        ``off`` and ``taxes`` are set by ``compute``.
    """

    amount: Money
    discountable: bool = True
    product: str | None = None
    discounts: Sequence[Off] = ()
    rates: Sequence[Rate] = ()
    credits: int = 0
    given_back: Sequence[tuple[str, int]] = ()
    given_taxes: Sequence[Tax] | None = None
    off: list[tuple[str, int]] = field(default_factory=list)
    taxes: list[Tax] = field(default_factory=list)

    @property
    def net(self) -> Money:
        """Return the amount after discounts and billing credits."""
        return self.amount - self.amount.with_amount(self.credits + sum(amount for _, amount in self.off))

    @property
    def excluding(self) -> Money:
        """Return the amount after discounts, without inclusive taxes."""
        included = sum(tax.amount for tax in self.taxes if tax.rate.inclusive)
        return self.net - self.amount.with_amount(included)

    @property
    def gross(self) -> Money:
        """Return the amount that the line adds to the total: after discounts, with exclusive taxes."""
        added = sum(tax.amount for tax in self.taxes if not tax.rate.inclusive)
        return self.net + self.amount.with_amount(added)


class Totals(NamedTuple):
    """The sums of an invoice. discounts: id and minor units of each."""

    subtotal: Money
    subtotal_excluding_tax: Money
    total: Money
    total_excluding_tax: Money
    discounts: list[tuple[str, int]]
    taxes: list[Tax]


def compute(
    lines: Sequence[Line], discounts: Sequence[Off] = (), rates: Sequence[Rate] = (), *, currency: str
) -> Totals:
    """Compute discounts and taxes of all lines, and return their sums.

    discounts: those of the invoice, applied in order after the lines' own. rates: for lines without rates of their own.
    """
    nothing = Money(0, currency)
    for line in lines:
        line.off, line.taxes = list(line.given_back), []
        for discount in line.discounts:
            _apply_discount(line, discount, discount.amount)
    for discount in discounts:
        _spread_discount(lines, discount)
    for line in lines:
        line.taxes = _taxes_of(line, line.net.amount, line.rates or rates)
    off: dict[str, int] = {}
    taxes: dict[Rate, tuple[int, int]] = {}
    for line in lines:
        for id, amount in line.off:
            off[id] = off.get(id, 0) + amount
        for tax in line.taxes:
            amount, taxable = taxes.get(tax.rate, (0, 0))
            taxes[tax.rate] = amount + tax.amount, taxable + tax.taxable
    subtotal = sum((line.amount for line in lines), nothing)
    included = sum(
        sum(tax.amount for tax in _taxes_of(line, line.amount.amount, line.rates or rates) if tax.rate.inclusive)
        for line in lines
    )
    return Totals(
        subtotal,
        subtotal - nothing.with_amount(included),
        sum((line.gross for line in lines), nothing),
        sum((line.excluding for line in lines), nothing),
        list(off.items()),
        [Tax(rate, amount, taxable) for rate, (amount, taxable) in taxes.items()],
    )


def _discount_applies(line: Line, discount: Off) -> bool:
    return line.discountable and line.net.is_positive and (not discount.products or line.product in discount.products)


def _apply_discount(line: Line, discount: Off, amount: Money | None) -> None:
    """Take a percentage off a line, or an amount, but never more than the line costs."""
    if not _discount_applies(line, discount):
        return
    net = line.net
    if discount.percent is not None:
        amount = net.with_amount(rounding.percent_off(net.amount, discount.percent))
    if amount is not None:
        line.off.append((discount.id, min(amount, net).amount))


def _spread_discount(lines: Sequence[Line], discount: Off) -> None:
    """Spread an amount over the lines in proportion to their amounts; the last line takes the remainder."""
    if discount.percent is not None:
        for line in lines:
            _apply_discount(line, discount, None)
        return
    fitting = [line for line in lines if _discount_applies(line, discount)]
    if discount.amount is None or not fitting:
        return
    whole = sum((line.net for line in fitting), discount.amount.with_amount(0))
    left = min(discount.amount, whole)
    shares = [rounding.share_down(left.amount, line.net.amount, whole.amount) for line in fitting]
    for place in range(left.amount - sum(shares)):
        shares[place % len(shares)] += 1
    for line, part in zip(fitting, shares, strict=True):
        _apply_discount(line, discount, left.with_amount(part))


def _taxes_of(line: Line, net: int, rates: Sequence[Rate]) -> list[Tax]:
    """Return the taxes that a line was given, or those of the rates on a net amount (minor units)."""
    return _taxes(net, rates) if line.given_taxes is None else list(line.given_taxes)


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
