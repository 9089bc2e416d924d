"""What an intent is to be paid with, or what is to be saved: an id, data typed in just now, or a ConfirmationToken."""

from __future__ import annotations

import pytest

from tests.payments.intents.steps import BACK, pay, saved_card
from tests.support.api import Api
from tests.support.versions import BEFORE_ENDIVE


def test_a_payment_method_of_nobody_is_good_for_one_payment(api: Api) -> None:
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    assert pay(api, method)["status"] == "succeeded"
    assert (
        pay(api, method)
        .error["message"]
        .startswith("The provided PaymentMethod was previously used with a PaymentIntent")
    )


@pytest.mark.parametrize("kind", ["payment_intents", "setup_intents"])
def test_a_method_that_was_detached_after_the_intent_named_it_is_not_used(api: Api, kind: str) -> None:
    customer, method = saved_card(api)
    amount = {"amount": 500, "currency": "usd"} if kind == "payment_intents" else {}
    intent = api.ok("POST", f"/v1/{kind}", customer=customer, payment_method=method, **amount)["id"]
    api.ok("POST", f"/v1/payment_methods/{method}/detach")
    refused = api.post(f"/v1/{kind}/{intent}/confirm", return_url=BACK)
    assert (refused.status, refused.error["message"].partition(",")[0]) == (
        400,
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment",
    )
    assert api.get(f"/v1/{kind}/{intent}")["status"] == "requires_confirmation"


def test_a_customer_s_payment_method_needs_its_customer(api: Api) -> None:
    customer, method = saved_card(api)
    assert pay(api, method).refusal == (
        400,
        "parameter_missing",
        "source",
        f"The `payment_method` parameter supplied {method} belongs to the Customer {customer}."
        " Please include the Customer in the `customer` parameter on the PaymentIntent.",
    )
    other = api.ok("POST", "/v1/customers")["id"]
    theirs = (
        400,
        None,
        "payment_method",
        f"The PaymentMethod {method} does not belong to the Customer you supplied {other}."
        " Please use this PaymentMethod with the Customer that it belongs to instead.",
    )
    assert pay(api, method, customer=other).refusal == theirs
    assert api.post("/v1/setup_intents", payment_method=method, customer=other).refusal == theirs
    saving = api.ok("POST", "/v1/setup_intents")["id"]
    refused = api.post(f"/v1/setup_intents/{saving}/confirm", payment_method=method)
    assert refused.error["setup_intent"]["id"] == saving
    assert refused.refusal == (
        400,
        None,
        "payment_method",
        f"The payment method supplied ({method}) belongs to the Customer {customer}."
        " Please include the Customer in the `customer` parameter on the SetupIntent.",
    )
    assert pay(api, method, customer=customer)["status"] == "succeeded"


@pytest.mark.parametrize("path", ["payment_intents", "setup_intents"])
def test_the_allowed_types_can_change_when_confirming(api: Api, path: str) -> None:
    given = {"amount": 2000, "currency": "usd"} if path == "payment_intents" else {}
    made = api.ok("POST", f"/v1/{path}", allowed_payment_method_types=["us_bank_account"], **given)
    where = f"/v1/{path}/{made['id']}"
    assert api.post(f"{where}/confirm", payment_method="pm_card_visa").status == 400
    done = api.ok("POST", f"{where}/confirm", payment_method="pm_card_visa", allowed_payment_method_types=["card"])
    assert (done["status"], done["payment_method_types"]) == ("succeeded", ["card"])
    assert done["allowed_payment_method_types"] == ["card"]


@pytest.mark.parametrize("path", ["payment_intents", "setup_intents"])
def test_types_are_allowed_or_excluded_when_updating(api: Api, path: str) -> None:
    given = {"amount": 2000, "currency": "usd"} if path == "payment_intents" else {}
    made = api.ok("POST", f"/v1/{path}", **given)
    both = {"allowed_payment_method_types": ["card"], "excluded_payment_method_types": ["klarna"]}
    refused = api.post(f"/v1/{path}/{made['id']}", **both)
    assert (refused.status, refused.error["code"]) == (400, "parameters_exclusive")


