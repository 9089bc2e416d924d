"""Rules of the specification's descriptions for payments: one row a rule, with the parameter that the refusal names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table
from tests.support.versions import BEFORE_ENDIVE

PAYMENT = {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"]}
LINE = {"product_name": "Tea", "quantity": 1, "unit_cost": 2000}
CHARGE = {"amount": 2000, "currency": "usd", "source": "tok_visa"}
ACCOUNT = "acct_1NowhereNowhere0"


SETUP = {"allowed_payment_method_types": ["card"], "payment_method": "pm_card_visa"}


def new(api: Api, path: str, **params: Any) -> str:
    return str(api.ok("POST", f"/v1/{path}", **params)["id"])


def customer(api: Api, **more: Any) -> str:
    return str(api.ok("POST", "/v1/customers", **more)["id"])


def attached(api: Api) -> str:
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    return str(api.ok("POST", f"/v1/payment_methods/{method}/attach", customer=customer(api))["id"])


def detached(api: Api) -> str:
    method = attached(api)
    api.ok("POST", f"/v1/payment_methods/{method}/detach")
    return method


def used_token(api: Api) -> str:
    token = api.ok("POST", "/v1/tokens", card={"number": "4242424242424242", "exp_month": 1, "exp_year": 2030})["id"]
    api.ok("POST", "/v1/charges", **{**CHARGE, "source": token})
    return str(token)


def intent(api: Api, **more: Any) -> str:
    return f"/v1/payment_intents/{api.ok('POST', '/v1/payment_intents', **{**PAYMENT, **more})['id']}"


def held(api: Api, **options: Any) -> str:
    more: dict[str, Any] = {"payment_method_options": {"card": options}} if options else {}
    return intent(api, capture_method="manual", payment_method="pm_card_visa", confirm=True, **more)


def create(**params: Any) -> Callable[[Api], Answer]:
    return lambda api: api.post("/v1/payment_intents", **{**PAYMENT, **params})


def named(**params: Any) -> Callable[[Api], Answer]:
    """Create an intent under an API version that names the types of an intent."""
    return lambda api: api.under(BEFORE_ENDIVE).post("/v1/payment_intents", amount=2000, currency="usd", **params)


def charged(api: Api, **params: Any) -> str:
    return f"/v1/charges/{api.ok('POST', '/v1/charges', amount=2000, currency='usd', **params)['id']}"


#: Eight fields of evidence that hold text.
TEXTS = (
    "access_activity_log", "cancellation_policy_disclosure", "cancellation_rebuttal", "duplicate_charge_explanation",
    "product_description", "refund_policy_disclosure", "refund_refusal_explanation", "uncategorized_text",
)  # fmt: skip


def disputed(api: Api) -> str:
    charged(api, source="tok_createDispute")
    return f"/v1/disputes/{api.get('/v1/disputes')['data'][0]['id']}"


def charge(**params: Any) -> Callable[[Api], Answer]:
    return lambda api: api.post("/v1/charges", **{**CHARGE, **params})


def incremented(api: Api) -> Answer:
    path = held(api, request_incremental_authorization="if_available")
    for number in range(10):
        api.ok("POST", f"{path}/increment_authorization", amount=2001 + number)
    return api.post(f"{path}/increment_authorization", amount=3000)


def sources(**params: Any) -> Callable[[Api], Answer]:
    return lambda api: api.post("/v1/sources", **params)


ROWS: dict[str, tuple[Callable[[Api], Answer], str | None]] = {
    "amount too small": (create(amount=49), "amount"),
    "amount too small in yen": (create(amount=49, currency="jpy"), "amount"),
    "amount of nine digits": (create(amount=100_000_000), "amount"),
    "product_name": (
        create(amount_details={"line_items": [{**LINE, "product_name": "x" * 1025}]}),
        "amount_details[line_items][0][product_name]",
    ),
    "product_code": (
        create(amount_details={"line_items": [{**LINE, "product_code": "x" * 13}]}),
        "amount_details[line_items][0][product_code]",
    ),
    "fee without an account": (create(application_fee_amount=5), "application_fee_amount"),
    "fee above the amount": (create(application_fee_amount=2001), "application_fee_amount"),
    "detached method": (lambda api: create(payment_method=detached(api), confirm=True)(api), None),
    "coupon": (create(coupon="x"), "coupon"),
    "currency": (create(currency="xyz"), "currency"),
    "method of another customer": (
        lambda api: create(payment_method=attached(api), customer=customer(api))(api),
        "payment_method",
    ),
    "method without its customer": (lambda api: create(payment_method=attached(api))(api), "source"),
    "off_session": (create(off_session=True), "off_session"),
    "currency of a method": (named(payment_method_types=["oxxo"]), "currency"),
    "types of another currency": (create(allowed_payment_method_types=["oxxo"]), "allowed_payment_method_types"),
    "types given twice": (create(automatic_payment_methods={"enabled": True}), None),
    "named types given twice": (
        named(payment_method_types=["card"], automatic_payment_methods={"enabled": True}),
        None,
    ),
    "off_session and on_session": (
        create(setup_future_usage="on_session", off_session=True, confirm=True, payment_method="pm_card_visa"),
        "off_session",
    ),
    "konbini description": (
        create(payment_method_options={"konbini": {"product_description": "x" * 23}}),
        "payment_method_options[konbini][product_description]",
    ),
    "kana suffix": (
        create(payment_method_options={"card": {"statement_descriptor_suffix_kana": "x" * 23}}),
        "payment_method_options[card][statement_descriptor_suffix_kana]",
    ),
    "update below the minimum": (lambda api: api.post(intent(api), amount=49), "amount"),
    "transfer_group is set once": (
        lambda api: api.post(intent(api, transfer_group="a"), transfer_group="b"),
        "transfer_group",
    ),
    "capture above": (lambda api: api.post(f"{held(api)}/capture", amount_to_capture=2001), None),
    "fee above the capture": (
        lambda api: api.post(f"{held(api)}/capture", amount_to_capture=500, application_fee_amount=501),
        "application_fee_amount",
    ),
    "increment unsupported": (lambda api: api.post(f"{held(api)}/increment_authorization", amount=3000), None),
    "increment not above": (
        lambda api: api.post(
            f"{held(api, request_incremental_authorization='if_available')}/increment_authorization", amount=2000
        ),
        "amount",
    ),
    "eleven increments": (incremented, None),
    "increment before": (lambda api: api.post(f"{intent(api)}/increment_authorization", amount=3000), None),
    "charge too small": (charge(amount=49), "amount"),
    "charge too small in yen": (charge(amount=49, currency="jpy"), "amount"),
    "charge of nine digits": (charge(amount=100_000_000), "amount"),
    "charge with a used token": (lambda api: charge(source=used_token(api))(api), "source"),
    "share beside a fee": (charge(destination={"account": ACCOUNT, "amount": 5}, application_fee=5), None),
    "share above": (charge(destination={"account": ACCOUNT, "amount": 2001}), "destination[amount]"),
    "customer of a charge is set once": (
        lambda api: api.post(charged(api, customer=customer(api, source="tok_visa")), customer=customer(api)),
        "customer",
    ),
    "group of a charge is set once": (
        lambda api: api.post(charged(api, source="tok_visa", transfer_group="a"), transfer_group="b"),
        "transfer_group",
    ),
    "fee above a charge's capture": (
        lambda api: api.post(
            f"{charged(api, source='tok_visa', capture=False)}/capture", amount=500, application_fee_amount=501
        ),
        "application_fee_amount",
    ),
    "charge captured above": (
        lambda api: api.post(f"{charged(api, source='tok_visa', capture=False)}/capture", amount=2001),
        "amount",
    ),
    "refund of an intent that has not paid": (
        lambda api: api.post("/v1/refunds", payment_intent=intent(api).rpartition("/")[2]),
        None,
    ),
    "a refund changes its metadata only": (
        lambda api: api.post(
            f"/v1/refunds/{api.ok('POST', charged(api, source='tok_visa') + '/refunds')['id']}", reason="duplicate"
        ),
        "reason",
    ),
    "a loose payment method is not updated": (
        lambda api: api.post(
            f"/v1/payment_methods/{new(api, 'payment_methods', type='card', card={'token': 'tok_visa'})}",
            metadata={"a": "b"},
        ),
        None,
    ),
    "a finished setup is not canceled": (
        lambda api: api.post(
            f"/v1/setup_intents/{new(api, 'setup_intents', **SETUP, confirm=True)}/cancel",
        ),
        None,
    ),
    "long evidence": (
        lambda api: api.post(disputed(api), evidence=dict.fromkeys(TEXTS, "x" * 19_000)),
        "evidence",
    ),
    "refund of nothing": (lambda api: api.post("/v1/refunds", amount=5), None),
    "invoice_prefix": (lambda api: api.post("/v1/customers", invoice_prefix="ab"), "invoice_prefix"),
    "business_name": (lambda api: api.post("/v1/customers", business_name="x" * 151), "business_name"),
    "email": (lambda api: api.post("/v1/customers", email="x" * 510 + "@example.com"), "email"),
    "redisplay limit": (
        lambda api: api.post(
            "/v1/customer_sessions",
            customer=customer(api),
            components={"payment_element": {"enabled": True, "features": {"payment_method_redisplay_limit": 11}}},
        ),
        "components[payment_element][features][payment_method_redisplay_limit]",
    ),
    "receiver of another flow": (
        sources(type="card", token="tok_visa", receiver={"refund_attributes_method": "email"}),
        "receiver",
    ),
    "acceptance of another type": (
        sources(
            type="sepa_debit",
            sepa_debit={"iban": "DE89370400440532013000"},
            currency="eur",
            owner={"name": "J"},
            mandate={"acceptance": {"status": "accepted", "type": "online", "offline": {"contact_email": "a@b.org"}}},
        ),
        "mandate[acceptance][offline]",
    ),
    "source without a type": (sources(currency="eur"), "type"),
    "redirect source without an amount": (sources(type="ideal", currency="eur"), "amount"),
}


@rule_table
@pytest.mark.parametrize("name", ROWS)
def test_a_rule_of_the_document_is_kept(api: Api, name: str) -> None:
    ask, param = ROWS[name]
    refused = ask(api)
    assert (refused.status, refused.error["type"], refused.error.get("param")) == (400, "invalid_request_error", param)


@pytest.mark.parametrize("limit", [0, 101])
@pytest.mark.parametrize(
    "path", ["payment_intents", "setup_intents", "charges", "refunds", "disputes", "customers", "payment_methods"]
)
def test_a_page_has_one_to_a_hundred_objects(api: Api, path: str, limit: int) -> None:
    refused = api.get(f"/v1/{path}", limit=limit)
    assert (refused.status, refused.error["param"]) == (400, "limit")


def test_a_customer_with_cash_is_not_deleted(api: Api) -> None:
    id = customer(api)
    api.ok("POST", f"/v1/test_helpers/customers/{id}/fund_cash_balance", amount=500, currency="usd")
    refused = api.send("DELETE", f"/v1/customers/{id}")
    assert refused.status == 400
    assert "cash balance" in refused.error["message"]
    assert "deleted" not in api.get(f"/v1/customers/{id}")
