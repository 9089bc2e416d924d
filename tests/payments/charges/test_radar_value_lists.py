"""Radar value lists: e-mail addresses, cards, countries that rules refer to."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_value_list_holds_values_of_its_type_once(api: Api) -> None:
    made = api.ok("POST", "/v1/radar/value_lists", alias="bad_mail", name="Bad mail", item_type="email")
    assert_valid("POST", "/v1/radar/value_lists", 200, made)
    item = api.ok("POST", "/v1/radar/value_list_items", value_list=made["id"], value="A@b.example")
    assert_valid("POST", "/v1/radar/value_list_items", 200, item)
    assert api.post("/v1/radar/value_list_items", value_list=made["id"], value="a@b.example").status == 400
    assert api.post("/v1/radar/value_list_items", value_list=made["id"], value="no").error["param"] == "value"
    found = api.ok("GET", "/v1/radar/value_lists", contains="a@b.example")
    assert_valid("GET", "/v1/radar/value_lists", 200, found)
    assert [one["id"] for one in found["data"]] == [made["id"]]
    assert len(found["data"][0]["list_items"]["data"]) == 1
    api.ok("DELETE", f"/v1/radar/value_lists/{made['id']}")
    assert api.get(f"/v1/radar/value_list_items/{item['id']}").status == 404


LISTS, ITEMS = "/v1/radar/value_lists", "/v1/radar/value_list_items"


def test_an_alias_names_one_list(api: Api) -> None:
    api.ok("POST", LISTS, alias="bad", name="Bad", item_type="ip_address")
    assert api.post(LISTS, alias="bad", name="Worse", item_type="ip_address").error["param"] == "alias"
    assert api.post(LISTS, alias="worse", name="Worse", item_type="ip_address").status == 200


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("email", "a@b.example", "a"),
        ("ip_address", "1.2.3.4", "1.2.3"),
        ("ip_address", "2001:db8::1", "home"),
        ("country", "DE", "Germany"),
        ("card_bin", "424242", "42"),
    ],
)
def test_an_item_has_the_form_of_its_list(api: Api, kind: str, right: str, wrong: str) -> None:
    made = api.ok("POST", LISTS, alias=f"by_{kind}", name="Some", item_type=kind)["id"]
    assert api.post(ITEMS, value_list=made, value=right).status == 200
    assert api.post(ITEMS, value_list=made, value=wrong).error["param"] == "value"