@pytest.mark.parametrize("path", ["payment_intents", "setup_intents"])
def test_types_excluded_by_an_update_alone_leave_the_intent_until_they_are_included_again(api: Api, path: str) -> None:
    given = {"amount": 2000, "currency": "usd"} if path == "payment_intents" else {}
    made = api.ok("POST", f"/v1/{path}", automatic_payment_methods={"enabled": True}, **given)
    all_types = made["payment_method_types"]
    where = f"/v1/{path}/{made['id']}"
    excluded = all_types[-1]
    fewer = api.ok("POST", where, excluded_payment_method_types=[excluded])
    assert (fewer["payment_method_types"], fewer["excluded_payment_method_types"]) == (all_types[:-1], [excluded])
    assert fewer["automatic_payment_methods"] == made["automatic_payment_methods"]
    other = {"currency": "usd"} if path == "payment_intents" else {"payment_method_configuration": _configured(api)}
    assert api.ok("POST", where, **other)["payment_method_types"] == fewer["payment_method_types"]
    assert api.ok("POST", where, excluded_payment_method_types="")["payment_method_types"] == all_types


def _configured(api: Api) -> str:
    """The id of the configuration that an intent has by default."""
    return str(api.get("/v1/payment_method_configurations")["data"][0]["id"])


def test_a_configuration_chosen_by_an_update_decides_a_setup_intents_types(api: Api) -> None:
    made = api.ok("POST", "/v1/setup_intents", automatic_payment_methods={"enabled": True})
    off = {"link": {"display_preference": {"preference": "off"}}}
    other = api.ok("POST", "/v1/payment_method_configurations", name="No Link", **off)["id"]
    changed = api.ok("POST", f"/v1/setup_intents/{made['id']}", payment_method_configuration=other)
    assert changed["payment_method_configuration_details"]["id"] == other
    assert "link" in made["payment_method_types"]
    assert "link" not in changed["payment_method_types"]


@pytest.mark.parametrize("change", [{"currency": "usd"}, {"excluded_payment_method_types": ["klarna"]}])
def test_the_configuration_that_was_chosen_still_decides_after_other_changes(
    api: Api, change: dict[str, object]
) -> None:
    off = {"link": {"display_preference": {"preference": "off"}}}
    chosen = api.ok("POST", "/v1/payment_method_configurations", name="No Link", **off)["id"]
    made = api.ok(
        "POST", "/v1/payment_intents", amount=2000, currency="usd", payment_method_configuration=chosen,
        automatic_payment_methods={"enabled": True},
    )  # fmt: skip
    changed = api.ok("POST", f"/v1/payment_intents/{made['id']}", **change)
    assert changed["payment_method_configuration_details"]["id"] == chosen
    assert "link" not in changed["payment_method_types"]


def test_named_types_replace_the_allowed_ones(api: Api) -> None:
    older = api.under(BEFORE_ENDIVE)
    made = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd", allowed_payment_method_types=["card"])
    path = f"/v1/payment_intents/{made['id']}"
    older.ok("POST", path, payment_method_types=["card", "link"])
    assert older.ok("POST", path, currency="eur")["payment_method_types"] == ["card", "link"]
    assert not api.get(path).get("allowed_payment_method_types")


#: Kind of intent -> how its types were named.
NAMED = {
    "payment_intents": {"amount": 2000, "currency": "usd", "payment_method_types": ["card"]},
    "setup_intents": {"payment_method_types": ["card"]},
}


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("later", [False, True])
def test_a_configuration_that_decides_nothing_is_refused(api: Api, kind: str, later: bool) -> None:
    api, given = api.under(BEFORE_ENDIVE), dict(NAMED[kind])
    types = {"payment_method_types": given.pop("payment_method_types")} if later else {}
    made = api.ok("POST", f"/v1/{kind}", **given)
    answer = api.post(f"/v1/{kind}/{made['id']}", payment_method_configuration=_configured(api), **types)
    assert answer.refusal == (
        400, None, "payment_method_configuration",
        "You can only specify `payment_method_configuration` for an intent with `automatic_payment_methods`.",
    )  # fmt: skip
    assert api.get(f"/v1/{kind}/{made['id']}") == made
