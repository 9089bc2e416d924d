"""Customers: what they save, how they are found, and what is left of a deleted one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api


def test_a_customer_made_with_a_card_has_it_as_default_source(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa", email="a@example.com")
    assert customer["default_source"].startswith("card_")
    assert [event["type"] for event in api.events()] == ["customer.created", "customer.source.created"]
    paid = api.ok("post", "/v1/charges", amount=500, currency="usd", customer=customer["id"])
    assert (paid["payment_method"], paid["source"]["customer"]) == (customer["default_source"], customer["id"])
    old = api.get(f"/v1/customers/{customer['id']}", headers={"Stripe-Version": "2019-08-14"})
    assert (old["sources"]["total_count"], old["account_balance"], old["subscriptions"]["data"]) == (1, 0, [])


def test_a_card_whose_bank_refuses_makes_no_customer(api: Api) -> None:
    refused = api.post("/v1/customers", source="tok_chargeDeclined")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (402, "card_declined", "")
    assert api.get("/v1/customers")["data"] == []


def test_the_card_that_fails_later_is_saved_and_then_declined(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_chargeCustomerFail")
    refused = api.post("/v1/charges", amount=500, currency="usd", customer=customer["id"])
    assert (refused.status, refused.error["decline_code"]) == (402, "generic_decline")


def test_metadata_is_merged_and_unset_by_an_empty_text(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", metadata={"a": "1", "b": "2"})
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, metadata={"a": "", "c": "3"})["metadata"] == {"b": "2", "c": "3"}
    assert api.ok("post", path, metadata="")["metadata"] == {}


def test_a_deleted_customer_is_still_told_of_but_not_listed(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", email="gone@example.com", payment_method="pm_card_visa")
    path = f"/v1/customers/{customer['id']}"
    assert api.delete(path) == {"id": customer["id"], "object": "customer", "deleted": True}
    assert api.get(path)["deleted"] is True
    assert api.get("/v1/customers", email="gone@example.com")["data"] == []
    assert api.post(path, name="x").status == 404
    assert api.get("/v1/payment_methods", type="card")["data"][0]["customer"] is None


def test_the_default_payment_method_must_be_attached(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    method = api.ok("get", "/v1/payment_methods/pm_card_visa")
    wanted = {"default_payment_method": method["id"]}
    refused = api.post(f"/v1/customers/{customer['id']}", invoice_settings=wanted)
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
    api.ok("post", f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    assert api.ok("post", f"/v1/customers/{customer['id']}", invoice_settings=wanted)["invoice_settings"] == {
        "custom_fields": None,
        "default_payment_method": method["id"],
        "footer": None,
        "rendering_options": None,
    }


def test_search_understands_clauses_joins_negation_and_pages(api: Api) -> None:
    for number, name in enumerate(("Jane Doe", "Janet Roe", "Bob")):
        api.ok(
            "post",
            "/v1/customers",
            name=name,
            email=f"user{number}@example.com",
            metadata={"plan": "gold" if number else "free"},
        )

    def names(query: str, **more: object) -> list[str]:
        return [found["name"] for found in api.ok("get", "/v1/customers/search", query=query, **more)["data"]]

    assert names("name~'jan'") == ["Janet Roe", "Jane Doe"]
    assert names("email:'USER2@example.com'") == ["Bob"]
    assert names("metadata['plan']:'gold' AND -name:'Bob'") == ["Janet Roe"]
    assert names("name:'Bob' OR name:'Jane Doe'") == ["Bob", "Jane Doe"]
    assert names("phone:null AND created>0") == ["Bob", "Janet Roe", "Jane Doe"]
    page = api.ok("get", "/v1/customers/search", query="created>0", limit=2, expand=["total_count"])
    assert (page["object"], page["has_more"], page["total_count"], len(page["data"])) == ("search_result", True, 3, 2)
    assert names("created>0", limit=2, page=page["next_page"]) == ["Jane Doe"]


def test_a_query_that_cannot_be_read_is_refused(api: Api) -> None:
    for query in (
        "name",
        "name:'a' AND",
        "shoe:'big'",
        "name:'a' AND name:'b' OR name:'c'",
        "name~'a'",
        "metadata:'x'",
    ):
        refused = api.get("/v1/customers/search", query=query)
        assert (refused.status, refused.error["param"]) == (400, "query"), query


def test_a_coupon_and_a_tax_id_come_with_a_new_customer(api: Api) -> None:
    coupon = api.ok("post", "/v1/coupons", percent_off=20, duration="forever")
    customer = api.under("2025-02-24.acacia").ok(
        "post", "/v1/customers", coupon=coupon["id"], tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}]
    )
    shown = api.ok("get", f"/v1/customers/{customer['id']}", expand=["discount", "tax_ids"])
    assert shown["discount"]["source"]["coupon"] == coupon["id"]
    assert shown["tax_ids"]["data"][0]["value"] == "DE123456789"


@pytest.mark.parametrize(("prefix", "status"), [
    ("AB", 400), ("ABC", 200), ("ABC123456789", 200), ("ABC1234567890", 400), ("abc", 400), ("AB-C", 400),
])  # fmt: skip
def test_an_invoice_prefix_has_3_to_12_capitals_or_digits(api: Api, prefix: str, status: int) -> None:
    assert api.post("/v1/customers", invoice_prefix=prefix).status == status


def test_a_customer_with_cash_is_not_deleted(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    api.ok("POST", f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=100, currency="usd")
    assert api.delete(f"/v1/customers/{customer}").status == 400
    assert api.get(f"/v1/customers/{customer}")["id"] == customer


def test_a_customer_stays_on_its_test_clock(api: Api) -> None:
    clock, other = (api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=api.now)["id"] for _ in range(2))
    path = f"/v1/customers/{api.ok('POST', '/v1/customers', test_clock=clock)['id']}"
    for value in ("", other):
        refused = api.post(path, test_clock=value)
        assert (refused.status, refused.error["code"], refused.error["param"]) == (
            400,
            "parameter_unknown",
            "test_clock",
        )
    assert api.get(path)["test_clock"] == clock


def test_a_customer_s_cash_is_reconciled_as_it_is_told(api: Api) -> None:
    def told(mode: str) -> dict[str, Any]:
        return {"cash_balance": {"settings": {"reconciliation_mode": mode}}}

    made = api.ok("POST", "/v1/customers", **told("manual"))["id"]
    path = f"/v1/customers/{made}"
    settings = api.get(f"{path}/cash_balance")["settings"]
    assert settings == {"reconciliation_mode": "manual", "using_merchant_default": False}
    api.ok("POST", path, **told("merchant_default"))
    assert api.get(f"{path}/cash_balance")["settings"]["using_merchant_default"] is True


def test_the_ip_address_of_a_customer_is_shown_and_outlasts_another_question_of_its_tax(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", tax={"ip_address": "8.8.8.8"}, expand=["tax"])
    assert (made["tax"]["ip_address"], made["tax"]["location"]) == ("8.8.8.8", None)
    asked = api.ok("POST", f"/v1/customers/{made['id']}", tax={"validate_location": "deferred"}, expand=["tax"])
    assert asked["tax"]["ip_address"] == "8.8.8.8"
