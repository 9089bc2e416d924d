from __future__ import annotations

import pytest

from tollkey.keys import KeyRefused
from tollkey.keys.limits import ROLL_EXPIRATIONS, allowlist_within, check_allowlist, ip_allowed, networks_of


def test_the_five_expirations_of_a_roll() -> None:
    assert list(ROLL_EXPIRATIONS.values()) == [0, 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600]


def test_an_allowlist_is_put_into_its_normal_form() -> None:
    assert check_allowlist([" 192.0.2.7 ", "192.0.2.7/32", "10.0.0.0/8", "2001:DB8::/32", "::1"]) == (
        "192.0.2.7",
        "10.0.0.0/8",
        "2001:db8::/32",
        "::1",
    )


@pytest.mark.parametrize("entry", ["", "localhost", "192.0.2.7/24", "192.0.2.256", "1.2.3.4/33", "192.0.2.1-9"])
def test_what_is_no_address_or_network_is_refused(entry: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        check_allowlist([entry])
    assert (refused.value.code, refused.value.param) == ("ip_allowlist_invalid", "ip_allowlist")


def test_an_allowlist_does_not_grow_without_bound() -> None:
    with pytest.raises(KeyRefused):
        check_allowlist([f"10.0.{i // 256}.{i % 256}" for i in range(201)])


@pytest.mark.parametrize(
    ("ip", "allowed"),
    [
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("10.9.9.9", True),
        ("::ffff:10.9.9.9", True),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("not an address", False),
        ("", False),
        (None, False),
    ],
)
def test_an_address_is_allowed_when_a_network_holds_it(ip: str | None, allowed: bool) -> None:
    assert ip_allowed(networks_of(("192.0.2.7", "10.0.0.0/8", "2001:db8::/32")), ip) is allowed


def test_without_an_allowlist_every_address_is_allowed() -> None:
    assert ip_allowed((), None)


def test_an_allowlist_is_within_another_when_each_part_is() -> None:
    assert allowlist_within(["10.1.0.0/16", "::1"], ["10.0.0.0/8", "::1"])
    assert allowlist_within([], [])
    assert not allowlist_within([], ["10.0.0.0/8"])
    assert not allowlist_within(["10.0.0.0/7"], ["10.0.0.0/8"])
    assert not allowlist_within(["::1"], ["10.0.0.0/8"])
