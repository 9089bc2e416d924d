"""Payment links."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import FIELD, LINKS, MONTHLY, fill, price
from tests.support.api import Answer, Api, rule_table
from tests.support.connected import connected
from tests.support.openapi import assert_valid
from tollkey.db import Scope, Tx
from tollkey.payments.checkout import kinds

CHALLENGED = "4000000000003220"
#: Parameter -> a value, and the status of the answer by the mode that the prices make.
LINK_ANSWERS: dict[str, tuple[Any, dict[str, int]]] = {
    "application_fee_amount": (10, {"payment": 200, "subscription": 400}),
    "application_fee_percent": (10, {"payment": 400, "subscription": 200}),
    "payment_intent_data": ({"description": "x"}, {"payment": 200, "subscription": 400}),
    "payment_method_collection": ("always", {"payment": 400, "subscription": 200}),
    "subscription_data": ({"metadata": {"a": "b"}}, {"payment": 400, "subscription": 200}),
}


def visit(api: Api, link: Answer) -> str:
    path = link["url"].partition("8420")[2]
    assert b"T-shirt" in api.send("GET", path, key=None).body
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


def test_a_link_has_no_more_completed_sessions_than_its_limit(api: Api) -> None:
    """Sessions that were opened before the limit was reached are open still, and are not paid."""
    more = {"restrictions": {"completed_sessions": {"limit": 2}}, "inactive_message": "All tickets are sold."}
    link = api.ok("POST", LINKS, line_items=[{"price": price(api), "quantity": 1}], **more)
    opened = [visit(api, link) for _ in range(4)]
    pages = [fill(api, page).body for page in opened]
    assert [b"Payment complete" in page for page in pages] == [True, True, False, False]
    assert b"All tickets are sold." in pages[-1]
    assert api.get(f"{LINKS}/{link['id']}")["restrictions"]["completed_sessions"] == {"count": 2, "limit": 2}
    assert len(api.get("/v1/charges")["data"]) == 2


@pytest.mark.parametrize("recurring", [{}, MONTHLY])
def test_who_is_at_a_challenge_when_the_limit_is_reached_pays_nothing(api: Api, recurring: dict[str, object]) -> None:
    more = {"restrictions": {"completed_sessions": {"limit": 1}}}
    link = api.ok("POST", LINKS, line_items=[{"price": price(api, **recurring), "quantity": 1}], **more)
    first, second, third = (visit(api, link) for _ in range(3))
    challenges = [fill(api, page, CHALLENGED).headers["location"].partition("8420")[2] for page in (first, second)]
    assert b"Payment complete" in fill(api, third).body
    for challenge in challenges:
        answered = api.send("POST", f"{challenge}/complete", key=None)
        assert "redirect_status=failed" in answered.headers["location"]
    assert api.get(f"{LINKS}/{link['id']}")["restrictions"]["completed_sessions"] == {"count": 1, "limit": 1}
    assert [one["status"] for one in api.get("/v1/charges")["data"]].count("succeeded") == 1


def test_an_early_version_pays_no_intent_of_a_link_beyond_its_limit(api: Api) -> None:
    more = {"restrictions": {"completed_sessions": {"limit": 1}}}
    link = api.ok("POST", LINKS, line_items=[{"price": price(api), "quantity": 1}], **more)
    first, second = visit(api, link), visit(api, link)
    fill(api, first, CHALLENGED)
    fill(api, second)
    intent = api.get("/v1/payment_intents", limit=2)["data"][1]
    refused = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm", key=api.pk, headers={"Stripe-Version": "2019-12-03"},
        client_secret=intent["client_secret"], payment_method="pm_card_visa",
    )  # fmt: skip
    assert refused.status == 400, refused.body
    assert refused["error"]["message"] == "This link is no longer active."


def test_a_link_is_changed_and_listed(api: Api) -> None:
    link = api.ok("POST", LINKS, line_items=[{"price": price(api, recurring={"interval": "month"}), "quantity": 1}])
    changed = api.ok("POST", f"{LINKS}/{link['id']}", allow_promotion_codes=True)
    assert_valid("POST", LINKS + "/{payment_link}", 200, changed)
    assert changed["allow_promotion_codes"] is True
    assert_valid("GET", LINKS, 200, api.ok("GET", LINKS, active=True))
    assert_valid("GET", LINKS + "/{payment_link}/line_items", 200, api.ok("GET", f"{LINKS}/{link['id']}/line_items"))
    assert [event["type"] for event in api.events()][-2:] == ["payment_link.created", "payment_link.updated"]


@pytest.mark.parametrize("mode", ["payment", "subscription"])
@pytest.mark.parametrize("name", LINK_ANSWERS)
def test_a_link_takes_what_its_prices_allow(api: Api, name: str, mode: str) -> None:
    value, statuses = LINK_ANSWERS[name]
    lines = [{"price": price(api, **(MONTHLY if mode == "subscription" else {})), "quantity": 1}]
    share = {"transfer_data": {"destination": connected(api)["id"]}} if name.startswith("application_fee") else {}
    answer = api.post(LINKS, line_items=lines, **{name: value}, **share)
    assert answer.status == statuses[mode], answer
    assert answer.status == 200 or answer.error["param"] == name
    if not name.startswith("application_fee"):
        made = api.ok("POST", LINKS, line_items=lines)
        assert api.post(f"{LINKS}/{made['id']}", **{name: value}).status == statuses[mode]


@pytest.mark.parametrize(
    ("percent", "status"), [(0, 200), (12.34, 200), (100, 200), (100.01, 400), (1.234, 400), (-1, 400)]
)
def test_a_share_is_a_percentage_with_two_decimals(api: Api, percent: float, status: int) -> None:
    lines = [{"price": price(api, **MONTHLY), "quantity": 1}]
    share = {"destination": connected(api)["id"]}
    assert api.post(LINKS, line_items=lines, application_fee_percent=percent, transfer_data=share).status == status


def test_a_link_has_twenty_lines_with_the_optional_ones(api: Api) -> None:
    one = {"price": price(api), "quantity": 1}
    assert api.post(LINKS, line_items=[one] * 15, optional_items=[one] * 5).status == 200
    answer = api.post(LINKS, line_items=[one] * 16, optional_items=[one] * 5)
    assert (answer.status, answer.error["param"]) == (400, "optional_items")


def test_the_fields_of_a_link_have_keys_of_their_own(api: Api) -> None:
    one = {"price": price(api), "quantity": 1}
    answer = api.post(LINKS, line_items=[one], custom_fields=[FIELD, FIELD])
    assert (answer.status, answer.error["param"]) == (400, "custom_fields[1][key]")


def test_a_link_that_redirects_names_where_to(api: Api) -> None:
    lines = [{"price": price(api), "quantity": 1}]
    refused = api.post("/v1/payment_links", line_items=lines, after_completion={"type": "redirect"})
    assert (refused.status, refused.error["param"]) == (400, "after_completion[redirect]")
    to = {"type": "redirect", "redirect": {"url": "https://shop.example/thanks"}}
    assert api.ok("POST", "/v1/payment_links", line_items=lines, after_completion=to)["after_completion"] == to


@rule_table
@pytest.mark.parametrize(("given", "shown"), [
    ({"name_collection": {"business": {"enabled": True}}},
     {"name_collection": {"business": {"enabled": True, "optional": False}}}),
    ({"payment_method_options": {"card": {"restrictions": {"brands_blocked": ["visa"]}}}},
     {"payment_method_options": {"card": {"restrictions": {"brands_blocked": ["visa"]}}}}),
    ({"invoice_creation": {"enabled": True, "invoice_data": {"footer": "Thanks"}}}, {}),
], ids=str)  # fmt: skip
def test_what_a_link_is_made_or_changed_with_is_shown_and_reaches_its_sessions(
    api: Api, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    lines = [{"price": price(api), "quantity": 1}]
    for link in (
        api.ok("POST", LINKS, line_items=lines, **given),
        api.ok("POST", f"{LINKS}/{api.ok('POST', LINKS, line_items=lines)['id']}", **given),
    ):
        assert_valid("POST", LINKS, 200, dict(link))
        assert {name: link[name] for name in shown} == shown
        if "invoice_creation" in given:
            assert (link["invoice_creation"]["enabled"], link["invoice_creation"]["invoice_data"]["footer"]) == (
                True,
                "Thanks",
            )
        visit(api, link)
        (made,) = api.get("/v1/checkout/sessions", payment_link=link["id"])["data"]
        for name, value in given.items():
            inner = next(iter(value))
            assert made[name][inner] or name == "payment_method_options"


@rule_table
def test_the_optional_items_of_a_link_are_offered_by_its_sessions(api: Api) -> None:
    option = {
        "price": price(api),
        "quantity": 2,
        "adjustable_quantity": {"enabled": True, "maximum": 5, "minimum": 1},
    }
    link = api.ok("POST", LINKS, line_items=[{"price": price(api), "quantity": 1}], optional_items=[option])
    assert link["optional_items"] == [option]
    visit(api, link)
    assert api.get("/v1/checkout/sessions", payment_link=link["id"])["data"][0]["optional_items"] == [option]
    refused = api.post(f"{LINKS}/{link['id']}", optional_items=[{"price": "price_no", "quantity": 1}])
    assert (refused.status, refused.error["param"]) == (400, "optional_items[0][price]")


@rule_table
def test_the_payments_of_a_link_are_shared_as_it_says(api: Api) -> None:
    account = connected(api)["id"]
    lines = [{"price": price(api), "quantity": 1}]
    link = api.ok("POST", LINKS, line_items=lines, transfer_data={"destination": account}, application_fee_amount=100)
    assert link["transfer_data"] == {"amount": None, "destination": account}
    assert fill(api, visit(api, link)).status in (200, 303)
    (charge,) = api.get("/v1/charges")["data"]
    assert (charge["destination"], charge["application_fee_amount"]) == (account, 100)
    refused = api.post(LINKS, line_items=lines, transfer_data={"destination": "acct_no"})
    assert (refused.status, refused.error["param"]) == (400, "transfer_data[destination]")


def test_a_fee_of_nobody_in_a_link_of_an_earlier_version_is_left_out(api: Api) -> None:
    link = api.ok("POST", LINKS, line_items=[{"price": price(api), "quantity": 1}])

    def as_before(tx: Tx) -> None:
        call = api.core.call(tx, Scope(api.account, False), api.now)
        stored = call.objects.get(kinds.PAYMENT_LINK, link["id"])
        stored["application_fee_amount"] = 10
        call.objects.save(stored)

    api.core.database.write(as_before)
    assert fill(api, visit(api, link)).status in (200, 303)
    assert api.get("/v1/charges")["data"][0]["application_fee_amount"] is None


def test_a_link_whose_sessions_nobody_could_pay_is_refused(api: Api) -> None:
    lines = [{"price": price(api), "quantity": 1}]
    share = {"destination": connected(api)["id"], "amount": 10}
    for given, param in (
        ({"application_fee_amount": 10}, "application_fee_amount"),
        ({"application_fee_amount": 10, "transfer_data": share}, None),
        ({"on_behalf_of": "acct_no"}, "on_behalf_of"),
    ):
        refused = api.post(LINKS, line_items=lines, **given)
        assert (refused.status, refused.error.get("param")) == (400, param)


@rule_table
@pytest.mark.parametrize(("given", "param"), [
    ({"managed_payments": {"enabled": True}}, "managed_payments[enabled]"),
    ({"after_completion": {"type": "hosted_confirmation", "redirect": {"url": "https://a.example"}}},
     "after_completion[redirect]"),
], ids=str)  # fmt: skip
def test_what_cannot_act_on_a_link_is_refused(api: Api, given: dict[str, Any], param: str) -> None:
    refused = api.post(LINKS, line_items=[{"price": price(api), "quantity": 1}], **given)
    assert (refused.status, refused.error["param"]) == (400, param)
