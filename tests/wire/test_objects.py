"""Lists inside objects: callers see their first ten entries, and all of them on the list's own pages."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import clocked, ok, plan, subscribe
from tests.support.api import Answer, Api
from tollkey.wire import ApiError
from tollkey.wire.objects import NESTED, encode, split

FIRST = (10, True)


def _shown(listed: dict[str, object]) -> tuple[int, object]:
    data = listed["data"]
    assert isinstance(data, list)
    return len(data), listed["has_more"]


def _invoice(api: Api, lines: int) -> tuple[str, Answer]:
    """A customer and their draft with that many lines: 1 cent, 2 cents, …"""
    _, who = clocked(api)
    invoice = ok(api, "POST", "/v1/invoices", customer=who)["id"]
    for number in range(1, lines + 1):
        ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=100 * number, currency="usd")
    return who, api.get(f"/v1/invoices/{invoice}")


def test_an_invoice_shows_its_first_ten_lines_everywhere_and_keeps_all_of_them(api: Api) -> None:
    who, invoice = _invoice(api, 13)
    path = f"/v1/invoices/{invoice['id']}"
    assert (_shown(invoice["lines"]), invoice["lines"]["total_count"]) == (FIRST, 13)
    assert _shown(api.get("/v1/invoices", customer=who)["data"][0]["lines"]) == FIRST
    assert _shown(api.get(path, expand=["customer"])["lines"]) == FIRST
    assert _shown(api.get(path, headers={"Stripe-Version": "2019-12-03"})["lines"]) == FIRST
    changed = api.ok("post", path, description="Many")
    assert (_shown(changed["lines"]), changed["total"]) == (FIRST, 9100)
    first = api.get(f"{path}/lines", limit=7)
    second = api.get(f"{path}/lines", limit=7, starting_after=first["data"][-1]["id"])
    assert ([len(page["data"]) for page in (first, second)], second["has_more"]) == ([7, 6], False)
    assert [line["id"] for line in changed["lines"]["data"]] == [
        line["id"] for line in (first["data"] + second["data"])[:10]
    ]
    told = api.events("invoice.updated")[-1]["data"]
    assert _shown(told["object"]["lines"]) == FIRST
    paid = api.ok("post", f"{path}/pay")
    assert (paid["amount_paid"], _shown(paid["lines"])) == (9100, FIRST)


def test_ten_lines_are_all_there_are(api: Api) -> None:
    assert _shown(_invoice(api, 10)[1]["lines"]) == (10, False)


def test_a_line_beyond_the_tenth_can_be_taken_off(api: Api) -> None:
    _, invoice = _invoice(api, 11)
    last = api.get(f"/v1/invoices/{invoice['id']}/lines", limit=20)["data"][-1]["id"]
    left = api.ok("post", f"/v1/invoices/{invoice['id']}/remove_lines", lines=[{"id": last, "behavior": "delete"}])
    assert (_shown(left["lines"]), left["lines"]["total_count"]) == ((10, False), 10)


def test_a_subscription_shows_its_first_ten_items(api: Api) -> None:
    _, who = clocked(api)
    prices = [plan(api, 100 + number) for number in range(12)]
    items = [{"price": price} for price in prices]
    sub = ok(api, "POST", "/v1/subscriptions", customer=who, items=items)
    assert _shown(sub["items"]) == FIRST
    assert _shown(api.get(f"/v1/subscriptions/{sub['id']}")["items"]) == FIRST
    assert len(api.get("/v1/subscription_items", subscription=sub["id"], limit=20)["data"]) == 12
    invoice = api.get(f"/v1/subscriptions/{sub['id']}", expand=["latest_invoice"])["latest_invoice"]
    assert (_shown(invoice["lines"]), invoice["total"]) == (FIRST, sum(100 + number for number in range(12)))
    renewed = api.ok("post", f"/v1/subscriptions/{sub['id']}", metadata={"a": "b"})
    assert (_shown(renewed["items"]), renewed["items"]["total_count"]) == (FIRST, 12)
    preview = api.ok("post", "/v1/invoices/create_preview", subscription=sub["id"])
    assert _shown(preview["lines"]) == FIRST


def test_the_lists_that_expand_adds_show_their_first_ten(api: Api) -> None:
    saved = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    who, price = str(api.ok("post", "/v1/customers", **saved)["id"]), plan(api)
    for _ in range(11):
        subscribe(api, who, price)
    subscriptions = api.get(f"/v1/customers/{who}", expand=["subscriptions"])["subscriptions"]
    assert (_shown(subscriptions), subscriptions["total_count"]) == (FIRST, 11)
    prices = [plan(api, 100 + number) for number in range(12)]
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": one} for one in prices])["id"]
    assert _shown(api.get(f"/v1/quotes/{quote}", expand=["line_items"])["line_items"]) == FIRST
    session = ok(
        api,
        "POST",
        "/v1/checkout/sessions",
        mode="subscription",
        line_items=[{"price": one, "quantity": 1} for one in prices],
        success_url="https://shop.example",
    )["id"]
    expanded = api.get(f"/v1/checkout/sessions/{session}", expand=["line_items"])
    assert _shown(expanded["line_items"]) == FIRST
    assert len(api.get(f"/v1/checkout/sessions/{session}/line_items", limit=20)["data"]) == 12


def test_a_credit_note_shows_its_first_ten_lines(api: Api) -> None:
    _, invoice = _invoice(api, 12)
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize", auto_advance=False)
    every = api.get(f"/v1/invoices/{invoice['id']}/lines", limit=20)["data"]
    lines = [{"type": "invoice_line_item", "invoice_line_item": line["id"], "quantity": 1} for line in every]
    note = ok(api, "POST", "/v1/credit_notes", invoice=invoice["id"], lines=lines)
    assert (_shown(note["lines"]), note["total"]) == (FIRST, 7800)
    assert len(api.get(f"/v1/credit_notes/{note['id']}/lines", limit=20)["data"]) == 12


@pytest.mark.parametrize("data", ["x" * 20, ""])
def test_metadata_that_looks_like_a_list_is_none(api: Api, data: str) -> None:
    metadata = {"object": "list", **({"data": data} if data else {})}
    made = api.ok("post", "/v1/customers", metadata=metadata)
    assert api.get(f"/v1/customers/{made['id']}")["metadata"] == metadata


@pytest.mark.parametrize("kind", ["charge", "tollkey.thing"])
def test_a_long_list_is_divided_in_objects_that_the_document_has_and_in_others(kind: str) -> None:
    data = [{"id": f"re_{number}"} for number in range(12)]
    entries = {"object": "list", "data": data}
    public, private = split({"object": kind, "refunds": entries, "_card": "visa"})
    assert len(public["refunds"]["data"]) == NESTED
    assert private == {"_card": "visa", "_rest": {"refunds": data[NESTED:]}}


def test_a_number_that_fits_into_no_answer_is_refused() -> None:
    for number in (2**64, -(2**63) - 1):
        with pytest.raises(ApiError) as refused:
            encode({"total": number})
        assert (refused.value.status, refused.value.code) == (400, "amount_too_large")
    assert encode({"total": 2**63 - 1}) == b'{\n  "total": 9223372036854775807\n}'
