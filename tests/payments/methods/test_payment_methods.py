"""Payment methods: what customers pay with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.steps import monthly
from tests.support.api import Answer, Api, rule_table


def test_a_detached_payment_method_cannot_be_attached_again(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    method = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
    other = api.ok("post", "/v1/customers")
    refused = api.post(f"/v1/payment_methods/{method['id']}/attach", customer=other["id"])
    assert refused.error["message"] == "The payment method you provided has already been attached to a customer."
    api.ok("post", f"/v1/payment_methods/{method['id']}/detach")
    again = api.post(f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    assert again.error["message"].startswith("The provided PaymentMethod was previously used")


def test_a_publishable_key_makes_payment_methods_and_tokens_and_sees_no_fingerprint(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    method = api.ok("post", "/v1/payment_methods", key=api.pk, type="card", card=card)
    assert "metadata" not in method
    assert "fingerprint" not in method["card"]
    assert "fingerprint" not in api.ok("post", "/v1/tokens", key=api.pk, card=card)["card"]
    assert api.get("/v1/customers", key=api.pk).error["code"] == "secret_key_required"


def test_of_a_card_saved_the_old_way_only_the_metadata_is_changed_as_a_payment_method(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    card = api.ok("post", f"/v1/customers/{customer}/sources", source="tok_visa")["id"]
    assert api.post(f"/v1/payment_methods/{card}", metadata={"a": "b"})["metadata"] == {"a": "b"}
    refused = api.post(f"/v1/payment_methods/{card}", billing_details={"name": "Jenny Rosen"})
    assert (refused.status, refused.error["code"]) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "type"),
        ({"type": "card"}, "card"),
        ({"type": "sepa_debit"}, "sepa_debit[iban]"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013001"}}, "sepa_debit[iban]"),
        (
            {"type": "us_bank_account", "us_bank_account": {"account_number": "000123456789"}},
            "us_bank_account[routing_number]",
        ),
    ],
)
def test_a_method_has_a_type_and_its_data(api: Api, params: dict[str, Any], param: str) -> None:
    refused = api.post("/v1/payment_methods", **params)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_only_an_attached_method_is_changed(api: Api) -> None:
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    path = f"/v1/payment_methods/{method}"
    assert api.post(path, metadata={"a": "1"}).status == 400
    api.ok("POST", f"{path}/attach", customer=api.ok("POST", "/v1/customers")["id"])
    assert api.ok("POST", path, metadata={"a": "1"})["metadata"] == {"a": "1"}


def test_a_method_is_attached_after_it_was_made_and_detached_while_it_is_attached(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    card = {"type": "card", "card": {"token": "tok_visa"}}
    assert api.post("/v1/payment_methods", customer=customer, **card).refusal == (
        400,
        None,
        None,
        "You cannot attach a PaymentMethod to a Customer during PaymentMethod creation. Please instead create the"
        " PaymentMethod and then attach it using the attachment method of the PaymentMethods API.",
    )
    path = f"/v1/payment_methods/{api.ok('POST', '/v1/payment_methods', **card)['id']}"
    assert api.post(f"{path}/attach").refusal == (
        400,
        "parameter_missing",
        None,
        "Must provide customer or customer_account.",
    )
    assert api.post(f"{path}/detach").refusal == (
        400,
        None,
        None,
        "The payment method you provided is not attached to a customer so detachment is impossible.",
    )


#: What a payment method has been through -> how.
STATES: dict[str, Callable[[Api], str]] = {
    "unattached": lambda api: _new(api),
    "attached": lambda api: _attached(api),
    "detached": lambda api: str(api.ok("POST", f"/v1/payment_methods/{_attached(api)}/detach")["id"]),
    "spent": lambda api: _spent(api),
    "of a deleted customer": lambda api: _left(api),
}


def _new(api: Api) -> str:
    return str(api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"])


def _customer(api: Api) -> str:
    return str(api.ok("POST", "/v1/customers")["id"])


def _attached(api: Api) -> str:
    return str(api.ok("POST", f"/v1/payment_methods/{_new(api)}/attach", customer=_customer(api))["id"])


def _spent(api: Api) -> str:
    """One that paid once, for nobody."""
    method = _new(api)
    api.ok("POST", "/v1/payment_intents", payment_method=method, confirm=True, **PAYMENT)
    return method


def _left(api: Api) -> str:
    method = _attached(api)
    api.ok("DELETE", f"/v1/customers/{api.get(f'/v1/payment_methods/{method}')['customer']}")
    return method


PAYMENT = {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"]}
#: One step with a payment method; for its customer, or a new one while it has none.
Step = Callable[[Api, str, str], Answer]


def _pay(api: Api, method: str, customer: str) -> Answer:
    who = {"customer": customer} if customer else {}
    return api.post("/v1/payment_intents", payment_method=method, confirm=True, **PAYMENT, **who)


def _save(api: Api, method: str, customer: str) -> Answer:
    who = {"customer": customer} if customer else {}
    types = {"allowed_payment_method_types": ["card"]}
    return api.post("/v1/setup_intents", payment_method=method, confirm=True, **types, **who)


def _subscribe(api: Api, method: str, customer: str) -> Answer:
    items = [{"price": monthly(api)}]
    return api.post("/v1/subscriptions", customer=customer, items=items, default_payment_method=method)


def _owed(api: Api, customer: str, **params: object) -> Answer:
    """A finalized invoice of 10 dollars; what is told is told when it is made."""
    made = api.post("/v1/invoices", customer=customer, **params)
    if made.status == 200:
        api.ok("POST", "/v1/invoiceitems", customer=customer, invoice=made["id"], amount=1000, currency="usd")
        return api.ok("POST", f"/v1/invoices/{made['id']}/finalize", auto_advance=False)
    return made


def _pay_invoice(api: Api, method: str, customer: str) -> Answer:
    return api.post(f"/v1/invoices/{_owed(api, customer)['id']}/pay", payment_method=method)


def _default(api: Api, method: str, customer: str) -> Answer:
    return api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})


def _to(path: str) -> Step:
    return lambda api, method, customer: api.post(f"/v1/payment_methods/{method}{path}", customer=customer)


def _another(step: Step) -> Step:
    """The step for another customer than the one who has the payment method."""
    return lambda api, method, customer: step(api, method, _customer(api))


GONE = dict.fromkeys(("detached", "spent", "of a deleted customer"), "It may not be used again.")
LOOSE = ("unattached", "detached", "spent", "of a deleted customer")
NOT_HIS = dict.fromkeys(LOOSE, "The payment method must be attached to the customer.")
NOT_THEIRS = "does not belong to the Customer you supplied"
#: What is done -> how, and the states in which it is refused, with words of the refusal.
TABLE: dict[str, tuple[Step, dict[str, str]]] = {
    "attach it": (_to("/attach"), GONE),
    "attach it to another customer": (
        _another(_to("/attach")),
        {**GONE, "attached": "The payment method you provided has already been attached to a customer."},
    ),
    "detach it": (
        lambda api, method, customer: api.post(f"/v1/payment_methods/{method}/detach"),
        dict.fromkeys(LOOSE, "is not attached to a customer so detachment is impossible."),
    ),
    "change it": (
        lambda api, method, customer: api.post(f"/v1/payment_methods/{method}", metadata={"a": "b"}),
        dict.fromkeys(LOOSE, "You must save this PaymentMethod to a customer before you can update it."),
    ),
    "pay with it": (_pay, GONE),
    "pay with it for nobody": (
        lambda api, method, customer: _pay(api, method, ""),
        {**GONE, "attached": "belongs to the Customer cus_"},
    ),
    "pay with it for another customer": (_another(_pay), {**GONE, "attached": NOT_THEIRS}),
    "save it": (_save, GONE),
    "save it for nobody": (
        lambda api, method, customer: _save(api, method, ""),
        {**GONE, "attached": "belongs to the Customer cus_"},
    ),
    "save it for another customer": (_another(_save), {**GONE, "attached": NOT_THEIRS}),
    "make it the customer's default": (_default, NOT_HIS),
    "subscribe with it": (_subscribe, NOT_HIS),
    "subscribe another customer with it": (
        _another(_subscribe),
        {**NOT_HIS, "attached": "The payment method must be attached to the customer."},
    ),
    "invoice it": (lambda api, method, customer: _owed(api, customer, default_payment_method=method), NOT_HIS),
    "pay an invoice with it": (_pay_invoice, GONE),
    "pay an invoice of another customer with it": (
        _another(_pay_invoice),
        {**GONE, "attached": NOT_THEIRS},
    ),
}


@rule_table
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", TABLE)
def test_each_step_is_for_payment_methods_in_its_states(api: Api, what: str, state: str) -> None:
    step, refusals = TABLE[what]
    before = api.get(f"/v1/payment_methods/{STATES[state](api)}")
    answer = step(api, before["id"], before["customer"] or _customer(api))
    assert (answer.status == 200) == (state not in refusals), answer
    if state in refusals:
        assert answer.status == 400
        assert refusals[state] in answer.error["message"]
        assert api.get(f"/v1/payment_methods/{before['id']}") == before


def test_a_payment_method_of_nobody_is_saved_once_and_then_attached(api: Api) -> None:
    method = _new(api)
    assert _save(api, method, "")["status"] == "succeeded"
    assert "It may not be used again." in _save(api, method, "").error["message"]
    assert api.post(f"/v1/payment_methods/{method}/attach", customer=_customer(api)).status == 200


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"type": "card", "sepa_debit": {"iban": "DE89370400440532013000"}}, "sepa_debit"),
        ({"type": "paypal", "card": {"token": "tok_visa"}}, "card"),
        (
            {"type": "us_bank_account", "us_bank_account": {"financial_connections_account": "fca_1"}},
            "us_bank_account[financial_connections_account]",
        ),
        ({"type": "upi", "upi": {"mandate_options": {"amount": 5}}}, "upi[mandate_options]"),
        ({"type": "card", "interac_present": {"number": "1"}}, "interac_present"),
    ],
)
def test_details_that_would_not_act_are_refused_by_name(api: Api, params: dict[str, Any], param: str) -> None:
    given = {"card": {"token": "tok_visa"}, **params} if params["type"] == "card" else params
    refused = api.post("/v1/payment_methods", **given)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_payment_method_shows_its_radar_session(api: Api) -> None:
    made = api.ok(
        "POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"}, radar_options={"session": "rse_1"}
    )
    assert made["radar_options"] == {"session": "rse_1"}
