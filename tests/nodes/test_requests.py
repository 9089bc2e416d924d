"""The same request, or two that exclude one another, sent to two nodes at the same moment."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.api import Answer, Api, form
from tests.support.nodes import Nodes
from tollkey.wire.messages import Request

DAY = 86_400


def post_both(nodes: Nodes, api: Api, *requests: tuple[str, dict[str, Any]], key: str = "") -> list[Answer]:
    """POST each of two requests to a node of its own, at the same time. key: an idempotency key for both."""

    def request(path: str, params: dict[str, Any]) -> Request:
        heads = {"authorization": f"Bearer {api.sk}", "content-type": "application/x-www-form-urlencoded"}
        if key:
            heads["idempotency-key"] = key
        if api.version:
            heads["stripe-version"] = api.version
        return Request("POST", path, b"", heads, urlencode(form(params)).encode(), "127.0.0.1")

    async def both() -> list[Answer]:
        servers = (nodes.first.server, nodes.second.server)
        sent = [server.service.answer(request(*asked)) for server, asked in zip(servers, requests, strict=True)]
        return [
            Answer(one.status, {"content-type": one.content_type, **one.headers}, one.body)
            for one in await asyncio.gather(*sent)
        ]

    return nodes.first.runner.run(both())


@pytest.fixture
def api(nodes: Nodes) -> Api:
    """A merchant whose keys both nodes know."""
    return nodes.api()


def test_an_idempotency_key_makes_one_object(nodes: Nodes, api: Api) -> None:
    charge = ("/v1/charges", {"amount": 1000, "currency": "usd", "source": "tok_visa"})
    first, second = post_both(nodes, api, charge, charge, key="once")
    assert {first.status, second.status} <= {200, 409}
    assert 200 in (first.status, second.status)
    assert len(api.get("/v1/charges")["data"]) == 1


def test_an_upload_sent_to_two_nodes_at_once_is_stored_once(nodes: Nodes, api: Api) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nidentity_document\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF'
    ) + bytes(600_000)
    heads = {"authorization": f"Bearer {api.sk}", "content-type": "multipart/form-data; boundary=b"}

    async def both() -> list[int]:
        sent = (
            Request(
                "POST", "/v1/files", b"", {**heads, "idempotency-key": "once"}, body + b"\r\n--b--\r\n", "127.0.0.1"
            )
            for _ in range(2)
        )
        nodes_ = (nodes.first, nodes.second)
        answers = [node.server.service.answer(one) for node, one in zip(nodes_, sent, strict=True)]
        return [answer.status for answer in await asyncio.gather(*answers)]

    assert set(nodes.first.runner.run(both())) <= {200, 409}
    files = [file["id"] for file in api.get("/v1/files")["data"]]
    read = nodes.first.core.database.read
    contents = read(lambda tx: tx.execute("SELECT DISTINCT file FROM file_contents WHERE account = ?", (api.account,)))
    assert len(files) == 1
    assert contents == [(files[0],)]
    assert read(lambda tx: tx.execute("SELECT 1 FROM file_uploads WHERE account = ?", (api.account,))) == []


def test_a_test_clock_is_advanced_by_one_of_two_requests(nodes: Nodes, api: Api) -> None:
    clock = api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=api.now)["id"]
    path = f"/v1/test_helpers/test_clocks/{clock}/advance"
    answers = post_both(nodes, api, (path, {"frozen_time": api.now + DAY}), (path, {"frozen_time": api.now + 2 * DAY}))
    assert sorted(answer.status for answer in answers) == [200, 429]
    nodes.work()
    assert len(api.events("test_helpers.test_clock.ready")) == 1


def test_two_invoices_of_a_customer_get_two_numbers(nodes: Nodes, api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    drafts = []
    for _ in range(2):
        api.ok("POST", "/v1/invoiceitems", customer=customer, amount=500, currency="usd")
        drafts.append(api.ok("POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include")["id"])
    answers = post_both(nodes, api, *((f"/v1/invoices/{id}/finalize", {}) for id in drafts))
    assert [answer.status for answer in answers] == [200, 200]
    assert len({answer["number"] for answer in answers}) == 2


def test_a_charge_is_refunded_once(nodes: Nodes, api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")["id"]
    answers = post_both(nodes, api, *[("/v1/refunds", {"charge": charge})] * 2)
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert api.get(f"/v1/charges/{charge}")["amount_refunded"] == 1000


def test_a_payout_takes_what_there_is_once(nodes: Nodes, api: Api) -> None:
    api.ok("POST", "/v1/charges", amount=10_000, currency="usd", source="tok_bypassPending")
    available = api.get("/v1/balance")["available"][0]["amount"]
    answers = post_both(nodes, api, *[("/v1/payouts", {"amount": available, "currency": "usd"})] * 2)
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert api.get("/v1/balance")["available"][0]["amount"] == 0


def test_a_coupon_of_one_redemption_is_redeemed_once(nodes: Nodes, api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once", max_redemptions=1)["id"]
    answers = post_both(nodes, api.under("2025-02-24.acacia"), *[("/v1/customers", {"coupon": coupon})] * 2)
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 1


def test_a_token_is_used_once(nodes: Nodes, api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    token = api.ok("POST", "/v1/tokens", card=card)["id"]
    answers = post_both(nodes, api, *[("/v1/charges", {"amount": 1000, "currency": "usd", "source": token})] * 2)
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert len(api.get("/v1/charges")["data"]) == 1


def test_an_amount_of_meter_events_is_counted_once_for_each_identifier(nodes: Nodes, api: Api) -> None:
    named = {
        "display_name": "Calls",
        "event_name": "calls",
        "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"},
    }
    api.ok("POST", "/v1/billing/meters", **named)
    customer = api.ok("POST", "/v1/customers")["id"]
    told = {"event_name": "calls", "identifier": "one", "payload": {"stripe_customer_id": customer, "value": 5}}
    answers = post_both(nodes, api, *[("/v1/billing/meter_events", told)] * 2)
    assert sorted(answer.status for answer in answers) == [200, 400]
