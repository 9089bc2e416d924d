"""A database that an earlier version wrote goes on working: private fields are brought into today's form once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.wire.rewriting import rewrite_old

FAILS = "DE62370400440532013001"  # the test account whose debits fail
PERSON = {"first_name": "Jane", "last_name": "Doe", "id_number": "874521903"}


def write_as_before(api: Api, object: str, id: str, private: dict[str, Any]) -> None:
    """Put these private fields in place of an object's own."""
    text = json.dumps(private).encode()
    api.core.database.write(lambda tx: tx.execute(f"UPDATE obj_{object} SET private = ? WHERE id = ?", (text, id)))


def start_again(api: Api, piece: int = 500) -> None:
    """What a newer version does at its first start."""
    database = api.core.database
    database.write(lambda tx: tx.execute("DELETE FROM migrations WHERE module LIKE 'rewrite %'"))
    rewrite_old(database, api.core.setup.tables, api.core.authority.keyring, piece)


def private_of(api: Api, object: str, id: str) -> bytes:
    rows = api.core.database.read(lambda tx: tx.execute(f"SELECT private FROM obj_{object} WHERE id = ?", (id,)))
    return bytes(rows[0][0] or b"")


def test_an_account_token_and_a_person_token_in_clear_are_sealed_and_still_good(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="custom", country="US")["id"]
    told = {"business_type": "individual", "individual": PERSON}
    ct, cpt = (api.ok("POST", "/v1/tokens", **given)["id"] for given in ({"account": told}, {"person": PERSON}))
    write_as_before(api, "token", ct, {"_account": told})
    write_as_before(api, "token", cpt, {"_person": PERSON})
    start_again(api)
    assert all(b"874521903" not in private_of(api, "token", id) for id in (ct, cpt))
    made = api.ok("POST", "/v1/accounts", type="custom", country="US", account_token=ct)
    assert made["individual"]["first_name"] == "Jane"
    assert api.ok("POST", f"/v1/accounts/{account}/persons", person_token=cpt)["last_name"] == "Doe"


@pytest.mark.parametrize(("given", "private"), [
    ({"pii": {"id_number": "874521903"}}, {"_pii": {"id_number": "874521903"}}),
    ({"cvc_update": {"cvc": "973"}}, {"_cvc_update": {"cvc": "973"}}),
])  # fmt: skip
def test_numbers_of_people_and_security_codes_in_clear_are_dropped(
    api: Api, given: dict[str, Any], private: dict[str, Any]
) -> None:
    token = api.ok("POST", "/v1/tokens", **given)
    write_as_before(api, "token", token["id"], private)
    start_again(api)
    assert private_of(api, "token", token["id"]) == b""
    assert api.ok("GET", f"/v1/tokens/{token['id']}") == token


def test_a_test_account_that_was_kept_by_its_number_still_fails_and_its_number_is_gone(api: Api) -> None:
    billing = {"name": "Jane", "email": "jane@example.com"}
    method = api.ok(
        "POST", "/v1/payment_methods", type="sepa_debit", sepa_debit={"iban": FAILS}, billing_details=billing
    )["id"]
    write_as_before(api, "payment_method", method, {"_bank": FAILS})
    start_again(api)
    assert FAILS.encode() not in private_of(api, "payment_method", method)
    accepted = {"customer_acceptance": {"type": "offline"}}
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=3000, currency="eur", payment_method=method,
        allowed_payment_method_types=["sepa_debit"],
        confirm=True, mandate_data=accepted,
    )["id"]  # fmt: skip
    api.advance(3600)
    assert api.ok("GET", f"/v1/payment_intents/{intent}")["last_payment_error"]["code"] is not None


@pytest.mark.parametrize("object", ["payment_method", "source", "bank_account", "token"])
def test_a_number_that_belongs_to_no_test_account_is_dropped(api: Api, object: str) -> None:
    value = {"id": f"{object}_{api.now}", "object": object, "created": api.now, "_bank": "000999999999", "_used": True}
    api.core.database.write(
        lambda tx: api.core.call(tx, Scope(api.account, False), api.now).objects.insert(dict(value))
    )
    start_again(api)
    assert json.loads(private_of(api, object, value["id"])) == {"_used": True}


def test_more_than_one_piece_is_rewritten_and_what_was_rewritten_is_not_looked_at_again(api: Api) -> None:
    tokens = [api.ok("POST", "/v1/tokens", pii={"id_number": "874521903"})["id"] for _ in range(5)]
    for id in tokens:
        write_as_before(api, "token", id, {"_pii": {"id_number": "874521903"}})
    start_again(api, piece=2)
    assert [private_of(api, "token", id) for id in tokens] == [b""] * 5
    write_as_before(api, "token", tokens[0], {"_pii": {"id_number": "874521903"}})
    rewrite_old(api.core.database, api.core.setup.tables, api.core.authority.keyring)
    assert private_of(api, "token", tokens[0]) != b""
