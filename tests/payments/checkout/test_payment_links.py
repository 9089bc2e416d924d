"""Payment links."""

from __future__ import annotations

from tests.payments.checkout.steps import fill
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

LINKS = "/v1/payment_links"


def price(api: Api, **more: object) -> str:
    product = api.ok("POST", "/v1/products", name="Shirt")
    return str(api.ok("POST", "/v1/prices", product=product["id"], unit_amount=1500, currency="usd", **more)["id"])


def visit(api: Api, link: Answer) -> str:
    path = link["url"].partition("8420")[2]
    assert b"Shirt" in api.send("GET", path, key=None).body
    return api.send("POST", path, key=None).headers["location"].partition("8420")[2]


def test_everybody_who_opens_a_link_gets_a_session_of_their_own(api: Api) -> None:
    link = api.ok(
        "POST",
        LINKS,
        line_items=[{"price": price(api), "quantity": 1}],
        restrictions={"completed_sessions": {"limit": 1}},
    )
    assert_valid("POST", LINKS, 200, link)
    first, second = visit(api, link), visit(api, link)
    assert first != second
    done = fill(api, first)
    assert b"Payment complete" in done.body
    assert (
        api.ok("GET", "/v1/checkout/sessions", payment_link=link["id"], status="complete")["data"][0]["payment_status"]
        == "paid"
    )
    after = api.ok("GET", f"{LINKS}/{link['id']}", expand=["line_items"])
    assert_valid("GET", LINKS + "/{payment_link}", 200, after)
    assert (after["active"], after["restrictions"]["completed_sessions"]["count"]) == (False, 1)
    assert api.send("POST", link["url"].partition("8420")[2], key=None).status == 404


def test_a_link_is_changed_and_listed(api: Api) -> None:
    link = api.ok("POST", LINKS, line_items=[{"price": price(api, recurring={"interval": "month"}), "quantity": 1}])
    changed = api.ok("POST", f"{LINKS}/{link['id']}", allow_promotion_codes=True)
    assert_valid("POST", LINKS + "/{payment_link}", 200, changed)
    assert changed["allow_promotion_codes"] is True
    assert_valid("GET", LINKS, 200, api.ok("GET", LINKS, active=True))
    assert_valid("GET", LINKS + "/{payment_link}/line_items", 200, api.ok("GET", f"{LINKS}/{link['id']}/line_items"))
    assert [event["type"] for event in api.events()][-2:] == ["payment_link.created", "payment_link.updated"]
