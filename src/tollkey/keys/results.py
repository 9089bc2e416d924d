"""Turns what was found out about a request into the result of ``KeyService.check``."""

from __future__ import annotations

import logging
from dataclasses import replace

from tollkey.db import Database, Scope, StorageError
from tollkey.keys import store
from tollkey.keys.key import SERVICE_ACCOUNT, Checked, Denied, Key, LimitState, Reason
from tollkey.keys.once import current_request

_log = logging.getLogger(__name__)


def limited(key: Key, taken: tuple[LimitState, ...] | Denied) -> Checked:
    """Return the result of a request with a key and permission. taken: of ``Limits.take``."""
    if isinstance(taken, Denied):
        return refused(taken)
    return Checked(key, None, None, taken[0] if taken else None, None, key.masked, key, taken)


def refused(denied: Denied) -> Checked:
    """Return the result of a refused request."""
    return Checked(
        None,
        denied.reason,
        limit=denied.limit,
        retry_after=denied.retry_after,
        masked=denied.masked,
        known=denied.key,
        limits=denied.limits,
    )


def of_other_account(answer: Key | Denied, account: str | Scope | None) -> bool:
    """Return whether the answer is about a key of another account.

    account: with a ``Scope`` also of another mode. None for any account but the reserved one: a service key is accepted
        only where it is asked for by name.
    """
    key = answer if isinstance(answer, Key) else answer.key
    if key is None:
        return False
    if account is None:
        return key.account == SERVICE_ACCOUNT
    return key.scope != account if isinstance(account, Scope) else key.account != account


def in_this_request(answer: Key | Denied, now: int) -> Key | Denied:
    """Return the answer, or the key of a request that has taken the last use of its key itself.

    answer: of the verifier. now: UTC epoch seconds.
    """
    if isinstance(answer, Key) or answer.reason is not Reason.expired or answer.key is None:
        return answer
    request, key = current_request(), answer.key
    took_it = request is not None and key.id in request.used
    return key if took_it and not replace(key, uses_left=None).ended(now) else answer


def take_use(database: Database, key: Key) -> Denied | None:
    """Take one use of a key with ``max_uses``, once in a request; why it is refused if none is left.

    It writes one row, and blocks. A key without ``max_uses`` is not touched.
    """
    request = current_request()
    if key.max_uses is None or (request is not None and key.id in request.used):
        return None
    try:
        left = database.write(lambda tx: store.take_use(tx, key.id))
    except StorageError as error:
        _log.error("a use of a key could not be counted: %s", type(error).__name__)
        return Denied(Reason.unavailable, key.masked, key)
    if left is None:
        return Denied(Reason.expired, key.masked, key)
    if request is not None:
        request.used += (key.id,)
    return None
