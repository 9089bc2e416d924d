"""Money: an amount of one currency. Amounts of two currencies are never added, subtracted or ordered by accident.

Objects on the wire keep ``amount`` and ``currency`` side by side. Arithmetic takes both together as ``Money``.
"""

from __future__ import annotations

from dataclasses import dataclass


class CurrencyMismatch(Exception):
    """Amounts of different currencies were combined: a bug of ours, never a fault of a request."""

    def __init__(self, one: Money, other: Money) -> None:
        super().__init__(f"{one.currency} and {other.currency} cannot be combined")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency.

    amount: minor units, negative for money that leaves. currency: lower-case code.
    Adding, subtracting and ordering raise CurrencyMismatch for another currency. Amounts of different currencies are
    never equal. There is no multiplication: shares, fees and taxes are computed by ``rounding``, exchange by
    ``conversion``.
    """

    amount: int
    currency: str

    @property
    def is_zero(self) -> bool:
        """Whether the amount is 0."""
        return self.amount == 0

    @property
    def is_positive(self) -> bool:
        """Whether the amount is above 0."""
        return self.amount > 0

    def with_amount(self, amount: int) -> Money:
        """Another amount, in minor units, of the same currency."""
        return Money(amount, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._amount_of(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._amount_of(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._amount_of(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._amount_of(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._amount_of(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._amount_of(other)

    def _amount_of(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(self, other)
        return other.amount
