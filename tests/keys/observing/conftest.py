"""A service with permissions of a host's own, one of which names single objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Clock
from tollkey.keys import KeyService, Permission

PERMISSIONS = (
    Permission("report", "Reports"),
    Permission("user", "Users"),
    Permission("project", "Projects", parameter=True),
)


@pytest.fixture
def keys(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    implied = {"report": ("user_read",)}
    keyring = str(tmp_path / "keyring")
    with KeyService.open(
        database_url, PERMISSIONS, keyring=keyring, implied=implied, clock=clock, flush_seconds=0
    ) as opened:
        yield opened
