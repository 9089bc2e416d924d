"""A key service with permissions of a host's own, for the adapters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tollkey.keys import KeyService, Permission


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyService]:
    permissions = [Permission("report", "Reports"), Permission("user", "Users")]
    with KeyService.open(str(tmp_path / "keys.db"), permissions, flush_seconds=0) as opened:
        yield opened
