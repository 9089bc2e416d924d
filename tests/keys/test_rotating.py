"""Keys that are rotated on a schedule."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tollkey.keys import Key, KeyService, Rolled
from tollkey.keys.actors import SYSTEM
from tollkey.keys.rotating import rotate_in

DAY = 86400


def test_a_key_is_rotated_when_its_time_has_come_and_so_is_its_successor(service: KeyService, clock: Clock) -> None:
    made = service.create("CI", permissions=["report_read"], rotate_every=timedelta(days=90))
    assert (made.key.rotate_every, made.key.rotate_at) == (90 * DAY, clock.now + 90 * DAY)
    clock.now += 90 * DAY - 1
    assert service.rotate_due() == []
    clock.now += 1
    (rolled,) = service.rotate_due(grace=timedelta(days=7))
    assert (rolled.key.rolled_from, rolled.key.rotate_at) == (made.key.id, clock.now + 90 * DAY)
    assert (rolled.old.rotate_at, rolled.old.expires_at) == (None, clock.now + 7 * DAY)
    assert isinstance(service.verify(made.secret), Key), "it stays valid for the grace"
    new = service.reveal(rolled.key).secret
    assert isinstance(service.verify(new), Key)
    assert service.rotate_due() == []
    assert str(service.audit(key_id=made.key.id)[0].actor) == "system:rotation"
    clock.now += 90 * DAY
    assert [one.old.id for one in service.rotate_due()] == [rolled.key.id]


def test_notice_is_given_before(service: KeyService, clock: Clock) -> None:
    soon = service.create(rotate_every=10 * DAY).key
    later = service.create(rotate_every=20 * DAY).key
    service.create()
    assert service.rotations_due() == ()
    assert service.rotations_due(within=timedelta(days=10)) == (soon,)
    assert service.rotations_due(within=30 * DAY) == (soon, later)


def test_the_new_text_is_delivered_and_then_no_longer_stored(service: KeyService, clock: Clock) -> None:
    service.create(rotate_every=DAY)
    clock.now += DAY
    delivered: list[Rolled[str]] = []
    service.rotate_due(deliver=delivered.append)
    assert isinstance(service.verify(delivered[0].secret), Key)
    with refused("api_key_already_revealed"):
        service.reveal(delivered[0].key)


def test_a_text_that_could_not_be_delivered_can_be_revealed(service: KeyService, clock: Clock) -> None:
    made = service.create(rotate_every=DAY)
    clock.now += DAY

    def fail(rolled: Rolled[str]) -> None:
        raise ConnectionError("no vault")

    with pytest.raises(ConnectionError):
        service.rotate_due(deliver=fail)
    assert isinstance(service.verify(made.secret), Key)
    successor = service.list()[0]
    assert isinstance(service.verify(service.reveal(successor).secret), Key)


def test_a_paused_or_ended_key_is_not_rotated(service: KeyService, clock: Clock) -> None:
    paused, revoked, stopped = (service.create(rotate_every=DAY).key for _ in range(3))
    service.create(rotate_every=DAY, expires_in=DAY)
    service.disable(paused)
    service.revoke(revoked)
    assert service.update(stopped, rotate_every=0).rotate_at is None
    clock.now += DAY
    assert service.rotate_due() == []
    service.enable(paused)
    assert [one.old.id for one in service.rotate_due()] == [paused.id]


def test_a_cancelled_rotation_is_due_again_after_the_same_time(service: KeyService, clock: Clock) -> None:
    key = service.create(rotate_every=DAY).key
    clock.now += DAY
    service.rotate_due()
    kept = service.database.write(
        lambda tx: service.authority.cancel_expiry(tx, key.scope, key.id, actor=SYSTEM, now=clock.now)
    )
    assert kept.rotate_at == clock.now + DAY


def test_a_key_whose_rotation_was_called_off_or_cancelled_since_it_was_found_is_not_rolled(
    service: KeyService, clock: Clock
) -> None:
    stopped, cancelled = (service.create(rotate_every=DAY).key for _ in range(2))
    clock.now += DAY
    found = service.rotations_due()
    service.update(stopped, rotate_every=0)
    service.roll(cancelled, 60)
    service.database.write(
        lambda tx: service.authority.cancel_expiry(tx, cancelled.scope, cancelled.id, actor=SYSTEM, now=clock.now)
    )
    for key in found:
        assert service.database.write(lambda tx, key=key: rotate_in(tx, service.authority, key, DAY, clock.now)) is None


@pytest.mark.parametrize("every", [1, 3599, -DAY])
def test_a_key_is_rotated_every_hour_at_most(service: KeyService, every: int) -> None:
    with refused("rotate_every_invalid"):
        service.create(rotate_every=every)


@pytest.mark.parametrize("grace", [0, -1, timedelta(days=8)])
def test_a_rotation_needs_a_grace_of_seven_days_at_most(
    service: KeyService, clock: Clock, grace: int | timedelta
) -> None:
    service.create(rotate_every=DAY)
    clock.now += DAY
    with refused("expires_in_invalid"):
        service.rotate_due(grace=grace)
    assert len(service.rotations_due()) == 1
