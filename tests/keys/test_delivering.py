"""A key that is handed over is not shown, and nothing is half done when that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tollkey.db import StorageError
from tollkey.keys import Denied, KeyService, Permission, Reason
from tollkey.keys.delivering import HANDOVER_SECONDS, DeliveryFailed


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    permissions = [Permission("report", "Reports")]
    with KeyService.open(str(tmp_path / "keys.db"), permissions, clock=clock, flush_seconds=0) as opened:
        yield opened


@dataclass
class Shelf:
    """A place for one key. before: called with each key that arrives, and may raise."""

    texts: list[str] = field(default_factory=list)
    place: str = "shelf:1"
    before: Callable[[str], None] = lambda text: None

    def store(self, text: str) -> None:
        self.before(text)
        self.texts.append(text)


def failing(uncertain: bool = False) -> Shelf:
    def fail(text: str) -> None:
        raise DeliveryFailed("It is full.", uncertain=uncertain)

    return Shelf(before=fail)


def reason(keys: KeyService, text: str) -> Reason | None:
    answer = keys.verify(text)
    return answer.reason if isinstance(answer, Denied) else None


def test_a_new_key_is_stored_there_and_not_returned(service: KeyService) -> None:
    shelf = Shelf()
    made = service.create("CI", permissions=["report_read"], note="For the nightly export", deliver=shelf)
    assert (made.secret, made.key.note) == ("", "For the nightly export\nshelf:1")
    assert service.verify(shelf.texts[0]) == made.key


def test_a_key_that_the_place_refuses_is_revoked(service: KeyService) -> None:
    with pytest.raises(DeliveryFailed, match="It is full"):
        service.create("CI", deliver=failing())
    (key,) = service.list()
    assert key.revoked_at is not None


def test_a_key_that_may_have_arrived_stays_valid_and_the_error_names_it(service: KeyService) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        service.create("CI", deliver=failing(uncertain=True))
    (key,) = service.list()
    assert key.revoked_at is None
    assert key.id in str(failed.value)


def test_whatever_stops_a_delivery_revokes_the_key(service: KeyService) -> None:
    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.create("CI", deliver=Shelf(before=stop))
    assert service.list()[0].revoked_at is not None


def test_a_key_that_could_not_be_revoked_is_named(service: KeyService, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise StorageError("away")

    monkeypatch.setattr(service, "revoke", away)
    with pytest.raises(DeliveryFailed, match="could not be revoked") as failed:
        service.create("CI", deliver=failing())
    assert service.list()[0].id in str(failed.value)


def test_the_old_key_works_until_its_successor_has_arrived(service: KeyService, clock: Clock) -> None:
    key, old = service.create("CI")
    seen: list[Reason | None] = []
    shelf = Shelf(before=lambda text: seen.extend((reason(service, old), reason(service, text))))
    rolled = service.roll(key, deliver=shelf)
    assert seen == [None, None]
    assert (rolled.secret, rolled.key.note, rolled.key.rolled_from) == ("", "shelf:1", key.id)
    assert (reason(service, old), reason(service, shelf.texts[0])) == (Reason.expired, None)


def test_a_roll_with_a_delay_keeps_its_delay(service: KeyService, clock: Clock) -> None:
    key, _ = service.create("CI")
    rolled = service.roll(key, 3600, deliver=Shelf())
    assert rolled.old.expires_at == int(clock.now) + 3600


@pytest.mark.parametrize("delay", [0, 3600])
def test_the_text_of_a_key_whose_delivery_died_can_be_revealed_once(
    service: KeyService, clock: Clock, delay: int
) -> None:
    class Killed(BaseException):
        """What no ``except`` of a process that is killed would see."""

    key, text = service.create("CI")

    def die(_text: str) -> None:
        service.database.close()  # so that nothing of it can be undone
        raise Killed

    path = service.database.path  # type: ignore[attr-defined]
    with pytest.raises((Killed, DeliveryFailed)):
        service.roll(key, expires_in=delay, deliver=Shelf(before=die))
    with KeyService.open(str(path), [Permission("report", "Reports")], clock=clock, flush_seconds=0) as after:
        assert after.verify(text), "it works for ten minutes at least"
        (new,) = [one for one in after.list() if one.rolled_from == key.id]
        assert after.verify(after.reveal(new).secret) == after.get(new.id)
        with refused("api_key_already_revealed"):
            after.reveal(new)


@pytest.mark.parametrize("delay", [0, 3600])
def test_a_key_that_has_arrived_cannot_be_revealed(service: KeyService, delay: int) -> None:
    key, _ = service.create("CI")
    new = service.roll(key, expires_in=delay, deliver=Shelf()).key
    with refused("api_key_already_revealed"):
        service.reveal(new)
    assert service.get(new.id) == new


def test_a_key_whose_successor_the_place_refuses_goes_on_as_before(service: KeyService, clock: Clock) -> None:
    key, old = service.create("CI", expires_at=int(clock.now) + 10_000)
    refused_texts: list[str] = []

    def fail(text: str) -> None:
        refused_texts.append(text)
        raise DeliveryFailed("It is full.")

    with pytest.raises(DeliveryFailed):
        service.roll(key, deliver=Shelf(before=fail))
    clock.now += HANDOVER_SECONDS
    assert (reason(service, old), reason(service, refused_texts[0])) == (None, Reason.revoked)
    again = service.get(key.id)
    assert again is not None
    assert (again.expires_at, again.replaced_by) == (key.expires_at, None)
    assert service.roll(again, deliver=Shelf()).key


def test_both_keys_stay_valid_while_it_is_not_known_which_one_is_there(service: KeyService) -> None:
    key, old = service.create("CI")
    with pytest.raises(DeliveryFailed):
        service.roll(key, deliver=failing(uncertain=True))
    new = service.list()[0]
    assert (reason(service, old), new.rolled_from, new.revoked_at) == (None, key.id, None)


def test_a_publishable_key_is_not_delivered(service: KeyService) -> None:
    with refused("type_invalid"):
        service.create(kind="publishable", deliver=Shelf())
    key, _ = service.create(kind="publishable")
    with refused("type_invalid"):
        service.roll(key, deliver=Shelf())


def test_a_note_that_names_the_place_or_has_no_room_stays(service: KeyService) -> None:
    assert service.create(note="on shelf:1", deliver=Shelf()).key.note == "on shelf:1"
    assert service.create(note="x" * 500, deliver=Shelf()).key.note == "x" * 500


def test_an_account_s_view_delivers_as_well(service: KeyService) -> None:
    shelf, alice = Shelf(), service.account("alice")
    made = alice.create("CI", deliver=shelf)
    alice.roll(made.key, deliver=shelf)
    assert [reason(service, text) for text in shelf.texts] == [Reason.expired, None]
