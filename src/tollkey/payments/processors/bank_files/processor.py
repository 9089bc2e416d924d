"""A processor for payouts by files that are exchanged with a bank."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tollkey.payments.processors.bank_files import orders
from tollkey.payments.processors.bank_files.config import Config, NoNumber, WrongDestination, read
from tollkey.payments.processors.bank_files.journal import Journal
from tollkey.payments.processors.network import (
    Clock,
    Declined,
    Features,
    Inquire,
    NotFound,
    Notices,
    NotSent,
    Outcome,
    Payout,
    Pending,
    Provider,
    Request,
    Reverse,
    Unknown,
)

log = logging.getLogger("tollkey")


class BankFiles:
    """Implements ``network.Processor``. Files are written and read in threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.journal = Journal(config)
        self._open = False
        self._delivering: asyncio.Task[None] | None = None

    @property
    def features(self) -> Features:
        """What it can do: payouts in the currencies that have an account."""
        return Features(
            frozenset({"payout"}), frozenset(), frozenset(self._config.accounts), reversal=False, notices=True,
            repeatable=frozenset({"payout"}),
        )  # fmt: skip

    async def send(self, request: Request) -> Outcome:
        """Take a payout into the journal; one of the next files has it."""
        if not isinstance(request, Payout):
            return Declined("processing_error")
        try:
            order = orders.order_of(self._config, request)
        except NoNumber:
            log.warning("%s is refused: nobody has said the number of its bank account", request.object)
            return Declined("no_account")
        except ValueError as problem:
            log.warning("%s is refused: %s", request.object, problem)
            wrong = isinstance(problem, WrongDestination)
            return Declined("invalid_account_number" if wrong else "could_not_process")
        try:
            await self._begin()
        except (OSError, sqlite3.Error) as problem:
            return NotSent(f"the journal cannot be opened: {type(problem).__name__}")
        try:
            await asyncio.to_thread(self.journal.queue, order)
            found = await asyncio.to_thread(self.journal.outcome, request.reference)
        except (OSError, sqlite3.Error) as problem:
            return Unknown(f"the journal failed: {type(problem).__name__}")
        return Pending() if isinstance(found, NotFound) else found

    async def inquire(self, request: Inquire) -> Outcome | NotFound:
        """Say what became of a payout, as far as the bank has said so."""
        try:
            await self._begin()
            return await asyncio.to_thread(self.journal.outcome, request.original.reference)
        except (OSError, sqlite3.Error) as problem:
            return Unknown(f"the journal failed: {type(problem).__name__}")

    async def reverse(self, request: Reverse) -> Outcome:
        """Refuse: there are no authorizations."""
        return Declined("processing_error")

    async def notices(self, cursor: str) -> Notices:
        """Read what came from the bank. Raises OSError when the folders or the journal cannot be used."""
        try:
            await self._begin()
            await asyncio.to_thread(self.journal.take_in)
            return await asyncio.to_thread(self.journal.notices, cursor)
        except sqlite3.Error as problem:
            raise OSError(f"the journal failed: {problem}") from None

    async def probe(self) -> str:
        """Check that the folders and the journal can be used."""
        try:
            await asyncio.to_thread(self.journal.open)
        except sqlite3.Error as problem:
            raise OSError(f"the journal cannot be opened: {problem}") from None
        return f"orders in {', '.join(sorted(self._config.accounts))} go to {self._config.out}"

    async def close(self) -> None:
        """Stop writing files. What is queued stays in the journal."""
        if self._delivering is not None:
            self._delivering.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivering
            self._delivering = None

    async def _begin(self) -> None:
        if not self._open:
            await asyncio.to_thread(self.journal.open)
            self._open = True
        if self._delivering is None or self._delivering.done():
            self._delivering = asyncio.get_running_loop().create_task(self._deliver())

    async def _deliver(self) -> None:
        """Write what was gathered, again and again."""
        while True:
            await asyncio.sleep(self._config.batch_seconds)
            try:
                await asyncio.to_thread(self.journal.deliver)
            except (OSError, sqlite3.Error):
                log.exception("payment orders could not be written; they are kept")


def open_processor(config: Mapping[str, Any], clock: Clock) -> BankFiles:
    """Return a processor of a configuration (``Provider.open``). Raises ValueError."""
    return BankFiles(read(config))


PROVIDER = Provider("bank_files", "bank files (ISO 20022)", open_processor)
