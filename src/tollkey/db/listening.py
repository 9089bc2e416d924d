"""Receives announcements of other nodes over PostgreSQL's LISTEN, and detects when they stop arriving.

One connection does nothing but LISTEN. A heartbeat statement goes over the same connection: its result proves that
announcements arrive too. As long as heartbeats succeed, ``on_alive`` is called and caches may be used. When the
connection is lost the calls stop, and after a reconnect every subscriber receives ``*``: announcements may have been
missed.
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


def close_socket(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Close the socket of a parent's connection in a child process, without sending anything: the parent still uses
    it.
    """
    leak(connection)
    with suppress(psycopg.Error, OSError):
        os.close(connection.fileno())


class Listener:
    """A thread that receives announcements.

    url: of the database. origin: this process's name; its own announcements are ignored, as they were published at the
    commit. subscribers: are called with the others.
    """

    def __init__(self, url: str, origin: str, subscribers: Subscribers) -> None:
        self.on_alive: Callable[[float], None] | None = None
        self._url = url
        self._origin = origin
        self._subscribers = subscribers
        self._reset()

    def _reset(self) -> None:
        self._starting = threading.Lock()
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake: socket.socket | None = None
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def after_fork_in_child(self, origin: str) -> None:
        """Drop the parent's thread and connection; ``start`` creates new ones. origin: the child's name."""
        stopped, connection = self._stopping.is_set(), self._connection
        if connection is not None:
            close_socket(connection)
        if self._wake is not None:
            self._wake.close()
        self._origin = origin
        self._reset()
        if stopped:
            self._stopping.set()

    def start(self, wait_seconds: float = _FIRST_CONNECT_SECONDS) -> None:
        """Start the thread if it is not running, and wait up to ``wait_seconds`` for its connection.

        The thread keeps trying to connect. May be called again.
        """
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                ours, self._wake = socket.socketpair()
                self._thread = threading.Thread(target=self._run, args=(ours,), name="tollkey-listener", daemon=True)
                self._thread.start()
        self._connected.wait(wait_seconds)

    def stop(self) -> None:
        """Stop the thread. May be called again."""
        with self._starting:
            self._stopping.set()
            thread, wake = self._thread, self._wake
            self._thread = self._wake = None
        if wake is not None:
            wake.close()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def _run(self, wake: socket.socket) -> None:
        first, longest = _RECONNECT_SECONDS
        wait = first
        with wake:
            while not self._stopping.is_set():
                try:
                    with self._connect() as connection:
                        wait, self._connection = first, connection
                        self._receive(connection, wake)
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

    def _receive(self, connection: psycopg.Connection[tuple[Any, ...]], wake: socket.socket) -> None:
        """Receive announcements until ``stop`` is called. Raises psycopg.Error when the connection is lost."""
        connection.execute(f"LISTEN {CHANNEL}")
        for channel in self._subscribers.channels():
            self._subscribers.publish(channel, RESYNC)
        self._connected.set()
        beat_at = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            beat_due = now >= beat_at
            if beat_due:
                connection.execute("SELECT 1")
                beat_at = now + HEARTBEAT_SECONDS
            for notice in connection.notifies(timeout=0):
                self._dispatch(notice.payload)
            if beat_due and self.on_alive is not None:
                self.on_alive(now)  # the time before the heartbeat: this thread may have been delayed since
            select.select([connection.fileno(), wake.fileno()], [], [], max(0.0, beat_at - time.monotonic()))

    def _dispatch(self, text: str) -> None:
        try:
            origin, channel, payload = json.loads(text)
        except ValueError:
            _log.warning("an announcement is not valid JSON")
            return
        if origin != self._origin:
            self._subscribers.publish(channel, payload)
