"""Receives announcements of other nodes over PostgreSQL's LISTEN, and detects when they stop arriving.

One connection does nothing but LISTEN. A heartbeat statement goes over the same connection: its result proves that
announcements arrive too. As long as heartbeats succeed, ``on_alive`` is called and caches may be used. When the
connection is lost the calls stop, and after a reconnect every subscriber receives ``*``: announcements may have been
missed. What the heartbeats find also tells ``Contact`` whether the database is away.

Through a pooler such as PgBouncer heartbeats would succeed while announcements go to another connection: it is refused.
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
from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus

from tollkey.db.bounds import Bounds, Contact
from tollkey.db.engine import StorageError, Subscribers
from tollkey.db.forking import leak

CHANNEL = "tollkey"
HEARTBEAT_SECONDS = 0.25
RESYNC = "*"
POOLED = (
    "this address is that of a pooler such as PgBouncer, over which no announcement of another server arrives: name"
    " PostgreSQL itself too, with TOLLKEY_DIRECT_DATABASE"
)
_FIRST_CONNECT_SECONDS = 5.0
_RECONNECT_SECONDS = 0.1, 0.8  # the first wait, doubled up to the last

_log = logging.getLogger(__name__)


def close_socket(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Close the socket of a parent's connection in a child process, without sending anything: the parent still uses
    it.
    """
    leak(connection)
    with suppress(psycopg.Error, OSError):
        os.close(connection.fileno())


def is_pooled(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Whether a connection ends at a pooler, which may give each of its transactions another session.

    A pooler makes up the process number that a client gets for cancelling (libpq's ``PQbackendPID``).
    """
    told = connection.execute("SELECT pg_backend_pid()").fetchone()
    return told != (connection.info.backend_pid,)


def cut_off(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Shut a connection's socket down, so that the thread that waits for its answer gets an error. Sends nothing."""
    with suppress(psycopg.Error, OSError):
        port = connection.info.port
        with socket.socket(fileno=os.dup(connection.fileno())) as ours:
            peer = ours.getpeername()
            if not isinstance(peer, tuple) or peer[1] == port:  # else its number belongs to another socket by now
                ours.shutdown(socket.SHUT_RDWR)


class Listener:
    """A thread that receives announcements.

    url: of the database, not of a pooler. origin: this process's name; its own announcements are ignored, as they were
    published at the commit. subscribers: are called with the others. bounds: ``away`` is how long a heartbeat may go
    unanswered. contact: is told of each answer, and of each failure. on_away: called while the database does not
    answer.
    """

    def __init__(
        self,
        url: str,
        origin: str,
        subscribers: Subscribers,
        bounds: Bounds,
        contact: Contact,
        on_away: Callable[[], None],
    ) -> None:
        self.on_alive: Callable[[float], None] | None = None
        self._url = url
        self.origin = origin
        self._subscribers = subscribers
        self._bounds, self._contact, self._on_away = bounds, contact, on_away
        self._reset()

    def _reset(self) -> None:
        self._starting = threading.Lock()
        self._connected = threading.Event()
        self._refused = ""  # why the address cannot be listened to
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake: socket.socket | None = None
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def after_fork_in_child(self, origin: str, contact: Contact) -> None:
        """Drop the parent's thread and connection; ``start`` creates new ones. origin, contact: the child's."""
        stopped, connection = self._stopping.is_set(), self._connection
        if connection is not None:
            close_socket(connection)
        if self._wake is not None:
            self._wake.close()
        self.origin, self._contact = origin, contact
        self._reset()
        if stopped:
            self._stopping.set()

    def start(self, wait_seconds: float = _FIRST_CONNECT_SECONDS) -> None:
        """Start the thread if it is not running, and wait up to ``wait_seconds`` for its connection.

        The thread keeps trying to connect. May be called again. Raises StorageError for the address of a pooler.
        """
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                ours, self._wake = socket.socketpair()
                self._thread = threading.Thread(target=self._run, args=(ours,), name="tollkey-listener", daemon=True)
                self._thread.start()
        self._connected.wait(wait_seconds)
        if self._refused:
            raise StorageError(self._refused)

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
                        self._contact.lost(" ".join(str(error).split()) or type(error).__name__)
                        if self._contact.away is not None:
                            self._on_away()
                self._stopping.wait(wait)
                wait = min(wait * 2, longest)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        bounded = make_conninfo(self._url, application_name="tollkey listener", **self._bounds.connecting())
        return psycopg.connect(bounded, autocommit=True)

    def _receive(self, connection: psycopg.Connection[tuple[Any, ...]], wake: socket.socket) -> None:
        """Receive announcements until ``stop`` is called. Raises psycopg.Error when the connection is lost."""
        if is_pooled(connection):
            self._refused = POOLED
            self._connected.set()
            raise psycopg.OperationalError(POOLED)
        self._refused = ""
        connection.execute(f"LISTEN {CHANNEL}")
        for channel in self._subscribers.channels():
            self._subscribers.publish(channel, RESYNC)
        self._contact.heard()
        self._connected.set()
        beat_at = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            beat_due = now >= beat_at
            if beat_due:
                self._beat(connection)
                self._contact.heard()
                beat_at = now + HEARTBEAT_SECONDS
            while (told := connection.pgconn.notifies()) is not None:
                self._dispatch(told.extra.decode())
            for notice in connection.notifies(timeout=0):
                self._dispatch(notice.payload)
            if beat_due and self.on_alive is not None:
                self.on_alive(now)  # the time before the heartbeat: this thread may have been delayed since
            select.select([connection.fileno(), wake.fileno()], [], [], max(0.0, beat_at - time.monotonic()))

    def _beat(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Ask for a row, and wait for it no longer than the database may be away. Raises psycopg.Error.

        ``execute`` would wait for ever when the network swallows what it sends.
        """
        asked = connection.pgconn
        asked.send_query(b"SELECT 1")
        until = time.monotonic() + self._bounds.away
        while asked.is_busy():
            readable, _, _ = select.select([asked.socket], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                raise psycopg.OperationalError(f"no answer within {self._bounds.away:g} seconds")
            asked.consume_input()
        while asked.get_result() is not None:
            pass
        if asked.status != ConnStatus.OK:
            raise psycopg.OperationalError("the connection was lost")

    def _dispatch(self, text: str) -> None:
        try:
            origin, channel, payload = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            _log.warning("an announcement is none of this program")
            return
        if origin != self.origin:
            self._subscribers.publish(channel, payload)
