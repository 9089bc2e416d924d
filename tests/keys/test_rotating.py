"""Keys that are rotated on a schedule."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tollkey.keys import Key, KeyService, Rolled
from tollkey.keys.actors import SYSTEM, Actor
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


class Killed(BaseException):
    """What a process dies of between a roll and its delivery."""


def rolled_and_killed(service: KeyService, clock: Clock) -> Key:
    """A key that was rolled by a process that died before it had delivered the successor."""
    made = service.create(rotate_every=DAY).key
    clock.now += DAY

    def die(rolled: Rolled[str]) -> None:
        raise Killed

    with pytest.raises(Killed):
        service.rotate_due(grace=DAY, deliver=die)
    return made


@pytest.mark.parametrize("livemode", [True, False])
def test_a_delivery_whose_process_died_is_made_by_the_next_one(
    service: KeyService, clock: Clock, livemode: bool
) -> None:
    made = service.create(rotate_every=DAY, livemode=livemode).key
    clock.now += DAY
    delivered: list[Rolled[str]] = []

    def die(rolled: Rolled[str]) -> None:
        raise Killed

    with pytest.raises(Killed):
        service.rotate_due(grace=DAY, deliver=die)
    clock.now += 599
    assert service.rotate_due(deliver=delivered.append) == []
    assert delivered == []  # it may be under way
    clock.now += 1
    for _ in range(2):
        assert service.rotate_due(deliver=delivered.append) == []
    (one,) = delivered
    assert one.old.id == made.id
    assert isinstance(service.verify(one.secret), Key)


def test_a_delivery_that_fails_again_and_again_keeps_no_other_key_from_being_rotated(
    service: KeyService, clock: Clock
) -> None:
    for name in ("broken", "died", "later"):
        service.create(name, permissions=["report_read"], rotate_every=DAY + (3600 if name == "later" else 0))
    delivered: list[str] = []
    began = clock.now

    def deliver(rolled: Rolled[str]) -> None:
        if rolled.key.name == "broken":
            raise ConnectionError("no such place in the vault")
        if rolled.key.name == "died" and clock.now == began + DAY:
            raise Killed
        delivered.append(rolled.key.name)

    clock.now += DAY
    for expected in (ConnectionError, Killed):
        with pytest.raises(expected):
            service.rotate_due(deliver=deliver)
    clock.now += 3600
    with pytest.raises(ConnectionError):
        service.rotate_due(deliver=deliver)
    assert delivered == ["later", "died"]


def test_no_delivery_is_repeated_of_a_key_that_somebody_has_the_text_of(service: KeyService, clock: Clock) -> None:
    rolled_and_killed(service, clock)
    service.reveal(service.list()[0])
    clock.now += 600
    service.rotate_due(deliver=lambda rolled: pytest.fail("delivered again"))


def test_no_delivery_is_repeated_once_the_old_key_has_ended(service: KeyService, clock: Clock) -> None:
    service.revoke(rolled_and_killed(service, clock))
    clock.now += 600
    service.rotate_due(deliver=lambda rolled: pytest.fail("delivered again"))


def test_a_key_that_a_person_rolled_is_left_to_that_person(service: KeyService, clock: Clock) -> None:
    key = service.create(rotate_every=30 * DAY).key
    new = service.roll(key, expires_in=DAY, actor=Actor("person", "ada")).key
    clock.now += 600
    service.rotate_due(deliver=lambda rolled: pytest.fail("delivered"))
    assert new.rolled_from == key.id


def test_a_process_that_was_held_up_while_another_delivered_ends_well(service: KeyService, clock: Clock) -> None:
    service.create(rotate_every=DAY)
    clock.now += DAY
    delivered: list[str] = []

    def slow(rolled: Rolled[str]) -> None:
        delivered.append(rolled.secret)
        clock.now += 600
        service.rotate_due(deliver=lambda again: delivered.append(again.secret))

    service.rotate_due(deliver=slow)
    assert delivered == [delivered[0]] * 2


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
