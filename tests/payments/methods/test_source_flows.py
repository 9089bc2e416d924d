"""Sources (``src_…``): made in one of four flows, chargeable at once or after the customer has done something."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.openapi import assert_valid
from tollkey.payments.methods.source_flows import RECEIVER, REDIRECT


def test_what_arrives_in_a_receiver_is_a_transaction_of_the_source(api: Api) -> None:
    source = api.ok(
        "POST", "/v1/sources", type="ach_credit_transfer", currency="usd", owner={"email": "amount_4242@example.com"}
    )["id"]
    api.advance(5)
    path = f"/v1/sources/{source}/source_transactions"
    listed = api.ok("GET", path)
    assert_valid("GET", "/v1/sources/{source}/source_transactions", 200, listed)
    (arrived,) = listed["data"]
    assert (arrived["amount"], arrived["source"], arrived["status"]) == (4242, source, "succeeded")
    assert [event["type"] for event in api.events()][-2:] == ["source.transaction.created", "source.chargeable"]


@pytest.mark.parametrize("type", ["wishes", "client_secret", "status", "_card", "id", "wechat", "card_present"])
def test_a_source_of_a_type_that_is_not_made_is_refused(api: Api, type: str) -> None:
    for key in (api.sk, api.pk):
        refused = api.post("/v1/sources", key=key, type=type, currency="usd", amount=1000)
        assert (refused.status, refused.error["param"]) == (400, "type")


@pytest.mark.parametrize("type", [*REDIRECT, *RECEIVER])
def test_no_flow_spares_the_customer_the_authorization(api: Api, type: str) -> None:
    card = {"three_d_secure": {"card": "tok_visa"}} if type == "three_d_secure" else {}
    for key in (api.sk, api.pk):
        for flow in ("none", "code_verification"):
            told = {"amount": 1000, "currency": "eur", "redirect": {"return_url": "https://example.com/"}, **card}
            refused = api.post("/v1/sources", key=key, type=type, flow=flow, **told)
            assert (refused.status, refused.error["param"]) == (400, "flow")
    if type in RECEIVER:
        told.pop("amount")  # who pays decides
    made = api.post("/v1/sources", type=type, **told)
    assert made["status"] == "pending"
    assert api.post("/v1/sources", type=type, flow=made["flow"], **told)["flow"] == made["flow"]


def _accepted(type: str, **more: Any) -> dict[str, Any]:
    return {"mandate": {"acceptance": {"status": "accepted", "type": type, **more}}}


@pytest.mark.parametrize(("type", "params", "param"), [
    ("ach_credit_transfer", {"amount": 100}, "amount"),
    ("giropay", {"receiver": {"refund_attributes_method": "email"}}, "receiver"),
    ("giropay", _accepted("online", offline={"contact_email": "a@b.co"}),
     "mandate[acceptance][offline]"),
    ("giropay", _accepted("offline"),
     "mandate[acceptance][offline][contact_email]"),
    ("giropay", {"source_order": {"items": [{"amount": 5, "type": "sku"}]}}, "source_order[items][0][currency]"),
])  # fmt: skip
def test_a_source_takes_what_its_flow_and_mandate_have(api: Api, type: str, params: dict[str, Any], param: str) -> None:
    given = {"amount": 100, "redirect": {"return_url": "https://shop.example"}} if type == "giropay" else {}
    currency = "eur" if type == "giropay" else "usd"
    refused = api.post("/v1/sources", type=type, currency=currency, **{**given, **params})
    assert (refused.status, refused.error["param"]) == (400, param)
    assert api.post("/v1/sources", type=type, currency=currency, **given).status == 200


@pytest.mark.parametrize("type", REDIRECT)
def test_a_source_of_the_redirect_flow_says_where_to_come_back(api: Api, type: str) -> None:
    card = {"three_d_secure": {"card": "tok_visa"}} if type == "three_d_secure" else {}
    refused = api.post("/v1/sources", type=type, currency="eur", amount=1000, **card)
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "parameter_missing",
        "redirect[return_url]",
    )


def test_a_browser_reads_a_source_with_its_client_secret(api: Api) -> None:
    source = api.ok("POST", "/v1/sources", type="card", token="tok_visa")
    path = f"/v1/sources/{source['id']}"
    for secret in ({}, {"client_secret": "src_client_secret_no"}):
        refused = api.get(path, key=api.pk, **secret)
        assert (refused.status, refused.error["param"]) == (400, "client_secret")
    assert api.get(path, key=api.pk, client_secret=source["client_secret"])["id"] == source["id"]


@pytest.mark.parametrize(("given", "param"), [
    ({"type": "card", "token": "tok_visa", "sepa_debit": {"iban": "DE89370400440532013000"}}, "sepa_debit"),
    ({"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013000"}, "token": "tok_visa"}, "token"),
    ({"type": "card", "token": "tok_visa", "customer": "cus_1"}, "customer"),
])  # fmt: skip
def test_what_belongs_to_another_type_of_source_is_refused(api: Api, given: dict[str, Any], param: str) -> None:
    refused = api.post("/v1/sources", currency="eur", owner={"name": "Jenny Rosen"}, **given)
    assert (refused.status, refused.error["param"]) == (400, param)


@pytest.mark.parametrize("method", ["email", "manual", "none"])
def test_a_receiver_says_how_the_payer_is_asked_where_refunds_go(api: Api, method: str) -> None:
    told = {"receiver": {"refund_attributes_method": method}}
    made = api.ok("POST", "/v1/sources", type="ach_credit_transfer", currency="usd", **told)
    assert made["receiver"]["refund_attributes_method"] == method
