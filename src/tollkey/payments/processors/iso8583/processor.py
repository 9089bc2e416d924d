"""A processor that speaks ISO 8583 with an acquirer's host."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from tollkey.payments.processors.iso8583 import answers, messages
from tollkey.payments.processors.iso8583.codec import Fields, Malformed
from tollkey.payments.processors.iso8583.config import Config, read
from tollkey.payments.processors.iso8583.link import Link, Streams
from tollkey.payments.processors.network import (
    Accept,
    Clock,
    Contest,
    Declined,
    Features,
    Inquire,
    Notices,
    NotSent,
    Operation,
    Outcome,
    Payout,
    Provider,
    Request,
    Reverse,
    Unknown,
)

log = logging.getLogger("tollkey")
_OPERATIONS: frozenset[Operation] = frozenset({"authorize", "capture", "void", "refund", "verify"})


class Iso8583:
    """Implements ``network.Processor``. link: the connection, shared by all calls."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self.link = Link(self._connect, config.dialect, config.timing, clock)

    async def _connect(self) -> Streams:
        return await asyncio.open_connection(self._config.host, self._config.port, ssl=self._config.tls)

    @property
    def features(self) -> Features:
        """What it can do. The network has no inquiry: what is unknown is undone, or sent again as a repeat."""
        repeatable = _OPERATIONS & self._config.dialect.repeatable
        return Features(
            _OPERATIONS, currencies=self._config.currencies, inquiry=False, reversal=True, repeatable=repeatable,
            raw_numbers=self._config.numbers,
        )  # fmt: skip

    async def send(self, request: Request) -> Outcome:
        """Send a request once, and wait for its answer."""
        if isinstance(request, Payout | Contest | Accept):
            return Declined("could_not_process")
        try:
            message = messages.message_of(self._config, request)
        except messages.Refused as refused:
            return refused.outcome
        return await self._exchange(message, request.operation, request.repeats)

    async def reverse(self, request: Reverse) -> Outcome:
        """Undo an authorization of unknown outcome."""
        try:
            message = messages.reversal_of(self._config, request)
        except messages.Refused as refused:
            return refused.outcome
        return await self._exchange(message, "reverse", request.repeats)

    async def _exchange(self, message: Fields, operation: str, repeats: int) -> Outcome:
        try:
            answer = await self.link.call(message)
        except Malformed as problem:  # it never can be sent, and must not hold up what comes after it
            log.error("a message for the host cannot be written: %s", problem)
            again = repeats > 0 and operation != "reverse"  # what was sent before may have been done
            return Unknown("its message cannot be written any more") if again else Declined("processing_error")
        if isinstance(answer, NotSent | Unknown):
            return answer
        return answers.outcome(self._config.dialect, message, answer, operation, repeats)

    async def inquire(self, request: Inquire) -> Outcome:
        """Say that the network cannot be asked."""
        return Unknown("ISO 8583:1987 has no inquiry")

    async def notices(self, cursor: str) -> Notices:
        """Return none: the network tells nothing by itself."""
        return Notices((), cursor)

    async def probe(self) -> str:
        """Sign on, and have the host echo a message. Raises OSError."""
        seconds = await self.link.check()
        return f"signed on to {self._config.host}:{self._config.port}, echo after {seconds * 1000:.0f} ms"

    async def close(self) -> None:
        """Sign off and close the connection."""
        await self.link.close()


def open_processor(config: Mapping[str, Any], clock: Clock) -> Iso8583:
    """Return a processor of a configuration, without connecting. Raises ValueError (``Provider.open``)."""
    return Iso8583(read(config), clock)


PROVIDER = Provider("iso8583", "ISO 8583", open_processor)
