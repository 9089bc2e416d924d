from __future__ import annotations

import pytest

from tests.keys.notices.conftest import SECRET, World
from tollkey.keys.notices import Notices
from tollkey.keys.notices.store import Waiting
from tollkey.outbox.signature import ValidSignature, verify


def test_a_webhook_is_signed_as_stripe_signs_it(world: World) -> None:
    notices = world.notices()
    world.keys.create()
    notices.step()
    ((headers, body),) = world.receiver.got
    signature = headers["Tollkey-Signature"]
    assert verify(body, signature, SECRET, world.clock.now) == ValidSignature(world.clock.now)
    assert not isinstance(verify(body + b" ", signature, SECRET, world.clock.now), ValidSignature)


def test_a_failed_attempt_is_repeated_with_growing_pauses_for_three_days(world: World) -> None:
    notices = world.notices()
    world.keys.create()
    world.receiver.status = 500
    begun, attempts = world.clock.now, []
    due = "SELECT next_attempt_at FROM key_notices WHERE next_attempt_at IS NOT NULL"
    for _ in range(20):
        notices.step()
        attempts += [world.clock.now - begun for _ in world.got()]
        rows = world.keys.database.read(lambda tx: tx.execute(due))
        if not rows:
            break
        world.clock.now = rows[0][0]
    assert attempts[:4] == [0, 300, 2100, 9300]
    assert len(attempts) == 10
    assert attempts[-1] < 3 * 86400


def test_a_receiver_that_is_back_gets_what_waited(world: World, caplog: pytest.LogCaptureFixture) -> None:
    notices = world.notices()
    world.receiver.status = 302
    world.receiver.location = "http://127.0.0.1:1/elsewhere"
    world.keys.create()
    notices.step()
    assert "status 302" in caplog.text  # redirects are not followed
    world.got()
    world.receiver.status = 200
    world.clock.advance(299)
    notices.step()
    assert world.types() == []
    world.clock.advance(1)
    notices.step()
    assert world.types() == ["key.created"]


def test_a_process_that_died_while_it_sent_leaves_its_notices_to_another(world: World) -> None:
    notices, other = world.notices(), world.notices()
    world.keys.create()
    notices.gather()
    now = world.clock.now
    taken = "UPDATE key_notices SET lease_until = ?"  # claimed, and never recorded
    world.keys.database.write(lambda tx: tx.execute(taken, (now + 120,)))
    other.step()
    assert world.types() == []
    world.clock.advance(120)
    other.step()
    assert world.types() == ["key.created"]


def test_a_channel_gets_the_events_it_wants(world: World) -> None:
    notices = world.notices(world.webhook("key.revoked"))
    key = world.keys.create().key
    world.keys.revoke(key)
    notices.step()
    assert world.types() == ["key.revoked"]


def test_what_was_for_a_channel_that_is_gone_is_given_up(world: World) -> None:
    notices = world.notices()
    world.keys.create()
    notices.gather()
    Notices(world.keys, [], clock=world.clock).step()
    notices.step()
    assert world.types() == []


def test_without_the_database_a_step_is_tried_again_later(world: World, caplog: pytest.LogCaptureFixture) -> None:
    notices = world.notices()
    world.keys.database.close()
    notices.try_step()
    assert "could not be gathered" in caplog.text


def test_settled_notices_are_deleted_after_thirty_days(world: World) -> None:
    notices = world.notices()
    world.keys.create()
    notices.step()
    world.clock.advance(31 * 86400)
    notices.step()
    assert world.keys.database.read(lambda tx: tx.execute("SELECT count(*) FROM key_notices")) == [(0,)]


class Faulty:
    """A channel with a fault of its own."""

    name = "faulty"

    def wants(self, type: str) -> bool:
        return True

    def send(self, notice: Waiting) -> None:
        raise RuntimeError("sk_live_secret")


def test_a_fault_of_one_channel_stops_neither_the_others_nor_the_next_steps(world: World) -> None:
    notices = world.notices(Faulty(), world.webhook())
    world.keys.create()
    notices.try_step()
    assert world.types() == ["key.created"]
    problem = "SELECT problem FROM key_notices WHERE channel = 'faulty'"
    assert world.keys.database.read(lambda tx: tx.execute(problem)) == [("RuntimeError",)]
    world.keys.create()
    notices.try_step()
    assert world.types() == ["key.created"]


class Deaf(Faulty):
    """A channel that cannot say what it wants."""

    def wants(self, type: str) -> bool:
        raise RuntimeError("no")


def test_what_cannot_be_gathered_is_logged_and_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    notices = world.notices()
    world.keys.create()
    Notices(world.keys, [Deaf()], clock=world.clock).try_step()
    assert "could not be gathered" in caplog.text
    notices.try_step()
    assert world.types() == ["key.created"]


def test_a_notice_is_not_sent_when_its_lease_may_end_before(world: World) -> None:
    class Slow(Faulty):
        name = "slow"

        def send(self, notice: Waiting) -> None:
            sent.append(notice.id)
            world.clock.advance(110)

    sent: list[int] = []
    notices = world.notices(Slow())
    for _ in range(3):
        world.keys.create()
    assert notices.step() == 1  # another process may have the others in ten seconds
    notices.stop()
    world.clock.advance(3600)
    assert notices.step() == 0
    assert len(sent) == 1
