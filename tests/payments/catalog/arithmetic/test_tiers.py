"""Tiers: graduated and volume prices, packages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tollkey.payments.catalog.arithmetic import cost, parts, parts_after

TIERS = [
    {"up_to": 10, "unit_amount": 500, "unit_amount_decimal": "500", "flat_amount": None, "flat_amount_decimal": None},
    {"up_to": 20, "unit_amount": 400, "unit_amount_decimal": "400", "flat_amount": 1000, "flat_amount_decimal": "1000"},
    {"up_to": None, "unit_amount": 300, "unit_amount_decimal": "300", "flat_amount": None, "flat_amount_decimal": None},
]


def tiered(mode: str) -> dict[str, object]:
    return {"billing_scheme": "tiered", "tiers_mode": mode, "_tiers": TIERS}


def test_graduated_tiers_price_each_unit_in_its_own_tier() -> None:
    assert cost(tiered("graduated"), 5) == 2500
    assert cost(tiered("graduated"), 15) == 10 * 500 + 5 * 400 + 1000
    assert cost(tiered("graduated"), 25) == 10 * 500 + 10 * 400 + 1000 + 5 * 300


def test_volume_prices_all_units_in_the_tier_that_is_reached() -> None:
    assert cost(tiered("volume"), 10) == 5000
    assert cost(tiered("volume"), 15) == 15 * 400 + 1000
    assert cost(tiered("volume"), 21) == 21 * 300


@given(st.integers(0, 1000), st.sampled_from(["graduated", "volume"]))
def test_the_parts_of_a_price_hold_the_whole_quantity(quantity: int, mode: str) -> None:
    assert sum(part.quantity for part in parts(tiered(mode), quantity)) == quantity


@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(["graduated", "volume", "package"]))
def test_what_was_billed_before_and_what_comes_after_add_up_to_the_whole(before: int, more: int, mode: str) -> None:
    package = {"unit_amount_decimal": "100", "transform_quantity": {"divide_by": 7, "round": "up"}}
    price = package if mode == "package" else tiered(mode)
    after = parts_after(price, before, before + more)
    whole = cost(price, before + more) - (cost(price, before) if before else 0)
    assert (sum(part.amount for part in after), sum(part.quantity for part in after)) == (whole, more)


@given(st.integers(0, 10_000), st.integers(1, 50))
def test_packages_round_up_or_down(quantity: int, size: int) -> None:
    up = {"unit_amount_decimal": "100", "transform_quantity": {"divide_by": size, "round": "up"}}
    down = {"unit_amount_decimal": "100", "transform_quantity": {"divide_by": size, "round": "down"}}
    assert cost(down, quantity) == quantity // size * 100
    assert cost(up, quantity) == -(-quantity // size) * 100


def test_fractions_of_a_minor_unit_are_rounded_once() -> None:
    assert cost({"unit_amount_decimal": "0.5"}, 3) == 2
    assert cost({"unit_amount_decimal": "12.345"}, 1000) == 12345
