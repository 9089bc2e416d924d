"""``Idempotency-Key``: the answer of the first use is kept and given again.

The record is written in the transaction of the request itself, so an answer and its effects are
kept or lost together. What is kept: everything once the endpoint began executing, also 402s and
state errors; what is not: 401, 429 and refused parameters (reference section 1.8).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from tollkey.db import Migration, Scope, Tx
from tollkey.keys import Key
from tollkey.wire.errors import ApiError

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

KEPT_SECONDS = 24 * 3600
_LONGEST = 255


class Stored(NamedTuple):
    """The answer that the first use of a key got.

    retry: what ``Stripe-Should-Retry`` said; empty when it was not sent.
    """

    request_id: str
    status: int
    retry: str
    body: bytes


def check_key(key: str) -> None:
    """Raises ApiError for a key that is empty or longer than 255 characters."""
    if not key:
        raise ApiError(400, "idempotency_error", message="Idempotency Key must be a non-empty string.")
    if len(key) > _LONGEST:
        raise ApiError(400, "idempotency_error", message=f"Idempotency Key must be at most {_LONGEST} characters.")


def in_use(key: str) -> ApiError:
    """409: another request with this key is still going through."""
    return ApiError(
        409,
        "idempotency_error",
        "idempotency_key_in_use",
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        " twice,"
        f" and the other request is still going through): {key}. Please try again later.",
        retry=True,
    )


def fingerprint(method: str, query: bytes, body: bytes, key: Key | None = None, account: str | None = None) -> bytes:
    """What tells one request's parameters from another's.

    What the key may see is part of it: a stored answer is given again only to a key of the same rights, so that a
        publishable or restricted key cannot fetch what a secret key was told. A rolled key has the rights of the one
        before. account: the one acted for; where that is not the key's own, its platform's key is told more than a key
        of the account.
    """
    digest = hashlib.blake2b(digest_size=20)
    for part in (method.encode(), query, body, *_rights(key, account)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _rights(key: Key | None, account: str | None) -> list[bytes]:
    if key is None:
        return []
    away = [] if account in (None, key.account) else [key.account.encode()]
    if key.kind == "secret":
        return away
    rights = (key.kind, key.subject or "", ",".join(sorted(key.effective)), ",".join(sorted(key.effective_connect)))
    return [part.encode() for part in rights] + away


def stored_answer(tx: Tx, scope: Scope, key: str, path: str, mark: bytes, now: int) -> Stored | None:
    """The kept answer, or None at the first use (or when 24 hours have passed).

    Raises ApiError when the key was first used for another endpoint or with other parameters.
    """
    rows = tx.execute(
        "SELECT path, fingerprint, request_id, status, retry, body, created FROM idempotency"
        " WHERE account = ? AND livemode = ? AND key = ?",
        (scope.account, int(scope.livemode), key),
    )
    if not rows:
        return None
    first_path, first_mark, request_id, status, retry, body, created = rows[0]
    if created <= now - KEPT_SECONDS:
        tx.execute(
            "DELETE FROM idempotency WHERE account = ? AND livemode = ? AND key = ?",
            (scope.account, int(scope.livemode), key),
        )
        return None
    hint = f"Try using a key other than '{key}' if you meant to execute a different request."
    if first_path != path:
        raise ApiError(
            400,
            "idempotency_error",
            message="Keys for idempotent requests can only be used for the same endpoint they were first used for"
            f" ('{path}' vs '{first_path}'). {hint}",
        )
    if bytes(first_mark) != mark:
        raise ApiError(
            400,
            "idempotency_error",
            message=f"Keys for idempotent requests can only be used with the same parameters they were first used"
            f" with. {hint}",
        )
    return Stored(request_id, status, retry, bytes(body))


def keep(tx: Tx, scope: Scope, key: str, path: str, mark: bytes, answer: Stored, now: int) -> None:
    """Write down the answer of the first use."""
    tx.execute(
        "INSERT INTO idempotency (account, livemode, key, path, fingerprint, request_id, status, retry, body, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            scope.account,
            int(scope.livemode),
            key,
            path,
            mark,
            answer.request_id,
            answer.status,
            answer.retry,
            answer.body,
            now,
        ),
    )


def forget_old(tx: Tx, now: int, most: int = 200) -> bool:
    """Drop the oldest records past their time, so many at once; returns whether there may be more."""
    gone = tx.execute(
        "DELETE FROM idempotency WHERE (account, livemode, key) IN"
        " (SELECT account, livemode, key FROM idempotency WHERE created <= ? ORDER BY created LIMIT ?) RETURNING 1",
        (now - KEPT_SECONDS, most),
    )
    return len(gone) == most
