"""Removing a saved payment method in an app that was given a customer session."""

from __future__ import annotations

import pytest

from tests.payments.methods.apps import Shop
from tests.support.api import Answer, Api

ENABLED = {"payment_method_redisplay": "enabled", "payment_method_remove": "enabled"}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def removed(shop: Shop, method: str, key: str, secret: str = "") -> Answer:
    return shop.api.post(
        f"/v1/elements/payment_methods/{method}/detach", key=key, customer_session_client_secret=secret or shop.secret
    )


@pytest.mark.parametrize("component", ["mobile_payment_element", "customer_sheet"])
def test_an_app_removes_a_card_when_its_session_grants_it(shop: Shop, component: str) -> None:
    saved = shop.card()
    features = ENABLED if component == "mobile_payment_element" else {"payment_method_remove": "enabled"}
    answer = removed(shop, saved, shop.key(component, **features))
    assert (answer.status, answer["customer"], answer["card"]["last4"]) == (200, None, "4242")
    assert "metadata" not in answer
    assert shop.api.get(f"/v1/payment_methods/{saved}")["customer"] is None


def test_a_key_that_the_server_made_removes_what_the_session_grants(shop: Shop) -> None:
    saved = shop.card()
    shop.session(**ENABLED)
    assert removed(shop, saved, shop.legacy_key()).status == 200
    kept = shop.card()
    shop.session(payment_method_redisplay="enabled")
    assert removed(shop, kept, shop.legacy_key()).status == 403
    assert shop.api.get(f"/v1/payment_methods/{kept}")["customer"] == shop.customer


def test_the_last_card_stays_when_the_session_says_so(shop: Shop) -> None:
    first, last = shop.card(), shop.card("pm_card_mastercard")
    key = shop.key(**ENABLED, payment_method_remove_last="disabled")
    assert removed(shop, first, key).status == 200
    refused = removed(shop, last, key)
    assert (refused.status, "last saved payment method" in refused.error["message"]) == (403, True)
    assert shop.api.get(f"/v1/payment_methods/{last}")["customer"] == shop.customer


def test_a_card_that_the_app_does_not_show_does_not_make_another_one_removable(shop: Shop) -> None:
    shop.card(allow_redisplay="limited")
    only = shop.card()
    key = shop.key(**ENABLED, payment_method_remove_last="disabled")
    assert removed(shop, only, key).status == 403


def test_a_card_with_its_duplicates_is_found_by_its_fingerprint_and_no_other_is(shop: Shop) -> None:
    first, again, other = shop.card(), shop.card(), shop.card("pm_card_mastercard")
    listed = shop.api.get("/v1/payment_methods", key=shop.key(**ENABLED), customer=shop.customer, type="card")["data"]
    prints = {one["id"]: one["card"]["fingerprint"] for one in listed}
    assert prints[first] == prints[again] != prints[other]


def test_nothing_of_another_customer_is_removed(shop: Shop) -> None:
    mine, saved = Shop(shop.api), shop.card()
    shop.session(**ENABLED)
    key = mine.key(**ENABLED)
    nobody = saved[:-6] + "zzzzzz"
    for secret in (mine.secret, shop.secret):
        answer, unknown = removed(shop, saved, key, secret), removed(shop, nobody, key, secret)
        assert (answer.status, unknown.status) == (404, 404)
        assert answer.error["message"].replace(saved, nobody) == unknown.error["message"]
    own = mine.card()
    wrong = removed(shop, own, key, shop.secret)
    assert wrong.status == 404
    assert shop.api.get(f"/v1/payment_methods/{saved}")["customer"] == shop.customer
    assert shop.api.get(f"/v1/payment_methods/{own}")["customer"] == mine.customer


def test_what_was_removed_is_gone(shop: Shop) -> None:
    saved, key = shop.card(), shop.key(**ENABLED)
    assert removed(shop, saved, key).status == 200
    assert removed(shop, saved, key).status == 404
    assert shop.api.get("/v1/payment_methods", key=key, customer=shop.customer, type="card")["data"] == []


def test_without_a_session_that_holds_nothing_is_removed(shop: Shop) -> None:
    saved, key = shop.card(), shop.legacy_key()
    assert removed(shop, saved, key, "cuss_secret_wrong").error["code"] == "resource_missing"
    shop.session(**ENABLED)
    shop.api.advance(1800)
    assert removed(shop, saved, key).error["code"] == "customer_session_expired"
    assert shop.api.post(f"/v1/elements/payment_methods/{saved}/detach", key=key).error["code"] == "parameter_missing"
    assert removed(shop, saved, shop.api.pk).status == 403
