"""A connection to PostgreSQL on the event loop, for reads of one statement: no thread, no transaction of their own.

A thread costs a read more than PostgreSQL does: handing over, taking turns with the loop, and psycopg's cursor. Here
the reads of one iteration of the loop are sent together, with libpq's pipeline, and answered from a callback.

A line that fails in any way is closed: what waits is told that it was not read, and its callers read in a thread. So
does whoever asks while there is none. A new one is opened a second later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus, Format

from tollkey.db.ahead import Question
from tollkey.db.engine import StorageError

if TYPE_CHECKING:
    from tollkey.db.postgres_tx import Connection

Found = Callable[[bytes | None, bool], None]

SLOW_SECONDS = 1.0  # without an answer before the line is given up
REOPEN_SECONDS = 1.0
_TEXT, _WHOLE = psycopg.postgres.types["text"].oid, psycopg.postgres.types["int8"].oid
_log = logging.getLogger(__name__)


class Line:
    """Sends questions and calls back with their answers. Used on one event loop.

    open: returns a connection in autocommit mode, for this line alone; called in a thread. Raises StorageError. It
    returns None where the line cannot be used, behind a pooler.
    """

    def __init__(self, open: Callable[[], Connection | None]) -> None:
        self._open = open
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._waiting: deque[tuple[float, Found] | None] = deque()  # None: for the end of a batch, or a preparation
        self._names: dict[str, bytes] = {}  # of prepared statements
        self._batch = self._writing = False
        self._watch: asyncio.TimerHandle | None = None
        self._closing = asyncio.Event()
        self._opening = self._loop.create_task(self._reopen(0))

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return self._connection is not None

    def ask(self, question: Question, found: Found) -> bool:
        """Ask for one value; return False, and do nothing, when that is not possible now.

        question: its parameters are texts and integers. found: called later with the value, None when there is no row,
        and True; or with None and False when it could not be read.
        """
        connection = self._connection
        if connection is None:
            return False
        values, types = [], []
        for value in question.params:
            if isinstance(value, str):
                if "\0" in value:
                    return False
                values.append(value.encode())
                types.append(_TEXT)
            else:
                assert isinstance(value, int)
                values.append(value.to_bytes(8, "big", signed=True))
                types.append(_WHOLE)
        try:
            asked = connection.pgconn
            name = self._names.get(question.sql)
            if name is None:
                name = self._names[question.sql] = b"line%d" % len(self._names)
                asked.send_prepare(name, _numbered(question.sql), types)
                self._waiting.append(None)
            asked.send_query_prepared(name, values, [Format.BINARY] * len(values), Format.BINARY)
        except psycopg.Error as error:
            self._fail(error)
            return False
        self._waiting.append((self._loop.time(), found))
        if not self._batch:
            self._batch = True
            self._loop.call_soon(self._send)
        return True

    async def close(self) -> None:
        """Close the connection; what waits is told that it was not read."""
        self._closing.set()
        self._end()
        await self._opening

    # -- the connection

    async def _reopen(self, delay: float) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._closing.wait()
            try:
                connection = await asyncio.to_thread(self._open)
            except StorageError:
                delay = REOPEN_SECONDS
                continue
            if connection is not None:
                self._begin(connection)
            return

    def _begin(self, connection: Connection) -> None:
        if self._closing.is_set():
            connection.close()
            return
        connection.pgconn.nonblocking = 1
        connection.pgconn.enter_pipeline_mode()
        self._names = {}
        self._connection = connection
        self._loop.add_reader(connection.pgconn.socket, self._readable)

    def _end(self) -> None:
        """Close the connection and tell whoever waits."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        with suppress(psycopg.Error):
            self._loop.remove_reader(connection.pgconn.socket)
            self._loop.remove_writer(connection.pgconn.socket)
        connection.close()
        self._batch = self._writing = False
        waiting, self._waiting = self._waiting, deque()
        for entry in waiting:
            if entry is not None:
                _tell(entry[1], None, False)

    def _fail(self, error: object) -> None:
        _log.warning("reading on the event loop failed: %s", " ".join(str(error).split()))
        self._end()
        if self._opening.done() and not self._closing.is_set():
            self._opening = self._loop.create_task(self._reopen(REOPEN_SECONDS))

    # -- what is sent and received

    def _send(self) -> None:
        """Send what was asked in this iteration of the loop."""
        connection, self._batch = self._connection, False
        if connection is None:
            return
        try:
            connection.pgconn.pipeline_sync()
            self._waiting.append(None)
            self._flush()
        except psycopg.Error as error:
            self._fail(error)
            return
        if self._watch is None:
            self._watch = self._loop.call_later(SLOW_SECONDS / 4, self._look)

    def _flush(self) -> None:
        connection = self._connection
        if connection is None:
            return
        more = bool(connection.pgconn.flush())
        if more and not self._writing:
            self._loop.add_writer(connection.pgconn.socket, self._writable)
        elif self._writing and not more:
            self._loop.remove_writer(connection.pgconn.socket)
        self._writing = more

    def _writable(self) -> None:
        try:
            self._flush()
        except psycopg.Error as error:
            self._fail(error)

    def _readable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        asked = connection.pgconn
        try:
            asked.consume_input()
            if self._writing:
                self._flush()
            while self._waiting and not asked.is_busy():
                result = asked.get_result()
                if result is None:  # the end of one answer
                    continue
                entry = self._waiting.popleft()
                if entry is not None and result.status == ExecStatus.TUPLES_OK:
                    _tell(entry[1], result.get_value(0, 0) if result.ntuples else None, True)
                elif entry is not None or result.status not in (ExecStatus.PIPELINE_SYNC, ExecStatus.COMMAND_OK):
                    self._waiting.appendleft(entry)
                    self._fail(result.error_message.decode(errors="replace") or result.status)
                    return
                if self._connection is not connection:  # whoever was told has ended it
                    return
        except psycopg.Error as error:
            self._fail(error)

    def _look(self) -> None:
        """Give the line up when its oldest question has waited for too long."""
        self._watch = None
        oldest = next((entry for entry in self._waiting if entry is not None), None)
        if oldest is None or self._connection is None:
            return
        if self._loop.time() - oldest[0] > SLOW_SECONDS:
            self._fail(f"no answer within {SLOW_SECONDS:g} s")
        else:
            self._watch = self._loop.call_later(SLOW_SECONDS / 4, self._look)


def _numbered(sql: str) -> bytes:
    """Replace each ``?`` with its number; the statement has none in its texts."""
    first, *rest = sql.split("?")
    return (first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))).encode()


def _tell(found: Found, value: Any, read: bool) -> None:
    try:
        found(value, read)
    except Exception:  # one caller's fault must not lose the others' answers
        _log.exception("an answer of the database")
