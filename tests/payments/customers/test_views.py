"""What callers see of a customer: lists when they are expanded, and the names of older API versions."""

from __future__ import annotations

from tests.support.api import Api


def test_lists_are_there_when_they_are_expanded_and_always_before_2020_08_27(api: Api) -> None:
    path = f"/v1/customers/{api.ok('POST', '/v1/customers', source='tok_visa')['id']}"
    names = ("sources", "subscriptions", "tax_ids")
    assert not set(names) & set(api.ok("GET", path))
    shown = api.ok("GET", path, expand=list(names))
    assert [shown[name]["total_count"] for name in names] == [1, 0, 0]
    old = api.under("2020-03-02").ok("GET", path)
    assert [old[name]["url"] for name in names] == [f"{path}/{name}" for name in names]


def test_fields_have_the_names_of_the_version(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa", balance=-500)
    path = f"/v1/customers/{customer['id']}"
    assert api.under("2022-08-01").ok("GET", path)["default_currency"] == customer["currency"]
    assert api.under("2019-10-08").ok("GET", path)["account_balance"] == -500
    first = api.under("2015-02-16").ok("GET", path)
    assert (first["cards"]["url"], first["default_card"]) == (f"{path}/cards", customer["default_source"])
    assert not {"default_currency", "account_balance", "cards"} & set(api.ok("GET", path))


def test_a_deleted_customer_has_no_lists_in_any_version(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    gone = api.ok("DELETE", f"/v1/customers/{customer}")
    for version in ("2014-12-08", "2019-10-08", "2022-08-01"):
        assert api.under(version).ok("GET", f"/v1/customers/{customer}") == gone


def test_before_2019_12_03_a_customer_had_one_tax_id(api: Api) -> None:
    old, oldest = api.under("2019-11-05"), api.under("2018-07-27")
    who = old.ok("POST", "/v1/customers", tax_info={"tax_id": "DE123456789", "type": "vat"})
    assert who["tax_info"] == {"tax_id": "DE123456789", "type": "vat"}
    assert who["tax_info_verification"]["status"] == "unverified"
    path = f"/v1/customers/{who['id']}"
    assert oldest.ok("POST", path, business_vat_id="FR123")["business_vat_id"] == "FR123"
    assert old.get(path)["tax_info"]["tax_id"] == "FR123"
    assert old.ok("POST", path, tax_info={"tax_id": ""})["tax_info"] is None
    assert not {"tax_info", "tax_info_verification", "business_vat_id"} & api.get(path).keys()
    assert api.under("2019-12-03").post(path, tax_info={"tax_id": "x"}).error["param"] == "tax_info"
