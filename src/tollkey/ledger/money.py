"""The Money type: an integer amount of minor units with its currency, never a float."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency.

    amount: minor units (cents for usd, yen for jpy), an int; may be negative.
    currency: lower-case code, for example ``usd``.

    Sums, differences and comparisons raise ValueError for different currencies and TypeError for other types.
    False if the amount is zero. The constructor raises TypeError if the amount is not an int (bool and float are not
    accepted), ValueError if the currency is not a lower-case code.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount must be an int of minor units, not {type(self.amount).__name__}")
        if not self.currency.isascii() or not self.currency.isalpha() or not self.currency.islower():
            raise ValueError(f"a currency must be a lower-case code such as 'usd', not {self.currency!r}")

    def _amount_of(self, other: Money) -> int:
        """Return the other amount, if it is in the same currency. Raises TypeError, ValueError."""
        if not isinstance(other, Money):
            raise TypeError(f"Money cannot be combined with {type(other).__name__}")
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} are different currencies")
        return other.amount

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

    def __bool__(self) -> bool:
        return self.amount != 0
