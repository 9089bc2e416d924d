"""An amount of money: a whole number of minor units and its currency, never a float."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """So much of one currency.

    amount: minor units (cents for usd, yen for jpy), an int; may be negative.
    currency: lower-case code, for example ``usd``.

    Raises TypeError for anything but an int (a bool or a float is not money), ValueError for a
    currency that is not in lower case.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount is an int of minor units, not {type(self.amount).__name__}")
        if not self.currency.isascii() or not self.currency.isalpha() or not self.currency.islower():
            raise ValueError(f"a currency is a lower-case code such as 'usd', not {self.currency!r}")

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money only goes with money, not {type(other).__name__}")
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0
