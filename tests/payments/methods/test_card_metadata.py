"""What card fields of apps ask while a number is typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.methods.apps import ANDROID, IOS
from tests.support.api import Api


@pytest.mark.parametrize(
    ("prefix", "brand", "country", "length"),
    [
        ("424242", "VISA", "US", 16),
        ("400000", "VISA", None, 16),
        ("4242424242424242", "VISA", "US", 16),
        ("555555", "MASTERCARD", None, 16),
        ("378282", "AMERICAN_EXPRESS", "US", 15),
        ("356600", "JCB", "JP", 16),
        ("511111", "MASTERCARD", None, 16),
    ],
)
@pytest.mark.parametrize("headers", [IOS, ANDROID], ids=["ios", "android"])
def test_the_first_digits_tell_the_brand(
    api: Api, headers: dict[str, str], prefix: str, brand: str, country: str | None, length: int
) -> None:
    found = api.get("/edge-internal/card-metadata", key=api.pk, headers=headers, bin_prefix=prefix)
    assert found.status == 200, found
    (one,) = found["data"]
    assert (one["brand"], one["country"], one["pan_length"]) == (brand, country, length)
    assert one["account_range_low"].startswith(prefix)
    assert len(one["account_range_low"]) == len(one["account_range_high"]) == length
    assert one["account_range_low"] <= one["account_range_high"]


@pytest.mark.parametrize("prefix", ["999999", "42", "abcdef", "４２４２４２", "42424242424242424242424242"])
def test_other_digits_are_of_no_known_range(api: Api, prefix: str) -> None:
    found = api.get("/edge-internal/card-metadata", key=api.pk, bin_prefix=prefix)
    assert (found.status, found["data"]) == (200, [])


def test_in_live_mode_a_test_number_tells_its_brand_alone(api: Api) -> None:
    found = api.get("/edge-internal/card-metadata", key=api.live_pk, bin_prefix="424242")["data"][0]
    assert (found["brand"], found["country"], found["funding"]) == ("VISA", None, None)


@pytest.mark.parametrize(
    ("path", "sent", "answer"),
    [
        ("/elements/mobile-card-element-config", {}, {"card_brand_choice": {"eligible": False}}),
        ("/v1/fpx/bank_statuses", {"account_holder_type": "individual"}, "parsed_bank_status"),
    ],
)
def test_what_the_sheet_asks_for_at_its_start_is_there(
    api: Api, path: str, sent: dict[str, Any], answer: dict[str, Any] | str
) -> None:
    found = api.get(path, key=api.pk, headers=IOS, **sent)
    assert found.status == 200
    assert found == answer if isinstance(answer, dict) else found[answer]["maybank2u"] is True
