from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NOW
from tollkey.keys import KeyService
from tollkey.keys.observing import Need, joined


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database: what is proposed does not depend on it."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


def test_needs_on_connected_accounts_are_kept_apart(keys: KeyService) -> None:
    key = keys.create(permissions=["report_write"], connect_permissions=["report_write", "user_write"]).key
    counter = keys.verifier.usage
    counter.count(key, NOW, "GET /reports", permission=joined({"user_read", "report_read"}))
    counter.count(key, NOW, "GET /users", permission=joined({"user_read"}, connected=True))
    counter.count(key, NOW, "GET /health")
    keys.flush()
    proposal = keys.least_privilege(key)
    assert proposal.observed.needs == (
        Need("GET /health", frozenset(), frozenset(), 1),
        Need("GET /reports", frozenset({"user_read", "report_read"}), frozenset(), 1),
        Need("GET /users", frozenset(), frozenset({"user_read"}), 1),
    )
    assert proposal.permissions == {"report_read"}
    assert proposal.connect_permissions == {"user_read"}
    assert proposal.connect_removed == {"report_write", "user_write"}


def test_a_key_without_requests_has_no_needs(keys: KeyService) -> None:
    observed = keys.least_privilege(keys.create().key).observed
    assert observed == (None, 0, (), ())
