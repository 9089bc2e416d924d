"""A transaction on PostgreSQL: placeholders, savepoints, announcements, errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.sql import Literal

from tollkey.db.ahead import Question
from tollkey.db.engine import (
    Conflict,
    Dialect,
    Duplicate,
    LockTimeout,
    OutcomeUnknown,
    Row,
    StorageError,
    Unreachable,
)
from tollkey.db.held import Batch, Held, Values
from tollkey.db.holding import HoldingTx
from tollkey.db.listening import CHANNEL
from tollkey.db.postgres_arrays import COLUMNS

Connection = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")

#: SQLSTATE classes: connection exceptions, server shutdown or startup (PostgreSQL documentation, appendix A).
_UNREACHABLE_STATES = ("08", "57P")
_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def translate(error: psycopg.Error) -> StorageError:
    """Return the error of this package for one of psycopg's. Its text has no DETAIL, which repeats whole rows."""
    text = f"{type(error).__name__}: {error.diag.message_primary or error}"
    if isinstance(error, errors.UniqueViolation):
        return Duplicate(text)
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
        return Conflict(text)
    if isinstance(error, errors.LockNotAvailable):
        return LockTimeout(text)
    ended = isinstance(error, errors.IdleInTransactionSessionTimeout)  # this process did nothing for too long
    if ended or (
        isinstance(error, psycopg.OperationalError)
        and (error.sqlstate is None or error.sqlstate.startswith(_UNREACHABLE_STATES))
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


def run_constant(connection: Connection, sql: str) -> None:
    """Execute a constant statement without parameters."""
    connection.execute(sql.encode())


class PostgresTx(HoldingTx):
    """A transaction on one PostgreSQL connection.

    After a failed statement PostgreSQL rejects all further ones: wrap statements that may fail in a savepoint.
    """

    dialect: Dialect = "postgres"

    def __init__(self, connection: Connection, origin: str) -> None:
        super().__init__(Held(), {})
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        self._origin = origin
        self._usual = False  # whether what is read now is read by most transactions
        self._ahead: dict[Question, list[Row]] = {}  # what was read with BEGIN, until anything is written
        self.asked: list[Question] = []  # of what most transactions read, in order

    @classmethod
    def begun(
        cls, connection: Connection, origin: str, begin: Sequence[str], questions: Sequence[Question]
    ) -> PostgresTx:
        """Execute the statements that begin a transaction, and read what it will probably ask, in one exchange.

        Each question is read on a snapshot of its own, so after the lock was acquired. Raises psycopg.Error.
        """
        tx, found = cls(connection, origin), []
        with connection.pipeline():
            for statement in begin:
                run_constant(connection, statement)
            for question in questions:
                cursor = connection.cursor(binary=True)
                cursor.execute(placeholders(question.sql), question.params)
                found.append((question, cursor))
        for question, cursor in found:
            tx._ahead[question] = cursor.fetchall()
        return tx

    def usual(self, read: Callable[[], T]) -> T:
        self._usual = True
        try:
            return read()
        finally:
            self._usual = False

    def read(self, table: str, sql: str, params: Sequence[Any], key: Values | None = None) -> list[Row]:
        if self._usual or self._ahead:
            question = Question(table, sql, tuple(params))
            if self._usual:
                self.asked.append(question)
            if not self.held.concerns(table, key) and (rows := self._ahead.pop(question, None)) is not None:
                return rows
        return super().read(table, sql, params, key)

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        self._ahead.clear()
        return super().execute(sql, params)

    def _run(self, sql: str, params: Sequence[object]) -> list[Row]:
        try:
            self._cursor.execute(placeholders(sql), params)
            return self._cursor.fetchall() if self._cursor.description else []
        except psycopg.Error as error:
            raise translate(error) from error

    def _numbers(self, table: str) -> Iterator[int]:
        drawn = "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, 32)"
        return iter([row[0] for row in self._run(drawn, (table,))])

    def flush(self) -> None:
        self._ahead.clear()
        steps = self.held.take()
        if self.held.lost:
            raise StorageError("an earlier write of the transaction has failed")
        try:
            if not any(isinstance(step, Batch) for step in steps):
                run_constant(self._connection, "; ".join(map(str, steps)))
                for step in steps:
                    self.held.sent(str(step))
                return
            with self._connection.pipeline():
                self._send(steps)
        except psycopg.Error as error:
            self.held.fail()
            raise translate(error) from error
        except BaseException:  # what has no form in PostgreSQL, such as an integer of more than 64 bits
            self.held.fail()
            raise

    def _send(self, steps: Sequence[str | Batch]) -> None:
        """Send held savepoints and writes, within a pipeline."""
        for step in steps:
            if isinstance(step, str):
                run_constant(self._connection, step)
                self.held.sent(step)
            else:
                values = zip(*step.rows, strict=True)
                columns = [COLUMNS[kind](column) for kind, column in zip(step.write.types, values, strict=True)]
                self._cursor.execute(placeholders(step.write.postgres), columns)

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if len(rows) == 1:  # psycopg's pipeline costs more than one statement
            self.execute(sql, rows[0])
            return
        self._ahead.clear()
        if self.held:
            self.flush()
        try:
            self._cursor.executemany(placeholders(sql), rows)
        except psycopg.Error as error:
            raise translate(error) from error

    def execute_script(self, statements: Sequence[str]) -> None:
        if not statements:
            return
        self._ahead.clear()
        if self.held:
            self.flush()
        try:
            run_constant(self._connection, ";\n".join(statements))
        except psycopg.Error as error:
            raise translate(error) from error

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        announcements, after = len(self.announcements), len(self.commit_callbacks)
        name, own = self.held.begin()
        try:
            yield
        except BaseException:
            self.rollbacks += 1
            self.cached.clear()
            del self.announcements[announcements:]
            del self.commit_callbacks[after:]
            if self.held.undo(name) and self._connection.info.transaction_status in _OPEN:
                try:
                    run_constant(self._connection, f"ROLLBACK TO SAVEPOINT {name}")
                except psycopg.Error:  # it was never begun, since a write from before it was refused
                    self.held.fail()
            raise
        finally:
            if own:
                self.held.end(name)

    def notify(self, channel: str, payload: str) -> None:
        self.announcements.append((channel, payload))

    def end_reading(self) -> None:
        """End a transaction that has only read. Raises StorageError."""
        try:
            run_constant(self._connection, "COMMIT")
        except psycopg.Error as error:
            raise translate(error) from error

    def commit(self) -> None:
        """Commit, and announce what waits: in the same message, since PostgreSQL announces nothing before a commit."""
        statements, steps = [], self.held.take()
        if self.held.lost:
            raise StorageError("a write of the transaction has failed; it was rolled back")
        if self._connection.closed:
            raise Unreachable("the connection to PostgreSQL was lost before the transaction was committed")
        if self._connection.info.transaction_status == TransactionStatus.INTRANS:
            own = [json.dumps([self._origin, *announcement]) for announcement in self.announcements]
            texts = [Literal(text).as_string(self._connection) for text in own]
            calls = [f"pg_notify('{CHANNEL}', {text})" for text in texts]
            statements = [f"SELECT {', '.join(calls[at : at + 500])}" for at in range(0, len(calls), 500)]
        try:
            if any(isinstance(step, Batch) for step in steps):
                with self._connection.pipeline():
                    self._send([*steps, *statements])
                    cursor = self._connection.execute(b"COMMIT")
            else:
                cursor = self._connection.execute("; ".join([*statements, "COMMIT"]).encode())
                while cursor.nextset():
                    pass
        except psycopg.Error as error:
            failure = translate(error)
            # A session that an admin ends, or a server that stops, may have committed before it said so. One that was
            # idle for too long has ended before COMMIT arrived.
            if isinstance(failure, Unreachable) and not isinstance(error, errors.IdleInTransactionSessionTimeout):
                raise OutcomeUnknown(
                    "the connection to PostgreSQL was lost while a transaction was committed"
                ) from error
            raise failure from error
        # After a failed statement the server answers COMMIT with ROLLBACK and no error.
        if cursor.statusmessage != "COMMIT":
            raise StorageError("a statement failed outside a savepoint; the transaction was rolled back")
