"""What a call moves is what every server reads in it: no amount, account or payment that only one of them sees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import Api
from tests.upstream.conftest import There
from tests.upstream.test_capping import CHARGES, capped, spent, told

CHARGE = {"id": "ch_1", "amount": 5000, "amount_refunded": 0, "currency": "usd"}
INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 5000, "currency": "usd"}


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("/v1/refunds", "", b"charge=ch_1&metadata[a]=x;amount=1"),
        ("/v1/refunds", "", b"charge=ch_1;amount=1"),
        ("/v1/refunds", "amount=1", b"charge=ch_1"),
        ("/v1/refunds", "a;amount=1", b"charge=ch_1"),
        ("/v1/refunds", "", b"charge=ch_1&amount[]=1"),
        ("/v1/refunds", "", b"charge=ch_1&charge[]=ch_2&amount=1"),
        ("/v1/refunds", "", b"charge=ch_1&amount+=1"),
        ("/v1/refunds", "", b"charge=ch_1&amount%C2%A0=1"),
        ("/v1/charges/ch_1/refunds", "", b"reason=x;amount=1"),
        ("/v1/payment_intents/pi_1/confirm", "", b"return_url=https://a?b;amount=1"),
        ("/v1/payment_intents/pi_1/capture", "", b"metadata[a]=;amount_to_capture=1"),
        ("/v1/payment_intents/pi_1/capture", "amount_to_capture=1", b"final_capture=true"),
        ("/v1/charges", "amount=1", b"amount[0]=5000&currency=usd"),
    ],
)
def test_an_amount_that_another_server_may_not_see_counts_for_nothing(
    api: Api, there: There, path: str, query: str, body: bytes
) -> None:
    told(there, ch_1=CHARGE, pi_1=INTENT)
    key = capped(api, cap_amount="usd:100")
    assert api.send("POST", path, key=key, query=query, body=body).status == 400
    assert [each.line for each in there.got if each.line.startswith("POST")] == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/payment_intents/pi_1/confirm", {"amount_to_confirm": 5000}),
        ("/v1/charges/ch_1/capture", {"amount_to_capture": 1, "amount": 5000}),
    ],
)
def test_of_several_amounts_the_largest_counts(api: Api, there: There, path: str, params: dict[str, Any]) -> None:
    told(there, ch_1={**CHARGE, "amount": 50}, pi_1={**INTENT, "amount": 50})
    assert api.post(path, key=capped(api, cap_amount="usd:100"), **params).error["cap"] == "cap_amount"


def test_a_payment_that_is_captured_in_parts_counts_as_a_whole(api: Api, there: There) -> None:
    told(there, pi_1=INTENT, capture=INTENT)
    path, part = "/v1/payment_intents/pi_1/capture", {"amount_to_capture": 90}
    small, large = (capped(api, cap_amount=f"usd:{most}", cap_charged_a_day=f"usd:{most}") for most in (100, 5_000))
    for said in ("false", "0", ""):
        assert api.post(path, key=small, final_capture=said, **part).error["cap"] == "cap_amount"
    assert [api.post(path, key=large, final_capture=False, **part).status for _ in range(3)] == [200] * 3
    assert spent(api) == {("charge", "usd"): 5_000}
    assert api.post(path, key=small, final_capture=True, **part).status == 200  # nothing can be captured after it


@pytest.mark.parametrize(
    "params",
    [{"source": "acct_2"}, {"customer_account": "acct_2"}, {"transfer_data": {"destination": "acct_2"}},
     {"destination": ["acct_2"]}, {"expand": ["acct_2"]}],
)  # fmt: skip
def test_a_key_for_some_accounts_names_no_other_in_any_parameter(
    api: Api, there: There, params: dict[str, Any]
) -> None:
    key = api.restricted(*CHARGES, metadata={"cap_accounts": "acct_1 self"})
    refused = api.post("/v1/charges", key=key, amount=1, currency="usd", **params)
    assert refused.status in (400, 403)
    assert there.got == []
    kept = {"metadata": {"ours": "acct_2"}, "source": "acct_1"}
    assert api.post("/v1/charges", key=key, amount=1, currency="usd", **kept).status == 200


@pytest.mark.parametrize(
    "sent",
    [{"Stripe-Account": ""}, {"Stripe-Account": " "}, {"Stripe-Context": ""}, {"Stripe-Account": "acct_2, acct_3"},
     {"Stripe-Account": "acct_2", "Stripe-Context": "acct_upstream"},
     {"Stripe-Account": "acct_2", "Stripe-Context": ""}],
)  # fmt: skip
def test_headers_that_name_no_account_or_two_are_not_passed_on(api: Api, there: There, sent: dict[str, str]) -> None:
    key = api.restricted(connect_permissions=("charge_read",))
    assert api.get("/v1/charges", key=key, headers=sent).status in (400, 403)
    assert api.get("/v1/charges", headers=sent).status == 400
    assert there.got == []
    assert api.get("/v1/charges", key=key, headers={"Stripe-Context": "acct_2"}).status == 200


def test_a_declined_payment_that_a_browser_may_still_confirm_stays_counted(api: Api, there: There) -> None:
    key = capped(api, cap_charged_a_day="usd:1000")
    there.status, there.body = 402, json.dumps({"error": {"code": "card_declined", "payment_intent": INTENT}}).encode()
    assert api.post("/v1/payment_intents", key=key, amount=900, currency="usd", confirm=True).status == 402
    assert spent(api) == {("charge", "usd"): 900}
    there.status = 200
    told(there, pi_1={**INTENT, "amount": 900})
    assert api.post("/v1/payment_intents/pi_1/confirm", key=key, payment_method="pm_1").status == 200
    assert spent(api) == {("charge", "usd"): 900}
    refused = api.post("/v1/payment_intents", key=key, amount=101, currency="usd")
    assert refused.error["cap"] == "cap_charged_a_day"


def test_an_approval_is_for_the_version_that_was_shown(api: Api, there: There) -> None:
    key = capped(api, cap_amount="usd:100", cap_exceeded="ask")
    headers = {"Idempotency-Key": "one"}
    waits = api.post("/v1/charges", key=key, headers=headers, amount=200, currency="usd")
    assert waits.error["code"] == "approval_required"
    other = api.post(
        "/v1/charges", key=key, headers={**headers, "Stripe-Version": "2020-08-27"}, amount=200, currency="usd"
    )
    assert (other.status, other.error["type"]) == (400, "idempotency_error")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"payout_method_data": {"card": {"number": "4242424242424242"}}}', {}),
        (b'{"items": [{"card": [{"number": 4242424242424242}]}]}', {}),
        (b'{"card": {"cvc": "123"}}', {}),
        (b"card[number]=4242424242424242", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"{}", {"Content-Encoding": "gzip"}),
        (b"{", {}),
        (b'{"a":' * 3000, {}),
    ],
)
def test_card_data_in_json_is_not_passed_on(api: Api, there: There, body: bytes, headers: dict[str, str]) -> None:
    given = {"Content-Type": "application/json", **headers}
    path = "/v2/money_management/outbound_setup_intents"
    assert api.send("POST", path, body=body, headers=given).status == 400
    assert there.got == []
    usual = b'{"us_bank_account": {"account_number": "000123456789"}, "card": {"number": null}, "number": "1"}'
    assert api.send("POST", path, body=usual, headers={"Content-Type": "application/json"}).status == 200
