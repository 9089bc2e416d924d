"""Steps that the tests of several adapters share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tollkey.keys import Denied, Key, KeyService, Permission, Reason
from tollkey.keys.config import Config, Limit, Rate
from tollkey.keys.key import LimitState


def bearer(text: str) -> dict[str, str]:
    """The header with a key."""
    return {"Authorization": f"Bearer {text}"}


@contextmanager
def limited(folder: Path) -> Iterator[tuple[KeyService, str]]:
    """A key service that accepts one request of each key, and the text of a key that may read reports."""
    config = Config(permissions=(Permission("report", "Reports"),), limits=(Limit("one", Rate(0.001), burst=1),))
    with KeyService.open(str(folder / "limited.db"), config=config, flush_seconds=0) as keys:
        yield keys, keys.create(permissions=["report_read"])[1]


def break_storage(keys: KeyService) -> None:
    """Make every look-up fail."""
    keys.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
    keys.verifier.clear()


class Ten:
    """Limits of ten for each key, which remember what was taken: route and cost."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.taken: list[tuple[str | None, int]] = []

    def take_at_once(self, key: Key, route: str | None, cost: int, now: float) -> tuple[LimitState, ...] | Denied:
        """See ``Limits.take_at_once``."""
        return self.take(key, route, cost, now)

    def take(self, key: Key, route: str | None, cost: int, now: float) -> tuple[LimitState, ...] | Denied:
        """See ``Limits.take``."""
        left = self.left.get(key.id, 10)
        if cost > left:
            state = LimitState("ten", 10, left, 30.0)
            return Denied(Reason.rate_limited, key.masked, key, limit=state, retry_after=29.5, limits=(state,))
        self.left[key.id] = left - cost
        self.taken.append((route, cost))
        return (LimitState("ten", 10, left - cost, 30.0),)


@contextmanager
def with_projects(folder: Path) -> Iterator[tuple[KeyService, Ten]]:
    """A key service with a permission that has a parameter, and limits."""
    limits, permissions = Ten(), [Permission("project", "Projects", parameter=True), Permission("report", "Reports")]
    with KeyService.open(str(folder / "projects.db"), permissions, limits=limits, flush_seconds=0) as keys:
        yield keys, limits
