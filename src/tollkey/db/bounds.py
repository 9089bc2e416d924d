"""How long work on PostgreSQL may wait, and whether the database answers at all.

The server ends what takes too long: a wait for a lock, a statement, a transaction whose client does nothing. So a node
that is frozen or cut off does not keep its locks; one that was frozen while it sent several statements at once, whoever
waited for them in vain ends (``END_FROZEN``). What the server cannot end, because nothing arrives any more, ends
here: the listening connection's heartbeat stays without an answer, all connections of the process are closed, and calls
are refused at once until it is answered again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

CONNECT_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long work on PostgreSQL may take, all in seconds.

    lock: waiting for a lock that another transaction holds.
    statement: one statement, waiting included.
    idle: a transaction whose client sends nothing; PostgreSQL then ends the session. Shorter than ``lock``, so that who
        waits for a frozen node's lock gets it.
    away: without an answer of the database before it counts as away.
    tcp: sent data that is not acknowledged, on both sides of a connection.
    Raises ValueError when ``idle`` is not shorter than ``lock``.
    """

    lock: float = 4.0
    statement: float = 30.0
    idle: float = 3.0
    away: float = 3.0
    tcp: float = 10.0

    def __post_init__(self) -> None:
        if self.idle >= self.lock:
            raise ValueError(f"idle ({self.idle:g} s) must be shorter than lock ({self.lock:g} s)")

    def connecting(self) -> dict[str, int]:
        """Return the arguments of ``psycopg.connect`` that bound what this side waits for."""
        return {
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": round(self.tcp * 1000),
        }

    def of_session(self) -> str:
        """Return the statement that bounds what the server waits for, in a new session."""
        set_all = [f"set_config('{name}', '{value}', false)" for name, value in self._of_server().items()]
        return f"SELECT {', '.join(set_all)}, set_config('tcp_keepalives_idle', '30', false)"

    def of_transaction(self) -> str:
        """Return the statements that do the same in one transaction, whose session others use too (a pooler's)."""
        return "; ".join(f"SET LOCAL {name} = {value}" for name, value in self._of_server().items())

    def _of_server(self) -> dict[str, int]:
        """Return the settings of PostgreSQL, in milliseconds."""
        own = {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle,
            "tcp_user_timeout": self.tcp,
        }
        return {name: round(seconds * 1000) for name, seconds in own.items()}


#: Widens the bounds for one transaction: a change of the schema takes as long as its tables are large.
UNBOUNDED = (
    "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '60s'"
)

#: Ends sessions of this program whose client stopped, that many seconds ago, while it sent several statements at once:
#: PostgreSQL waits for the rest of them without any time-out, with all locks. Where the last that came was no statement
#: it calls them idle; it has ended those that are, two seconds later. A change of the schema, which holds this lock,
#: may take its time. Returns how many were ended.
END_FROZEN = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity AS a WHERE datname = current_database()"
    " AND usename = current_user AND application_name = 'tollkey' AND pid <> pg_backend_pid()"
    " AND state IN ('active', 'idle in transaction', 'idle in transaction (aborted)')"
    " AND wait_event = 'ClientRead' AND query NOT ILIKE 'copy%'"
    " AND greatest(query_start, state_change) < clock_timestamp() - make_interval(secs => ?"
    " + CASE state WHEN 'active' THEN 0 ELSE 2 END)"
    " AND NOT EXISTS (SELECT 1 FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted"
    " AND (l.classid::bigint << 32 | l.objid::bigint) = ?)"
)

#: Ends the bounds of a session, those that ALTER ROLE has set included: it creates an index, or copies all tables.
UNBOUNDED_SESSION = (
    "SELECT set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false),"
    " set_config('idle_in_transaction_session_timeout', '0', false)"
)


class Contact:
    """Whether the database answers, as its listening connection finds. Thread-safe.

    away_seconds: how long it may not answer before it counts as away. monotonic: returns seconds of a monotonic clock.
    """

    def __init__(self, away_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._away_seconds, self._monotonic = away_seconds, monotonic
        self._lock = threading.Lock()
        self._heard_at: float | None = None
        self._lost_at: float | None = None
        self._reason = ""

    def heard(self) -> None:
        """Record that the database has answered."""
        with self._lock:
            self._heard_at, self._lost_at = self._monotonic(), None

    def lost(self, reason: str) -> None:
        """Record that it did not. reason: one line without a password."""
        with self._lock:
            if self._lost_at is None:
                self._lost_at = self._heard_at  # one that was never there has its own, longer time
            self._reason = reason

    @property
    def away(self) -> str | None:
        """The reason why calls are refused; None while the database answers, or may soon answer again."""
        with self._lock:
            lost_at = self._lost_at
            gone = lost_at is not None and self._monotonic() - lost_at >= self._away_seconds
            return self._reason if gone else None
