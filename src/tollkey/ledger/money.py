"""Money: an integer amount of minor units with its currency. Amounts of two currencies are never combined.

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
    """An amount in one currency.

    amount: minor units (cents for usd, yen for jpy), an int; negative for money that leaves.
    currency: lower-case code, for example ``usd``.

    Adding, subtracting and ordering raise CurrencyMismatch for another currency and TypeError for anything else than
    Money. Amounts of different currencies are never equal. There is no multiplication: shares, fees and taxes are
    computed by ``payments.shared.rounding``, exchange by ``payments.shared.conversion``. The constructor raises
    TypeError if the amount is not an int (bool and float are not accepted), ValueError if the currency is not a
    lower-case code.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount must be an int of minor units, not {type(self.amount).__name__}")
        if not self.currency.isascii() or not self.currency.isalpha() or not self.currency.islower():
            raise ValueError(f"a currency must be a lower-case code such as 'usd', not {self.currency!r}")

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

    def __bool__(self) -> bool:
        raise TypeError("ask for is_zero or is_positive: money has no truth value")

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
        if not isinstance(other, Money):
            raise TypeError(f"Money cannot be combined with {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch(self, other)
        return other.amount
