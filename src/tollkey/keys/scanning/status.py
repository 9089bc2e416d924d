"""Asks a database which of the keys that were found may still be used."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.keys import store
from tollkey.keys.scanning.scanner import Status
from tollkey.keys.service import KeyService


def status_in(service: KeyService, now: Callable[[], float]) -> Callable[[str], Status]:
    """Return a function that tells the status of a key by its text. It does not count as a use of the key.

    now: returns UTC epoch seconds. The function raises StorageError.
    """
    authority = service.authority

    def status_of(text: str) -> Status:
        digests = [digest for _, digest in authority.keyring.digests(text)]
        key, stored, _ = service.database.read(lambda tx: store.by_digest(tx, digests, authority.catalogue))
        if stored is None:
            return "unknown"
        if key.revoked_at is not None:
            return "revoked"
        return "expired" if key.ended(int(now())) else "active"

    return status_of
