"""Reports the uses of keys that were answered from memory, in the background and in batches.

Each batch has a name, under which the server counts it once however often it arrives. A process that is killed loses
what it has not reported. The memory for it is bounded: beyond, uses of a key are counted without route and permission.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.remote.answers import Question, usable_address, usable_endpoint
from tollkey.keys.remote.errors import RemoteRefused, RemoteUnavailable
from tollkey.keys.remote.fields import Json
from tollkey.keys.remote.requests import VERIFY, Address, Request, understood
from tollkey.keys.remote.transport import Connecting, Transport

PATH = "/v1/keys/uses"
_AT_ONCE, _BYTES_AT_ONCE = 200, 40_000  # uses in one report, and their JSON; the server takes 64 KB
_MOST = 10_000  # slots that are counted apart
_WAITING = 4  # times ``_MOST``: further keys are not counted
_MOST_REQUESTS, _MOST_COST = 10**9, 1_000_000  # of one use; the server refuses a whole report for more
_log = logging.getLogger(__name__)


class _Slot(NamedTuple):
    id: str
    route: str | None
    permission: str | None
    cost: int | None


class _Count:
    __slots__ = ("at", "endpoint", "ip", "requests")

    def __init__(self) -> None:
        self.requests, self.at = 0, 0
        self.ip: str | None = None
        self.endpoint: str | None = None


class _Batch(NamedTuple):
    name: str
    uses: list[Json]


class UseReporter:
    """Counts uses in memory, and reports them in a daemon thread.

    address: the server's. connecting: how to reach it. seconds: between two reports; 0: nothing is reported.
    clock: returns UTC epoch seconds. new_name: returns a new name for a batch.
    """

    def __init__(
        self,
        address: Address,
        connecting: Connecting,
        seconds: float,
        clock: Callable[[], float],
        new_name: Callable[[], str],
    ) -> None:
        self._transport = Transport(address, connecting)
        self._seconds, self._clock, self._new_name = seconds, clock, new_name
        self._reset()

    def _reset(self) -> None:
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._counts: dict[_Slot, _Count] = {}
        self._batch: _Batch | None = None
        self._off = self._seconds <= 0

    def after_fork_in_child(self) -> None:
        """Start with nothing counted and no thread: the parent reports its uses."""
        self._reset()
        self._transport.after_fork_in_child()

    def count(self, key: Key, question: Question) -> None:
        """Count a use of a key that was answered from memory. question: what was asked."""
        if self._off:
            return
        now = int(self._clock())
        with self._lock:
            count = self._slot(_Slot(key.id, question.route, question.permission, question.cost))
            if count is None:
                return
            count.requests += 1
            count.at, count.ip, count.endpoint = now, question.ip, question.endpoint
        if self._thread is None:
            self._start()

    def _slot(self, slot: _Slot) -> _Count | None:
        """Return the count of a slot; None when it cannot be kept. Called with the lock."""
        found = self._counts.get(slot)
        if found is None:
            if len(self._counts) >= _MOST:
                slot = _Slot(slot.id, None, None, None)
                if slot not in self._counts and len(self._counts) >= _WAITING * _MOST:
                    return None
            found = self._counts.setdefault(slot, _Count())
        return found

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="tollkey-uses", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            stopped = self._stopped.wait(self._seconds)
            try:
                self.report()
            except Exception:  # whatever it is, the thread goes on
                _log.exception("uses of keys could not be reported")
            if stopped or self._stopped.is_set():  # a report that was waiting for its answer was the last one
                return

    def report(self) -> None:
        """Report what was counted; blocking. What does not arrive is kept for the next time. Never raises."""
        with self._sending:
            while not self._off and self._send_next():
                pass

    def _send_next(self) -> bool:
        """Send a batch, and return whether to go on with the next one."""
        batch = self._batch = self._batch or self._taken()
        if batch is None:
            return False
        request = Request(
            "POST", PATH, VERIFY, body={"uses": batch.uses}, repeatable=True, idempotency_key=batch.name
        )  # fmt: skip
        try:
            understood(self._transport.send(request), request)
        except RemoteUnavailable as error:
            _log.warning("uses of keys could not be reported yet: %s", error)
            return False
        except KeyRefused as error:
            _log.error("some uses of keys were not counted: %s", error)
        except RemoteRefused as error:  # also a server that is older than this client
            _log.error("uses of keys that are answered from memory are not reported: %s", error)
            self._off = True
            self._counts.clear()
        self._batch = None
        return True

    def _taken(self) -> _Batch | None:
        with self._lock:
            uses: list[Json] = []
            left = _BYTES_AT_ONCE
            for slot in list(islice(self._counts, _AT_ONCE)):
                if left > 0:
                    uses.append(_shown(slot, self._counts.pop(slot)))
                    left -= len(json.dumps(uses[-1]))
        return _Batch(self._new_name(), uses) if uses else None

    def stop(self) -> None:
        """Let the thread report what is left, and end."""
        self._stopped.set()

    def close(self) -> None:
        """Report what is left, and end the thread. May be called again. It waits for one report that fails, at most."""
        self.stop()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            self.report()
        else:
            thread.join()
            if self._batch is None:  # else the server is away
                self.report()  # what was counted meanwhile
        self._off = True
        self._transport.close()


def _shown(slot: _Slot, count: _Count) -> dict[str, Json]:
    values: dict[str, Json] = {
        "id": slot.id,
        "requests": min(count.requests, _MOST_REQUESTS),
        "at": count.at,
        "cost": None if slot.cost is None else min(slot.cost, _MOST_COST),
        "ip": usable_address(count.ip),
        "endpoint": usable_endpoint(count.endpoint),
        "route": slot.route,
        "permission": slot.permission,
    }
    return {name: value for name, value in values.items() if value is not None}
