"""PostgreSQL: many nodes, one truth. psycopg 3, a pool, SQL as written with ``?`` translated once.

Writes run at READ COMMITTED with an advisory lock taken before their first statement, so that a
write waiting for its turn then sees everything its forerunner committed. (At REPEATABLE READ the
snapshot would be older than the lock.) Reads see one snapshot.

Notifications: this process's subscribers are told right after the commit, before the answer;
every other process hears them through LISTEN (``db/listening.py``).

Forks: a child process leaves its parent's connections alone and makes its own at their first use, and its own name.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
from tollkey.db.listening import CHANNEL, Listener, abandon

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

_ATTEMPTS = 6  # of a write that lost a deadlock or a serialization conflict
_WAIT_SECONDS = 5.0  # for a free connection
_AWAY = (
    "08",
    "57P",
)  # connection exceptions; shutting down or starting up (PostgreSQL's docs, appendix A); a lost one has no code
_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _BoolDumper(Dumper):
    """{bool} columns are SMALLINT: a Python bool goes there as 0 or 1."""

    format = psycopg.pq.Format.BINARY
    oid = psycopg.postgres.types["int2"].oid

    def dump(self, obj: bool) -> bytes:
        return b"\x00\x01" if obj else b"\x00\x00"


class _NumberLoader(NumericBinaryLoader):
    """``sum`` of 64-bit integers is a NUMERIC here and an integer in SQLite: both read as int."""

    def load(self, data: Any) -> Any:
        value = super().load(data)
        return int(value) if value == value.to_integral_value() else float(value)


def _translate(error: psycopg.Error) -> StorageError:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, errors.UniqueViolation):
        return Duplicate(text)
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
        return Conflict(text)
    if isinstance(error, psycopg.OperationalError) and (error.sqlstate is None or error.sqlstate.startswith(_AWAY)):
        return Unreachable(
            f"PostgreSQL cannot be reached: {'; '.join(line.strip() for line in str(error).splitlines())}"
        )
    return StorageError(text)


@lru_cache(maxsize=4096)
def placeholders(sql: str) -> bytes:
    """``?`` becomes ``%s`` outside quotes and comments, and ``%`` is doubled everywhere."""
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
    """The advisory lock of a text: the same 64-bit number on every node."""
    return int.from_bytes(hashlib.blake2b(lock.encode(), digest_size=8).digest(), "big", signed=True)


def _run(connection: Connection, sql: str) -> None:
    """A statement of our own, without parameters."""
    connection.execute(sql.encode())


class PostgresTx:
    """A transaction on one PostgreSQL connection.

    After a failed statement PostgreSQL refuses every further one: put what may fail into a savepoint.
    """

    dialect: Dialect = "postgres"

    def __init__(self, connection: Connection, sender: str) -> None:
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        self._sender = sender
        self._savepoints = self.undone = 0
        self._unsent: list[
            str
        ] = []  # beginnings and ends of savepoints; they travel together, before the next statement
        self.notices: list[tuple[str, str]] = []
        self.after: list[Callable[[], None]] = []

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
        notices, after = len(self.notices), len(self.after)
        begin = f"SAVEPOINT {name}"
        self._unsent.append(begin)
        try:
            yield
        except BaseException:
            self.undone += 1
            del self.notices[notices:]
            del self.after[after:]
            if not self._unsaid(begin) and self._connection.info.transaction_status in _OPEN:
                self._unsent.clear()  # ends of savepoints within this one
                _run(self._connection, f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            raise
        if not self._unsaid(begin):
            self._unsent.append(f"RELEASE SAVEPOINT {name}")

    def _send(self) -> None:
        if self._unsent:
            waiting, self._unsent = self._unsent, []
            _run(self._connection, "; ".join(waiting))

    def _unsaid(self, begin: str) -> bool:
        """Whether nothing was done since that beginning, which then never has to be sent; nor what is within it."""
        if begin not in self._unsent:
            return False
        del self._unsent[self._unsent.index(begin) :]
        return True

    def notify(self, channel: str, payload: str) -> None:
        self.execute("SELECT pg_notify(?, ?)", (CHANNEL, json.dumps([self._sender, channel, payload])))
        self.notices.append((channel, payload))

    def on_commit(self, call: Callable[[], None]) -> None:
        self.after.append(call)


class Postgres(forking.SurvivesFork):
    """A database on a PostgreSQL server.

    url: ``postgresql://…``, as libpq reads it.
    pool_size: connections this process holds at most, one more for listening apart.
    sender: names this process in announcements; made unique here.

    Raises ValueError for a URL that libpq cannot read, without repeating it: it may hold a password.
    """

    dialect: Dialect = "postgres"

    def __init__(self, url: str, pool_size: int = 8, sender: str = "local") -> None:
        self.pool_size = pool_size
        self._url, self._name = url, sender
        self._sender = f"{sender}.{uuid4().hex}"
        self._subscribers = Subscribers()
        self._listener = Listener(url, self._sender, self._subscribers)
        self._failure: psycopg.Error | None = None  # of the newest attempt to connect
        self._begin_anew()
        self._open_pool()
        forking.watch(self)

    def _begin_anew(self) -> None:
        self._opening = threading.Lock()
        self._made: WeakSet[Connection] = WeakSet()  # by the pool of this process
        self._pool: ConnectionPool[Connection] | None = None
        self._closed = False

    def _open_pool(self) -> ConnectionPool[Connection]:
        with self._opening:
            if self._pool is None:
                if self._closed:
                    raise StorageError("the database is closed")
                self._pool = ConnectionPool(
                    self._url,
                    connection_class=self._connections(),
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
        """The parent's connections are its own: not used, not closed, their sockets let go of in silence."""
        for connection in list(self._made):
            abandon(connection)
        closed = self._closed
        if self._pool is not None:
            forking.leak(self._pool)
        self._begin_anew()
        self._closed = closed
        self._sender = f"{self._name}.{uuid4().hex}"
        self._subscribers.after_fork_in_child()
        self._listener.after_fork_in_child(self._sender)

    def _connections(self) -> type[Connection]:
        """Connections that leave behind why one could not be made: the pool only writes that to the log."""
        base: type[Connection] = psycopg.Connection
        owner = self

        class Noted(base):  # type: ignore[valid-type, misc]
            @classmethod
            def connect(cls, *given: Any, **named: Any) -> Any:
                try:
                    made = super().connect(*given, **named)
                except psycopg.Error as error:
                    owner._failure = error
                    raise
                owner._failure = None
                owner._made.add(made)
                return made

        return Noted

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Connection]:
        """A connection on which ``begin`` has run; a dead one found at this moment is replaced."""
        for left in range(self.pool_size, -1, -1):
            connection = self._taken()
            try:
                _run(connection, begin)
            except psycopg.Error as error:
                self._give_back(connection)
                if left and connection.closed:
                    continue
                raise _translate(error) from error
            break
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            try:
                _run(connection, "ROLLBACK")
            except psycopg.Error:
                connection.close()
        (self._pool or self._open_pool()).putconn(connection)

    def read(self, work: Callable[[Tx], T], single: bool = False) -> T:
        if single:
            return self._one_statement(work)
        with self._begun(_READ) as connection:
            result = work(PostgresTx(connection, self._sender))
            try:
                _run(connection, "COMMIT")
            except psycopg.Error as error:
                raise _translate(error) from error
            return result

    def _one_statement(self, work: Callable[[Tx], T]) -> T:
        """One round trip: the connections commit by themselves. A dead one found at this moment is replaced."""
        for left in range(self.pool_size, -1, -1):
            connection = self._taken()
            try:
                return work(PostgresTx(connection, self._sender))
            except StorageError:
                if not (left and connection.closed):
                    raise
            finally:
                self._give_back(connection)
        raise AssertionError("unreachable")

    def _taken(self) -> Connection:
        forking.notice()
        try:
            return (self._pool or self._open_pool()).getconn()
        except PoolTimeout as late:
            busy = StorageError(f"PoolTimeout: every connection to PostgreSQL is busy: {late}")
            raise (_translate(self._failure) if self._failure is not None else busy) from late
        except psycopg.Error as error:
            raise _translate(error) from error

    def write(self, work: Callable[[Tx], T], lock: str | None = None) -> T:
        """As the protocol says. ``work`` runs again, from the start, when the database chose it to lose a conflict."""
        begin = "BEGIN" if lock is None else f"BEGIN; SELECT pg_advisory_xact_lock({_lock_number(lock)})"
        for attempt in range(_ATTEMPTS):
            try:
                tx, result = self._attempt(begin, work)
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.005 * 2**attempt))
            else:
                break
        self._subscribers.after_commit(tx.after, tx.notices)
        return result

    def _attempt(self, begin: str, work: Callable[[Tx], T]) -> tuple[PostgresTx, T]:
        with self._begun(begin) as connection:
            tx = PostgresTx(connection, self._sender)
            result = work(tx)
            try:
                done = connection.execute("COMMIT").statusmessage
            except psycopg.Error as error:
                raise _translate(error) from error
            if done != "COMMIT":  # the server answers a COMMIT after a failed statement with ROLLBACK, and no error
                raise StorageError("a statement had failed outside a savepoint; nothing of the transaction was kept")
            return tx, result

    # -- notifications

    def subscribe(self, channel: str, hear: Callable[[str], None]) -> None:
        """As the protocol says. ``hear("*")`` means: announcements may have been missed, forget everything.

        It is called on the thread that wrote, or on the listener's own.
        """
        self._listener.start()
        self._subscribers.add(channel, hear)

    def listen(self, on_alive: Callable[[float], None], wait_seconds: float = 5.0) -> None:
        """Call ``on_alive(began)`` after each heartbeat of the listening connection, 4 times a second, on its thread.

        began: ``time.monotonic()`` before the heartbeat: what was announced up to then has been heard.
        wait_seconds: this returns once connected, or after as long.
        """
        self._listener.on_alive = on_alive
        self._listener.start(wait_seconds)

    def close(self) -> None:
        self._listener.stop()
        with self._opening:
            self._closed, pool = True, self._pool
        if pool is not None:
            pool.close()


def _configure(connection: Connection) -> None:
    connection.prepare_threshold = 2
    connection.prepared_max = 500
    adapters = connection.adapters
    adapters.register_dumper(int, Int8BinaryDumper)  # one type for every int: the same statement is prepared once
    adapters.register_dumper(bool, _BoolDumper)
    adapters.register_loader("numeric", _NumberLoader)
