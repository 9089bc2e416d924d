"""What a key in a web page or on a phone may send: nothing that reads, copies or weakens what is not its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.methods.steps import ADDRESS, Victim, card_intent
from tests.support.api import Api
from tests.support.recipes import CARD


def test_a_publishable_key_copies_nothing_that_a_customer_has_saved(api: Api) -> None:
    victim = Victim(api)
    for path, params in victim.clones():
        answer = api.post(path, key=api.pk, **params)
        assert (answer.status, victim.shown_in(answer)) == (400, False), (path, params, answer)


def test_nor_what_a_customer_had_saved(api: Api) -> None:
    victim = Victim(api)
    api.ok("POST", f"/v1/payment_methods/{victim.method}/detach")
    answer = api.post("/v1/confirmation_tokens", key=api.pk, payment_method=victim.method)
    assert (answer.status, victim.shown_in(answer)) == (400, False), answer


def test_nor_with_the_platform_s_publishable_key_on_a_connected_account(api: Api) -> None:
    victim = Victim(api)
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    for path, params in victim.clones():
        answer = api.post(path, key=api.pk, headers=there, **params)
        assert (answer.status, victim.shown_in(answer)) == (400, False), (path, params, answer)


@pytest.mark.parametrize(
    "permission", ["token_write", "payment_method_write", "source_write", "confirmation_token_client_write"]
)
def test_a_restricted_key_copies_nothing_that_it_may_not_read(api: Api, permission: str) -> None:
    victim = Victim(api)
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    for headers, key in (({}, api.restricted(permission)), (there, api.restricted(connect_permissions=[permission]))):
        for path, params in victim.clones():
            answer = api.post(path, key=key, headers=headers, **params)
            assert answer.status in (400, 403), (path, params, answer)
            assert not victim.shown_in(answer), (path, params, answer)


# -- confirming


@pytest.mark.parametrize(
    "more",
    [
        {"capture_method": "manual"},
        {"off_session": True},
        {"amount_details": {"discount_amount": 499}},
        {"amount_to_confirm": 1},
        {"error_on_requires_action": True},
        {"payment_method_types": ["card", "us_bank_account"]},
        {"excluded_payment_method_types": ["card"]},
        {"mandate": "mandate_1"},
        {"hooks": {"inputs": {"tax": {"calculation": "taxcalc_1"}}}},
        {"payment_details": {"order_reference": "1"}},
        {"payment_method_options": {"card": {"moto": True}}},
        {"payment_method_options": {"card": {"capture_method": "manual"}}},
        {"payment_method_options": {"card": {"request_three_d_secure": "automatic"}}},
        {"payment_method_options": {"card": {"three_d_secure": {"version": "2.1.0"}}}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_browser_that_confirms_does_not_say_what_the_server_decides(api: Api, more: dict[str, Any]) -> None:
    intent = card_intent(api)
    path, secret = f"/v1/payment_intents/{intent['id']}", intent["client_secret"]
    answer = api.post(f"{path}/confirm", key=api.pk, client_secret=secret, payment_method="pm_card_visa", **more)
    assert (answer.status, answer.error["code"]) == (400, "parameter_unknown"), answer
    assert answer.error["message"].startswith("Received unknown parameter: "), answer
    assert api.get(path)["status"] == "requires_payment_method"


def test_a_browser_that_confirms_says_what_stripe_js_sends(api: Api) -> None:
    intent = card_intent(api)
    path, secret = f"/v1/payment_intents/{intent['id']}", intent["client_secret"]
    answer = api.post(
        f"{path}/confirm", key=api.pk, client_secret=secret, return_url="https://example.com", use_stripe_sdk=True,
        payment_method_data={
            "type": "card", "card": CARD, "billing_details": {"email": "a@example.com", "address": ADDRESS},
            "guid": "NA", "muid": "NA",
            "sid": "NA", "payment_user_agent": "stripe.js/1", "time_on_page": 5, "referrer": "https://example.com",
            "allow_redisplay": "unspecified", "client_attribution_metadata": {"client_session_id": "1"},
        },
        expected_payment_method_type="card", receipt_email="a@example.com", radar_options={"hcaptcha_token": "P1_x"},
        shipping={"name": "A", "address": ADDRESS}, setup_future_usage="off_session",
        mandate_data={"customer_acceptance": {"type": "online", "online": {"infer_from_client": True}}},
        payment_method_options={"card": {"network": "visa"}}, client_attribution_metadata={"client_session_id": "1"},
    )  # fmt: skip
    assert (answer.status, answer["status"]) == (200, "succeeded"), answer
    stored = api.get(path)
    assert (stored["setup_future_usage"], stored["shipping"]["name"], stored["receipt_email"]) == (
        "off_session",
        "A",
        "a@example.com",
    )


def test_a_browser_pays_with_nothing_that_another_customer_has_saved(api: Api) -> None:
    victim, mine = Victim(api), api.ok("POST", "/v1/customers")["id"]
    for customer in ({}, {"customer": mine}):
        for name, id in (
            ("payment_method", victim.method), ("payment_method", victim.card), ("payment_method", victim.source),
            ("source", victim.card), ("source", victim.source), ("source", victim.method),
        ):  # fmt: skip
            intent = card_intent(api, **customer)
            path, secret = f"/v1/payment_intents/{intent['id']}", intent["client_secret"]
            answer = api.post(f"{path}/confirm", key=api.pk, client_secret=secret, **{name: id})
            assert (answer.status, victim.shown_in(answer)) == (400, False), (name, id, answer)
        setup = api.ok("POST", "/v1/setup_intents", allowed_payment_method_types=["card"], **customer)
        for id in (victim.method, victim.card, victim.source):
            path, secret = f"/v1/setup_intents/{setup['id']}/confirm", setup["client_secret"]
            answer = api.post(path, key=api.pk, client_secret=secret, payment_method=id)
            assert (answer.status, victim.shown_in(answer)) == (400, False), (id, answer)


# -- ephemeral keys


def ephemeral_secret(api: Api, customer: str) -> str:
    made = api.ok("POST", "/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2024-06-20"})
    return str(made["secret"])


@pytest.mark.parametrize(
    "more",
    [
        {"balance": -50000},
        {"account_balance": -50000},
        {"coupon": "free"},
        {"promotion_code": "promo_1"},
        {"tax_exempt": "exempt"},
        {"metadata": {"plan": "gold"}},
        {"next_invoice_sequence": 99},
        {"invoice_prefix": "MINE"},
        {"invoice_settings": {"footer": "x"}},
        {"cash_balance": {"settings": {"reconciliation_mode": "manual"}}},
        {"email": "other@example.com"},
        {"tax": {"validate_location": "immediately"}},
        {"plan": "gold"},
        {"source": {"object": "card", **CARD}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_phone_changes_of_its_customer_only_what_the_mobile_sdk_sends(api: Api, more: dict[str, Any]) -> None:
    api.ok("POST", "/v1/coupons", id="free", percent_off=100, duration="forever")
    customer = api.ok("POST", "/v1/customers", email="me@example.com")
    answer = api.post(f"/v1/customers/{customer['id']}", key=ephemeral_secret(api, customer["id"]), **more)
    assert answer.status == 400, answer
    now = api.get(f"/v1/customers/{customer['id']}")
    assert {**customer} == {**now}


def test_a_phone_names_nothing_of_another_customer(api: Api) -> None:
    victim, mine = Victim(api), api.ok("POST", "/v1/customers")["id"]
    key = ephemeral_secret(api, mine)
    method = api.ok("POST", "/v1/payment_methods", type="card", card=CARD)["id"]
    for path, params in (
        (f"/v1/customers/{mine}", {"default_source": victim.card}),
        (f"/v1/customers/{mine}", {"default_source": victim.source}),
        (f"/v1/customers/{mine}/sources", {"source": victim.source}),
        (f"/v1/customers/{mine}/sources", {"source": victim.card}),
        (f"/v1/payment_methods/{method}/attach", {"customer": victim.customer}),
        (f"/v1/payment_methods/{victim.method}/attach", {"customer": mine}),
        (f"/v1/payment_methods/{victim.card}/attach", {"customer": mine}),
        (f"/v1/payment_methods/{victim.method}/detach", {}),
        (f"/v1/customers/{victim.customer}", {"shipping": {"name": "Me", "address": ADDRESS}}),
        (f"/v1/customers/{victim.customer}/sources", {"source": "tok_visa"}),
    ):
        answer = api.post(path, key=key, **params)
        assert (answer.status in (400, 404), victim.shown_in(answer)) == (True, False), (path, params, answer)
    for path, params in (
        (f"/v1/customers/{victim.customer}", {}),
        (f"/v1/customers/{victim.customer}/sources", {}),
        (f"/v1/customers/{victim.customer}/payment_methods", {}),
        (f"/v1/customers/{mine}/sources/{victim.card}", {}),
        ("/v1/payment_methods", {"customer": victim.customer}),
        ("/v1/payment_methods", {"starting_after": victim.method}),
        (f"/v1/customers/{mine}/payment_methods", {"ending_before": victim.method}),
    ):
        answer = api.get(path, key=key, **params)
        assert not victim.shown_in(answer), (path, params, answer)
    assert api.delete(f"/v1/customers/{mine}/sources/{victim.card}", key=key).status == 404
    assert api.get(f"/v1/customers/{victim.customer}/sources/{victim.card}").status == 200


#: What a phone may name by parameters: method, path of its own customer, parameter.
NAMED = (
    ("GET", "/v1/payment_methods", "starting_after"),
    ("GET", "/v1/payment_methods", "ending_before"),
    ("GET", "/v1/customers/{mine}/payment_methods", "starting_after"),
    ("GET", "/v1/customers/{mine}/payment_methods", "ending_before"),
    ("GET", "/v1/customers/{mine}/sources", "starting_after"),
    ("GET", "/v1/customers/{mine}/cards", "ending_before"),
    ("GET", "/v1/customers/{mine}/bank_accounts", "ending_before"),
    ("POST", "/v1/customers/{mine}", "default_source"),
    ("POST", "/v1/customers/{mine}/sources", "source"),
    ("POST", "/v1/customers/{mine}/cards", "source"),
    ("POST", "/v1/customers/{mine}/bank_accounts", "source"),
)


@pytest.mark.parametrize(("method", "path", "param"), NAMED, ids=lambda part: str(part).rpartition("/")[2])
def test_a_phone_learns_not_whether_an_object_of_another_customer_exists(
    api: Api, method: str, path: str, param: str
) -> None:
    victim, mine = Victim(api), api.ok("POST", "/v1/customers")["id"]
    key, path = ephemeral_secret(api, mine), path.format(mine=mine)
    call = api.get if method == "GET" else api.post
    for id in (victim.method, victim.card, victim.source):
        nobody = id[:-6] + "zzzzzz"
        there, not_there = (call(path, key=key, **{param: named}) for named in (id, nobody))
        assert (there.status, there.error["message"].replace(id, nobody)) == (
            not_there.status,
            not_there.error["message"],
        )


def test_a_phone_sets_shipping_and_the_default_source(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    key, path = ephemeral_secret(api, customer), f"/v1/customers/{customer}"
    first, second = (api.ok("POST", f"{path}/sources", key=key, source="tok_visa")["id"] for _ in range(2))
    assert api.ok("POST", path, key=key, default_source=second)["default_source"] == second
    assert api.ok("POST", path, key=key, shipping={"name": "Me", "address": ADDRESS})["shipping"]["name"] == "Me"
    assert {one["id"] for one in api.ok("GET", path, key=key, expand=["sources"])["sources"]["data"]} == {first, second}


def test_a_phone_sees_no_more_of_its_customer_than_the_mobile_sdk_reads(api: Api) -> None:
    customer = api.ok(
        "POST", "/v1/customers", email="me@example.com", metadata={"risk": "high"}, balance=-100, source="tok_visa"
    )["id"]
    key, path = ephemeral_secret(api, customer), f"/v1/customers/{customer}"
    for version in ("2011-01-01", "2020-03-02", "2020-08-27", "2026-10-28.endive"):
        seen = api.get(path, key=key, headers={"Stripe-Version": version})
        assert (seen.status, seen["id"], seen["email"]) == (200, customer, "me@example.com"), seen
        assert not {
            "metadata",
            "balance",
            "account_balance",
            "subscriptions",
            "tax_ids",
            "discount",
            "invoice_prefix",
        } & set(seen), version
        assert b"fingerprint" not in seen.body, version


@pytest.mark.parametrize(
    "path",
    [
        "subscriptions",
        "tax_ids",
        "tax",
        "cash_balance",
        "sources.data.customer",
        "default_source.customer",
        "test_clock",
    ],
)
def test_a_phone_expands_only_what_is_declared(api: Api, path: str) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    answer = api.get(f"/v1/customers/{customer}", key=ephemeral_secret(api, customer), expand=[path])
    assert (answer.status, answer.error["message"]) == (400, f"This property cannot be expanded ({path}).")


@pytest.mark.parametrize("path", ["customer", "latest_charge", "payment_method.customer", "on_behalf_of", "invoice"])
def test_a_browser_expands_only_what_is_declared(api: Api, path: str) -> None:
    intent = api.ok("POST", "/v1/payment_intents", amount=500, currency="usd", payment_method="pm_card_visa")
    answer = api.get(
        f"/v1/payment_intents/{intent['id']}", key=api.pk, client_secret=intent["client_secret"], expand=[path]
    )
    assert (answer.status, answer.error["message"]) == (400, f"This property cannot be expanded ({path}).")


def test_what_a_browser_made_shows_neither_fingerprint_nor_metadata(api: Api) -> None:
    data = {"type": "card", "card": CARD, "metadata": {"a": "b"}}
    for path, params in (
        ("/v1/payment_methods", data),
        ("/v1/tokens", {"card": CARD}),
        ("/v1/sources", data | {"owner": {"email": "a@example.com"}}),
        ("/v1/confirmation_tokens", {"payment_method_data": data}),
    ):
        answer = api.ok("POST", path, key=api.pk, **params)
        assert b"fingerprint" not in answer.body, path
        assert b"metadata" not in answer.body, path
