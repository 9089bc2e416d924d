"""``tollkey serve --workers``: one parent that starts several servers on one port and restarts those that die.

Each worker is a node of its own: they share the port by SO_REUSEPORT, the database, and nothing else. The parent serves
nothing. It passes SIGTERM, SIGINT and SIGHUP on; when it dies itself, the workers see the end of a pipe and stop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

log = logging.getLogger("tollkey")

_LOOK_SECONDS = 0.1  # between two looks for workers that have ended
_EARLY_SECONDS = 5.0  # a worker that ends within this has not served: it is restarted only if others have
_PAUSE_SECONDS = 1.0  # before a restart


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker is told by its parent. number: from 0. port: the shared one. parent: the pipe that ends with it."""

    number: int
    port: int
    parent: int

    @classmethod
    def read(cls, text: str) -> Worker:
        """Read the hidden option ``--worker``. Raises ValueError."""
        number, port, parent = (int(part) for part in text.split(":"))
        return cls(number, port, parent)


class Workers:
    """Starts and watches the workers.

    command: of a worker, without its own option. count: of workers. port: the shared one.
    """

    def __init__(self, command: list[str], count: int, port: int) -> None:
        self._command, self._count, self._port = command, count, port
        self._ends, self._kept = os.pipe()  # the workers wait for the end of the one, which is when the other closes
        self._running: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._due: dict[int, float] = {}
        self._served = self._stopping = False

    def run(self) -> int:
        """Start the workers, watch them until a signal stops them, and return the exit code."""
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(one, self._pass_on)
        for number in range(self._count):
            self._start(number)
        code = 0
        while self._running or self._due:
            time.sleep(_LOOK_SECONDS)
            code = max(code, self._look())
        for end in (self._kept, self._ends):
            os.close(end)
        return code

    def _start(self, number: int) -> None:
        option = f"{number}:{self._port}:{self._ends}"
        first = number == 0 and not self._served  # it says that the server is ready
        process = subprocess.Popen(
            [*self._command, "--worker", option],
            pass_fds=(self._ends,),
            stdout=None if first else subprocess.DEVNULL,
        )
        self._running[number] = (process, time.monotonic())

    def _look(self) -> int:
        """Restart what is due, note what has ended, and return the exit code of what will not be restarted."""
        now, failed = time.monotonic(), 0
        for number, (process, started) in list(self._running.items()):
            code = process.poll()
            self._served = self._served or now - started > _EARLY_SECONDS
            if code is None:
                continue
            del self._running[number]
            if self._stopping:
                early = code in (-signal.SIGTERM, -signal.SIGINT)  # told to stop before it had begun to listen
                failed = max(failed, 0 if early else abs(code))
            elif self._served:
                log.error("worker %d ended with %d and is restarted", number, code)
                self._due[number] = now + _PAUSE_SECONDS
            else:
                failed = max(failed, abs(code) or 1)
                self._pass_on(signal.SIGTERM, None)
        for number, at in list(self._due.items()):
            if self._stopping or now >= at:
                del self._due[number]
                if not self._stopping:
                    self._start(number)
        return failed

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._stopping = self._stopping or number != signal.SIGHUP
        for process, _ in self._running.values():
            if process.poll() is None:
                process.send_signal(number)


def end_with_parent(parent: int) -> None:
    """End this process as SIGTERM does, once its parent has died. Called in the event loop. parent: the pipe."""
    loop = asyncio.get_running_loop()

    def died() -> None:
        loop.remove_reader(parent)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(parent, died)


def run_workers(count: int, listen: Callable[[], socket.socket]) -> int:
    """Run that many workers with this process's own command line. Returns the exit code.

    listen: binds the shared port, which the parent keeps, so that no other program takes it. Raises OSError.
    """
    with listen() as reserved:
        return Workers([sys.executable, "-m", "tollkey", *sys.argv[1:]], count, reserved.getsockname()[1]).run()
