"""Times that callers pass: numbers, datetimes and timedeltas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tollkey.keys import KeyService, TollkeyError


def test_an_expiry_is_a_number_or_a_datetime_or_a_length_of_time(service: KeyService, clock: Clock) -> None:
    ends = clock.now + 90 * 86400
    zone = timezone(timedelta(hours=5, minutes=30))
    keys = (
        service.create(expires_at=ends).key,
        service.create(expires_at=datetime.fromtimestamp(ends, UTC)).key,
        service.create(expires_at=datetime.fromtimestamp(ends, zone)).key,
        service.create(expires_in=90 * 86400).key,
        service.create(expires_in=timedelta(days=90)).key,
    )
    assert {key.expires_at for key in keys} == {ends}


def test_a_rolled_key_stays_valid_for_a_number_of_seconds_or_a_length_of_time(
    service: KeyService, clock: Clock
) -> None:
    assert service.roll(service.create().key, timedelta(hours=1)).old.expires_at == clock.now + 3600
    assert service.roll(service.create().key, 60).old.expires_at == clock.now + 60


@pytest.mark.parametrize(
    "given",
    [
        {"expires_at": datetime(2040, 1, 1)},
        {"expires_at": 2_000_000_000, "expires_in": 5},
        {"expires_in": 0},
        {"expires_in": timedelta(days=-1)},
    ],
)
def test_an_expiry_that_is_ambiguous_or_past_is_refused(service: KeyService, given: dict[str, object]) -> None:
    with refused("expires_at_invalid"):
        service.create(**given)  # type: ignore[arg-type]
    with pytest.raises(TollkeyError):
        service.create(**given)  # type: ignore[arg-type]
