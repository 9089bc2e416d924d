"""The payment method that a customer pays with by default, as an app sets it."""

from __future__ import annotations

import pytest

from tests.payments.methods.apps import Shop
from tests.support.api import Answer, Api


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def default(shop: Shop) -> str | None:
    found: str | None = shop.api.get(f"/v1/customers/{shop.customer}")["invoice_settings"]["default_payment_method"]
    return found


def chosen(shop: Shop, method: str, key: str, customer: str = "") -> Answer:
    path = f"/v1/elements/customers/{customer or shop.customer}/set_default_payment_method"
    return shop.api.post(path, key=key, payment_method=method)


@pytest.mark.parametrize("kind", ["a session of PaymentSheet", "a session of CustomerSheet", "an ephemeral key"])
def test_an_app_makes_a_card_the_default_and_takes_it_back(shop: Shop, kind: str) -> None:
    saved = shop.card()
    if kind == "an ephemeral key":
        key = shop.legacy_key()
    elif kind == "a session of PaymentSheet":
        key = shop.key(payment_method_set_as_default="enabled")
    else:
        key = shop.key("customer_sheet", payment_method_sync_default="enabled")
    answer = chosen(shop, saved, key)
    assert (answer.status, answer["object"], answer["id"]) == (200, "customer", shop.customer)
    assert not {"metadata", "invoice_settings"} & set(answer)
    assert default(shop) == saved
    assert (chosen(shop, "", key).status, default(shop)) == (200, None)


def test_a_session_that_does_not_grant_it_changes_no_default(shop: Shop) -> None:
    saved = shop.card()
    for key in (shop.key(), shop.key(payment_method_set_as_default="disabled"), shop.key("customer_sheet")):
        assert chosen(shop, saved, key).status == 403
    assert default(shop) is None


def test_what_the_customer_has_not_saved_is_no_default(shop: Shop) -> None:
    other = Shop(shop.api)
    theirs, loose = other.card(), shop.api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})
    key, nobody = shop.legacy_key(), theirs[:-6] + "zzzzzz"
    told = [chosen(shop, id, key) for id in (theirs, loose["id"], nobody)]
    messages = {
        one.error["message"].replace(id, "") for one, id in zip(told, (theirs, loose["id"], nobody), strict=True)
    }
    assert ([one.status for one in told], len(messages)) == ([400, 400, 400], 1)
    assert chosen(shop, theirs, key, other.customer).status == 404
    assert default(shop) is default(other) is None
