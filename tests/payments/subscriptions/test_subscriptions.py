"""Subscriptions are listed, resumed, migrated and canceled."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, current, plan, subscribe
from tests.support.api import Api


def test_ended_subscriptions_are_listed_only_when_asked_for(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    going, ended = subscribe(api, who, price)["id"], subscribe(api, who, price)["id"]
    api.ok("DELETE", f"/v1/subscriptions/{ended}")
    listed = {
        status: [one["id"] for one in api.get("/v1/subscriptions", customer=who, **status_of)["data"]]
        for status, status_of in (("", {}), ("all", {"status": "all"}), ("ended", {"status": "ended"}))
    }
    assert listed == {"": [going], "all": [ended, going], "ended": [ended]}


def test_subscriptions_are_found_by_price_and_by_the_end_of_their_period(api: Api) -> None:
    _, who = clocked(api)
    month, year = plan(api), plan(api, interval="year")
    monthly, yearly = subscribe(api, who, month)["id"], subscribe(api, who, year)["id"]
    assert [one["id"] for one in api.get("/v1/subscriptions", price=month)["data"]] == [monthly]
    later = {"gt": api.now + 100 * 86_400}
    assert [one["id"] for one in api.get("/v1/subscriptions", current_period_end=later)["data"]] == [yearly]


def test_subscriptions_are_found_by_automatic_tax(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    taxed, plain = ({"customer": who, "automatic_tax": {"enabled": enabled}} for enabled in (True, False))
    assert [one["id"] for one in api.get("/v1/subscriptions", **plain)["data"]] == [sub]
    assert api.get("/v1/subscriptions", **taxed)["data"] == []


def test_a_subscription_is_paid_with_the_source_that_it_is_sent_with(api: Api) -> None:
    who = api.ok("POST", "/v1/customers")["id"]
    items = [{"price": plan(api)}]
    sub = api.ok("POST", "/v1/subscriptions", customer=who, items=items, source="tok_visa")
    first = api.get(f"/v1/customers/{who}")["default_source"]
    assert (sub["status"], first[:5]) == ("active", "card_")
    api.ok("POST", f"/v1/subscriptions/{sub['id']}", source="tok_mastercard")
    second = api.get(f"/v1/customers/{who}")["default_source"]
    assert [one["id"] for one in api.get(f"/v1/customers/{who}/sources")["data"]] == [second] != [first]
    limited = api.ok("POST", "/v1/api_keys", type="restricted", permissions=["subscription_write", "plan_read"])[
        "secret"
    ]
    refused = api.post("/v1/subscriptions", key=limited, customer=who, items=items, source="tok_visa")
    assert (refused.status, api.get(f"/v1/customers/{who}")["default_source"]) == (403, second)


def test_only_a_paused_subscription_is_resumed(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    refused = api.post(f"/v1/subscriptions/{sub}/resume", billing_cycle_anchor={"type": "now"})
    assert (refused.status, "only resume a subscription if it is `paused`" in refused.error["message"]) == (400, True)


def test_a_canceled_subscription_is_neither_migrated_nor_canceled_again(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    path = f"/v1/subscriptions/{sub}"
    assert api.ok("POST", f"{path}/migrate", billing_mode={"type": "flexible"})["billing_mode"]["type"] == "flexible"
    assert api.ok("DELETE", path)["status"] == "canceled"
    assert api.post(f"{path}/migrate", billing_mode={"type": "flexible"}).status == 400
    assert api.delete(path).status == 404
    assert current(api, sub)["status"] == "canceled"


def test_another_customer_s_subscription_is_not_found(api: Api) -> None:
    _, who = clocked(api)
    other = api.ok("POST", "/v1/customers")["id"]
    sub = subscribe(api, who, plan(api))["id"]
    assert api.get(f"/v1/customers/{who}/subscriptions/{sub}").status == 200
    assert api.get(f"/v1/customers/{other}/subscriptions/{sub}").status == 404


def test_no_subscription_is_billed_by_a_schedule_that_nobody_keeps(api: Api) -> None:
    (_, who), price = clocked(api), plan(api)
    entry = {"bill_until": {"type": "timestamp", "timestamp": api.now + 9 * 86_400}}
    made = api.ok("POST", "/v1/subscriptions", customer=who, items=[{"price": price}])
    for path, told in (
        ("/v1/subscriptions", {"customer": who, "items": [{"price": price}]}),
        (f"/v1/subscriptions/{made['id']}", {}),
    ):
        refused = api.post(path, **told, billing_schedules=[entry])
        assert (refused.status, refused.error["param"]) == (400, "billing_schedules")


def test_an_item_names_its_price_once(api: Api) -> None:
    (_, who), one, two = clocked(api), plan(api), plan(api)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": one, "plan": two}])
    assert (refused.status, refused.error["param"]) == (400, "items[0][plan]")
