from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import NOW, Clock
from tollkey.keys import KeyService
from tollkey.keys.observing import Need, refused_by

DAY = 86400


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database: what is proposed does not depend on it."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


def used(keys: KeyService, text: str, *permissions: str, route: str = "GET /") -> None:
    for permission in permissions:
        keys.check(text, permission, route=route)
    keys.flush()


def test_the_smallest_set_that_covers_every_request_is_proposed(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_write", "user_write", "project:*:write"])
    used(keys, text, "report_read", "user_read", "project:42:read", "project:42:write", "project:7:read")
    proposal = keys.least_privilege(key)
    # report_read implies user_read, and project:42:write implies project:42:read
    assert proposal.permissions == {"report_read", "project:42:write", "project:7:read"}
    assert proposal.removed == {"report_write", "user_write", "project:*:write"}
    assert proposal.observed.requests == 5
    assert proposal.would_refuse == ()


def test_a_grant_for_every_object_stays_when_very_many_objects_are_used(keys: KeyService) -> None:
    key, text = keys.create(permissions=["project:*:read"])
    used(keys, text, *(f"project:{number}:read" for number in range(21)))
    proposal = keys.least_privilege(key)
    assert proposal.permissions == {"project:*:read"}
    assert not proposal.changes


def test_what_earlier_requests_needed_is_shown_as_refused(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(permissions=["report_write", "user_write"])
    used(keys, text, "user_write", "user_write", route="POST /users")
    clock.advance(DAY)
    used(keys, text, "report_read")
    proposal = keys.least_privilege(key, since=datetime.fromtimestamp(NOW + DAY, UTC))
    assert proposal.permissions == {"report_read"}
    assert proposal.observed.requests == 1
    assert proposal.would_refuse == (Need("POST /users", frozenset({"user_write"}), frozenset(), 2),)
    assert keys.least_privilege(key).permissions == {"report_read", "user_write"}


def test_a_time_without_a_zone_is_refused(keys: KeyService) -> None:
    key = keys.create().key
    with pytest.raises(ValueError, match="a datetime needs a time zone"):
        keys.least_privilege(key, since=datetime(2026, 1, 1))


def test_a_time_within_a_day_is_observed_by_the_hour(keys: KeyService, clock: Clock) -> None:
    key, text = keys.create(permissions=["report_write", "user_write"])
    used(keys, text, "user_write")
    clock.advance(3600)
    used(keys, text, "report_read")
    assert keys.least_privilege(key, since=NOW + 3600).permissions == {"report_read"}


def test_refused_requests_ask_for_nothing_and_are_listed(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    used(keys, text, "report_read")
    used(keys, text, "user_write", route="POST /users")
    proposal = keys.least_privilege(key)
    assert proposal.permissions == {"report_read"}
    assert proposal.observed.lacked == (Need("POST /users", frozenset({"user_write"}), frozenset(), 1),)


def test_a_rolled_key_keeps_what_was_learned_about_its_predecessors(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_write", "user_write"])
    used(keys, text, "report_read")
    new = keys.roll(key).key
    proposal = keys.least_privilege(new)
    assert (proposal.permissions, proposal.observed.requests) == ({"report_read"}, 1)


def test_a_permission_that_was_taken_away_since_is_not_proposed(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_write", "user_write"])
    used(keys, text, "report_read", "user_write")
    key = keys.update(key, permissions=["report_write"])
    proposal = keys.least_privilege(key)
    assert proposal.permissions == {"report_read"}
    assert [need.permissions for need in proposal.would_refuse] == [{"user_write"}]


def test_for_a_secret_key_the_proposal_is_what_a_restricted_one_would_need(keys: KeyService) -> None:
    key, text = keys.create(kind="secret")
    used(keys, text, "report_read", "user_write")
    assert keys.least_privilege(key).permissions == {"report_read", "user_write"}


def test_any_set_of_permissions_can_be_tried(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_write", "user_write"])
    used(keys, text, "user_write", route="POST /users")
    used(keys, text, "report_read", route="GET /reports")
    needs, catalogue = keys.least_privilege(key).observed.needs, keys.authority.catalogue
    assert [need.route for need in refused_by(catalogue, needs, ["report_read"], ())] == ["POST /users"]
    assert refused_by(catalogue, needs, ["report_read", "user_write"], ()) == ()
