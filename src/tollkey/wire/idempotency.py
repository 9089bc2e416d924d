"""``Idempotency-Key``: store the response of the first request and return it to repetitions.

The record is written in the request's own transaction, so a response and its effects are committed or
rolled back together. Stored is every response once the endpoint began executing, also 402s and state
errors; not 401, 429 and refused parameters (reference section 1.8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import orjson

from tollkey.db import Migration, Scope, Tx
from tollkey.db.ahead import Question
from tollkey.db.held import inserting
from tollkey.keys import Key
from tollkey.keys.header import without_secret_keys
from tollkey.keys.hiding import repr_without
from tollkey.wire.errors import ApiError
from tollkey.wire.messages import Later

T = TypeVar("T")

IN_PROGRESS = 0  # in place of a status

MIGRATION = Migration(
    "idempotency",
    (
        "CREATE TABLE idempotency (account TEXT NOT NULL, livemode {bool} NOT NULL, key TEXT NOT NULL,"
        " path TEXT NOT NULL,"
        " fingerprint {blob} NOT NULL, request_id TEXT NOT NULL, status INTEGER NOT NULL, retry TEXT NOT NULL,"
        " body {blob} NOT NULL,"
        " created {int} NOT NULL, PRIMARY KEY (account, livemode, key))",
        "CREATE INDEX idempotency_created ON idempotency (created)",
    ),
)

_COLUMNS = ["account", "livemode", "key", "path", "fingerprint", "request_id", "status", "retry", "body", "created"]
_STORED = (
    "SELECT path, fingerprint, request_id, status, retry, body, created FROM idempotency"
    " WHERE account = ? AND livemode = ? AND key = ?"
)
_KEEP = inserting("idempotency", _COLUMNS, "tittbtitbi", keys=3)

KEPT_SECONDS = 24 * 3600
_LONGEST = 255
_END = "\x1f"  # of a part of a space; no header contains it


class Stored(NamedTuple):
    """The response to the first request with a key.

    status: ``IN_PROGRESS`` while there is none yet; ``body`` then says what it waits for (``waiting_for``).
    retry: the value of ``Stripe-Should-Retry``; empty when it was not sent.
    """

    request_id: str
    status: int
    retry: str
    body: bytes

    def __repr__(self) -> str:
        return repr_without(self, "body")

    @property
    def waiting_for(self) -> Later | None:
        """What the response waits for; None when it is there."""
        if self.status != IN_PROGRESS:
            return None
        references, object, id, paths = orjson.loads(self.body)
        return Later(tuple(references), object, id, tuple(paths), self.request_id)


def check_key(key: str) -> None:
    """Raise ApiError 400 for an idempotency key that is empty or longer than 255 characters."""
    if not key:
        raise ApiError(400, "idempotency_error", message="Idempotency Key must be a non-empty string.")
    if len(key) > _LONGEST:
        raise ApiError(400, "idempotency_error", message=f"Idempotency Key must be at most {_LONGEST} characters.")


def in_use(key: str) -> ApiError:
    """Return the 409 for an idempotency key whose first request is still running."""
    return ApiError(
        409,
        "idempotency_error",
        "idempotency_key_in_use",
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        " twice,"
        f" and the other request is still going through): {key}. Please try again later.",
        retry=True,
    )


def fingerprint(
    method: str, query: bytes, body: bytes, secret: bytes, key: Key | None = None, account: str | None = None
) -> bytes:
    """Return a keyed hash of a request's method, parameters and permissions.

    secret: of this server: without it the parameters, such as a card's number, could be guessed from the stored hash.
    The key's permissions are included, so that a publishable or restricted key cannot fetch the stored response to a
    secret key; a rolled key has the same permissions. account: the account acted for; included when it is not the
    key's own, since a platform's key sees more than a key of the account.
    """
    digest = hashlib.blake2b(digest_size=32, key=secret)
    for part in (method.encode(), query, body, *_rights(key, account)):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)  # apart, since a copy of an upload would hold up the event loop
    return digest.digest()


def _rights(key: Key | None, account: str | None) -> list[bytes]:
    if key is None:
        return []
    away = [] if account in (None, key.account) else [key.account.encode()]
    if key.kind == "secret":
        return away
    rights = (key.kind, key.subject or "", ",".join(sorted(key.effective)), ",".join(sorted(key.effective_connect)))
    return [part.encode() for part in rights] + away


def space_of(key: Key | None) -> str:
    """Return which idempotency keys a request has in common with others.

    Empty: those of the account's servers. A key that is not secret has keys apart from them: whoever reads it in a web
    page could otherwise use up the idempotency keys of coming payments, and learn the paths of past ones.
    """
    if key is None or key.kind in ("secret", "restricted"):
        return ""
    return f"{key.kind}{_END}{key.subject or ''}{_END}"


def _stored_key(key: str, space: str) -> str:
    """Return an idempotency key as it is stored: an API key in it is masked, and a hash added that tells it apart."""
    masked = without_secret_keys(key)
    told = key if masked == key else f"{masked} {hashlib.blake2b(key.encode(), digest_size=20).hexdigest()}"
    return space + told


def _row_of(scope: Scope, key: str, space: str) -> tuple[str, int, str]:
    return scope.account, int(scope.livemode), _stored_key(key, space)


def question(scope: Scope, key: str, space: str = "") -> Question:
    """Return what ``stored_answer`` asks the database, for ``Edge.write``. space: see ``space_of``."""
    return Question("idempotency", _STORED, _row_of(scope, key, space))


def stored_answer(tx: Tx, scope: Scope, key: str, path: str, mark: bytes, now: int, space: str = "") -> Stored | None:
    """Return the stored response, or None at the first use or after 24 hours.

    mark: the request's ``fingerprint``. space: see ``space_of``. now: UTC epoch seconds.
    Raises ApiError 400 when the key was first used for another path or with other parameters.
    """
    asked = question(scope, key, space)
    rows = tx.read(*asked, asked.params)
    if not rows:
        return None
    first_path, first_mark, request_id, status, retry, body, created = rows[0]
    if created <= now - KEPT_SECONDS:
        tx.execute("DELETE FROM idempotency WHERE account = ? AND livemode = ? AND key = ?", asked.params)
        return None
    hint = f"Try using a key other than '{key}' if you meant to execute a different request."
    if first_path != path:
        raise ApiError(
            400,
            "idempotency_error",
            message="Keys for idempotent requests can only be used for the same endpoint they were first used for"
            f" ('{path}' vs '{first_path}'). {hint}",
        )
    if len(first_mark) == len(mark) and bytes(first_mark) != mark:  # those of earlier versions were shorter, not keyed
        raise ApiError(
            400,
            "idempotency_error",
            message=f"Keys for idempotent requests can only be used with the same parameters they were first used"
            f" with. {hint}",
        )
    return Stored(request_id, status, retry, bytes(body))


def is_used(tx: Tx, scope: Scope, key: str, now: int, space: str = "") -> bool:
    """Return whether a response to an earlier request with this key is stored.

    now: UTC epoch seconds. space: see ``space_of``.
    """
    row = _row_of(scope, key, space)
    found = "SELECT 1 FROM idempotency WHERE account = ? AND livemode = ? AND key = ? AND created > ?"
    return bool(tx.read("idempotency", found, (*row, now - KEPT_SECONDS), row))


def keep(tx: Tx, scope: Scope, key: str, path: str, mark: bytes, answer: Stored, now: int, space: str = "") -> None:
    """Store the response to the first request.

    mark: the request's ``fingerprint``. now: UTC epoch seconds. space: see ``space_of``.
    """
    tx.hold(_KEEP, (*_row_of(scope, key, space), path, mark, *answer, now))


def in_progress(request_id: str, later: Later) -> Stored:
    """Return what ``keep`` stores while the response to the first request waits for something."""
    body = orjson.dumps([later.references, later.object, later.id, later.paths])
    return Stored(request_id, IN_PROGRESS, "", body)


def complete(tx: Tx, scope: Scope, key: str, answer: Stored | None, space: str = "") -> None:
    """Store the response that was waited for; None for one that is not kept, so that the key may be used again.

    space: see ``space_of``.
    """
    row = (*_row_of(scope, key, space), IN_PROGRESS)
    where = "account = ? AND livemode = ? AND key = ? AND status = ?"
    if answer is None:
        tx.execute(f"DELETE FROM idempotency WHERE {where}", row)
    else:
        tx.execute(
            f"UPDATE idempotency SET status = ?, retry = ?, body = ? WHERE {where}",
            (answer.status, answer.retry, answer.body, *row),
        )


def forget_old(tx: Tx, now: int, most: int = 200) -> bool:
    """Delete up to ``most`` expired records, oldest first; return whether there may be more. now: UTC epoch seconds."""
    gone = tx.execute(
        "DELETE FROM idempotency WHERE (account, livemode, key) IN"
        " (SELECT account, livemode, key FROM idempotency WHERE created <= ? ORDER BY created LIMIT ?) RETURNING 1",
        (now - KEPT_SECONDS, most),
    )
    return len(gone) == most


class InFlight:
    """The idempotency keys of the requests that this process is handling. Used on one event loop."""

    def __init__(self) -> None:
        self._claims: set[tuple[Scope, str, str]] = set()

    async def run(self, write: Callable[[], Awaitable[T]], scope: Scope, key: str, space: str = "") -> T:
        """Return what ``write`` returns. The key is in use until that has ended, also when its request was answered
        before.

        space: see ``space_of``. Raises ApiError 409 for a key in use.
        """
        claim = (scope, space, key)
        if claim in self._claims:
            raise in_use(key)
        self._claims.add(claim)
        try:
            return await write()
        finally:
            self._claims.discard(claim)
