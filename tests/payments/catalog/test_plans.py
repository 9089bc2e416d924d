"""A plan is the older view of the recurring price of the same id."""

from __future__ import annotations

import pytest

from tests.support.api import Api

PLAN = {"currency": "usd", "interval": "month", "product": {"name": "Gold"}}


def test_a_plan_is_the_price_of_the_same_id(api: Api) -> None:
    plan = api.ok("POST", "/v1/plans", id="gold", amount=1500, **PLAN)
    price = api.get("/v1/prices/gold")
    assert (
        (plan["amount"], plan["interval"]) == (price["unit_amount"], price["recurring"]["interval"]) == (1500, "month")
    )
    api.ok("POST", "/v1/plans/gold", nickname="The gold one")
    assert api.get("/v1/prices/gold")["nickname"] == "The gold one"
    assert api.ok("DELETE", "/v1/plans/gold") == {"id": "gold", "object": "plan", "deleted": True}
    assert (api.get("/v1/plans/gold").status, api.get("/v1/prices/gold").status) == (404, 404)


def test_a_plan_needs_an_amount_unless_its_tiers_have_them(api: Api) -> None:
    refused = api.post("/v1/plans", **PLAN)
    assert (refused.status, refused.error["param"], refused.error["code"]) == (400, "amount", "parameter_missing")
    assert api.ok("POST", "/v1/plans", amount=0, **PLAN)["amount"] == 0
    tiers = [{"up_to": "inf", "unit_amount": 5}]
    tiered = api.ok("POST", "/v1/plans", billing_scheme="tiered", tiers_mode="volume", tiers=tiers, **PLAN)
    assert tiered["amount"] is None


def test_a_plan_needs_a_product_that_there_is(api: Api) -> None:
    given = {"amount": 100, "currency": "usd", "interval": "month"}
    assert api.post("/v1/plans", **given).error["param"] == "product"
    assert api.post("/v1/plans", product="prod_no", **given).error["message"] == "No such product: 'prod_no'"


def test_a_one_time_price_is_no_plan(api: Api) -> None:
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=100, product_data={"name": "Hat"})["id"]
    assert api.get(f"/v1/plans/{price}").status == 404


def test_before_2018_02_05_a_plan_had_a_name(api: Api) -> None:
    old = {"Stripe-Version": "2017-08-15"}
    plan = api.ok("POST", "/v1/plans", id="old", amount=100, currency="usd", interval="month", name="Old", headers=old)
    assert plan["name"] == "Old"
    assert "name" not in api.get("/v1/plans/old")


def test_an_id_is_taken_once(api: Api) -> None:
    api.ok("POST", "/v1/plans", id="gold", amount=1500, **PLAN)
    refused = api.post("/v1/plans", id="gold", amount=1600, **PLAN)
    assert (refused.status, refused.error["code"]) == (400, "resource_already_exists")
    assert refused.error["message"] == "Plan already exists."


@pytest.mark.parametrize(
    ("name", "value"),
    [("amount", 900), ("currency", "eur"), ("id", "silver"), ("interval", "year"), ("interval_count", 2)],
)
def test_what_a_plan_costs_and_how_often_stays(api: Api, name: str, value: object) -> None:
    api.ok("POST", "/v1/plans", id="gold", amount=1500, **PLAN)
    refused = api.post("/v1/plans/gold", **{name: value})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_unknown", name)


def test_a_new_name_of_a_plan_is_that_of_its_product_and_unknown_since_2018_02_05(api: Api) -> None:
    old = {"Stripe-Version": "2017-08-15"}
    api.ok("POST", "/v1/plans", id="old", amount=100, currency="usd", interval="month", name="Old", headers=old)
    changed = api.ok("POST", "/v1/plans/old", name="New", statement_descriptor="TEA HOUSE", headers=old)
    assert (changed["name"], changed["statement_descriptor"]) == ("New", "TEA HOUSE")
    plan = api.get("/v1/plans/old")
    product = api.get(f"/v1/products/{plan['product']}")
    assert (plan["nickname"], product["name"], product["statement_descriptor"]) == ("New", "New", "TEA HOUSE")
    assert api.post("/v1/plans/old", statement_descriptor="<tea>", headers=old).error["param"] == "statement_descriptor"
    for given in ({"name": "Newer"}, {"statement_descriptor": "TEA"}):
        for path in ("/v1/plans/old", "/v1/plans"):
            refused = api.post(path, **given, **(PLAN | {"amount": 5} if path == "/v1/plans" else {}))
            assert (refused.error["code"], refused.error["param"]) == ("parameter_unknown", next(iter(given)))
