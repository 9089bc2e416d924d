"""What an app gets for the client secret of a customer session: what is saved, and a key for what is granted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.methods.apps import IOS, Shop
from tests.support.api import Api
from tollkey.payments.methods import claims

DEFERRED = {"type": "deferred_intent", "deferred_intent": {"mode": "payment", "amount": 500, "currency": "usd"}}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def test_a_claimed_session_shows_what_its_customer_has_saved_and_a_key_for_it(shop: Shop) -> None:
    older, newer = shop.card(), shop.card("pm_card_mastercard")
    customer = shop.claimed(payment_method_redisplay="enabled")["customer"]
    assert [one["id"] for one in customer["payment_methods"]] == [newer, older]
    session = customer["customer_session"]
    assert (session["customer"], session["livemode"]) == (shop.customer, False)
    assert session["id"].startswith("cuss_")
    assert session["api_key"].startswith("ek_test_")
    assert session["api_key_expiry"] == shop.api.now + 1800
    assert session["components"]["mobile_payment_element"]["features"] == {
        "payment_method_allow_redisplay_filters": ["always"],
        "payment_method_redisplay": "enabled",
        "payment_method_remove": "disabled",
        "payment_method_remove_last": "enabled",
        "payment_method_save": "disabled",
        "payment_method_set_as_default": "disabled",
    }
    assert session["components"]["customer_sheet"] == {"enabled": False, "features": None}


@pytest.mark.parametrize(
    ("features", "seen"),
    [
        ({}, []),
        ({"payment_method_redisplay": "disabled"}, []),
        ({"payment_method_redisplay": "enabled"}, ["always"]),
        (
            {"payment_method_redisplay": "enabled", "payment_method_allow_redisplay_filters": ["limited", "always"]},
            ["always", "limited"],
        ),
        (
            {"payment_method_redisplay": "enabled", "payment_method_allow_redisplay_filters": ["unspecified"]},
            ["unspecified"],
        ),
    ],
)
def test_only_what_may_be_shown_again_is_shown_and_listed(
    shop: Shop, features: dict[str, Any], seen: list[str]
) -> None:
    for value in ("always", "limited", "unspecified"):
        shop.card(allow_redisplay=value)
    customer = shop.claimed(**features)["customer"]
    assert sorted(one["allow_redisplay"] for one in customer["payment_methods"]) == seen
    key = customer["customer_session"]["api_key"]
    listed = shop.api.get("/v1/payment_methods", key=key, customer=shop.customer, type="card")
    if seen:
        assert sorted(one["allow_redisplay"] for one in listed["data"]) == seen
        other = shop.api.get("/v1/payment_methods", key=key, allow_redisplay="limited", type="card")
        assert [one["allow_redisplay"] for one in other["data"]] == [one for one in seen if one == "limited"]
    else:
        assert listed.status == 403


def test_the_sheet_of_a_customer_shows_what_is_saved_without_being_asked_to(shop: Shop) -> None:
    saved = shop.card()
    customer = shop.claimed("customer_sheet", payment_method_remove="enabled")["customer"]
    assert [one["id"] for one in customer["payment_methods"]] == [saved]
    assert (
        customer["customer_session"]["components"]["customer_sheet"]["features"]["payment_method_remove"] == "enabled"
    )
    assert customer["customer_session"]["components"]["mobile_payment_element"]["enabled"] is False


def test_the_default_is_told_to_who_may_set_it(shop: Shop) -> None:
    saved = shop.card()
    shop.api.ok("POST", f"/v1/customers/{shop.customer}", invoice_settings={"default_payment_method": saved})
    assert shop.claimed(payment_method_set_as_default="enabled")["customer"]["default_payment_method"] == saved
    assert shop.claimed()["customer"]["default_payment_method"] is None


def test_the_key_of_a_session_opens_nothing_that_the_session_does_not_grant(shop: Shop) -> None:
    saved = shop.card()
    key = shop.key()
    assert shop.api.get(f"/v1/customers/{shop.customer}", key=key).status == 200
    assert shop.api.post(f"/v1/payment_methods/{saved}", key=key, card={"exp_year": 2040}).status == 200
    loose = shop.api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    for path, params in (
        (f"/v1/payment_methods/{saved}/detach", {}),
        (f"/v1/payment_methods/{loose}/attach", {"customer": shop.customer}),
        (f"/v1/customers/{shop.customer}", {"default_source": saved}),
        (f"/v1/customers/{shop.customer}/sources", {"source": "tok_visa"}),
        (f"/v1/elements/customers/{shop.customer}/set_default_payment_method", {"payment_method": saved}),
        (f"/v1/elements/payment_methods/{saved}/detach", {"customer_session_client_secret": shop.secret}),
    ):
        assert shop.api.post(path, key=key, **params).status == 403, path
    assert shop.api.get(f"/v1/customers/{shop.customer}/sources", key=key).status == 403
    assert shop.api.get(f"/v1/payment_methods/{saved}")["customer"] == shop.customer


def test_the_key_ends_with_the_session(shop: Shop) -> None:
    key = shop.key()
    shop.api.advance(1799)
    assert shop.api.get(f"/v1/customers/{shop.customer}", key=key).status == 200
    shop.api.advance(1)
    assert shop.api.get(f"/v1/customers/{shop.customer}", key=key).error["code"] == "api_key_expired"
    late = shop.asked(customer_session_client_secret=shop.secret)
    assert (late.status, late.error["code"]) == (400, "customer_session_expired")


def test_the_key_ends_with_the_right_of_the_key_that_made_the_session(shop: Shop) -> None:
    made = shop.api.ok("POST", "/v1/api_keys", type="restricted", permissions=["customer_session_write"])
    key = shop.key(by=made["secret"])
    assert shop.api.get(f"/v1/customers/{shop.customer}", key=key).status == 200
    shop.api.ok("POST", f"/v1/api_keys/{made['id']}", permissions=["customer_read"])
    assert shop.api.get(f"/v1/customers/{shop.customer}", key=key).status == 401


def test_neither_secret_nor_key_is_stored_or_logged(shop: Shop) -> None:
    key = shop.key()
    for table in ("customer_session", "ephemeral_key"):
        rows = shop.api.core.database.read(lambda tx, table=table: tx.execute(f"SELECT body, private FROM obj_{table}"))
        assert not any(shop.secret[-20:] in str(cell) or key[-8:] in str(cell) for row in rows for cell in row)
    shop.api.world.write_logs()
    logged = shop.api.core.logs.read(lambda tx: tx.execute("SELECT * FROM request_logs"))
    text = str([tuple(row) for row in logged])
    assert "/v1/elements/sessions" in text
    assert shop.secret[-20:] not in text
    assert key[-30:] not in text


@pytest.mark.parametrize("secret", ["cuss_secret_wrong", "x", "{other mode}"])
def test_a_wrong_client_secret_claims_nothing(shop: Shop, secret: str) -> None:
    api = shop.api
    if secret == "{other mode}":
        live = api.ok("POST", "/v1/customers", key=api.live_sk)["id"]
        components = {"mobile_payment_element": {"enabled": True}}
        secret = api.ok("POST", "/v1/customer_sessions", key=api.live_sk, customer=live, components=components)[
            "client_secret"
        ]
    refused = shop.asked(customer_session_client_secret=secret)
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "resource_missing",
        "customer_session_client_secret",
    )


def test_a_session_ends_with_its_customer(shop: Shop) -> None:
    shop.key()
    shop.api.ok("DELETE", f"/v1/customers/{shop.customer}")
    assert shop.asked(customer_session_client_secret=shop.secret).error["code"] == "resource_missing"


# -- ephemeral keys that the server made


def test_an_ephemeral_key_shows_what_is_saved(shop: Shop) -> None:
    saved = [shop.card(allow_redisplay=value) for value in ("unspecified", "always")]
    found = shop.asked(legacy_customer_ephemeral_key=shop.legacy_key())
    assert [one["id"] for one in found["legacy_customer"]["payment_methods"]] == saved[::-1]
    assert found["customer"] is None
    assert "metadata" not in found["legacy_customer"]["payment_methods"][0]
    assert "fingerprint" not in found["legacy_customer"]["payment_methods"][0]["card"]


def test_an_app_sends_a_key_or_a_session(shop: Shop) -> None:
    key = shop.key()
    both = shop.asked(customer_session_client_secret=shop.secret, legacy_customer_ephemeral_key=key)
    assert (both.status, both.error["param"]) == (400, "customer_session_client_secret")


def test_a_key_that_is_wrong_expired_or_of_the_other_mode_shows_nothing(shop: Shop) -> None:
    api = shop.api
    live = api.ok("POST", "/v1/customers", key=api.live_sk)["id"]
    version = {"Stripe-Version": "2024-06-20"}
    other = api.ok("POST", "/v1/ephemeral_keys", key=api.live_sk, customer=live, headers=version)["secret"]
    expired = shop.legacy_key()
    assert shop.asked(legacy_customer_ephemeral_key=expired).status == 200
    api.advance(3600)
    for text in (other, expired, "ek_test_wrong", api.sk):
        refused = shop.asked(legacy_customer_ephemeral_key=text)
        assert (refused.status, refused.error["param"]) == (400, "legacy_customer_ephemeral_key")
        assert text not in refused.error["message"]


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/v1/payment_methods/{card}", {}),
        ("POST", "/v1/payment_methods/{card}", {"billing_details": {"name": "Mallory"}}),
        ("POST", "/v1/payment_methods/{card}/detach", {}),
        ("POST", "/v1/elements/payment_methods/{card}/detach", {"customer_session_client_secret": ""}),
        ("POST", "/v1/elements/customers/{customer}/set_default_payment_method", {"payment_method": "{card}"}),
    ],
)  # fmt: skip
def test_a_key_does_nothing_with_a_card_that_it_may_not_list(
    shop: Shop, method: str, path: str, sent: dict[str, Any]
) -> None:
    """Its id may be known: of an intent, or from a time when it could be listed."""
    shop.card()
    hidden = shop.card("pm_card_mastercard", allow_redisplay="limited")
    features = {"payment_method_redisplay": "enabled", "payment_method_remove": "enabled"}
    key = shop.key(**features, payment_method_set_as_default="enabled")
    names = {"card": hidden, "customer": shop.customer}
    given = {name: shop.secret if name == claims.PARAM else value for name, value in sent.items()}
    given = {name: value.format(**names) if isinstance(value, str) else value for name, value in given.items()}
    ask = shop.api.get if method == "GET" else shop.api.post
    refused = ask(path.format(**names), key=key, headers=IOS, **given)
    assert refused.status in (400, 403, 404)
    assert "4444" not in refused.body.decode()
    assert shop.api.get(f"/v1/payment_methods/{hidden}")["billing_details"]["name"] is None
    assert shop.api.get(f"/v1/payment_methods/{hidden}")["customer"] == shop.customer
    assert shop.api.get(f"/v1/customers/{shop.customer}")["invoice_settings"]["default_payment_method"] is None


def test_a_page_is_told_what_its_payment_element_may_show(shop: Shop) -> None:
    customer = shop.claimed("payment_element", payment_method_redisplay="enabled")["customer"]
    told = customer["customer_session"]["components"]["payment_element"]
    assert (told["enabled"], told["features"]["payment_method_redisplay_limit"]) == (True, 3)
    assert told["features"]["payment_method_save"] == "disabled"
