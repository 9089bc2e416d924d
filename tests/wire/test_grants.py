"""What was granted asks again: every way in, each time it is used, for the key that made it and the state of what it is
about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.api import Answer, Api
from tests.support.recipes import HOME, Maker
from tollkey.wire.hosted import kind_of

#: Ways in: kind of page -> the permission that the key which made it must still hold.
ASKS_ITS_MAKER = {
    "portal": "customer_portal_write",
    "connect/onboarding": "account_link_write",
    "connect/express": "edit_link_write",
}
#: Published to customers, and only showing what the object says: such an address outlives the key that made it.
SHOWS = {"receipts", "cn", "mandate", "bank-transfer", "pictures"}


def link(api: Api, kind: str, key: str) -> str:
    """The path of a way in of that kind, made with that key."""
    if kind == "portal":
        customer = api.ok("POST", "/v1/customers")["id"]
        url = api.ok("POST", "/v1/billing_portal/sessions", key=key, customer=customer)["url"]
    elif kind == "connect/onboarding":
        account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
        to = {"refresh_url": "https://example.com/again", "return_url": "https://example.com/done"}
        url = api.ok("POST", "/v1/account_links", key=key, account=account, type="account_onboarding", **to)["url"]
    else:
        account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
        to = {"refresh_url": "https://example.com/again", "return_url": "https://example.com/done"}
        onboarding = api.ok("POST", "/v1/account_links", account=account, type="account_onboarding", **to)["url"]
        path = "/" + onboarding.split("/", 3)[3]
        cookie = api.get(path, key=None).headers["set-cookie"].partition(";")[0]
        assert api.post(f"{path}/submit", key=None, headers={"cookie": cookie}).status == 303
        url = api.ok("POST", f"/v1/accounts/{account}/login_links", key=key)["url"]
    return "/" + url.split("/", 3)[3]


def opens(answer: Answer) -> bool:
    return answer.status == 200


def lose_permission(api: Api, id: str) -> None:
    api.ok("POST", f"/v1/api_keys/{id}", permissions=["customer_read"])


def revoke(api: Api, id: str) -> None:
    api.ok("POST", f"/v1/api_keys/{id}/revoke")


def roll(api: Api, id: str) -> None:
    api.ok("POST", f"/v1/api_keys/{id}/roll", expires_in="now")


def expire(api: Api, id: str) -> None:
    api.ok("POST", f"/v1/api_keys/{id}/expire")


def pause(api: Api, id: str) -> None:
    api.ok("POST", f"/v1/api_keys/{id}/disable")


ENDINGS = [lose_permission, revoke, roll, expire, pause]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", ASKS_ITS_MAKER)
def test_a_way_in_ends_with_the_right_of_the_key_that_made_it(
    api: Api, kind: str, ending: Callable[[Api, str], None]
) -> None:
    made = api.ok("POST", "/v1/api_keys", type="restricted", permissions=[ASKS_ITS_MAKER[kind]])
    kept, lost = link(api, kind, api.sk), link(api, kind, made["secret"])
    ending(api, made["id"])
    assert not opens(api.get(lost, key=None))
    assert opens(api.get(kept, key=None))


@pytest.mark.parametrize("kind", ASKS_ITS_MAKER)
def test_a_way_in_opens_as_long_as_its_maker_may_make_it(api: Api, kind: str) -> None:
    made = api.ok("POST", "/v1/api_keys", type="restricted", permissions=[ASKS_ITS_MAKER[kind]])
    path = link(api, kind, made["secret"])
    api.ok("POST", f"/v1/api_keys/{made['id']}", name="Another name")
    assert opens(api.get(path, key=None))


# -- ephemeral keys


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ephemeral_key_ends_with_the_right_of_the_key_that_made_it(
    api: Api, ending: Callable[[Api, str], None]
) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    made = api.ok("POST", "/v1/api_keys", type="restricted", permissions=["ephemeral_key_write"])
    version = {"Stripe-Version": "2020-08-27"}
    text = api.post("/v1/ephemeral_keys", key=made["secret"], customer=customer, headers=version)["secret"]
    assert api.get(f"/v1/customers/{customer}", key=text).status == 200
    ending(api, made["id"])
    answer = api.get(f"/v1/customers/{customer}", key=text)
    assert (answer.status, answer.error["code"]) == (401, "api_key_expired")


def test_an_ephemeral_key_ends_with_its_customer(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    text = api.post("/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2020-08-27"})["secret"]
    api.ok("DELETE", f"/v1/customers/{customer}")
    assert api.get("/v1/payment_methods", key=text, type="card").status == 401


def test_a_platform_s_grants_end_when_the_account_leaves(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    there = {"Stripe-Account": account}
    customer = api.post("/v1/customers", headers=there)["id"]
    path = "/" + api.post("/v1/billing_portal/sessions", headers=there, customer=customer)["url"].split("/", 3)[3]
    version = {"Stripe-Version": "2020-08-27", **there}
    text = api.post("/v1/ephemeral_keys", customer=customer, headers=version)["secret"]
    assert opens(api.get(path, key=None))
    assert api.get(f"/v1/customers/{customer}", key=text).status == 200
    api.ok("DELETE", f"/v1/accounts/{account}")
    assert not opens(api.get(path, key=None))
    assert api.get(f"/v1/customers/{customer}", key=text).status == 401


# -- state


def test_a_portal_asks_for_its_customer_and_its_configuration(api: Api) -> None:
    features = {"invoice_history": {"enabled": True}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    customer = api.ok("POST", "/v1/customers")["id"]
    paths = ["/" + api.ok("POST", "/v1/billing_portal/sessions", customer=customer, **more)["url"].split("/", 3)[3]
             for more in ({"configuration": configuration}, {})]  # fmt: skip
    assert [opens(api.get(path, key=None)) for path in paths] == [True, True]
    api.ok("POST", f"/v1/billing_portal/configurations/{configuration}", active=False)
    assert [opens(api.get(path, key=None)) for path in paths] == [False, True]
    api.ok("DELETE", f"/v1/customers/{customer}")
    assert [opens(api.get(path, key=None)) for path in paths] == [False, False]


# -- pages that were published: they outlive the key, and act only while what they are about is waiting for it


class Ended(NamedTuple):
    """A page whose object waits for nobody any more. send: what a visitor would send.

    object: the path of what must not change.
    """

    page: str
    send: tuple[str, dict[str, str]]
    object: str


CARD = {"number": "4242424242424242", "expiry": "12 / 34", "cvc": "123"}


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def _session(api: Api, **more: Any) -> dict[str, Any]:
    line = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "x"}}, "quantity": 1}
    return api.ok(
        "POST",
        "/v1/checkout/sessions",
        mode="payment",
        line_items=[line],
        success_url="https://example.com/done",
        **more,
    )


def pay(api: Api) -> Ended:
    session = _session(api)
    api.ok("POST", f"/v1/checkout/sessions/{session['id']}/expire")
    card = {**CARD, "email": "jenny@example.com"}
    return Ended(path_of(session["url"]), ("", card), f"/v1/checkout/sessions/{session['id']}")


def recover(api: Api) -> Ended:
    session = _session(api, after_expiration={"recovery": {"enabled": True}})
    path = f"/v1/checkout/sessions/{session['id']}"
    url = api.ok("POST", f"{path}/expire")["after_expiration"]["recovery"]["url"]
    api.advance(31 * 86400)
    return Ended(path_of(url), ("", {}), path)


def buy(api: Api) -> Ended:
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=500, product_data={"name": "x"})["id"]
    link = api.ok("POST", "/v1/payment_links", line_items=[{"price": price, "quantity": 1}])
    api.ok("POST", f"/v1/payment_links/{link['id']}", active=False)
    return Ended(path_of(link["url"]), ("", {}), "/v1/checkout/sessions")


def links(api: Api) -> Ended:
    link = Maker(api).make("file_link")
    api.ok("POST", f"/v1/file_links/{link['id']}", expires_at="now")
    return Ended(path_of(link["url"]), ("", {}), f"/v1/file_links/{link['id']}")


def verify(api: Api) -> Ended:
    session = api.ok("POST", "/v1/identity/verification_sessions", type="document")
    path = f"/v1/identity/verification_sessions/{session['id']}"
    page = path_of(session["url"])
    api.ok("POST", f"{path}/cancel")
    return Ended(page, ("", {"outcome": "verified"}), path)


def invoice(api: Api) -> Ended:
    made = Maker(api).make("invoice")["id"]
    path = f"/v1/invoices/{made}"
    shown = api.ok("GET", path)
    if shown["status"] == "draft":
        shown = api.ok("POST", f"{path}/finalize")
    api.ok("POST", f"{path}/void")
    return Ended(path_of(shown["hosted_invoice_url"]), ("/pay", CARD), path)


def _intent(api: Api, kind: str, card: str, **more: Any) -> tuple[str, dict[str, Any]]:
    made = api.ok("POST", f"/v1/{kind}", confirm=True, **more, **({"payment_method": card} if card else {}))
    return f"/v1/{kind}/{made['id']}", made["next_action"]


def three_d_secure(api: Api) -> Ended:
    path, action = _intent(
        api, "payment_intents", "pm_card_threeDSecure2Required", amount=500, currency="usd", return_url=HOME
    )
    api.ok("POST", f"{path}/cancel")
    return Ended(path_of(action["redirect_to_url"]["url"]), ("/complete", {}), path)


def three_d_secure_setup(api: Api) -> Ended:
    path, action = _intent(api, "setup_intents", "pm_card_threeDSecure2Required", return_url=HOME)
    api.ok("POST", f"{path}/cancel")
    return Ended(path_of(action["redirect_to_url"]["url"]), ("/complete", {}), path)


def _debit() -> dict[str, Any]:
    bank = {"account_holder_type": "individual", "account_number": "000123456789", "routing_number": "110000000"}
    return {
        "allowed_payment_method_types": ["us_bank_account"],
        "payment_method_data": {
            "type": "us_bank_account",
            "us_bank_account": bank,
            "billing_details": {"name": "Jenny", "email": "j@x.com"},
        },
        "payment_method_options": {"us_bank_account": {"verification_method": "microdeposits"}},
        "mandate_data": {"customer_acceptance": {"type": "offline"}},
    }


def microdeposit(api: Api) -> Ended:
    path, action = _intent(api, "payment_intents", "", amount=500, currency="usd", **_debit())
    api.ok("POST", f"{path}/cancel")
    return Ended(
        path_of(action["verify_with_microdeposits"]["hosted_verification_url"]),
        ("/verify", {"descriptor_code": "SM11AA"}),
        path,
    )


def microdeposit_setup(api: Api) -> Ended:
    path, action = _intent(api, "setup_intents", "", **_debit())
    api.ok("POST", f"{path}/cancel")
    return Ended(
        path_of(action["verify_with_microdeposits"]["hosted_verification_url"]),
        ("/verify", {"descriptor_code": "SM11AA"}),
        path,
    )


def source_redirect(api: Api) -> Ended:
    made = api.ok("POST", "/v1/sources", type="ideal", amount=500, currency="eur", redirect={"return_url": HOME})
    page = path_of(made["redirect"]["url"])
    api.post(f"{page}/fail", key=None)
    return Ended(page, ("/authorize", {}), f"/v1/sources/{made['id']}")


ACTS: dict[str, Callable[[Api], Ended]] = {
    "pay": pay, "recover": recover, "buy": buy, "links": links, "verify": verify, "i": invoice, "3ds": three_d_secure,
    "3ds-setup": three_d_secure_setup, "microdeposit": microdeposit, "microdeposit-setup": microdeposit_setup,
    "source_redirect": source_redirect,
}  # fmt: skip


def test_every_kind_of_page_has_a_decision(api: Api) -> None:
    kinds = {
        kind_of(e.path) for r in api.core.catalogue.resources for e in r.endpoints if e.public and "{token}" in e.path
    }
    assert kinds - ASKS_ITS_MAKER.keys() - SHOWS == ACTS.keys()


@pytest.mark.parametrize("kind", ACTS)
def test_a_published_page_acts_no_more_once_its_object_has_ended(api: Api, kind: str) -> None:
    ended = ACTS[kind](api)
    before = api.ok("GET", ended.object).body
    below, sent = ended.send
    answer = api.post(ended.page + below, key=None, **sent)
    assert "parameter_unknown" not in answer.body.decode(), "the page never asks for this"
    assert answer.status in (200, 303, 400, 401, 404), ended
    assert api.get(ended.page, key=None).status in (200, 303, 400, 404)
    assert api.ok("GET", ended.object).body == before


@pytest.mark.parametrize("kind", ["pay", "buy", "links"])
def test_what_was_published_outlives_the_key_that_made_it(api: Api, kind: str) -> None:
    """Customers hold such addresses: a rolled key must not close the shop's open orders."""
    made = api.ok("POST", "/v1/api_keys", type="secret", name="Shop")
    key = made["secret"]
    if kind == "pay":
        url = _session(api, key=key)["url"]
    elif kind == "buy":
        price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=500, product_data={"name": "x"})["id"]
        url = api.ok("POST", "/v1/payment_links", key=key, line_items=[{"price": price, "quantity": 1}])["url"]
    else:
        url = api.ok("POST", "/v1/file_links", key=key, file=Maker(api).make("file")["id"])["url"]
    api.ok("POST", f"/v1/api_keys/{made['id']}/revoke")
    assert api.get(path_of(url), key=None).status == 200
