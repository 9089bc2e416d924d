"""Writes last uses, counted requests and refused attempts to the database, in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from tollkey.db import Database, SQLite, StorageError, Tx
from tollkey.db.engine import Unreachable
from tollkey.db.sqlite_wal import Series
from tollkey.keys.addresses import Addresses
from tollkey.keys.attempts import Attempts
from tollkey.keys.limiting import SharedLimiter
from tollkey.keys.usage import SLOTS_AT_ONCE, UsageCounter
from tollkey.keys.verifier import FLUSH_MOST, Verifier

_PAUSE_SECONDS = 0.001
_LONG_SECONDS, _FEWEST = 0.005, 5
_USES_SECONDS = 1.0  # last uses are written so often, also while other counts take longer
_log = logging.getLogger(__name__)


class Batch:
    """How much is written at once, so that other writes wait for a few milliseconds only. most: at first, and at most.

    A batch that took long, because the machine or the disk is busy, makes the next ones smaller.
    """

    def __init__(self, most: int) -> None:
        self.size = self._most = most

    def took(self, seconds: float) -> None:
        """Choose the size of the next batch. seconds: how long the last one held the database."""
        if seconds > _LONG_SECONDS:
            self.size = max(_FEWEST, self.size // 2)
        elif seconds < _LONG_SECONDS / 2:
            self.size = min(self._most, self.size * 2)


class Flusher:
    """Flushes what a verifier and ``Attempts`` hold in memory.

    seconds: how often the thread flushes; 0: only ``flush`` and ``stop`` do.
    limiter: exchanges its counts with other processes at the same time. clock: returns UTC epoch seconds.
    monotonic: returns seconds of a monotonic clock.
    """

    def __init__(
        self,
        database: Database,
        verifier: Verifier,
        attempts: Attempts,
        seconds: float,
        *,
        limiter: SharedLimiter | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._uses, self._addresses, self._slots = Batch(FLUSH_MOST), Batch(FLUSH_MOST), Batch(SLOTS_AT_ONCE)
        self._database, self._verifier, self._attempts, self._seconds = database, verifier, attempts, seconds
        self._limiter, self._clock = limiter, clock
        self._stopped = False
        self._series: Series | None = None  # of the flush under way
        self.reset()

    def reset(self) -> None:
        """Forget the thread of the parent process after a fork; the next ``start`` creates one."""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        if self._stopped:
            self._closing.set()

    def start(self) -> None:
        """Start the thread unless it runs or is not wanted."""
        if self._thread is not None or self._seconds <= 0:
            return
        with self._starting:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="tollkey-keys", daemon=True)
                self._thread.start()

    def flush(self) -> int:
        """Write what is counted, in batches. Returns the number of used keys written.

        A part that cannot be written keeps no other from being written. Raises StorageError, then.
        """
        written: list[int] = []
        with self._starting:
            failed = self._attempt(self._exchange)
            if self._verifier.unwritten or self._attempts.unwritten or self._verifier.usage.unwritten:
                with self._begin_series():
                    failed += self._write_all(written)
        if failed:
            raise failed[0]
        return sum(written)

    def _attempt(self, *parts: Callable[[], object]) -> list[StorageError]:
        """Do all parts, and return what they raised. Raises Unreachable at once."""
        failed: list[StorageError] = []
        for part in parts:
            try:
                part()
            except Unreachable:
                raise
            except StorageError as error:
                failed.append(error)
        return failed

    def _begin_series(self) -> AbstractContextManager[object]:
        self._series = Series(self._database) if isinstance(self._database, SQLite) else None
        return self._series or nullcontext()

    def _write_all(self, written: list[int]) -> list[StorageError]:
        """Write everything, and return what could not be. written: gets the numbers of used keys."""

        def write_uses() -> None:
            written.append(self._write_uses())

        def write_counts(counts: Addresses | UsageCounter, batch: Batch) -> None:
            began = self._monotonic()
            while counts.unwritten and self._write_batch(counts.flush, batch):
                if self._monotonic() - began >= _USES_SECONDS:
                    self._exchange()
                    write_uses()
                    began = self._monotonic()

        failed = self._attempt(
            write_uses,
            lambda: write_counts(self._verifier.addresses, self._addresses),
            lambda: write_counts(self._verifier.usage, self._slots),
        )
        if isinstance(self._database, SQLite):
            self._database.write(lambda tx: None)  # makes all batches durable
        return failed

    def _write_uses(self) -> int:
        """Write refused attempts and all last uses, and return how many of these."""
        counts: list[int] = []

        def write(tx: Tx, most: int) -> int:
            self._attempts.flush(tx)
            counts.append(self._verifier.flush(tx, most))
            return counts[-1]

        while self._write_batch(write, self._uses):
            pass
        return sum(counts)

    def _write_batch(self, write: Callable[[Tx, int], int], batch: Batch) -> bool:
        """Write a batch, let others write, and return whether there may be more.

        On SQLite only the last write of a flush waits for the disk: other writes would wait for each batch's.
        """
        database, most = self._database, batch.size
        if not isinstance(database, SQLite):
            written = database.write(lambda tx: write(tx, most))
        else:
            began = self._monotonic()

            def work(tx: Tx) -> int:
                nonlocal began
                began = self._monotonic()  # it has waited for others until now
                return write(tx, most)

            written = database.write(work, durable=False)
            batch.took(self._monotonic() - began)
        if self._series is not None:
            self._series.wrote(written)
        self._let_others_write()
        return written == most

    def _exchange(self) -> None:
        limiter = self._limiter
        if limiter is not None and limiter.unwritten:
            while self._database.write(lambda tx: limiter.exchange(tx, self._clock())):
                self._let_others_write()

    def _let_others_write(self) -> None:
        """Pause between two batches, since a lock is often given back to the thread that has just released it."""
        self._closing.wait(_PAUSE_SECONDS)

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            self._try_flush()

    def _try_flush(self) -> None:
        try:
            self.flush()
        except StorageError as error:  # they stay in memory for the next flush
            _log.warning("the use of keys could not be written: %s", type(error).__name__)
        except Exception:  # whatever it is, the thread goes on
            _log.exception("the use of keys could not be written")

    def stop(self) -> bool:
        """Stop the thread and flush. Returns False when it was stopped before."""
        if self._stopped:
            return False
        self._stopped = True
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._try_flush()
        return True
