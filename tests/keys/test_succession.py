"""Who still uses the old key after a roll."""

from __future__ import annotations

from tests.conftest import Clock
from tollkey.keys import KeyService


def test_the_use_of_the_old_key_since_its_roll_is_told_from_both_keys(service: KeyService, clock: Clock) -> None:
    made = service.create()
    service.verify(made.secret, ip="192.0.2.1", endpoint="GET /before")
    clock.now += 60
    rolled = service.roll(made.key, 3600)
    service.flush()
    use = service.old_key_use(rolled.key)
    assert use is not None
    assert (use.key.id, use.rolled_at, use.used_since, use.requests) == (made.key.id, clock.now, False, 0)
    clock.now += 60
    service.verify(made.secret, ip="192.0.2.7", endpoint="GET /reports")
    service.flush()
    for key in (rolled.old, rolled.key):
        use = service.account("main").old_key_use(key)
        assert use is not None
        assert use.last is not None
        assert (use.used_since, use.requests) == (True, 1)
        assert (use.last.ip, use.last.endpoint) == ("192.0.2.7", "GET /reports")


def test_a_key_that_was_not_rolled_has_no_old_key(service: KeyService, clock: Clock) -> None:
    made = service.create()
    assert service.old_key_use(made.key) is None
