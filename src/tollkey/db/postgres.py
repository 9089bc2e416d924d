"""The database on PostgreSQL, shared by several nodes: psycopg 3 with a connection pool.

Writes run at READ COMMITTED and acquire their advisory lock before the first statement, so that a write that waited for
the lock sees what the previous holder committed. (At REPEATABLE READ its snapshot would be older than the lock.) Reads
run at REPEATABLE READ.

Announcements: this process's subscribers are called right after COMMIT, before ``write`` returns; other processes
receive announcements through LISTEN (``db/listening.py``).

Forks: a child process does not use its parent's connections; it opens its own on first use, under a new origin.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar
from uuid import uuid4
from weakref import WeakSet

import psycopg
from psycopg import errors
from psycopg.adapt import Dumper
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper, NumericBinaryLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from tollkey.db import forking
from tollkey.db.engine import Conflict, Dialect, Duplicate, Row, StorageError, Subscribers, Tx, Unreachable
from tollkey.db.listening import CHANNEL, Listener, close_socket
from tollkey.db.postgres_url import check_readable

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

_ATTEMPTS = 6  # of a write that fails with a deadlock or a serialization conflict
_WAIT_SECONDS = 5.0  # how long to wait for a free connection
#: SQLSTATE classes: connection exceptions, server shutdown or startup (PostgreSQL documentation, appendix A).
_UNREACHABLE_STATES = ("08", "57P")
_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _BoolDumper(Dumper):
    """Sends a Python bool as SMALLINT 0 or 1, the type of ``{bool}`` columns."""

    format = psycopg.pq.Format.BINARY
    oid = psycopg.postgres.types["int2"].oid

    def dump(self, obj: bool) -> bytes:
        return b"\x00\x01" if obj else b"\x00\x00"


class _NumberLoader(NumericBinaryLoader):
    """Reads NUMERIC as int where it is whole: ``sum`` of 64-bit integers is NUMERIC here and an integer in SQLite."""

    def load(self, data: Any) -> Any:
        value = super().load(data)
        return int(value) if value == value.to_integral_value() else float(value)


def _translate(error: psycopg.Error) -> StorageError:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, errors.UniqueViolation):
        return Duplicate(text)
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
        return Conflict(text)
    if isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(_UNREACHABLE_STATES)
    ):
        return Unreachable(
            f"PostgreSQL cannot be reached: {'; '.join(line.strip() for line in str(error).splitlines())}"
        )
    return StorageError(text)


@lru_cache(maxsize=4096)
def placeholders(sql: str) -> bytes:
    """Translate ``?`` to ``%s`` outside quotes and comments, and double every ``%``."""
    out: list[str] = []
    position, end = 0, len(sql)
    while position < end:
        character = sql[position]
        closing = {"'": "'", '"': '"'}.get(character)
        if closing is None and sql.startswith("--", position):
            closing = "\n"
        if closing is not None:
            after = sql.find(closing, position + 1)
            after = end if after < 0 else after + 1
            out.append(sql[position:after].replace("%", "%%"))
            position = after
            continue
        out.append({"?": "%s", "%": "%%"}.get(character, character))
        position += 1
    return "".join(out).encode()


def _lock_number(lock: str) -> int:
    """Return the 64-bit advisory lock number of a lock name: the same on every node."""
    return int.from_bytes(hashlib.blake2b(lock.encode(), digest_size=8).digest(), "big", signed=True)


def _run(connection: Connection, sql: str) -> None:
    """Execute a constant statement without parameters."""
    connection.execute(sql.encode())


class PostgresTx:
    """A transaction on one PostgreSQL connection.

    After a failed statement PostgreSQL rejects all further ones: wrap statements that may fail in a savepoint.
    """

    dialect: Dialect = "postgres"

    def __init__(self, connection: Connection, origin: str) -> None:
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        self._origin = origin
        self._savepoints = self.rollbacks = 0
        self.cached: dict[str, dict[Hashable, Any]] = {}
        self._unsent: list[str] = []  # SAVEPOINT and RELEASE statements, sent together before the next statement
        self.announcements: list[tuple[str, str]] = []
        self.commit_callbacks: list[Callable[[], None]] = []

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        try:
            self._send()
            self._cursor.execute(placeholders(sql), params)
            return self._cursor.fetchall() if self._cursor.description else []
        except psycopg.Error as error:
            raise _translate(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            self._send()
            self._cursor.executemany(placeholders(sql), rows)
        except psycopg.Error as error:
            raise _translate(error) from error

    def execute_script(self, statements: Sequence[str]) -> None:
        if not statements:
            return
        try:
            self._send()
            _run(self._connection, ";\n".join(statements))
        except psycopg.Error as error:
            raise _translate(error) from error

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self._savepoints += 1
        name = f"s{self._savepoints}"
        announcements, after = len(self.announcements), len(self.commit_callbacks)
        begin = f"SAVEPOINT {name}"
        self._unsent.append(begin)
        try:
            yield
        except BaseException:
            self.rollbacks += 1
            self.cached.clear()
            del self.announcements[announcements:]
            del self.commit_callbacks[after:]
            if not self._discard_unsent(begin) and self._connection.info.transaction_status in _OPEN:
                self._unsent.clear()  # RELEASE statements of nested savepoints
                _run(self._connection, f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            raise
        if not self._discard_unsent(begin):
            self._unsent.append(f"RELEASE SAVEPOINT {name}")

    def _send(self) -> None:
        if self._unsent:
            waiting, self._unsent = self._unsent, []
            _run(self._connection, "; ".join(waiting))

    def _discard_unsent(self, begin: str) -> bool:
        """Drop an unsent SAVEPOINT and all after it. Returns False if it was sent already."""
        if begin not in self._unsent:
            return False
        del self._unsent[self._unsent.index(begin) :]
        return True

    def notify(self, channel: str, payload: str) -> None:
        self.execute("SELECT pg_notify(?, ?)", (CHANNEL, json.dumps([self._origin, channel, payload])))
        self.announcements.append((channel, payload))

    def on_commit(self, call: Callable[[], None]) -> None:
        self.commit_callbacks.append(call)


class Postgres(forking.ForkAware):
    """A database on a PostgreSQL server.

    url: ``postgresql://…``, as libpq parses it.
    pool_size: maximum number of connections of this process, not counting the one for LISTEN.
    origin: name of this process in announcements; a random part is appended.
    Raises ValueError for a URL that is not valid.
    """

    dialect: Dialect = "postgres"

    def __init__(self, url: str, pool_size: int = 8, origin: str = "local") -> None:
        check_readable(url)
        self.pool_size = pool_size
        self._url, self._name = url, origin
        self._origin = f"{origin}.{uuid4().hex}"
        self._subscribers = Subscribers()
        self._listener = Listener(url, self._origin, self._subscribers)
        self._connect_error: psycopg.Error | None = None  # of the last attempt to connect
        self._reset()
        self._open_pool()
        forking.register(self)

    def _reset(self) -> None:
        self._opening = threading.Lock()
        self._connections: WeakSet[Connection] = WeakSet()  # opened by the pool of this process
        self._pool: ConnectionPool[Connection] | None = None
        self._closed = False

    def _open_pool(self) -> ConnectionPool[Connection]:
        with self._opening:
            if self._pool is None:
                if self._closed:
                    raise StorageError("the database is closed")
                self._pool = ConnectionPool(
                    self._url,
                    connection_class=self._connection_class(),
                    min_size=1,
                    max_size=self.pool_size,
                    timeout=_WAIT_SECONDS,
                    kwargs={"autocommit": True, "application_name": "tollkey", "connect_timeout": 5},
                    configure=_configure,
                    num_workers=1,
                    open=True,
                )
            return self._pool

    def after_fork_in_child(self) -> None:
        """Close the sockets of the parent's connections without sending anything, and start with an empty pool."""
        for connection in list(self._connections):
            close_socket(connection)
        closed = self._closed
        if self._pool is not None:
            forking.leak(self._pool)
        self._reset()
        self._closed = closed
        self._origin = f"{self._name}.{uuid4().hex}"
        self._subscribers.after_fork_in_child()
        self._listener.after_fork_in_child(self._origin)

    def _connection_class(self) -> type[Connection]:
        """Return a connection class that records why connecting failed: the pool only logs the reason."""
        base: type[Connection] = psycopg.Connection
        owner = self

        class TrackedConnection(base):  # type: ignore[valid-type, misc]
            @classmethod
            def connect(cls, *given: Any, **named: Any) -> Any:
                try:
                    connection = super().connect(*given, **named)
                except psycopg.Error as error:
                    owner._connect_error = error
                    raise
                owner._connect_error = None
                owner._connections.add(connection)
                return connection

        return TrackedConnection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        """Yield a connection on which ``begin`` has been executed; dead connections of the pool are replaced."""
        for left in range(self.pool_size, -1, -1):
            connection = self._get_connection()
            try:
                _run(connection, begin)
            except psycopg.Error as error:
                self._put_connection(connection)
                if left and connection.closed:
                    continue
                raise _translate(error) from error
            break
        try:
            yield connection
        finally:
            self._put_connection(connection)

    def _put_connection(self, connection: Connection) -> None:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            try:
                _run(connection, "ROLLBACK")
            except psycopg.Error:
                connection.close()
        (self._pool or self._open_pool()).putconn(connection)

    def read(self, callback: Callable[[Tx], T], single: bool = False) -> T:
        """See ``Database.read``."""
        if single:
            return self._one_statement(callback)
        with self._transaction(_READ) as connection:
            result = callback(PostgresTx(connection, self._origin))
            try:
                _run(connection, "COMMIT")
            except psycopg.Error as error:
                raise _translate(error) from error
            return result

    def _one_statement(self, callback: Callable[[Tx], T]) -> T:
        """Run a callback of one statement in autocommit mode: one round trip. Dead connections are replaced."""
        for left in range(self.pool_size, -1, -1):
            connection = self._get_connection()
            try:
                return callback(PostgresTx(connection, self._origin))
            except StorageError:
                if not (left and connection.closed):
                    raise
            finally:
                self._put_connection(connection)
        raise AssertionError("unreachable")

    def _get_connection(self) -> Connection:
        forking.detect_fork()
        try:
            return (self._pool or self._open_pool()).getconn()
        except PoolTimeout as late:
            busy = StorageError(f"PoolTimeout: every connection to PostgreSQL is busy: {late}")
            raise (_translate(self._connect_error) if self._connect_error is not None else busy) from late
        except psycopg.Error as error:
            raise _translate(error) from error

    def write(self, callback: Callable[[Tx], T], lock: str | None = None) -> T:
        """See ``Database.write``. After a deadlock or serialization conflict ``callback`` runs again, up to 6 times."""
        begin = "BEGIN" if lock is None else f"BEGIN; SELECT pg_advisory_xact_lock({_lock_number(lock)})"
        for attempt in range(_ATTEMPTS):
            try:
                tx, result = self._attempt(begin, callback)
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.005 * 2**attempt))
            else:
                break
        self._subscribers.after_commit(tx.commit_callbacks, tx.announcements)
        return result

    def _attempt(self, begin: str, callback: Callable[[Tx], T]) -> tuple[PostgresTx, T]:
        with self._transaction(begin) as connection:
            tx = PostgresTx(connection, self._origin)
            result = callback(tx)
            try:
                done = connection.execute("COMMIT").statusmessage
            except psycopg.Error as error:
                raise _translate(error) from error
            if done != "COMMIT":  # after a failed statement the server answers COMMIT with ROLLBACK and no error
                raise StorageError("a statement failed outside a savepoint; the transaction was rolled back")
            return tx, result

    # -- notifications

    def subscribe(self, channel: str, callback: Callable[[str], None]) -> None:
        """See ``Database.subscribe``. ``callback("*")`` means that announcements may have been missed: clear caches.

        ``callback`` runs on the thread of ``write`` or on the listener's thread.
        """
        self._listener.start()
        self._subscribers.add(channel, callback)

    def listen(self, on_alive: Callable[[float], None], wait_seconds: float = 5.0) -> None:
        """Call ``on_alive(began)`` after each heartbeat of the listening connection, 4 times a second, on its thread.

        on_alive: ``began`` is ``time.monotonic()`` in seconds before the heartbeat: announcements made before it have
            been received.
        wait_seconds: how long to wait for the connection before returning.
        """
        self._listener.on_alive = on_alive
        self._listener.start(wait_seconds)

    def close(self) -> None:
        """See ``Database.close``."""
        self._listener.stop()
        with self._opening:
            self._closed, pool = True, self._pool
        if pool is not None:
            pool.close()


def _configure(connection: Connection) -> None:
    connection.prepare_threshold = 2
    connection.prepared_max = 500
    adapters = connection.adapters
    adapters.register_dumper(int, Int8BinaryDumper)  # one type for all ints, so that a statement is prepared once
    adapters.register_dumper(bool, _BoolDumper)
    adapters.register_loader("numeric", _NumberLoader)
