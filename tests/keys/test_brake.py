"""How many wrong keys one address may try."""

from __future__ import annotations

from tests.keys.conftest import Ticker
from tollkey.keys.brake import Brake


def tried(brake: Brake, ip: str) -> int:
    for count in range(20):
        if brake.blocked(ip):
            return count
        brake.count(ip)
    return 20


def test_an_address_has_its_guesses_a_minute_and_others_have_their_own() -> None:
    ticker = Ticker()
    brake = Brake(ticker, 6)
    assert tried(brake, "192.0.2.1") == 6
    ticker.now += 30
    assert (tried(brake, "192.0.2.1"), tried(brake, "192.0.2.2")) == (3, 6)
    assert tried(brake, "2001:db8::1") == 6
    assert tried(brake, "2001:db8::2") == 0, "a network of IPv6 is one address"
    assert tried(Brake(ticker, 0), "192.0.2.1") == 20


def test_an_address_is_free_again_a_minute_after_its_last_guess_however_many_it_made() -> None:
    ticker = Ticker()
    brake = Brake(ticker, 6)
    for _ in range(1000):
        brake.count("192.0.2.1", 100)
    ticker.now += 59
    assert brake.blocked("192.0.2.1")
    ticker.now += 1
    assert not brake.blocked("192.0.2.1")


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    brake = Brake(Ticker(), 1, most=2)
    for ip in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        brake.count(ip)
    assert [brake.blocked(f"192.0.2.{last}") for last in (1, 2, 3)] == [False, True, True]
