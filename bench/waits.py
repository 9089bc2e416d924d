"""What a client waits for its answers, on a machine that others use too.

Linux notes how long each thread was ready to run and had no processor (`/proc/<pid>/schedstat`). What the thread of
the server's event loop and this one have waited so is the machine's, not the server's: it is subtracted. What remains
is the server's own work, its locks and its other threads, and the disk; with `TMPDIR=/dev/shm` the disk is none.
"""

from __future__ import annotations

import os
import time
from pathlib import Path


class Waits:
    """What the ordinary client has waited, in ms. pid: of the server whose queueing is subtracted, 0 for none."""

    def __init__(self, pid: int = 0) -> None:
        self.each: list[float] = []
        self._queues = [Path(f"/proc/{one}/schedstat") for one in (pid, os.getpid()) if pid]
        self._began = self._before = 0.0

    def begin(self) -> float:
        """Begin to wait, and return the time: seconds of ``time.perf_counter``."""
        self._before = self._queued()
        self._began = time.perf_counter()
        return self._began

    def end(self) -> None:
        """The answer is there."""
        waited = (time.perf_counter() - self._began) * 1e3
        self.each.append(max(0.0, waited - (self._queued() - self._before)))

    def _queued(self) -> float:
        """How long both threads have waited for a processor since they began, in ms."""
        return sum(int(queue.read_text().split()[1]) for queue in self._queues) / 1e6

    @property
    def worst(self) -> float:
        """The longest wait."""
        return max(self.each, default=0.0)

    def row(self) -> str:
        """Median, 99th percentile and worst."""
        found = sorted(self.each) or [0.0]
        return f"{len(found):>8} {found[len(found) // 2]:>8.1f} {found[int(len(found) * 0.99)]:>8.1f} {found[-1]:>8.1f}"
