"""Connects an account to the upstream account that a key is of, or stores another key of it."""

from __future__ import annotations

from tollkey.db import Scope, Tx
from tollkey.keys.keyring import Keyring
from tollkey.keys.token import redact
from tollkey.upstream import states, store
from tollkey.upstream.probing import Probed
from tollkey.upstream.store import Hosts


class NotConnected(Exception):
    """The key is of an account that may not be connected. The message may be shown; it contains no key."""


class OtherAccount(NotConnected):
    """Another upstream account is connected."""


def connect(tx: Tx, keyring: Keyring, scope: Scope, hosts: Hosts, found: Probed, key: str, now: int) -> bool:
    """Store a key that was tried. Returns whether the account had no upstream account before. Raises NotConnected.

    tx: under the lock of the scope (``Scope.name``), so that of two at once the second sees what the
    first has stored. found: whose key it is. now: UTC epoch seconds.
    """
    before = states.of(tx, scope)
    if found.account == scope.account:
        raise NotConnected(f"the key is of {scope.account} itself: calls would come back to it")
    if before is not None and found.account and before.id and before.id != found.account:
        raise OtherAccount(
            f"{scope.account} is connected to {before.id}, and the key is of {found.account}: disconnect it first"
        )
    store.connect(tx, keyring, scope, hosts, found.account, key, redact(key), now)
    return before is None
