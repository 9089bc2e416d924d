"""Writes last uses, counted requests and refused attempts to the database, in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tollkey.db import Database, SQLite, StorageError, Tx
from tollkey.keys.attempts import Attempts
from tollkey.keys.limiting import SharedLimiter
from tollkey.keys.usage import SLOTS_AT_ONCE
from tollkey.keys.verifier import FLUSH_MOST, Verifier

T = TypeVar("T")
_PAUSE_SECONDS = 0.001
_log = logging.getLogger(__name__)


class Flusher:
    """Flushes what a verifier and ``Attempts`` hold in memory.

    seconds: how often the thread flushes; 0: only ``flush`` and ``stop`` do.
    limiter: exchanges its counts with other processes at the same time. clock: returns UTC epoch seconds.
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
    ) -> None:
        self._database, self._verifier, self._attempts, self._seconds = database, verifier, attempts, seconds
        self._limiter, self._clock = limiter, clock
        self._stopped = False
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
        """Write what is counted, in batches. Returns the number of used keys written. Raises StorageError."""
        counts = [FLUSH_MOST]
        usage, addresses = self._verifier.usage, self._verifier.addresses
        with self._starting:
            self._exchange()
            if not (self._verifier.unwritten or self._attempts.unwritten or usage.unwritten):
                return 0
            while counts[-1] == FLUSH_MOST:
                counts.append(self._write(self._write_uses))
                self._let_others_write()
            while addresses.unwritten and self._write(lambda tx: addresses.flush(tx, FLUSH_MOST)) == FLUSH_MOST:
                self._let_others_write()
            while usage.unwritten and self._write(usage.flush) == SLOTS_AT_ONCE:
                self._let_others_write()
            if isinstance(self._database, SQLite):
                self._database.write(lambda tx: None)  # makes all batches durable
        return sum(counts[1:])

    def _write(self, callback: Callable[[Tx], T]) -> T:
        """Write a batch. On SQLite only the last write waits for the disk: other writes would wait for each batch's."""
        database = self._database
        return database.write(callback, durable=False) if isinstance(database, SQLite) else database.write(callback)

    def _exchange(self) -> None:
        limiter = self._limiter
        if limiter is not None and limiter.unwritten:
            while self._database.write(lambda tx: limiter.exchange(tx, self._clock())):
                self._let_others_write()

    def _let_others_write(self) -> None:
        """Pause between two batches, since a lock is often given back to the thread that has just released it."""
        self._closing.wait(_PAUSE_SECONDS)

    def _write_uses(self, tx: Tx) -> int:
        self._attempts.flush(tx)
        return self._verifier.flush(tx)

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
