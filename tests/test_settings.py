"""Settings from the environment."""

from __future__ import annotations

import pytest

from tollkey.settings import Settings, load_settings


def test_live_mode_has_the_request_rate_of_the_real_system_and_test_mode_none_until_it_is_set() -> None:
    assert (Settings().test_rate_limit, Settings().live_rate_limit) == (0, 100)
    assert load_settings({"TOLLKEY_TEST_RATE_LIMIT": "25"}).test_rate_limit == 25


def test_a_setting_that_no_longer_exists_is_refused() -> None:
    with pytest.raises(ValueError, match="TOLLKEY_RATE_LIMIT is now TOLLKEY_TEST_RATE_LIMIT"):
        load_settings({"TOLLKEY_RATE_LIMIT": "10"})


@pytest.mark.parametrize("days", ["-1", "8"])
def test_a_grace_that_no_rolled_key_can_have_is_refused(days: str) -> None:
    with pytest.raises(ValueError, match="TOLLKEY_ROTATION_GRACE_DAYS must be 0 to 7"):
        load_settings({"TOLLKEY_ROTATION_GRACE_DAYS": days})


@pytest.mark.parametrize("seconds", ["0", "nan", "3601", "-1"])
def test_a_time_out_that_would_end_everything_or_nothing_is_refused(seconds: str) -> None:
    with pytest.raises(ValueError, match=r"TOLLKEY_LOCK_SECONDS must be 0\.1 to 3600"):
        load_settings({"TOLLKEY_LOCK_SECONDS": seconds})
