"""The database says which of the keys that were found may still be used."""

from __future__ import annotations

from tests.conftest import Clock
from tollkey.db import Ids
from tollkey.keys import KeyService
from tollkey.keys.scanning import status_in
from tollkey.keys.token import generate


def test_a_key_is_active_expired_revoked_or_unknown(service: KeyService, clock: Clock) -> None:
    _, active = service.create("CI")
    _, brief = service.create("CI", expires_at=clock.now + 10)
    key, revoked = service.create("CI")
    service.revoke(key)
    clock.now += 10
    status_of = status_in(service, clock)
    stranger = generate("secret", True, "", Ids.seeded(1))
    assert [status_of(text) for text in (active, brief, revoked, stranger)] == [
        "active", "expired", "revoked", "unknown",
    ]  # fmt: skip


def test_asking_is_no_use_of_the_key(service: KeyService, clock: Clock) -> None:
    key, text = service.create("CI")
    status_in(service, clock)(text)
    service.flush()
    assert service.usage(key) is None
