"""Asks a database which of the keys that were found may still be used."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.keys.scanning.scanner import Status
from tollkey.keys.service import KeyService


def status_in(service: KeyService, now: Callable[[], float]) -> Callable[[str], Status]:
    """Return a function that tells the status of a key by its text. It does not count as a use of the key.

    now: returns UTC epoch seconds. The function raises StorageError.
    """

    def status_of(text: str) -> Status:
        key = service.find(text)
        if key is None:
            return "unknown"
        if key.revoked_at is not None:
            return "revoked"
        return "expired" if key.ended(int(now())) else "active"

    return status_of
