"""Ephemeral keys: an hour's access to one customer and nothing else."""

from __future__ import annotations

import pytest

from tests.support.altered import altered
from tests.support.api import Api
from tests.support.openapi import assert_valid
from tests.support.recipes import Maker
from tollkey.db import Scope


def _key(api: Api, customer: str) -> dict[str, object]:
    made = api.ok("POST", "/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2024-06-20"})
    assert_valid("POST", "/v1/ephemeral_keys", 200, dict(made))
    return made


def test_a_key_reads_its_customer_and_saves_a_card_to_it(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    ek = str(_key(api, customer)["secret"])
    assert ek.startswith("ek_test_")
    assert api.get(f"/v1/customers/{customer}", key=ek)["id"] == customer
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    assert api.post(f"/v1/payment_methods/{method}/attach", key=ek, customer=customer)["customer"] == customer
    assert [one["id"] for one in api.get("/v1/payment_methods", key=ek, type="card")["data"]] == [method]


def test_another_customer_and_what_belongs_to_it_does_not_exist_for_the_key(api: Api) -> None:
    mine, other = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    ek = str(_key(api, mine)["secret"])
    assert api.get(f"/v1/customers/{other}", key=ek).error["message"] == f"No such customer: '{other}'"
    assert api.get("/v1/payment_methods", key=ek, customer=other).error["param"] == "customer"
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    api.ok("POST", f"/v1/payment_methods/{method}/attach", customer=other)
    assert api.post(f"/v1/payment_methods/{method}/detach", key=ek).status == 404
    assert api.get(f"/v1/payment_methods/{method}")["customer"] == other


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/v1/customers"), ("get", "/v1/charges"), ("post", "/v1/payment_intents")]
)
def test_nothing_else_is_open_to_it(api: Api, method: str, path: str) -> None:
    ek = str(_key(api, api.ok("POST", "/v1/customers")["id"])["secret"])
    answer = getattr(api, method)(path, key=ek)
    assert (answer.status, answer.error.get("code")) == (403, None)
    before, after = answer.error["message"].split(ek[-4:])
    assert before.startswith("The provided key 'ek_test_*****")
    assert after == (
        f"' does not have the required permissions for this endpoint on account '{api.account}'."
        " Having more permissions would allow this request to continue."
    )


def test_after_an_hour_or_once_deleted_it_is_expired(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    first, second = _key(api, customer), _key(api, customer)
    api.ok("DELETE", f"/v1/ephemeral_keys/{first['id']}")
    assert api.get(f"/v1/customers/{customer}", key=str(first["secret"])).error["code"] == "api_key_expired"
    assert api.get(f"/v1/customers/{customer}", key=str(second["secret"])).status == 200
    api.advance(3600)
    assert api.get(f"/v1/customers/{customer}", key=str(second["secret"])).status == 401


def test_a_key_is_deleted_a_week_after_it_has_expired(api: Api) -> None:
    made = _key(api, api.ok("POST", "/v1/customers")["id"])
    scope, tables = Scope(api.account, False), api.core.setup.tables

    def stored() -> object:
        return api.core.database.read(lambda tx: tables.load(tx, scope, "ephemeral_key", str(made["id"])))

    api.advance(3600 + 7 * 86_400 - 1)
    assert stored() is not None
    api.advance(1)
    assert stored() is None


def test_a_forged_key_is_unknown(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    text = str(_key(api, customer)["secret"])
    forged = altered(text)
    answer = api.get(f"/v1/customers/{customer}", key=forged)
    assert (answer.status, answer.error["message"].startswith("Invalid API Key provided: ek_test_")) == (401, True)


def test_the_secret_is_not_stored(api: Api) -> None:
    text = str(_key(api, api.ok("POST", "/v1/customers")["id"])["secret"])
    rows = api.core.database.read(lambda tx: tx.execute("SELECT body, private FROM obj_ephemeral_key"))
    assert not any(text[-8:] in str(cell) for row in rows for cell in row)


@pytest.mark.parametrize(
    ("name", "object"), [("issuing_card", "issuing.card"), ("verification_session", "identity.verification_session")]
)
def test_a_key_about_a_card_or_a_session_opens_no_customer(api: Api, name: str, object: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    text = api.ok(
        "POST", "/v1/ephemeral_keys", headers={"Stripe-Version": "2020-08-27"}, **{name: Maker(api).make(object)["id"]}
    )["secret"]
    assert api.get(f"/v1/customers/{customer}", key=text).status == 404
    assert api.get("/v1/payment_methods", key=text, type="card").status == 400
    assert api.get("/v1/payment_methods", key=text, type="card", customer=customer).status == 400


def test_a_nonce_is_refused_by_name(api: Api) -> None:
    refused = api.post(
        "/v1/ephemeral_keys", headers={"Stripe-Version": "2020-08-27"}, nonce="ephkn_1", customer="cus_1"
    )
    assert (refused.status, refused.error["param"]) == (400, "nonce")
