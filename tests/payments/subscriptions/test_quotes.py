"""Quotes: what something would cost, for a customer to accept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, customer, metered_plan, ok, plan
from tests.support.api import NOW, Api, rule_table
from tests.support.connected import connected


def test_an_accepted_quote_becomes_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api), "quantity": 2}])
    assert quote["computed"]["recurring"]["amount_total"] == 2000
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    assert accepted["status"] == "accepted"
    assert current(api, accepted["subscription"])["quantity"] == 2


def test_a_quote_is_finalized_with_a_customer_and_lines(api: Api) -> None:
    _, who = clocked(api)
    lines = [{"price": plan(api)}]
    nobody = ok(api, "POST", "/v1/quotes", line_items=lines)["id"]
    nothing = ok(api, "POST", "/v1/quotes", customer=who)["id"]
    assert api.post(f"/v1/quotes/{nobody}/finalize").error["param"] == "customer"
    assert api.post(f"/v1/quotes/{nothing}/finalize").error["param"] == "line_items"
    ok(api, "POST", f"/v1/quotes/{nobody}", "/v1/quotes/{quote}", customer=who)
    assert api.ok("POST", f"/v1/quotes/{nobody}/finalize")["status"] == "open"


def test_a_quote_that_nobody_accepts_in_time_is_canceled(api: Api) -> None:
    who = api.ok("POST", "/v1/customers")["id"]
    quote = api.ok("POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api)}], expires_at=api.now + DAY)
    path = f"/v1/quotes/{quote['id']}"
    api.ok("POST", f"{path}/finalize")
    api.advance(DAY - 1)
    assert api.get(path)["status"] == "open"
    api.advance(1)
    assert api.get(path)["status"] == "canceled"


@pytest.mark.parametrize("action", ["finalize", "accept", "cancel"])
def test_a_canceled_quote_stays_canceled(api: Api, action: str) -> None:
    quote = api.ok("POST", "/v1/quotes", line_items=[{"price": plan(api)}])
    path = f"/v1/quotes/{quote['id']}"
    api.ok("POST", f"{path}/cancel")
    refused = api.post(f"{path}/{action}")
    assert (refused.status, "because it is canceled" in refused.error["message"]) == (400, True)


def test_only_a_draft_is_changed_but_for_its_metadata(api: Api) -> None:
    _, who = clocked(api)
    path = f"/v1/quotes/{ok(api, 'POST', '/v1/quotes', customer=who, line_items=[{'price': plan(api)}])['id']}"
    assert api.post(f"{path}/accept").status == 400
    api.ok("POST", f"{path}/finalize")
    assert api.post(path, description="Changed").status == 400
    assert api.ok("POST", path, metadata={"a": "1"})["metadata"] == {"a": "1"}


def test_a_copy_of_a_quote_takes_nothing_else_but_its_expiry(api: Api) -> None:
    quote = ok(api, "POST", "/v1/quotes", line_items=[{"price": plan(api)}])["id"]
    copied = ok(api, "POST", "/v1/quotes", from_quote={"quote": quote}, expires_at=NOW + 5 * DAY)
    assert (copied["from_quote"]["quote"], copied["expires_at"]) == (quote, NOW + 5 * DAY)
    refused = api.post("/v1/quotes", from_quote={"quote": quote}, description="Other")
    assert (refused.status, refused.error["param"]) == (400, "description")


def test_the_customer_of_a_quote_stays_once_it_is_set(api: Api) -> None:
    one, other = customer(api), customer(api)
    quote = ok(api, "POST", "/v1/quotes", line_items=[{"price": plan(api)}])["id"]
    api.ok("post", f"/v1/quotes/{quote}", customer=one)
    assert api.post(f"/v1/quotes/{quote}", customer=one).status == 200
    refused = api.post(f"/v1/quotes/{quote}", customer=other)
    assert (refused.status, refused.error["param"]) == (400, "customer")


@pytest.mark.parametrize(
    ("name", "value", "recurs"), [("application_fee_amount", 5, False), ("application_fee_percent", 5, True)]
)
def test_a_fee_of_a_quote_fits_its_lines(api: Api, name: str, value: int, recurs: bool) -> None:
    product = ok(api, "POST", "/v1/products", name="Thing")["id"]
    once = {"currency": "usd", "product": product, "unit_amount": 500}
    lines = {True: [{"price": plan(api)}], False: [{"price_data": once}]}
    share = {"transfer_data": {"destination": connected(api)["id"]}}
    assert api.post("/v1/quotes", line_items=lines[recurs], **{name: value}, **share).status == 200
    refused = api.post("/v1/quotes", line_items=lines[not recurs], **{name: value}, **share)
    assert (refused.status, refused.error["param"]) == (400, name)
    of_nobody = api.post("/v1/quotes", line_items=lines[recurs], **{name: value})
    assert (of_nobody.status, of_nobody.error["param"]) == (400, name)


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ((), 400),
        (("cancel",), 400),
        (("finalize",), 200),
        (("finalize", "accept"), 200),
        (("finalize", "cancel"), 200),
    ],
)
def test_a_quote_has_a_pdf_once_it_was_finalized(api: Api, steps: tuple[str, ...], status: int) -> None:
    _, who = clocked(api)
    path = f"/v1/quotes/{ok(api, 'POST', '/v1/quotes', customer=who, line_items=[{'price': plan(api)}])['id']}"
    for step in steps:
        api.ok("post", f"{path}/{step}")
    assert api.get(f"{path}/pdf").status == status


@pytest.mark.parametrize(("mode", "shown"), [
    ({"type": "classic"}, {"type": "classic"}),
    ({"type": "flexible", "flexible": {"proration_discounts": "itemized"}},
     {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}),
], ids=str)  # fmt: skip
def test_the_subscription_of_a_quote_has_the_quote_s_billing_mode(
    api: Api, mode: dict[str, Any], shown: dict[str, Any]
) -> None:
    who = customer(api)
    quote = ok(
        api,
        "POST",
        "/v1/quotes",
        customer=who,
        line_items=[{"price": plan(api)}],
        subscription_data={"billing_mode": mode},
    )
    assert quote["subscription_data"]["billing_mode"] == shown
    api.ok("POST", f"/v1/quotes/{quote['id']}/finalize")
    made = current(api, api.ok("POST", f"/v1/quotes/{quote['id']}/accept")["subscription"])["billing_mode"]
    assert {name: made[name] for name in shown} == shown


def test_what_a_quote_says_of_connected_accounts_holds_for_what_it_becomes(api: Api) -> None:
    account = connected(api)["id"]
    told: dict[str, Any] = {"transfer_data": {"destination": account}, "on_behalf_of": account}
    for lines, fee in (([{"price": plan(api)}], {"application_fee_percent": 10}), (_once(api), {})):
        quote = api.ok("POST", "/v1/quotes", customer=customer(api), line_items=lines, **told, **fee)
        api.ok("POST", f"/v1/quotes/{quote['id']}/finalize")
        accepted = api.ok("POST", f"/v1/quotes/{quote['id']}/accept")
        if fee:
            made = current(api, accepted["subscription"])
            assert (made["application_fee_percent"], made["transfer_data"]["destination"]) == (10, account)
        else:
            made = api.ok("POST", f"/v1/invoices/{accepted['invoice']}/finalize")
        assert made["on_behalf_of"] == account


@pytest.mark.parametrize(
    ("part", "param"),
    [({"application_fee_amount": 501}, "application_fee_amount"), ({"amount": 501}, "transfer_data[amount]")],
)
def test_a_quote_that_nobody_could_pay_is_not_finalized(api: Api, part: dict[str, int], param: str) -> None:
    share = {"destination": connected(api)["id"], **{name: part[name] for name in part if name == "amount"}}
    fee = {name: part[name] for name in part if name != "amount"}
    quote = api.ok(
        "POST", "/v1/quotes", customer=customer(api), line_items=_once(api), transfer_data=share, **fee
    )["id"]  # fmt: skip
    refused = api.post(f"/v1/quotes/{quote}/finalize")
    assert (refused.status, refused.error["param"]) == (400, param)


def _once(api: Api) -> list[dict[str, Any]]:
    product = api.ok("POST", "/v1/products", name="Setup")["id"]
    return [{"price_data": {"currency": "usd", "unit_amount": 500, "product": product}}]


@pytest.mark.parametrize(("given", "param"), [
    ({"transfer_data": {"destination": "acct_no"}}, "transfer_data[destination]"),
    ({"on_behalf_of": "acct_no"}, "on_behalf_of"),
    ({"subscription_data": {"effective_date": 1}}, "subscription_data[effective_date]"),
], ids=str)  # fmt: skip
def test_what_cannot_act_on_a_quote_is_refused(api: Api, given: dict[str, Any], param: str) -> None:
    refused = api.post("/v1/quotes", customer=customer(api), line_items=[{"price": plan(api)}], **given)
    assert (refused.status, refused.error["param"]) == (400, param)


@rule_table
@pytest.mark.parametrize(("name", "value", "recurs"), [("amount", 5, False), ("amount_percent", 5, True)])
def test_the_share_of_a_quote_fits_its_lines_and_shows_all_its_keys(
    api: Api, name: str, value: int, recurs: bool
) -> None:
    to = connected(api)["id"]
    lines = {True: [{"price": plan(api)}], False: _once(api)}
    made = api.ok("POST", "/v1/quotes", line_items=lines[recurs], transfer_data={"destination": to, name: value})
    assert made["transfer_data"] == {"amount": None, "amount_percent": None, "destination": to, name: value}
    refused = api.post("/v1/quotes", line_items=lines[not recurs], transfer_data={"destination": to, name: value})
    assert (refused.status, refused.error["param"]) == (400, f"transfer_data[{name}]")


@pytest.mark.parametrize("finalized", [False, True], ids=["draft", "open"])
def test_a_quote_that_waits_too_long_is_canceled(api: Api, finalized: bool) -> None:
    clock, who = clocked(api)
    for past in (NOW - 1, NOW):
        refused = api.post("/v1/quotes", customer=who, expires_at=past)
        assert (refused.status, refused.error["param"]) == (400, "expires_at")
    quote = api.ok("POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api)}], expires_at=NOW + 9 * DAY)
    path = f"/v1/quotes/{quote['id']}"
    api.ok("POST", path, expires_at=NOW + 2 * DAY)
    if finalized:
        api.ok("POST", f"{path}/finalize")
    advance(api, clock, NOW + 3 * DAY)
    assert api.get(path)["status"] == "canceled"


@rule_table
@pytest.mark.parametrize("wrong", ["price", "product", "quantity"])
def test_a_line_of_a_quote_is_for_sale_and_counts_what_can_be_counted(api: Api, wrong: str) -> None:
    price = metered_plan(api)
    assert api.post("/v1/quotes", line_items=[{"price": price}]).status == 200
    if wrong != "quantity":
        product = api.get(f"/v1/prices/{price}")["product"]
        api.ok("post", f"/v1/prices/{price}" if wrong == "price" else f"/v1/products/{product}", active=False)
    refused = api.post("/v1/quotes", line_items=[{"price": price, **({"quantity": 2} if wrong == "quantity" else {})}])
    assert refused.error["param"] == f"line_items[0][{'quantity' if wrong == 'quantity' else 'price'}]"
