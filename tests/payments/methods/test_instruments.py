"""What money is taken from: payment methods, cards and bank accounts, as stored with what only we know of them."""

from __future__ import annotations

import pytest

from tests.payments.steps import told
from tests.support.api import Api


def test_an_unknown_payment_method_says_where_it_may_be(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    missing = api.post("/v1/payment_methods/abcd/attach", customer=customer["id"])
    assert (missing.status, missing.error["param"]) == (404, "payment_method")
    assert missing.error["message"].startswith(
        "No such PaymentMethod: 'abcd'; It's possible this PaymentMethod exists on one of your"
    )


def test_nothing_of_a_live_number_is_stored_but_its_end(api: Api) -> None:
    number = "4539578763621486"
    card = {"number": number, "exp_month": 1, "exp_year": 2030, "cvc": "987"}
    method = api.ok("post", "/v1/payment_methods", key=api.live_sk, type="card", card=card)
    token = api.ok("post", "/v1/tokens", key=api.live_sk, card=card)
    assert (method["livemode"], method["card"]["last4"], token["card"]["fingerprint"]) == (
        True,
        "1486",
        method["card"]["fingerprint"],
    )
    for table in ("obj_payment_method", "obj_token"):
        rows = api.core.database.read(
            lambda tx, table=table: tx.execute(f"SELECT body, private FROM {table} WHERE account = ?", (api.account,))
        )
        assert rows
        assert all(number.encode() not in bytes(cell or b"") for row in rows for cell in row)


def test_card_data_that_lacks_something_is_told_what_it_lacks(api: Api) -> None:
    refused = told(api, "/v1/payment_methods", type="card", card={"number": "4242424242424242"})
    assert refused == ("card[exp_month]", "Missing required param: card[exp_month].")


def test_a_token_without_a_card_or_a_bank_account_pays_for_nothing_and_stays_unused(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    token = api.ok("post", "/v1/tokens", pii={"id_number": "000000000"})["id"]
    refused = api.post(f"/v1/customers/{customer}/sources", source=token)
    assert (refused.status, refused.error["param"]) == (400, "source")
    assert refused.error["message"] == f"The token {token} holds neither a card nor a bank account."
    assert api.get(f"/v1/tokens/{token}")["used"] is False


FRENCH, PLAIN = "4000002500001001", "4242424242424242"
EXPIRY = {"exp_month": 10, "exp_year": 2034}


def test_a_card_prefers_a_network_that_it_has(api: Api) -> None:
    preferred = {"networks": {"preferred": "cartes_bancaires"}}
    made = api.ok("POST", "/v1/payment_methods", type="card", card={"number": FRENCH, **EXPIRY, **preferred})
    assert made["card"]["networks"] == {"available": ["visa", "cartes_bancaires"], "preferred": "cartes_bancaires"}
    refused = api.post("/v1/payment_methods", type="card", card={"number": PLAIN, **EXPIRY, **preferred})
    assert (refused.status, refused.error["param"]) == (400, "card[networks][preferred]")


def test_a_token_keeps_the_preferred_network_for_the_card_that_is_made_of_it(api: Api) -> None:
    preferred = {"networks": {"preferred": "cartes_bancaires"}}
    token = api.ok("POST", "/v1/tokens", card={"number": FRENCH, **EXPIRY, **preferred})
    assert token["card"]["networks"] == {"preferred": "cartes_bancaires"}
    made = api.ok("POST", "/v1/payment_methods", type="card", card={"token": token["id"]})
    assert made["card"]["networks"]["preferred"] == "cartes_bancaires"
    refused = api.post("/v1/tokens", card={"number": PLAIN, **EXPIRY, **preferred})
    assert (refused.status, refused.error["param"]) == (400, "card[networks][preferred]")


@pytest.mark.parametrize("preferred", ["cartes_bancaires", "visa", None])
def test_a_card_is_charged_on_the_network_that_it_prefers(api: Api, preferred: str | None) -> None:
    networks = {"networks": {"preferred": preferred}} if preferred else {}
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"number": FRENCH, **EXPIRY, **networks})["id"]
    given = {"currency": "eur", "allowed_payment_method_types": ["card"], "payment_method": method, "confirm": True}
    paid = api.ok("POST", "/v1/payment_intents", amount=1000, expand=["latest_charge"], **given)
    assert paid["latest_charge"]["payment_method_details"]["card"]["network"] == (preferred or "visa")


def test_a_saved_card_is_not_given_a_network_that_it_does_not_have(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"number": FRENCH, **EXPIRY})["id"]
    path = f"/v1/payment_methods/{method}"
    api.ok("POST", path + "/attach", customer=customer)
    refused = api.post(path, card={"networks": {"preferred": "mastercard"}})
    assert (refused.status, refused.error["param"]) == (400, "card[networks][preferred]")
    changed = api.ok("POST", path, card={"networks": {"preferred": "cartes_bancaires"}})
    assert changed["card"]["networks"]["preferred"] == "cartes_bancaires"
