"""Keys that were imported as hashes of another system, until each is used for the first time.

The text of such a key is not known. A plain hash is stored as its own keyed digest in the row of the key, so a text is
found with the same query as any other key. A slow hash stands in a table, by the first characters of the text. The
first use of a key replaces either by the keyed digest of its text; from then on it is a key like any other.

Wrong texts must not cost the time of a slow hash: only a text that begins like an imported key is hashed, a wrong one
is remembered, each beginning has few attempts a minute, and all wrong attempts together have a tenth of the time.
Whoever is held up by this is answered ``unavailable`` and may try again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tollkey.db import Database, Migration, Tx, forking
from tollkey.keys.foreign_hashes import HashRefused, SlowHash, check_length, fits, plain_value, reads_whole
from tollkey.keys.keyring import Keyring

MIGRATION = Migration(
    "foreign_keys",
    (
        "CREATE TABLE foreign_forms (form TEXT PRIMARY KEY)",
        """CREATE TABLE foreign_hashes (
            key_id TEXT PRIMARY KEY,
            lookup TEXT NOT NULL,
            hash TEXT NOT NULL,
            UNIQUE (lookup, hash)
        )""",
    ),
)
#: Characters of a key's text, of a lookup prefix, and how many different forms and keys of one prefix there may be.
SHORTEST_TEXT, LONGEST_TEXT = 16, 512
SHORTEST_LOOKUP, LONGEST_LOOKUP = 4, 64
MOST_FORMS, MOST_CANDIDATES = 16, 4
_LENGTH = "lookup:"  # a form that says how long the lookup prefixes of some keys are
_AT_ONCE = 4  # slow hashes that are computed at the same time
_REMEMBERED = 10_000  # wrong texts, and beginnings with wrong texts
_ATTEMPTS, _ATTEMPT_SECONDS = 10.0, 6.0  # wrong texts for one beginning: ten, and another each six seconds
_SHARE, _BURST_SECONDS = 0.1, 2.0  # of the time, for wrong texts
_log = logging.getLogger(__name__)


class Busy(Exception):
    """A text cannot be compared with a slow hash at the moment."""


class _Bucket(NamedTuple):
    left: float
    at: float


def plausible(text: str) -> bool:
    """Return whether a text may be a key of another system: 16 to 512 printable ASCII characters without a space."""
    return SHORTEST_TEXT <= len(text) <= LONGEST_TEXT and _printable(text) and " " not in text


def stored_digests(keyring: Keyring, form: str, value: str) -> list[bytes]:
    """Return the digests under which a key with this plain hash may be stored, that with the current key first."""
    return [digest for _, digest in keyring.digests(f"foreign\n{form}\n{value}")]


def text_digests(tx: Tx, keyring: Keyring, text: str) -> list[bytes]:
    """Return the digests under which a text may be stored as a plain hash. Raises StorageError."""
    if not plausible(text):
        return []
    forms = [row[0] for row in tx.execute("SELECT form FROM foreign_forms ORDER BY form")]
    plain = [form for form in forms if not form.startswith(_LENGTH)]
    return [each for form in plain for each in stored_digests(keyring, form, plain_value(form, text))]


def add_form(tx: Tx, form: str) -> None:
    """Remember a form of plain hashes, or a length of lookup prefixes.

    Raises HashRefused for the seventeenth, and for a long salt.
    """
    check_length(form)
    if tx.execute("SELECT 1 FROM foreign_forms WHERE form = ?", (form,)):
        return
    if len(tx.execute("SELECT form FROM foreign_forms")) >= MOST_FORMS:
        raise HashRefused(f"There are {MOST_FORMS} different salts and lengths of prefixes already, which is the most.")
    tx.execute("INSERT INTO foreign_forms (form) VALUES (?) ON CONFLICT (form) DO NOTHING", (form,))


def add_slow(tx: Tx, key_id: str, slow: SlowHash) -> None:
    """Store the slow hash of a key. Raises HashRefused; Duplicate if there is a key with this hash."""
    if not SHORTEST_LOOKUP <= len(slow.lookup) <= LONGEST_LOOKUP or not _printable(slow.lookup):
        raise HashRefused(
            f"A bcrypt, argon2, scrypt, PBKDF2 or salted hash needs the first {SHORTEST_LOOKUP} to {LONGEST_LOOKUP}"
            " characters of the key, by which it is found."
        )
    check_length(slow.encoded)
    add_form(tx, f"{_LENGTH}{len(slow.lookup)}")
    tx.execute(
        "INSERT INTO foreign_hashes (key_id, lookup, hash) VALUES (?, ?, ?)", (key_id, slow.lookup, slow.encoded)
    )
    same = tx.execute("SELECT COUNT(*) FROM foreign_hashes WHERE lookup = ?", (slow.lookup,))[0][0]
    if same > MOST_CANDIDATES:
        raise HashRefused(
            f"More than {MOST_CANDIDATES} keys begin with these characters: a longer beginning is needed."
        )


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def forget(tx: Tx, key_ids: Iterable[str]) -> None:
    """Delete the slow hashes of keys whose texts are known now."""
    for key_id in key_ids:
        tx.execute("DELETE FROM foreign_hashes WHERE key_id = ?", (key_id,))


class Match(NamedTuple):
    """A key whose slow hash a text fits. whole: no other text fits, so that its digest can replace the hash."""

    key_id: str
    whole: bool


class Candidate(NamedTuple):
    """A key with a slow hash. lookup: the first characters of its text."""

    key_id: str
    lookup: str
    hash: str


class ForeignKeys(forking.ForkAware):
    """Finds imported keys by their texts. Thread-safe.

    keyring: computes the digests of plain hashes. monotonic: returns seconds of a monotonic clock.
    """

    def __init__(self, keyring: Keyring, monotonic: Callable[[], float]) -> None:
        self._keyring = keyring
        self._monotonic = monotonic
        self._reset()
        forking.register(self)

    def _reset(self) -> None:
        self._wrong: dict[bytes, int] = {}  # digest of a text, and which keys it was compared with
        self._attempts: dict[str, _Bucket] = {}
        self._time = _Bucket(_BURST_SECONDS, self._monotonic())
        self._lock = threading.Lock()
        self._running = threading.BoundedSemaphore(_AT_ONCE)

    def after_fork_in_child(self) -> None:
        """Start with nothing remembered: a thread of the parent may have held the locks."""
        self._reset()

    def digests(self, tx: Tx, text: str) -> list[bytes]:
        """Return the digests under which a text may be stored as a plain hash. Raises StorageError."""
        return text_digests(tx, self._keyring, text)

    def match(self, database: Database, text: str) -> Match | None:
        """Return the key whose slow hash a text fits, or None; blocking.

        Raises Busy if it cannot be compared at the moment; StorageError.
        """
        candidates = database.read(lambda tx: slow_candidates(tx, text)) if plausible(text) else []
        if not candidates:
            return None
        digest, compared = self._keyring.digest(text), hash(tuple(sorted(key_id for key_id, _, _ in candidates)))
        with self._lock:
            if self._wrong.get(digest) == compared:
                return None
            if not self._may_try(candidates[0][1]):
                raise Busy
            running = self._running
        if not running.acquire(blocking=False):
            raise Busy
        begun = self._monotonic()
        try:
            found = slow_match(candidates, text)
        finally:
            running.release()
        if found is None:
            self._count_wrong(digest, compared, candidates[0][1], self._monotonic() - begun)
        return found

    def _may_try(self, lookup: str) -> bool:
        now = self._monotonic()
        self._time = _Bucket(min(_BURST_SECONDS, self._time.left + (now - self._time.at) * _SHARE), now)
        before = self._attempts.get(lookup, _Bucket(_ATTEMPTS, now))
        left = min(_ATTEMPTS, before.left + (now - before.at) / _ATTEMPT_SECONDS)
        return self._time.left > 0 and left >= 1

    def _count_wrong(self, digest: bytes, compared: int, lookup: str, seconds: float) -> None:
        with self._lock:
            now = self._monotonic()
            before = self._attempts.pop(lookup, _Bucket(_ATTEMPTS, now))
            left = min(_ATTEMPTS, before.left + (now - before.at) / _ATTEMPT_SECONDS)
            self._attempts[lookup] = _Bucket(left - 1, now)
            self._time = _Bucket(self._time.left - seconds, self._time.at)
            self._wrong[digest] = compared
            if len(self._wrong) > _REMEMBERED:
                del self._wrong[next(iter(self._wrong))]
            if len(self._attempts) > _REMEMBERED:
                del self._attempts[next(iter(self._attempts))]


def slow_candidates(tx: Tx, text: str) -> list[Candidate]:
    """Return the keys whose slow hash a text may fit, by its beginning. Raises StorageError."""
    forms = [row[0] for row in tx.execute("SELECT form FROM foreign_forms ORDER BY form")]
    starts = [text[: int(form.removeprefix(_LENGTH))] for form in forms if form.startswith(_LENGTH)]
    if not starts:
        return []
    marks = ", ".join("?" * len(starts))
    rows = tx.execute(f"SELECT key_id, lookup, hash FROM foreign_hashes WHERE lookup IN ({marks})", starts)
    return [Candidate(*row) for row in rows]


def slow_match(candidates: Iterable[Candidate], text: str) -> Match | None:
    """Return which of these keys a text is of, or None. It takes seconds: call it in no transaction.

    Raises Busy if a hash cannot be computed here.
    """
    return next(
        (Match(each.key_id, reads_whole(each.hash, text)) for each in candidates if _fits(each.hash, text)), None
    )


def has_slow(tx: Tx) -> bool:
    """Return whether there are keys with a slow hash. Raises StorageError."""
    return bool(tx.execute("SELECT 1 FROM foreign_hashes LIMIT 1"))


def _fits(encoded: str, text: str) -> bool:
    try:
        return fits(encoded, text)
    except HashRefused as refused:
        _log.error("an imported key cannot be checked: %s", refused)
        raise Busy from None
