"""What the parameters of an intent may not say together: one row a rule, with the parameter that is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.intents.steps import BACK, PAYMENT, SAVING
from tests.support.api import Api
from tests.support.versions import BEFORE_ENDIVE

ACCEPTANCE = {"customer_acceptance": {"type": "offline"}}
LINE = {"product_name": "Tea", "quantity": 1, "unit_cost": 2000}


def options(kind: str, **given: Any) -> dict[str, Any]:
    return {"payment_method_options": {kind: given}}


def bacs(prefix: str) -> dict[str, Any]:
    return options("bacs_debit", mandate_options={"reference_prefix": prefix})


def mandate(interval: str, count: int) -> dict[str, Any]:
    given = {"reference": "r", "amount": 5, "amount_type": "fixed", "start_date": 1_767_225_600}
    return options("card", mandate_options={**given, "interval": interval, "interval_count": count})


#: what is asked, the parameter that the refusal names (None: no parameter), and what is allowed beside it
ROWS: tuple[tuple[str, dict[str, Any], str | None, dict[str, Any]], ...] = (
    ("return_url", {"return_url": BACK}, "return_url", {}),
    ("mandate_data", {"mandate_data": ACCEPTANCE}, "mandate_data", {}),
    ("mandate", {"mandate": "mandate_1"}, "mandate", {}),
    ("error_on_requires_action", {"error_on_requires_action": True}, "error_on_requires_action", {}),
    ("confirmation_token", {"confirmation_token": "ctoken_1"}, "confirmation_token", {}),
    (
        "discounts",
        {"amount_details": {"discount_amount": 5, "line_items": [{**LINE, "discount_amount": 5}]}},
        None,
        {"amount_details": {"discount_amount": 5, "line_items": [{**LINE, "unit_cost": 2005}]}},
    ),
    (
        "taxes",
        {
            "amount_details": {
                "tax": {"total_tax_amount": 5},
                "line_items": [{**LINE, "tax": {"total_tax_amount": 5}}],
            }
        },
        None,
        {"amount_details": {"tax": {"total_tax_amount": 5}, "line_items": [{**LINE, "unit_cost": 1995}]}},
    ),
    (
        "unit_of_measure",
        {"amount_details": {"line_items": [{**LINE, "unit_of_measure": "a b"}]}},
        "amount_details[line_items][0][unit_of_measure]",
        {"amount_details": {"line_items": [{**LINE, "unit_of_measure": "kilo"}]}},
    ),
    (
        "afterpay reference",
        options("afterpay_clearpay", reference="a b"),
        "payment_method_options[afterpay_clearpay][reference]",
        options("afterpay_clearpay", reference="a_b-c\\1"),
    ),
    (
        "bacs prefix",
        bacs("lower"),
        "payment_method_options[bacs_debit][mandate_options][reference_prefix]",
        bacs("UP/1_-&."),
    ),
    (
        "bacs reserved",
        bacs("DDIC1"),
        "payment_method_options[bacs_debit][mandate_options][reference_prefix]",
        bacs("ADDIC"),
    ),
    (
        "mandate months",
        mandate("month", 13),
        "payment_method_options[card][mandate_options][interval_count]",
        mandate("month", 12),
    ),
    (
        "mandate years",
        mandate("year", 2),
        "payment_method_options[card][mandate_options][interval_count]",
        mandate("year", 1),
    ),
    ("card network", options("card", network="visa"), "payment_method_options[card][network]", {}),
    ("cvc_token", options("card", cvc_token="tok_1"), "payment_method_options[card][cvc_token]", {}),
    ("blik code", options("blik", code="123456"), "payment_method_options[blik][code]", {}),
    (
        "konbini digits",
        options("konbini", confirmation_number="123"),
        "payment_method_options[konbini][confirmation_number]",
        options("konbini", confirmation_number="1234567890"),
    ),
    (
        "konbini zeroes",
        options("konbini", confirmation_number="00000000000"),
        "payment_method_options[konbini][confirmation_number]",
        options("konbini", confirmation_number="10000000000"),
    ),
    (
        "konbini expiry",
        options("konbini", expires_at=1_767_400_000, expires_after_days=2),
        None,
        options("konbini", expires_after_days=2),
    ),
    (
        "pix expiry",
        options("pix", expires_at=1_767_400_000, expires_after_seconds=60),
        None,
        options("pix", expires_after_seconds=60),
    ),
    (
        "pix mandate",
        options("pix", mandate_options={"amount": 5}),
        "payment_method_options[pix][mandate_options]",
        options("pix", mandate_options={"amount": 5}, setup_future_usage="off_session"),
    ),
    (
        "target_date form",
        options("sepa_debit", target_date="tomorrow"),
        "payment_method_options[sepa_debit][target_date]",
        options("sepa_debit", target_date="2026-01-04"),
    ),
    (
        "target_date early",
        options("sepa_debit", target_date="2026-01-03"),
        "payment_method_options[sepa_debit][target_date]",
        options("sepa_debit", target_date="2026-01-16"),
    ),
    (
        "target_date late",
        options("sepa_debit", target_date="2026-01-17"),
        "payment_method_options[sepa_debit][target_date]",
        options("sepa_debit", target_date="2026-01-10"),
    ),
    (
        "wechat app",
        options("wechat_pay", client="ios"),
        "payment_method_options[wechat_pay][app_id]",
        options("wechat_pay", client="ios", app_id="wx1"),
    ),
    (
        "acss interval",
        options("acss_debit", mandate_options={"payment_schedule": "interval", "transaction_type": "personal"}),
        "payment_method_options[acss_debit][mandate_options][interval_description]",
        options(
            "acss_debit",
            mandate_options={
                "payment_schedule": "interval",
                "interval_description": "monthly",
                "transaction_type": "personal",
            },
        ),
    ),
    (
        "permissions",
        options("us_bank_account", financial_connections={"permissions": ["balances"]}),
        "payment_method_options[us_bank_account][financial_connections][permissions]",
        options("us_bank_account", financial_connections={"permissions": ["balances", "payment_method"]}),
    ),
)


@pytest.mark.parametrize(("name", "asked", "param", "allowed"), ROWS, ids=[row[0] for row in ROWS])
def test_parameters_that_contradict_each_other_are_refused(
    api: Api, name: str, asked: dict[str, Any], param: str | None, allowed: dict[str, Any]
) -> None:
    refused = api.post("/v1/payment_intents", **PAYMENT, **asked)
    assert (refused.status, refused.error["type"], refused.error.get("param")) == (400, "invalid_request_error", param)
    assert api.post("/v1/payment_intents", **PAYMENT, **allowed).status == 200


@pytest.mark.parametrize("name", ["return_url", "mandate_data", "single_use"])
def test_a_setup_that_is_not_confirmed_takes_nothing_of_its_confirmation(api: Api, name: str) -> None:
    given = {"return_url": BACK, "mandate_data": ACCEPTANCE, "single_use": {"amount": 5, "currency": "usd"}}
    types = {"allowed_payment_method_types": ["us_bank_account"]}
    refused = api.post("/v1/setup_intents", **types, **{name: given[name]})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "setup_intent_invalid_parameter",
        name,
    )
    assert refused.error["message"] == (
        f"The parameter `{name}` cannot be passed when creating a SetupIntent unless `confirm` is set to true."
    )


def test_a_mandate_for_one_debit_is_not_for_cards(api: Api) -> None:
    given = {"confirm": True, "single_use": {"amount": 5, "currency": "usd"}}
    refused = api.post("/v1/setup_intents", **SAVING, payment_method="pm_card_visa", **given)
    assert (refused.status, refused.error["param"]) == (400, "single_use")


def test_a_setup_for_oneself_has_no_customer(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post("/v1/setup_intents", **SAVING, attach_to_self=True, customer=customer)
    assert "attach_to_self, customer" in refused.error["message"]


def test_a_network_is_chosen_when_confirming(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **PAYMENT)
    path = f"/v1/payment_intents/{intent['id']}"
    assert api.post(path, **options("card", network="visa")).error["param"] == "payment_method_options[card][network]"
    done = api.post(f"{path}/confirm", payment_method="pm_card_visa", **options("card", network="visa"))
    assert done["status"] == "succeeded"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"line_items": [{**LINE, "unit_cost": 1000, "quantity": 2}]}, 200),
        ({"line_items": [{**LINE, "unit_cost": 2100, "discount_amount": 200}], "shipping": {"amount": 100}}, 200),
        ({"line_items": [{**LINE, "unit_cost": 2003}]}, 400),
        ({"line_items": [{**LINE, "unit_cost": 2003}], "enforce_arithmetic_validation": False}, 200),
    ],
)
def test_the_lines_of_an_amount_add_up_to_it(api: Api, more: dict[str, Any], status: int) -> None:
    answer = api.post("/v1/payment_intents", amount=2000, currency="usd", amount_details=more)
    assert answer.status == status
    if status == 400:
        assert answer.refusal == (
            400,
            None,
            "amount_details",
            "The total value of `amount_details` (2003) does not match the `amount` (2000). Make sure that the total"
            " value of `line_items` matches the amount to charge, taking into account any discounts, tax, and shipping."
            " See https://docs.stripe.com/payments/payment-line-items",
        )


_PLAN = {"type": "fixed_count", "interval": "month", "count": 3}
_RESULT = {"cryptogram": "a", "transaction_id": "b", "version": "2.2.0"}
_DATA = "payment_method_data"
_NZ = {"account_number": "0000000", "bank_code": "11", "branch_code": "0000", "suffix": "00", "reference": "a"}
#: what this server cannot act on, and its name
UNBUILT: tuple[tuple[dict[str, Any], str], ...] = (
    (options("card", three_d_secure=_RESULT), "payment_method_options[card][three_d_secure]"),
    (options("card", installments={"plan": _PLAN}), "payment_method_options[card][installments][plan]"),
    (
        {_DATA: {"type": "nz_bank_account", "nz_bank_account": _NZ}},
        f"{_DATA}[nz_bank_account][reference]",
    ),
    ({_DATA: {"type": "upi", "upi": {"mandate_options": {"amount": 5}}}}, f"{_DATA}[upi][mandate_options]"),
    (
        {_DATA: {"type": "us_bank_account", "us_bank_account": {"financial_connections_account": "fca_1"}}},
        f"{_DATA}[us_bank_account][financial_connections_account]",
    ),
)


@pytest.mark.parametrize(("given", "param"), UNBUILT, ids=[param for _, param in UNBUILT])
def test_what_this_server_cannot_act_on_is_refused_by_name(api: Api, given: dict[str, Any], param: str) -> None:
    paths = ["/v1/payment_intents"] if "installments" in param else ["/v1/payment_intents", "/v1/setup_intents"]
    for path in paths:
        answer = api.post(path, **(PAYMENT if path == "/v1/payment_intents" else SAVING), **given)
        assert (answer.status, answer.error["param"]) == (400, param), answer


@pytest.mark.parametrize("step", ["", "/confirm"])
def test_the_options_of_a_setup_intent_keep_their_rules_later_too(api: Api, step: str) -> None:
    made = api.ok("POST", "/v1/setup_intents", allowed_payment_method_types=["card", "bacs_debit"])["id"]
    refused = api.post(f"/v1/setup_intents/{made}{step}", **bacs("lower"))
    param = "payment_method_options[bacs_debit][mandate_options][reference_prefix]"
    assert (refused.status, refused.error["param"]) == (400, param)


PATH = "/v1/payment_intents"
TYPED = {"amount": 20_000, "currency": "mxn"}


@pytest.mark.parametrize(
    ("types", "more", "named"),
    [
        (["oxxo"], {}, '["oxxo"]'),
        (["card", "oxxo", "customer_balance"], {}, '["oxxo", "customer_balance"]'),
        (["card", "oxxo"], {"payment_method_options": {"oxxo": {"setup_future_usage": "none"}}}, None),
        (["card"], {}, None),
    ],
)
def test_types_that_cannot_be_saved_are_not_named_with_future_usage(
    api: Api, types: list[str], more: dict[str, Any], named: str | None
) -> None:
    older = api.under(BEFORE_ENDIVE)
    sent = {**TYPED, "payment_method_types": types, **more}
    usage = {"setup_future_usage": "off_session"}
    made = older.ok("post", PATH, **sent)["id"]
    for answer in (older.post(PATH, **sent, **usage), older.post(f"{PATH}/{made}", **usage)):
        assert answer.status == (200 if named is None else 400)
        if named is not None:
            code, param, message = answer.refusal[1:]
            assert (code, param) == ("payment_intent_invalid_parameter", "setup_future_usage")
            assert message.endswith(f"remove these types from `payment_method_types`: {named}.")


def test_allowed_types_that_cannot_be_saved_are_passed_over_with_future_usage(api: Api) -> None:
    allowed = {"allowed_payment_method_types": ["oxxo", "card"], **TYPED}
    assert api.ok("post", PATH, **allowed)["payment_method_types"] == ["card", "oxxo"]
    saving = api.ok("post", PATH, **allowed, setup_future_usage="off_session")
    assert saving["payment_method_types"] == ["card"]


@pytest.mark.parametrize(("types", "status"), [(["oxxo"], 400), (["card"], 200), (["oxxo", "card"], 200)])
def test_what_is_captured_later_names_a_type_that_can_be(api: Api, types: list[str], status: int) -> None:
    older = api.under(BEFORE_ENDIVE)
    answer = older.post(PATH, **TYPED, payment_method_types=types, capture_method="manual")
    assert answer.status == status
    if status == 400:
        assert answer.error["message"] == "`capture_method=manual` is not supported by payment method type `oxxo`"
