"""What may be done with a source in each of its states, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.api import Answer, Api, rule_table

CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}
IDEAL = {"type": "ideal", "amount": 2000, "currency": "eur", "redirect": {"return_url": "https://shop.example/"}}
DAY = 86_400
CHARGE = {"amount": 2000, "currency": "eur"}


def _ideal(api: Api) -> str:
    return str(api.ok("POST", "/v1/sources", **IDEAL)["id"])


def _answered(api: Api, how: str) -> str:
    source = api.ok("POST", "/v1/sources", **IDEAL)
    assert api.post("/" + source["redirect"]["url"].split("/", 3)[3] + how, key=None).status == 303
    return str(source["id"])


def _card(api: Api) -> str:
    return str(api.ok("POST", "/v1/sources", type="card", card=CARD)["id"])


def _spent(api: Api, id: str) -> str:
    api.ok("POST", "/v1/charges", source=id, **CHARGE)
    return id


def _abandoned(api: Api) -> str:
    id = _ideal(api)
    api.advance(DAY)
    return id


def _attached(api: Api) -> str:
    id = _card(api)
    api.ok("POST", f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/sources", source=id)
    return id


def _detached(api: Api) -> str:
    id = _attached(api)
    api.ok("DELETE", f"/v1/customers/{api.get(f'/v1/sources/{id}')['customer']}/sources/{id}")
    return id


#: Name of a state -> how a source comes to be in it, and the status that it has then.
STATES: dict[str, tuple[Callable[[Api], str], str]] = {
    "pending": (_ideal, "pending"),
    "chargeable once": (lambda api: _answered(api, "/authorize"), "chargeable"),
    "chargeable": (_card, "chargeable"),
    "attached": (_attached, "chargeable"),
    "consumed once": (lambda api: _spent(api, _answered(api, "/authorize")), "consumed"),
    "consumed": (lambda api: _spent(api, _card(api)), "consumed"),
    "detached": (_detached, "consumed"),
    "failed": (lambda api: _answered(api, "/fail"), "failed"),
    "canceled": (_abandoned, "canceled"),
}


def _charge(api: Api, source: Answer) -> Answer:
    return api.post("/v1/charges", source=source["id"], **CHARGE)


def _charge_customer(api: Api, source: Answer) -> Answer:
    """Charge it as a source of its customer, or of another one."""
    customer = source.get("customer") or api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    return api.post("/v1/charges", source=source["id"], customer=customer, **CHARGE)


def _attach(api: Api, source: Answer) -> Answer:
    return api.post(f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/sources", source=source["id"])


def _new_customer(api: Api, source: Answer) -> Answer:
    return api.post("/v1/customers", source=source["id"])


def _detach(api: Api, source: Answer) -> Answer:
    customer = source.get("customer") or api.ok("POST", "/v1/customers")["id"]
    return api.delete(f"/v1/customers/{customer}/sources/{source['id']}")


def _update(api: Api, source: Answer) -> Answer:
    return api.post(f"/v1/sources/{source['id']}", metadata={"a": "b"}, owner={"email": "j@example.com"})


def _verify(api: Api, source: Answer) -> Answer:
    return api.post(f"/v1/sources/{source['id']}/verify", values=["32", "45"])


def _of_type(api: Api, source: Answer) -> dict[str, object]:
    """An intent that takes the source, of the customer who has it."""
    customer = {"customer": source["customer"]} if source.get("customer") else {}
    return {**CHARGE, "allowed_payment_method_types": [source["type"]], **customer}


def _pay(api: Api, source: Answer) -> Answer:
    """Pay an intent with it, named as older clients do."""
    intent = api.ok("POST", "/v1/payment_intents", **_of_type(api, source))
    return api.post(
        f"/v1/payment_intents/{intent['id']}/confirm", source=source["id"], return_url="https://shop.example/"
    )


def _as_method(api: Api, source: Answer) -> Answer:
    """Name it as the payment method of an intent."""
    return api.post("/v1/payment_intents", payment_method=source["id"], **_of_type(api, source))


def _save(api: Api, source: Answer) -> Answer:
    customer = {"customer": source["customer"]} if source.get("customer") else {}
    types = {"allowed_payment_method_types": [source["type"]]}
    return api.post("/v1/setup_intents", payment_method=source["id"], **types, **customer)


def _change_method(api: Api, source: Answer) -> Answer:
    return api.post(f"/v1/payment_methods/{source['id']}", metadata={"a": "b"})


def _attach_method(api: Api, source: Answer) -> Answer:
    customer = source.get("customer") or api.ok("POST", "/v1/customers")["id"]
    return api.post(f"/v1/payment_methods/{source['id']}/attach", customer=customer)


def _detach_method(api: Api, source: Answer) -> Answer:
    return api.post(f"/v1/payment_methods/{source['id']}/detach")


NOT_YET = "not in a chargeable state"
CONSUMED = "The reusable source you provided is consumed"
STATE = "cannot be attached to the customer. It must be chargeable or pending."
ONCE = "cannot be attached to the customer. It must be reusable."
ALREADY = "The source you provided has already been attached to a customer."
LOOSE = "A source must be attached to a customer to be used as a `payment_method`."
ALL = dict.fromkeys(STATES, "")
ATTACHING = {
    **dict.fromkeys(("consumed once", "consumed", "detached", "failed", "canceled"), STATE),
    **dict.fromkeys(("pending", "chargeable once"), ONCE),
    "attached": ALREADY,
}
CHARGING = {
    **dict.fromkeys(("pending", "consumed once", "failed", "canceled"), NOT_YET),
    **dict.fromkeys(("consumed", "detached"), CONSUMED),
}
UNSAVED = dict.fromkeys(set(STATES) - {"attached"}, LOOSE)
#: What is done -> how, and the states in which it is refused, with words of the refusal.
TABLE: dict[str, tuple[Callable[[Api, Answer], Answer], dict[str, str]]] = {
    "charge it": (_charge, {**CHARGING, "attached": "you cannot directly charge a source that is already attached"}),
    "charge it for a customer": (
        _charge_customer,
        {**dict.fromkeys(set(STATES) - {"attached"}, "does not have a linked source"), "consumed": CONSUMED,
         "detached": CONSUMED},
    ),
    "attach it": (_attach, ATTACHING),
    "attach it to a new customer": (_new_customer, ATTACHING),
    "detach it": (_detach, dict.fromkeys(set(STATES) - {"attached"}, "No such source")),
    "update it": (_update, {}),
    "verify it": (_verify, dict.fromkeys(STATES, "its flow is")),
    "pay an intent with it": (_pay, CHARGING),
    "name it as the payment method of a payment": (_as_method, UNSAVED),
    "name it as the payment method of a setup": (_save, UNSAVED),
    "change it as a payment method": (_change_method, UNSAVED),
    "attach it as a payment method": (_attach_method, UNSAVED),
    "detach it as a payment method": (_detach_method, UNSAVED),
}  # fmt: skip


@rule_table
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", TABLE)
def test_each_step_is_for_sources_in_its_states(api: Api, what: str, state: str) -> None:
    make, status = STATES[state]
    source = api.get(f"/v1/sources/{make(api)}")
    assert source["status"] == status
    act, refusals = TABLE[what]
    answer = act(api, source)
    assert (answer.status == 200) == (state not in refusals), answer
    if state in refusals:
        assert answer.status in (400, 404)
        assert refusals[state] in answer.error["message"]
        assert api.get(f"/v1/sources/{source['id']}") == source


def test_a_source_that_an_intent_was_paid_with_is_consumed(api: Api) -> None:
    id = _answered(api, "/authorize")
    intent = _pay(api, api.get(f"/v1/sources/{id}"))
    assert intent["status"] == "succeeded"
    assert api.get(f"/v1/sources/{id}")["status"] == "consumed"


def test_a_pending_source_is_chosen_before_it_can_be_charged(api: Api) -> None:
    source = api.ok("POST", "/v1/sources", **IDEAL)
    intent = api.ok("POST", "/v1/payment_intents", source=source["id"], **_of_type(api, source))
    path = f"/v1/payment_intents/{intent['id']}"
    assert api.post(f"{path}/confirm", return_url="https://shop.example/").status == 400
    api.post("/" + source["redirect"]["url"].split("/", 3)[3] + "/authorize", key=None)
    assert api.ok("POST", f"{path}/confirm", return_url="https://shop.example/")["status"] == "succeeded"
