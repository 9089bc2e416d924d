"""Steps that the tests of several adapters share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tollkey.keys import KeyService, Permission, RateLimiter


def bearer(text: str) -> dict[str, str]:
    """The header with a key."""
    return {"Authorization": f"Bearer {text}"}


@contextmanager
def limited(folder: Path) -> Iterator[tuple[KeyService, str]]:
    """A key service that accepts one request of each key, and the text of a key that may read reports."""
    limiter = RateLimiter(rate=0.001, burst=1)
    permissions = [Permission("report", "Reports")]
    with KeyService.open(str(folder / "limited.db"), permissions, limiter=limiter, flush_seconds=0) as keys:
        yield keys, keys.create(permissions=["report_read"])[1]


def break_storage(keys: KeyService) -> None:
    """Make every look-up fail."""
    keys.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
    keys.verifier.clear()
