"""A database that counts its commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.edges import CountingSQLite


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[CountingSQLite]:
    database = CountingSQLite(tmp_path / "counting.db")
    yield database
    database.close()
