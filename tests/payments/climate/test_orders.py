"""Carbon removal is ordered from the balance, cancelled within a day, and delivered."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

PATH = "/v1/climate/orders"
PRODUCT = "climsku_frontier_offtake_portfolio_2027"
DAY = 86_400


def fund(api: Api, amount: int = 100_000) -> None:
    api.ok("POST", "/v1/charges", amount=amount, currency="usd", source="tok_bypassPending")


def order(api: Api, **more: object) -> Answer:
    made = api.ok("POST", PATH, product=PRODUCT, **more)
    assert_valid("POST", PATH, 200, made, strict=True)
    return made


def moved(api: Api) -> list[tuple[str, int]]:
    found = api.ok("GET", "/v1/balance_transactions")["data"]
    return [(one["type"], one["amount"]) for one in reversed(found) if one["type"].startswith("climate")]


def test_products_and_suppliers_are_listed_and_retrieved(api: Api) -> None:
    for kind, template in (("products", "{product}"), ("suppliers", "{supplier}")):
        listed = api.ok("GET", f"/v1/climate/{kind}")
        assert_valid("GET", f"/v1/climate/{kind}", 200, listed)
        one = api.ok("GET", f"/v1/climate/{kind}/{listed['data'][0]['id']}")
        assert_valid("GET", f"/v1/climate/{kind}/{template}", 200, one)
        assert one == listed["data"][0]
        assert api.get(f"/v1/climate/{kind}/none").status == 404
    price = api.ok("GET", f"/v1/climate/products/{PRODUCT}")["current_prices_per_metric_ton"]["usd"]
    assert price == {"amount_fees": 1650, "amount_subtotal": 55_000, "amount_total": 56_650}


def test_an_order_is_paid_from_the_balance_at_once(api: Api) -> None:
    fund(api)
    made = order(api, metric_tons="0.01", expand=["product"])
    assert (made["amount_subtotal"], made["amount_fees"], made["amount_total"]) == (550, 17, 567)
    assert (made["status"], made["metric_tons"], made["product"]["id"]) == ("confirmed", "0.01", PRODUCT)
    assert moved(api) == [("climate_order_purchase", -567)]
    assert [event["type"] for event in api.events("climate.order.created")] == ["climate.order.created"]
    by_amount = order(api, amount=5_500, beneficiary={"public_name": "Jenny"}, metadata={"a": "1"})
    assert (by_amount["metric_tons"], by_amount["beneficiary"], by_amount["metadata"]) == (
        "0.1",
        {"public_name": "Jenny"},
        {"a": "1"},
    )
    changed = api.ok("POST", f"{PATH}/{by_amount['id']}", beneficiary={"public_name": "Rosen"})
    assert changed["beneficiary"] == {"public_name": "Rosen"}


def test_an_order_is_cancelled_within_a_day_and_its_fees_are_kept(api: Api) -> None:
    fund(api)
    first, second = order(api, metric_tons="1"), order(api, metric_tons="0.1")
    gone = api.ok("POST", f"{PATH}/{first['id']}/cancel")
    assert_valid("POST", PATH + "/{order}/cancel", 200, gone)
    assert (gone["status"], gone["cancellation_reason"], gone["canceled_at"]) == ("canceled", "requested", api.now)
    assert moved(api)[-1] == ("climate_order_refund", 55_000)
    assert len(api.events("climate.order.canceled")) == 1
    assert api.post(f"{PATH}/{first['id']}/cancel").status == 400
    api.advance(DAY + 1)
    assert api.post(f"{PATH}/{second['id']}/cancel").status == 400


def test_an_order_waits_for_funds_for_a_week(api: Api) -> None:
    waiting, hopeless = order(api, metric_tons="0.1"), order(api, metric_tons="100")
    assert (waiting["status"], waiting["confirmed_at"]) == ("awaiting_funds", None)
    fund(api)
    api.advance(DAY)
    assert api.ok("GET", f"{PATH}/{waiting['id']}")["status"] == "confirmed"
    for _ in range(7):
        api.advance(DAY)
    ended = api.ok("GET", f"{PATH}/{hopeless['id']}")
    assert (ended["status"], ended["cancellation_reason"]) == ("canceled", "expired")


def test_an_order_is_delivered_when_its_year_is_over_or_when_test_mode_asks(api: Api) -> None:
    fund(api)
    slow, quick = order(api, metric_tons="0.5"), order(api, metric_tons="0.01")
    done = api.ok("POST", f"/v1/test_helpers/climate/orders/{quick['id']}/deliver")
    assert_valid("GET", PATH + "/{order}", 200, done)
    assert (done["status"], sum(float(part["metric_tons"]) for part in done["delivery_details"])) == ("delivered", 0.01)
    api.advance(2 * 366 * DAY)
    assert api.ok("GET", f"{PATH}/{slow['id']}")["status"] == "delivered"
    assert len(api.events("climate.order.delivered")) == 2


def test_an_order_says_what_is_wrong_with_it(api: Api) -> None:
    assert api.post(PATH, product="climsku_none", metric_tons="1").error["param"] == "product"
    assert api.post(PATH, product=PRODUCT).error["param"] == "metric_tons"
    assert api.post(PATH, product=PRODUCT, metric_tons="0.001").error["param"] == "metric_tons"
    assert api.post(PATH, product=PRODUCT, metric_tons="1", currency="eur").error["param"] == "currency"


def test_an_order_is_for_an_amount_or_for_a_weight(api: Api) -> None:
    for given in ({}, {"amount": 5_500, "metric_tons": "0.1"}):
        refused = api.post(PATH, product=PRODUCT, **given)
        assert (refused.status, refused.error["param"]) == (400, "metric_tons")
