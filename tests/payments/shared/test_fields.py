"""What was sent is taken, what was sent empty becomes null, and the rest stays."""

from __future__ import annotations

import pytest

from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Json


def test_only_parameters_that_were_sent_are_taken_and_an_empty_one_becomes_null() -> None:
    value: Json = {"name": "Jo", "phone": "1", "email": "jo@example.com", "metadata": {"a": "1", "b": "2"}}
    fields.assign_with_metadata(
        value, {"name": None, "email": "li@example.com", "metadata": {"a": ""}}, ("name", "phone", "email")
    )
    assert value == {"name": None, "phone": "1", "email": "li@example.com", "metadata": {"b": "2"}}


def test_metadata_has_at_most_fifty_keys() -> None:
    assert len(fields.new_metadata({"metadata": {f"k{n}": "x" for n in range(50)}})) == 50
    with pytest.raises(ApiError):
        fields.new_metadata({"metadata": {f"k{n}": "x" for n in range(51)}})


def test_an_address_has_all_its_keys_and_empty_parts_are_null() -> None:
    assert fields.address(None) is None
    assert fields.address({"city": "Berlin", "line1": ""}) == {
        "city": "Berlin", "country": None, "line1": None, "line2": None, "postal_code": None, "state": None,
    }  # fmt: skip


def test_shipping_names_a_carrier_only_when_one_was_given() -> None:
    assert fields.shipping(None) is None
    assert set(fields.shipping({"name": "Jo"}) or {}) == {"address", "name", "phone"}
    assert (fields.shipping({"name": "Jo", "carrier": "Post"}) or {})["carrier"] == "Post"


def test_a_default_stands_in_for_what_was_not_sent_or_was_unset_but_not_for_zero() -> None:
    assert [fields.given(sent, "n", 7) for sent in ({}, {"n": None}, {"n": 0})] == [7, 7, 0]
