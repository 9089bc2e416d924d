"""A service that issues tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Clock
from tollkey.keys import KeyService, Permission

PERMISSIONS = (
    Permission("report", "Reports"),
    Permission("project", "Projects", parameter=True),
    *(Permission(f"thing{number}", f"Things {number}") for number in range(60)),
)


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    """Where storage makes no difference."""
    with KeyService.open(str(tmp_path / "keys.db"), PERMISSIONS, clock=clock, flush_seconds=0) as opened:
        yield opened


@pytest.fixture
def stored_keys(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    """On a database of each kind."""
    keyring = str(tmp_path / "keyring")
    with KeyService.open(database_url, PERMISSIONS, keyring=keyring, clock=clock, flush_seconds=0) as opened:
        yield opened
