"""An accepted request, as gates and adapters pass it on."""

from __future__ import annotations

from tollkey.keys.key import Key, LimitState
from tollkey.keys.limiting import rate_limit_headers


class Accepted:
    """An accepted request. It remembers the text of its key, and never shows it.

    key: the key. limits: the states of its limits. cost: what the key has paid.
    """

    __slots__ = ("_text", "cost", "key", "limits")

    def __init__(self, key: Key, limits: tuple[LimitState, ...], cost: int, text: str) -> None:
        self.key, self.limits, self.cost = key, limits, cost
        self._text = text

    def __repr__(self) -> str:
        return f"Accepted({self.key.id})"

    @property
    def values(self) -> tuple[str]:
        """The text of the key, as the value of a header of its own."""
        return (self._text,)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The header fields about limits for the response: pairs of name, in lower case, and value."""
        return rate_limit_headers(self.limits)
