"""Where tax is due, at which rate, and what it comes to on an amount."""

from __future__ import annotations

from typing import Any

import pytest

from tollkey.payments.tax import rates
from tollkey.payments.tax.rates import Place

GERMANY = Place("DE", None, "19", True)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("94111", "CA"),
        ("10001", "NY"),
        ("00501", "NY"),
        ("94111-1234", "CA"),
        ("9411", None),
        ("9411x", None),
        (None, None),
    ],
)
def test_a_postal_code_lies_in_a_state(code: str | None, state: str | None) -> None:
    assert rates.state_of(code) == state


@pytest.mark.parametrize(
    ("where", "enough"),
    [
        (None, False), ({"country": ""}, False), ({"country": "de"}, True),
        ({"country": "US"}, False), ({"country": "US", "postal_code": "94111"}, True),
        ({"country": "CA"}, False), ({"country": "CA", "state": "ON"}, True),
    ],
)  # fmt: skip
def test_tax_needs_a_country_and_in_north_america_more(where: dict[str, Any] | None, enough: bool) -> None:
    assert rates.located(where) is enough


@pytest.mark.parametrize(("now", "status"), [(99, "scheduled"), (100, "active"), (199, "active"), (200, "expired")])
def test_a_registration_holds_from_its_first_second_to_the_one_before_its_end(now: int, status: str) -> None:
    assert rates.registration_status({"active_from": 100, "expires_at": 200}, now) == status
    assert rates.registration_status({"active_from": 100, "expires_at": None}, 10**10) == "active"


def test_tax_is_added_to_an_amount_or_found_within_it() -> None:
    assert rates.taxed(1000, "exclusive", GERMANY, "", "") == 190
    assert rates.taxed(1190, "inclusive", GERMANY, "", "") == 190


@pytest.mark.parametrize(
    ("place", "code", "override", "reason"),
    [
        (GERMANY, "", "", "standard_rated"),
        (GERMANY, "", "customer_exempt", "customer_exempt"),
        (GERMANY, "", "reverse_charge", "reverse_charge"),
        (GERMANY, "txcd_00000000", "", "product_exempt"),
        (GERMANY._replace(registered=False), "", "", "not_collecting"),
        (None, "", "", "not_collecting"),
        (Place("US", "OR", "0", True), "", "", "not_subject_to_tax"),
    ],
)
def test_only_a_standard_rate_collects_tax(place: Place | None, code: str, override: str, reason: str) -> None:
    assert rates.reason_of(place, code, override) == reason
    assert (rates.taxed(1000, "exclusive", place, code, override) > 0) is (reason == "standard_rated")


def test_a_business_in_another_country_of_the_union_owes_the_tax_itself() -> None:
    vat = [{"type": "eu_vat"}]
    assert rates.reverses(GERMANY, "FR", vat)
    assert not rates.reverses(GERMANY, "DE", vat)
    assert not rates.reverses(GERMANY, "FR", [{"type": "us_ein"}])
    assert not rates.reverses(GERMANY._replace(registered=False), "FR", vat)
