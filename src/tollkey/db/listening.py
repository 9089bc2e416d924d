"""Hearing what other nodes announce, and knowing whether we still would.

One connection does nothing but LISTEN. A heartbeat goes through the same connection, so that its
answer proves that announcements arrive too. While the heart beats, memory may be trusted; when
the connection is lost, ``on_alive`` stops, and after the next connect every subscriber hears
``*``: something may have been missed.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from tollkey.db.engine import Subscribers
from tollkey.db.forking import leak

CHANNEL = "tollkey"
HEARTBEAT_SECONDS = 0.25
RESYNC = "*"
_FIRST_CONNECT_SECONDS = 5.0
_RECONNECT_SECONDS = 0.1, 2.0  # the first wait, doubled up to the last

_log = logging.getLogger(__name__)


def abandon(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """In a child process: close the socket without a word to the server, which still talks to the parent; keep all
    else.
    """
    leak(connection)
    with suppress(psycopg.Error, OSError):
        os.close(connection.fileno())


class Listener:
    """A thread that listens. ``start`` and ``stop`` may be called more than once.

    sender: announcements made under this name are our own and were told already.
    subscribers: who is told.
    """

    def __init__(self, url: str, sender: str, subscribers: Subscribers) -> None:
        self.on_alive: Callable[[float], None] | None = None
        self._url = url
        self._sender = sender
        self._subscribers = subscribers
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._starting = threading.Lock()
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake: socket.socket | None = None
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def after_fork_in_child(self, sender: str) -> None:
        """Nobody listens here: the thread is the parent's, and so is the connection.

        ``start`` begins under the new name.
        """
        stopped, connection = self._stopping.is_set(), self._connection
        if connection is not None:
            abandon(connection)
        if self._wake is not None:
            self._wake.close()
        self._sender = sender
        self._begin_anew()
        if stopped:
            self._stopping.set()

    def start(self, wait_seconds: float = _FIRST_CONNECT_SECONDS) -> None:
        """Listen, and return once connected, or after ``wait_seconds``: the thread goes on trying."""
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                ours, self._wake = socket.socketpair()
                self._thread = threading.Thread(target=self._live, args=(ours,), name="tollkey-listener", daemon=True)
                self._thread.start()
        self._connected.wait(wait_seconds)

    def stop(self) -> None:
        with self._starting:
            self._stopping.set()
            thread, wake = self._thread, self._wake
            self._thread = self._wake = None
        if wake is not None:
            wake.close()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def _live(self, wake: socket.socket) -> None:
        first, longest = _RECONNECT_SECONDS
        wait = first
        with wake:
            while not self._stopping.is_set():
                try:
                    with self._connect() as connection:
                        wait, self._connection = first, connection
                        self._hear(connection, wake)
                except psycopg.Error as error:
                    if not self._stopping.is_set():
                        _log.warning("listening for announcements failed: %s", type(error).__name__)
                self._stopping.wait(wait)
                wait = min(wait * 2, longest)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            self._url,
            autocommit=True,
            application_name="tollkey listener",
            connect_timeout=3,
            keepalives_idle=2,
            keepalives_interval=1,
            keepalives_count=3,
            tcp_user_timeout=5000,
        )

    def _hear(self, connection: psycopg.Connection[tuple[Any, ...]], wake: socket.socket) -> None:
        """Until the connection is lost, which raises, or ``stop`` is called."""
        connection.execute(f"LISTEN {CHANNEL}")
        for channel in self._subscribers.channels():
            self._subscribers.tell(channel, RESYNC)
        self._connected.set()
        beat_at = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            beats = now >= beat_at
            if beats:
                connection.execute("SELECT 1")
                beat_at = now + HEARTBEAT_SECONDS
            for notice in connection.notifies(timeout=0):
                self._take(notice.payload)
            if beats and self.on_alive is not None:
                self.on_alive(now)  # the time from before: this thread may have been held up since
            select.select([connection.fileno(), wake.fileno()], [], [], max(0.0, beat_at - time.monotonic()))

    def _take(self, text: str) -> None:
        try:
            sender, channel, payload = json.loads(text)
        except ValueError:
            _log.warning("an announcement could not be read")
            return
        if sender != self._sender:
            self._subscribers.tell(channel, payload)
