"""A Dashboard for each test: a merchant of its own with an owner."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.dashboard import Site
from tests.upstream.conftest import there

__all__ = ["there"]


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Site:
    """A Dashboard on SQLite."""
    return Site(Api(request.getfixturevalue("sqlite_world")))


@pytest.fixture
def postgres_site(request: pytest.FixtureRequest) -> Site:
    """A Dashboard on PostgreSQL."""
    return Site(Api(request.getfixturevalue("postgres_world")))
