"""Request logs for the Dashboard, without secrets: requests and their responses.

Entries are buffered in memory and written in the background, so that no request waits for its log. Short requests are
redacted at once, because a thread would compete with the event loop for the GIL. Requests of more than 2,000 bytes,
which can take milliseconds to redact, are buffered and redacted in the thread that writes them. At most 120,000 bytes
of them are buffered; beyond that their bodies are not stored, so that a caller of many long requests can neither occupy
the interpreter nor fill the log. A full buffer drops new entries and counts them; a failing log never changes a
response. The bodies of successful GET requests are not stored, because the objects can be looked at.

On SQLite the logs are in a file of their own, so that their writes and those of payments do not wait for each other.
The tables are also attached to the main database for reading.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from copy import copy
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from tollkey.db import Database, Tx
from tollkey.platform._redacting import redact, redact_error, redact_form, redact_response
from tollkey.platform.request_counts import count
from tollkey.platform.request_log_batches import FEW, WRITTEN, store
from tollkey.wire.messages import Request
from tollkey.wire.policy import Logged
from tollkey.wire.versions import LATEST

AT_ONCE = 5_000  # entries written in one transaction
_MOST_WAITING = 20_000
_LONGEST = 10_000  # characters stored of a body
_READ = 12_000  # bytes read of a body; redaction shortens it
_LIGHT = 2_000  # bytes: entries up to this size are redacted at once
_LONG_PATH = 2_000  # characters stored of a path
_USUAL_PATH = 100  # characters of a path whose redacted form is cached
_SHORT_PATH = 500  # characters stored of a path without bodies
_MOST_LONG = 120_000  # bytes of buffered longer entries; at worst they take 0.1 s to redact
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"

log = logging.getLogger("tollkey")

_ID = re.compile(rb'\A\{\s*"id":\s*"([A-Za-z0-9_]{1,80})"')
_REFUSED = re.compile(rb'"(?:payment_intent|setup_intent)": \{\s*"id": "([^"]+)"')  # the object of an error


class Buffer:
    """A buffer of entries that are not written yet. Called by the wire for each request.

    most_bytes: maximum size of the buffered bodies. pause: called after each long entry, in the thread that writes.
    """

    def __init__(self, most_bytes: int = 64 * 1024 * 1024, pause: Callable[[], None] = lambda: None) -> None:
        self._most_bytes, self._pause = most_bytes, pause
        self._waiting: list[tuple[object, ...] | Logged] = []
        self._sizes: list[int] = []  # bytes of each
        self._bytes = 0
        self._long = 0  # bytes of the entries that are not redacted yet
        self.dropped = 0

    @property
    def waiting(self) -> bool:
        """Whether any entry is not written yet."""
        return bool(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether there are so many that they will be written as a batch."""
        return len(self._waiting) >= FEW

    def __call__(self, entry: Logged) -> None:
        if len(self._waiting) >= _MOST_WAITING or self._bytes >= self._most_bytes:
            self.dropped += 1
            return
        waits: tuple[object, ...] | Logged
        if _asked_bytes(entry) <= _LIGHT or not _can_be_cut(entry.request):
            waits = _row(entry)
        elif self._long < _MOST_LONG:
            waits = _shortened(entry)
        else:
            waits = _row(entry, f"[{len(entry.request.body)} bytes, not kept: too many long requests at once]")
        size = _size(waits)
        if isinstance(waits, Logged):
            self._long += size
        self._bytes += size
        self._sizes.append(size)
        self._waiting.append(waits)

    def take(self, most: int = AT_ONCE) -> list[tuple[object, ...] | Logged]:
        """Take up to ``most`` entries out of the buffer, oldest first, for ``write``. Called where entries come in."""
        taken, sizes = self._waiting[:most], self._sizes[:most]
        del self._waiting[:most], self._sizes[:most]
        self._bytes -= sum(sizes)
        if self._long:
            self._long -= sum(size for entry, size in zip(taken, sizes, strict=True) if isinstance(entry, Logged))
        return taken

    def write(self, taken: Sequence[tuple[object, ...] | Logged], database: Database) -> None:
        """Write entries that were taken, in a thread. They are lost when the transaction fails."""
        rows: list[tuple[object, ...]] = []
        for entry in taken:
            if isinstance(entry, Logged):
                rows += _redacted(entry)
                self._pause()  # let the event loop take the GIL
            else:
                rows.append(entry)
        if rows:
            database.write(partial(_store, rows))

    def flush(self, database: Database, most: int = AT_ONCE) -> int:
        """Take up to ``most`` entries, write them and return how many there were."""
        taken = self.take(most)
        self.write(taken, database)
        return len(taken)


def _store(rows: list[tuple[object, ...]], tx: Tx) -> None:
    store(tx, rows)
    count(tx, map(_COUNTED, rows))


