"""Two processors of one account: one for payments, one for payouts.

[payments]
provider = "iso8583"
…                     # its configuration: [payments.link], [payments.merchant] …

[payouts]
provider = "bank_files"
…
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tollkey.payments.processors import links
from tollkey.payments.processors.network import (
    Clock,
    Features,
    Inquire,
    NotFound,
    Notice,
    Notices,
    Outcome,
    Processor,
    Provider,
    Request,
    Reverse,
)
from tollkey.payments.processors.tables import only

NAME: Final = "combined"
_PARTS: Final = ("payments", "payouts")


class Combined:
    """Implements ``network.Processor`` by two others. payments, payouts: those."""

    def __init__(self, payments: Processor, payouts: Processor) -> None:
        self._parts = {"payments": payments, "payouts": payouts}

    @property
    def features(self) -> Features:
        """What both can do together. What is unknown is found out as the processor of payments has it found out."""
        payments, payouts = (self._parts[name].features for name in _PARTS)
        operations = (payments.operations - {"payout"}) | (payouts.operations & {"payout"})
        either = payments.currencies and payouts.currencies
        return replace(
            payments,
            operations=operations,
            currencies=payments.currencies | payouts.currencies if either else frozenset(),
            repeatable=(payments.repeatable - {"payout"}) | (payouts.repeatable & {"payout"}),
            notices=payments.notices or payouts.notices,
        )

    def _of(self, request: Request) -> Processor:
        return self._parts["payouts" if request.operation == "payout" else "payments"]

    async def send(self, request: Request) -> Outcome:
        """Send a request to the processor of its operation."""
        return await self._of(request).send(request)

    async def inquire(self, request: Inquire) -> Outcome | NotFound:
        """Ask the processor that has the request."""
        return await self._of(request.original).inquire(request)

    async def reverse(self, request: Reverse) -> Outcome:
        """Undo an authorization."""
        return await self._parts["payments"].reverse(request)

    async def notices(self, cursor: str) -> Notices:
        """Return what both told; their notices have ids of their own. Raises OSError when one cannot be asked."""
        seen: dict[str, str] = json.loads(cursor) if cursor else {}
        items: list[Notice] = []
        for name in _PARTS:
            part = self._parts[name]
            if part.features.notices:
                page = await part.notices(seen.get(name, ""))
                items += (replace(one, id=f"{name}:{one.id}") for one in page.items)
                seen[name] = page.cursor
        return Notices(tuple(items), json.dumps(seen, sort_keys=True) if any(seen.values()) else cursor)

    async def probe(self) -> str:
        """Check both. Raises OSError or ValueError."""
        return "; ".join([await self._parts[name].probe() for name in _PARTS])

    async def close(self) -> None:
        """Close both."""
        for part in self._parts.values():
            await part.close()


def open_both(config: Mapping[str, Any], clock: Clock) -> Combined:
    """Return the processors of a configuration. Raises ValueError (``Provider.open``)."""
    only(config, _PARTS, "")
    known, opened = links.known(), []
    for name in _PARTS:
        given = config.get(name)
        if not isinstance(given, Mapping) or not isinstance(given.get("provider"), str):
            raise ValueError(f"{name}.provider is missing")
        provider = known.get(given["provider"])
        if provider is None or provider.name == NAME:
            raise ValueError(f"{name}.provider: there is no provider {given['provider']!r} to combine")
        rest = {setting: value for setting, value in given.items() if setting != "provider"}
        try:
            opened.append(provider.open(rest, clock))
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}") from None
    return Combined(*opened)


PROVIDER = Provider(NAME, "one processor for payments and one for payouts", open_both)
