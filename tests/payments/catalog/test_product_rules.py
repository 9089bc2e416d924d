"""A product begins with defaults, and its id is taken once."""

from __future__ import annotations

import pytest

from tests.support.api import Api


def test_a_product_is_active_and_has_empty_lists_where_nothing_is_given(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Gold")
    assert (product["active"], product["images"], product["marketing_features"]) == (True, [], [])
    assert product["created"] == product["updated"] == api.now


def test_an_id_is_taken_once(api: Api) -> None:
    assert api.ok("POST", "/v1/products", id="gold", name="Gold")["id"] == "gold"
    refused = api.post("/v1/products", id="gold", name="Gold again")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "resource_already_exists", "id")


def test_a_type_is_good_or_service(api: Api) -> None:
    api = api.under("2025-02-24.acacia")
    refused = api.post("/v1/products", name="x", type="x")
    assert (refused.error["param"], refused.error["message"]) == (
        "type",
        "Invalid type: must be one of good or service",
    )
    assert api.post("/v1/products", name="x", type="good").status == 200


def test_a_price_may_describe_its_product(api: Api) -> None:
    data = {"name": "Gold", "metadata": {"a": "1"}, "unit_label": "seat"}
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=100, product_data=data)
    product = api.get(f"/v1/products/{price['product']}")
    assert (product["name"], product["metadata"], product["unit_label"]) == ("Gold", {"a": "1"}, "seat")
    assert len(api.events("product.created")) == 1


@pytest.mark.parametrize("text", ["<gold>", 'a"b', "it's", "a\\b", "1234567"])
def test_a_statement_descriptor_has_a_letter_and_no_sign_that_banks_do_not_print(api: Api, text: str) -> None:
    refused = api.post("/v1/products", name="Gold", statement_descriptor=text)
    assert (refused.status, refused.error["param"]) == (400, "statement_descriptor")
    product = api.ok("POST", "/v1/products", name="Gold", statement_descriptor="GOLD 24*7")["id"]
    assert api.post(f"/v1/products/{product}", statement_descriptor=text).status == 400


def test_goods_have_no_statement_descriptor(api: Api) -> None:
    old = {"Stripe-Version": "2025-02-24.acacia"}
    product = api.ok("POST", "/v1/products", name="Gold", type="good", headers=old)["id"]
    refused = api.post(f"/v1/products/{product}", statement_descriptor="GOLD")
    assert (refused.status, refused.error["param"]) == (400, "statement_descriptor")


def test_the_tax_code_of_a_product_stands_in_its_tax_details_too(api: Api) -> None:
    books, software = "txcd_35010000", "txcd_10103000"
    product = api.ok("POST", "/v1/products", name="Atlas", tax_details={"tax_code": books})
    assert product["tax_code"] == books
    assert product["tax_details"] == {"performance_location": None, "tax_code": books}
    path = f"/v1/products/{product['id']}"
    changed = api.ok("POST", path, tax_code=software)
    assert (changed["tax_code"], changed["tax_details"]["tax_code"]) == (software, software)
    changed = api.ok("POST", path, tax_details={"tax_code": books})
    assert (changed["tax_code"], changed["tax_details"]["tax_code"]) == (books, books)
    assert api.ok("POST", path, tax_details="")["tax_details"] is None
    assert api.ok("POST", "/v1/products", name="Gold", tax_code=books)["tax_details"] is None


def test_there_are_no_tax_locations_that_a_product_may_name(api: Api) -> None:
    refused = api.post("/v1/products", name="Concert", tax_details={"performance_location": "taxloc_1"})
    assert (refused.error["param"], refused.error["code"]) == (
        "tax_details[performance_location]",
        "resource_missing",
    )


@pytest.mark.parametrize(("length", "status"), [(22, 200), (23, 400)])
def test_a_statement_descriptor_has_22_characters_at_most(api: Api, length: int, status: int) -> None:
    product = api.ok("POST", "/v1/products", name="Gold")["id"]
    for path in ("/v1/products", f"/v1/products/{product}"):
        answer = api.post(path, name="Gold", statement_descriptor="G" * length)
        assert answer.status == status
        assert status == 200 or answer.error["param"] == "statement_descriptor"