_COUNTED = itemgetter(
    *(WRITTEN.index(name) for name in ("account", "livemode", "at", "status", "error_code", "key_id"))
)


def _size(waits: tuple[Any, ...]) -> int:
    """Bytes of path, query and bodies of an entry, or of its row."""
    if not isinstance(waits, Logged):
        return len(waits[-3]) + len(waits[-2])
    kept = waits.response.storable if waits.response.status >= 400 or waits.request.method != "GET" else b""
    return len(waits.request.path) + len(waits.request.query) + len(waits.request.body) + len(kept)


def _asked_bytes(entry: Logged) -> int:
    """Bytes that come from the caller and may take long to redact. Errors repeat what was sent.

    Redacting other responses takes 0.04 ms.
    """
    repeated = len(entry.response.storable) if entry.response.status >= 400 else 0
    return len(entry.request.path) + len(entry.request.query) + len(entry.request.body) + repeated


def _can_be_cut(request: Request) -> bool:
    """Whether only the beginning of the body is stored; of other media types only the length is."""
    return not request.body or request.media_type in (_FORM, _JSON)


def _shortened(entry: Logged) -> Logged:
    """A long entry for ``flush`` to redact in a thread, with only the part of the request that is stored."""
    most = _READ + 1  # one more, so that it is recognised as cut
    request = copy(entry.request)
    request.query, request.body, request.incoming = request.query[:most], request.body[:most], None
    return entry._replace(request=request)


def _redacted(entry: Logged) -> list[tuple[object, ...]]:
    """The row of an entry; empty when it fails, so that other rows are still written."""
    try:
        return [_row(entry)]
    except Exception:
        log.exception("request log of %s", entry.request_id)
        return []


def _row(entry: Logged, instead: str = "") -> tuple[object, ...]:
    """The row of an entry. instead: a text in place of the bodies when they are not stored."""
    request, response, key, account, request_id, started, seconds = entry
    headers = request.headers
    most = _SHORT_PATH if instead else _LONG_PATH
    asked_path = _cut(request.path, most) if len(request.path) > most else request.path
    query = request.query[:_READ].decode("utf-8", "replace").replace("\0", "") if request.query and not instead else ""
    row = (
        request_id,
        account,
        int(key.livemode),
        int(started),
        int(seconds * 1000),
        request.method,
        _redact_repeated(asked_path) if len(asked_path) <= _USUAL_PATH else redact(asked_path),
        redact_form(query) if query else "",
        response.status,
        response.code,
        key.id,
        key.redacted,
        request.ip,
        _redact_repeated(_header(headers.get("stripe-version") or LATEST, 100)),
        _redact_repeated(_header(headers.get("user-agent", ""), 200)),
        redact(_header(headers["idempotency-key"], 300)) if "idempotency-key" in headers else None,
    )
    if request.method == "GET" and response.status == 200:  # the object itself can be looked at
        return (*row, "", "", asked_path.rpartition("/")[2] if "_" in asked_path[4:] else None)
    found = _ID.match(response.storable) if response.status < 400 else _REFUSED.search(response.storable)
    object_id = found[1].decode() if found else None
    if response.status < 400:
        answered = redact_response(_text(response.storable))[:_LONGEST]
    else:  # errors repeat what the caller sent
        answered = instead or redact_error(_text(response.storable))[:_LONGEST]
    if instead or not request.body:
        return (*row, instead, answered, object_id)
    return (*row, _asked(request.body, request.media_type)[:_LONGEST], answered, object_id)


def _asked(body: bytes, kind: str) -> str:
    """The redacted body of a form or JSON. Other bodies cannot be redacted, so only their length is stored."""
    if kind.startswith("multipart/"):
        return f"[multipart form of {len(body)} bytes]"
    text = _text(body)
    if kind == _JSON or text.lstrip().startswith("{"):
        return redact(text)
    if kind != _FORM or "content-disposition:" in text.lower():
        return f"[{len(body)} bytes that are no form]"
    return redact_form(text)


def _text(body: bytes) -> str:
    text = body[:_READ].decode("utf-8", "replace").replace("\0", "")
    return _cut(text, len(text)) if len(body) > _READ else text


def _header(text: str, most: int) -> str:
    """The beginning of a header's value."""
    return _cut(text, most) if len(text) > most else text


#: ``redact`` for what clients repeat with each request: the version, the user agent, most paths.
_redact_repeated = lru_cache(maxsize=500)(redact)


#: Digits, percent escapes and what may separate the groups of a card number.
_OF_NUMBERS = "0123456789abcdefABCDEF%+- .,/_:;|\t\r\n\u00a0\u2212" + "".join(map(chr, range(0x2000, 0x2070)))


def _cut(text: str, most: int) -> str:
    """The beginning of a text without trailing digits: a truncated card number would not be recognised."""
    return text[:most].rstrip(_OF_NUMBERS)
