"""The stream of key changes, by which remote caches learn within a second that a key was revoked.

A position is a place in the audit log, whose entries are written in the order of the commits on all nodes. So a client
can go on at another node, or after a restart, where it stopped. A tick says that the client has been told of every
change up to now: it is sent only after announcements of other nodes were found to arrive (``Lease``) and the log was
read. When the database is away there are no ticks, and clients refuse what they remember.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import takewhile
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from tollkey.db import StorageError, Tx
from tollkey.keys.audit import PLAN_CHANGED
from tollkey.keys.http.errors import ApiError
from tollkey.keys.limiting.store import CHANNEL as PLANS_CHANNEL
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.service import KeyService
from tollkey.keys.store import ORDER
from tollkey.keys.writing import CHANNEL

STEP_SECONDS = 0.1  # between two looks whether announcements arrive, which they do four times a second at least
TICK_SECONDS = 0.2  # between two ticks
KEPT = 10_000  # changes in memory, and the longest way back that is read from the database
MOST_LISTENERS = 1_000
MOST_LISTENERS_OF_KEY = 250
_BATCH = 1_000
_NEW = ("created", "imported")  # nobody remembers a key that is new
_KEYS = f"SELECT id, version FROM api_keys WHERE account = ? AND livemode = ? ORDER BY {ORDER} LIMIT ?"
_log = logging.getLogger(__name__)


class Change(NamedTuple):
    """A key that was changed, or its account's plan. seq: position in the audit log; of a plan, the same for all keys.

    id: of the key. version: its newest version.
    """

    seq: int
    id: str
    version: int


class News(NamedTuple):
    """What a listener is told.

    reset: drop everything, because changes were missed. changes: oldest first. position: where it stands then.
    at: everything that happened before this time was told, in seconds of the server's monotonic clock; None if that is
        not known.
    """

    reset: bool
    changes: tuple[Change, ...]
    position: int
    at: float | None


class ChangeStream:
    """Follows the changes of keys, for all listeners of this process.

    keys: whose database is followed. monotonic: returns seconds of the clock of its lease.
    ``run`` does the work; one step of it is ``step``.
    """

    def __init__(self, keys: KeyService, monotonic: Callable[[], float]) -> None:
        self._keys, self._monotonic = keys, monotonic
        self._suffix = fingerprint(keys.authority.catalogue)
        self._recent: deque[Change] = deque(maxlen=KEPT)
        self.position = -1  # of the newest change that was read; -1 before the first
        self._floor = 0  # listeners at or behind this position are served from the database
        self._heard = float("-inf")
        self._announced = True
        self.turn = asyncio.Event()  # set after the next step
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False
        self._listeners: Counter[str] = Counter()
        for channel in (CHANNEL, PLANS_CHANNEL):
            keys.database.subscribe(channel, self._on_announcement)

    def _on_announcement(self, _: str) -> None:
        self._announced = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    # -- following

    async def run(self) -> None:
        """Follow the changes until ``close``; for a task of its own."""
        self._loop = asyncio.get_running_loop()
        while not self.closed:
            self._wake.clear()
            await self.step()
            try:
                async with asyncio.timeout(STEP_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def step(self) -> None:
        """Receive announcements, read what changed, and let the listeners tell their clients."""
        try:
            await run_in_threadpool(self._keys.hear)
            heard = self._keys.verifier.lease.heard_at
            if self._announced:
                self._announced = False
                await self._read_on()
            if heard >= self._heard + TICK_SECONDS and self.position >= 0:
                self._heard = heard
        except StorageError as error:
            self._announced = True
            _log.warning("the changes of keys could not be read: %s", type(error).__name__)
        except Exception:  # without ticks caches ask for each key; the next step may read again
            self._announced = True
            _log.exception("the changes of keys could not be read")
        turn, self.turn = self.turn, asyncio.Event()
        turn.set()

    async def _read_on(self) -> None:
        if self.position < 0:
            self.position = self._floor = await run_in_threadpool(self._keys.database.read, last_position)
        while True:
            found, last = await self._after(self.position, _BATCH)
            for change in found:
                if len(self._recent) == KEPT:
                    self._floor = self._recent[0].seq
                self._recent.append(change)
            self.position = max(self.position, last)
            if last < 0:
                return

    async def _after(self, position: int, most: int) -> tuple[list[Change], int]:
        return await run_in_threadpool(self._keys.database.read, lambda tx: changes_after(tx, position, most))

    def close(self) -> None:
        """End the streams of all listeners."""
        self.closed = True
        self._wake.set()
        self.turn.set()

    # -- listening

    def text(self, position: int) -> str:
        """Return a position as clients get it. It fits only servers with the same permissions."""
        return f"{max(position, 0)}-{self._suffix}"

    def parse(self, text: str) -> int | None:
        """Return the position in a text from a client; None if its cache does not fit this server."""
        number, _, suffix = text.partition("-")
        if suffix != self._suffix or not (number.isascii() and number.isdigit()) or len(number) > 18:
            return None
        return int(number)

    def check_room(self, key_id: str) -> None:
        """Raise ApiError 429 or 503 if there is no room for another listener. key_id: of its service key."""
        again = ((b"retry-after", b"5"),)
        if self._listeners[key_id] >= MOST_LISTENERS_OF_KEY:
            message = f"A service key may have {MOST_LISTENERS_OF_KEY} listeners at once."
            raise ApiError(429, "too_many_listeners", message, headers=again)
        if self._listeners.total() >= MOST_LISTENERS:
            raise ApiError(503, "too_many_listeners", "This server has no room for another listener.", headers=again)

    def enter(self, key_id: str) -> None:
        """Count a new listener."""
        self._listeners[key_id] += 1

    def leave(self, key_id: str) -> None:
        """Count a listener that has gone."""
        self._listeners[key_id] -= 1
        self._listeners += Counter()  # forgets zeros

    async def listen(self, after: int | None, allowed: Callable[[], Awaitable[bool]]) -> AsyncIterator[News]:
        """Yield the news from a position on, until ``close`` or until the listener is not allowed any more.

        after: the position that the client has seen; None if it has seen nothing. allowed: is asked at each step.
        """
        position, told = after, self._monotonic()  # what was heard before the client came may be old
        while not self.closed and await allowed():
            turn = self.turn
            if self.position >= 0:
                try:
                    news = await self._news(position, self._heard if self._heard > told else None)
                except StorageError:
                    news = None
                if news is not None:
                    position, told = news.position, told if news.at is None else news.at
                    yield news
            await turn.wait()

    async def _news(self, position: int | None, at: float | None) -> News | None:
        """Return what is new since a position, or None for nothing."""
        newest = self.position
        if position is not None and position > newest and at is None:
            return None  # another node may be ahead of this one
        if position is None or position > newest:
            return News(True, (), newest, at)
        if position >= self._floor:
            fresh = takewhile(lambda change: change.seq > position, reversed(self._recent))
            changes = tuple(reversed(tuple(fresh)))
        else:
            found, last = await self._after(position, KEPT + 1)
            if last < newest or len(found) > KEPT:
                return News(True, (), newest, at)
            changes = tuple(change for change in found if change.seq <= newest)
        return News(False, changes, newest, at) if changes or at is not None else None


def fingerprint(catalogue: PermissionCatalogue) -> str:
    """Return eight characters that differ between catalogues: a key has other effective permissions under another."""
    rows = sorted((name, *sorted(catalogue.expand([name]))) for name in catalogue.names)
    return hashlib.blake2b(repr(rows).encode(), digest_size=4).hexdigest()


def last_position(tx: Tx) -> int:
    """Return the position of the newest entry of the audit log; 0 if there is none."""
    last: int = tx.execute("SELECT coalesce(max(seq), 0) FROM key_audit")[0][0]
    return last


def changes_after(tx: Tx, position: int, most: int) -> tuple[list[Change], int]:
    """Return the changes behind a position, oldest first, and the position of the last entry that was looked at.

    A plan counts as a change of each key, of ``KEPT`` + 1 keys at most. An entry that makes more than that is the last.
    """
    rows = tx.execute(
        "SELECT a.seq, a.key_id, k.version, a.action, a.account, a.livemode FROM key_audit a"
        " LEFT JOIN api_keys k ON k.id = a.key_id WHERE a.seq > ? ORDER BY a.seq LIMIT ?",
        (position, most),
    )
    found: list[Change] = []
    for seq, key_id, version, action, account, livemode in rows:
        if action == PLAN_CHANGED:  # what a cache knows of these keys has no limit, or another one
            keys = tx.execute(_KEYS, (account, livemode, KEPT + 1))
            found += [Change(seq, *key) for key in keys]
            if len(found) > KEPT:
                return found, seq
        elif action not in _NEW and version is not None:
            found.append(Change(seq, key_id, version))
    return found, rows[-1][0] if rows else -1
