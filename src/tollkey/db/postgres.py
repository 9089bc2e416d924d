"""The database on PostgreSQL, shared by several nodes: psycopg 3 with a connection pool.

Writes run at READ COMMITTED and acquire their advisory lock before the first statement, so that a write that waited for
the lock sees what the previous holder committed. (At REPEATABLE READ its snapshot would be older than the lock.) Reads
run at REPEATABLE READ.

Announcements: this process's subscribers are called right after COMMIT, before ``write`` returns; other processes
receive announcements through LISTEN (``db/listening.py``).

Time-outs, and what happens while the database is away: ``db/bounds.py``.

Forks: a child process does not use its parent's connections; it opens its own on first use, under a new origin.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4
from weakref import WeakSet

import psycopg
from psycopg.adapt import Dumper
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper, NumericBinaryLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from tollkey.db import forking, postgres_arrays
from tollkey.db.ahead import Habits, Question
from tollkey.db.bounds import END_FROZEN, UNBOUNDED, UNBOUNDED_SESSION, Bounds, Contact
from tollkey.db.engine import Conflict, Dialect, LockTimeout, OutcomeUnknown, StorageError, Subscribers, Tx, Unreachable
from tollkey.db.listening import Listener, close_socket, cut_off, is_pooled
from tollkey.db.postgres_line import Line
from tollkey.db.postgres_tx import Connection, PostgresTx, run_constant, translate
from tollkey.db.postgres_url import check_readable
from tollkey.db.schema import SCHEMA_LOCK

T = TypeVar("T")

_ATTEMPTS = 6  # of a write that fails with a deadlock or a serialization conflict
_WAIT_SECONDS = 5.0  # how long to wait for a free connection
_LOOK_SECONDS = 0.25  # between two looks, meanwhile, whether the database is away
_RECONNECT_SECONDS = 2.0  # how long the pool itself tries to replace a connection; then the next call does
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


def lock_number(lock: str) -> int:
    """Return the 64-bit advisory lock number of a lock name: the same on every node."""
    return int.from_bytes(hashlib.blake2b(lock.encode(), digest_size=8).digest(), "big", signed=True)


class Postgres(forking.ForkAware):
    """A database on a PostgreSQL server.

    url: ``postgresql://…``, as libpq parses it.
    pool_size: maximum number of connections of this process, not counting the one for LISTEN and that of a ``Line``.
    origin: name of this process in announcements; a random part is appended.
    bounds: how long work may wait; None for the defaults.
    direct: the URL of PostgreSQL itself, where ``url`` is that of a pooler (PgBouncer, in transaction mode too): for
        LISTEN, and for what needs a session of its own.
    Raises ValueError for a URL that is not valid.
    """

    dialect: Dialect = "postgres"

    def __init__(
        self, url: str, pool_size: int = 8, origin: str = "local", bounds: Bounds | None = None, direct: str = ""
    ) -> None:
        for each in (url, direct or url):
            check_readable(each)
        self.pool_size = pool_size
        self.bounds = bounds or Bounds()
        self._url, self._direct, self._name = url, direct or url, origin
        self._origin = f"{origin}.{uuid4().hex}"
        self._subscribers = Subscribers()
        self._connect_error: psycopg.Error | None = None  # of the last attempt to connect
        self._reset()
        self._listener = Listener(
            self._direct, self._origin, self._subscribers, self.bounds, self._contact, self._cut_off_all
        )
        self._open_pool()
        forking.register(self)

    def _reset(self) -> None:
        self._opening = threading.Lock()
        self._connections: WeakSet[Connection] = WeakSet()  # opened by the pool of this process
        self._pool: ConnectionPool[Connection] | None = None
        self._contact = Contact(self.bounds.away)
        self._habits = Habits()
        self._closed = self._pooled = False  # whether the pool's connections end at a pooler

    @property
    def away(self) -> str | None:
        """Why the database cannot be reached, when it has not answered for ``Bounds.away`` seconds; else None."""
        return self._contact.away

    def _cut_off_all(self) -> None:
        """End what waits for an answer of the database: what was sent is lost, and none will come."""
        for connection in list(self._connections):
            cut_off(connection)

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
                    reconnect_timeout=_RECONNECT_SECONDS,
                    kwargs={"autocommit": True, "application_name": "tollkey", **self.bounds.connecting()},
                    configure=self._configure,
                    num_workers=1,
                    open=True,
                )
            return self._pool

    def _configure(self, connection: Connection) -> None:
        self._pooled = is_pooled(connection)
        if not self._pooled:
            run_constant(connection, self.bounds.of_session())
        _adapt(connection, prepares=not self._pooled)

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
        self._listener.after_fork_in_child(self._origin, self._contact)

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

    def line(self) -> Line:
        """Return a line to the database for the running event loop."""
        return Line(self.open_line)

    def open_line(self) -> Connection | None:
        """Return a new connection for a line; None behind a pooler. Raises StorageError."""
        if self._closed:
            raise StorageError("the database is closed")
        try:
            bounded = make_conninfo(self._url, application_name="tollkey", **self.bounds.connecting())
            connection = self._connection_class().connect(bounded, autocommit=True)
            self._configure(connection)
        except psycopg.Error as error:
            raise translate(error) from error
        if self._pooled:
            connection.close()
            return None
        return connection

    @contextmanager
    def _transaction(self, begin: Sequence[str], questions: Sequence[Question] = ()) -> Iterator[PostgresTx]:
        """Yield a transaction after these statements; dead connections of the pool are replaced.

        questions: what it will probably ask.
        """
        for left in range(self.pool_size, -1, -1):
            connection = self._get_connection()
            try:
                if questions and not self._pooled:
                    tx = PostgresTx.begun(connection, self._origin, begin, questions)
                else:
                    bounds = (self.bounds.of_transaction(),) if self._pooled else ()
                    run_constant(connection, "; ".join((begin[0], *bounds, *begin[1:])))
                    tx = PostgresTx(connection, self._origin)
            except psycopg.Error as error:
                self._put_connection(connection)
                if left and connection.closed:
                    continue
                raise translate(error) from error
            break
        try:
            yield tx
        finally:
            self._put_connection(connection)

    def _put_connection(self, connection: Connection) -> None:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            try:
                run_constant(connection, "ROLLBACK")
            except psycopg.Error:
                connection.close()
        (self._pool or self._open_pool()).putconn(connection)

    def read(self, callback: Callable[[Tx], T], single: bool = False) -> T:
        """See ``Database.read``."""
        if single:
            return self._one_statement(callback)
        with self._transaction([_READ]) as tx:
            result = callback(tx)
            tx.end_reading()
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
        """Return a free connection. Raises Unreachable, at once while the database is away, StorageError."""
        forking.detect_fork()
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            if (reason := self._contact.away) is not None:
                raise Unreachable(f"PostgreSQL cannot be reached: {reason}")
            left = until - time.monotonic()
            try:
                return (self._pool or self._open_pool()).getconn(timeout=max(0.01, min(_LOOK_SECONDS, left)))
            except PoolTimeout as late:
                if left > _LOOK_SECONDS:
                    continue
                busy = StorageError(f"PoolTimeout: every connection to PostgreSQL is busy: {late}")
                raise (translate(self._connect_error) if self._connect_error is not None else busy) from late
            except psycopg.Error as error:
                raise translate(error) from error

    def write(self, callback: Callable[[Tx], T], lock: str | None = None, ahead: Sequence[Question] = ()) -> T:
        """See ``Database.write``; ahead: see ``Edge.write``.

        After a deadlock or serialization conflict ``callback`` runs again, up to 6 times, and when it waited for a lock
        of a frozen node, whose session is ended.
        The bounds do not hold for changes of the schema, which name ``SCHEMA_LOCK``.
        """
        begin = ["BEGIN", UNBOUNDED] if lock == SCHEMA_LOCK else ["BEGIN"]
        if lock is not None:
            begin.append(f"SELECT pg_advisory_xact_lock({lock_number(lock)})")
        for attempt in range(_ATTEMPTS):
            try:
                tx, result = self._attempt(begin, callback, lock, ahead)
            except LockTimeout:
                if attempt or not self._end_frozen():
                    raise
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.005 * 2**attempt))
            else:
                break
        self._subscribers.after_commit(tx.commit_callbacks, tx.announcements)
        return result

    def _attempt(
        self, begin: Sequence[str], callback: Callable[[Tx], T], lock: str | None, ahead: Sequence[Question]
    ) -> tuple[PostgresTx, T]:
        usual = self._habits.take(lock) if lock is not None else ()
        with self._transaction(begin, (*usual, *ahead)) as tx:
            result = callback(tx)
            try:
                tx.commit()
            except OutcomeUnknown:
                self._announce_unknown(tx)
                raise
            if lock is not None and lock != SCHEMA_LOCK:
                self._habits.learn(lock, tx.asked)
            return tx, result

    def _end_frozen(self) -> bool:
        """End the sessions of nodes that were frozen in the middle of a request. Returns whether there were any."""
        try:
            bound = (float(self.bounds.idle), lock_number(SCHEMA_LOCK))
            found = self._one_statement(lambda tx: tx.execute(END_FROZEN, bound))
        except StorageError:
            return False
        return bool(found[0][0])

    def _announce_unknown(self, tx: PostgresTx) -> None:
        """Let this process hear of what may have been committed, now and again when PostgreSQL announces it.

        Otherwise it would remember what is no longer so: a repetition of the request gets the stored answer, and
        announces nothing. Under a new origin, announcements of the old one are those of another node.
        """
        self._origin = self._listener.origin = f"{self._name}.{uuid4().hex}"
        self._subscribers.after_commit(tx.callbacks_if_unknown(), tx.announcements)

    @contextmanager
    def alone(self) -> Iterator[Callable[[str], None]]:
        """See ``Database.alone``: a connection of its own, without bounds.

        It does not wait in the database for its turn: an index is created once all transactions that were open have
        ended, a statement that waits included.
        """
        mine = lock_number("alone")
        try:
            with psycopg.connect(self._direct, autocommit=True, application_name="tollkey migrate") as connection:
                run_constant(connection, UNBOUNDED_SESSION)
                while connection.execute("SELECT pg_try_advisory_lock(%s)", (mine,)).fetchone() != (True,):
                    time.sleep(_LOOK_SECONDS)
                yield partial(run_constant, connection)
        except psycopg.Error as error:
            raise translate(error) from error

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


def _adapt(connection: Connection, prepares: bool) -> None:
    connection.prepare_threshold = 2 if prepares else None  # None: never; the next transaction has another session
    connection.prepared_max = 500
    adapters = connection.adapters
    adapters.register_dumper(int, Int8BinaryDumper)  # one type for all ints, so that a statement is prepared once
    adapters.register_dumper(bool, _BoolDumper)
    adapters.register_loader("numeric", _NumberLoader)
    postgres_arrays.register(adapters)
