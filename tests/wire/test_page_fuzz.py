"""Pages without a key, with anything that a stranger may type into them: never a 500, and nothing that takes long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.payments.checkout.steps import FIELD
from tests.payments.portal.steps import Portal
from tests.support.api import Api
from tests.support.recipes import HOME, Maker
from tests.wire import test_grants as grants
from tests.wire.test_fuzz import SEED, TRIES, odd, problem_of
from tollkey.wire.hosted import kind_of

SECONDS = 0.5  # of one request, which usually takes a few milliseconds
NUMBERS = ("1e999990", "1e99999999", "-1e-99999999", "9" * 5_000, "\uff15", "0x10", "1_0", "Infinity", "\u0663")
#: What a visitor types: a page that is sent all of it takes what it asks for.
TYPED = {
    **grants.CARD, "method": "card", "email": "jo@shop.example", "name": "Jo", "country": "US", "postal_code": "94111",
    "outcome": "verified", "descriptor_code": "SM11AA", "subscription": "sub_1", "payment_method": "pm_1",
}  # fmt: skip


def price(api: Api, **more: Any) -> str:
    return str(api.ok("POST", "/v1/prices", currency="usd", product_data={"name": "x"}, **more)["id"])


def pay(api: Api) -> str:
    changing = {"price": price(api, unit_amount=500), "quantity": 1, "adjustable_quantity": {"enabled": True}}
    made = api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", success_url=HOME, line_items=[changing],
        optional_items=[{"price": price(api, unit_amount=300), "quantity": 1}], allow_promotion_codes=True,
        custom_fields=[FIELD, {**FIELD, "key": "number", "type": "numeric"}], tax_id_collection={"enabled": True},
        shipping_address_collection={"allowed_countries": ["US", "DE"]}, phone_number_collection={"enabled": True},
    )  # fmt: skip
    return grants.path_of(made["url"])


def chosen(api: Api) -> str:
    line = {"price": price(api, custom_unit_amount={"enabled": True}), "quantity": 1}
    return grants.path_of(
        api.ok("POST", "/v1/checkout/sessions", mode="payment", success_url=HOME, line_items=[line])["url"]
    )


def buy(api: Api) -> str:
    lines = [{"price": price(api, unit_amount=500), "quantity": 1}]
    return grants.path_of(api.ok("POST", "/v1/payment_links", line_items=lines)["url"])


def recover(api: Api) -> str:
    lines = [{"price": price(api, unit_amount=500), "quantity": 1}]
    more = {"after_expiration": {"recovery": {"enabled": True}}, "success_url": HOME}
    made = api.ok("POST", "/v1/checkout/sessions", mode="payment", line_items=lines, **more)
    ended = api.ok("POST", f"/v1/checkout/sessions/{made['id']}/expire")
    return grants.path_of(ended["after_expiration"]["recovery"]["url"])


def verify(api: Api) -> str:
    return grants.path_of(api.ok("POST", "/v1/identity/verification_sessions", type="document")["url"])


def invoice(api: Api) -> str:
    path = f"/v1/invoices/{Maker(api).make('invoice')['id']}"
    shown = api.ok("GET", path)
    return grants.path_of(
        (api.ok("POST", f"{path}/finalize") if shown["status"] == "draft" else shown)["hosted_invoice_url"]
    )


def challenge(kind: str, **more: Any) -> Callable[[Api], str]:
    def made(api: Api) -> str:
        card = "pm_card_threeDSecure2Required"
        intent = api.ok("POST", f"/v1/{kind}", confirm=True, payment_method=card, return_url=HOME, **more)
        return grants.path_of(intent["next_action"]["redirect_to_url"]["url"])

    return made


def deposits(kind: str, **more: Any) -> Callable[[Api], str]:
    def made(api: Api) -> str:
        action = grants._intent(api, kind, "", **more, **grants._debit())[1]
        return grants.path_of(action["verify_with_microdeposits"]["hosted_verification_url"])

    return made


def source(api: Api) -> str:
    made = api.ok("POST", "/v1/sources", type="ideal", amount=500, currency="eur", redirect={"return_url": HOME})
    return grants.path_of(made["redirect"]["url"])


def receipt(api: Api) -> str:
    return grants.path_of(api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_visa")["receipt_url"])


MONEY = {"amount": 500, "currency": "usd"}
PAGES: dict[str, Callable[[Api], str]] = {
    "pay": pay, "pay, an amount": chosen, "buy": buy, "recover": recover, "verify": verify, "i": invoice,
    "3ds": challenge("payment_intents", **MONEY), "3ds-setup": challenge("setup_intents"),
    "microdeposit": deposits("payment_intents", **MONEY), "microdeposit-setup": deposits("setup_intents"),
    "source_redirect": source, "receipts": receipt, "portal": lambda api: Portal(api).open(),
    "links": lambda api: grants.path_of(Maker(api).make("file_link")["url"]),
    "connect/onboarding": lambda api: grants.link(api, "connect/onboarding", api.sk),
    "connect/express": lambda api: grants.link(api, "connect/express", api.sk),
}  # fmt: skip
#: Pages that take nothing: they show what there is.
TAKE_NOTHING = {"cn", "mandate", "bank-transfer", "pictures"}


def hidden(page: str, api: Api) -> dict[str, str]:
    """Ids of the page's own objects, which a visitor finds in its source."""
    names = {"subscription": "/v1/subscriptions", "payment_method": "/v1/payment_methods"}
    found = {name: api.get(path)["data"] for name, path in names.items()}
    lines = {}
    if page.startswith("/pay/"):
        made = api.ok("GET", "/v1/checkout/sessions", limit=1)["data"][0]
        item = api.ok("GET", f"/v1/checkout/sessions/{made['id']}/line_items")["data"][0]["id"]
        lines = {"line": item}
    return {**{name: one[0]["id"] for name, one in found.items() if one}, **lines}


def test_every_kind_of_page_is_tried(api: Api) -> None:
    kinds = {
        kind_of(e.path) for r in api.core.catalogue.resources for e in r.endpoints if e.public and "{token}" in e.path
    }
    assert {name.partition(",")[0] for name in PAGES} | TAKE_NOTHING == kinds


@pytest.mark.parametrize("name", PAGES)
def test_a_page_answers_whatever_is_typed_into_it_and_soon(
    api: Api, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    chance, kind = random.Random(f"{SEED} {name}"), name.partition(",")[0]
    wrong: dict[str, object] = {}
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            if not endpoint.public or kind_of(endpoint.path) != kind or endpoint.params is None:
                continue
            page = PAGES[name](api)
            known, path = hidden(page, api), page + endpoint.path.partition("/{token}")[2]
            right = {one: known.get(one, text) for one, text in TYPED.items() if one in endpoint.params.fields}
            for field in endpoint.params.fields:
                for _ in range(TRIES):
                    inside = chance.choice(("", "", "[]", "[a][b]", f"[{known.get('line', 'a')}]"))
                    value = chance.choice((chance.choice(NUMBERS), odd(chance)))
                    sent = {**{one: text for one, text in right.items() if one != field}, field + inside: value}
                    began = time.thread_time()
                    problem = problem_of(api, caplog, endpoint.method, path, urlencode(sent).encode())
                    took = time.thread_time() - began
                    if problem or took > SECONDS:
                        wrong.setdefault(
                            f"{endpoint.method} {endpoint.path} {field}{inside} {value:.20}", (problem, took)
                        )
    assert wrong == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_link_may_have_marks_that_others_added_to_it(api: Api, name: str) -> None:
    page = PAGES[name](api)
    assert api.send("GET", page, key=None, query="utm_source=mail&fbclid=x&a[b][]=c").status == 200


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"links"}))  # a file has the policy of every answer
def test_no_other_page_may_show_one_within_a_frame(api: Api, name: str) -> None:
    """But for 3-D Secure that Stripe.js shows (`?framed=1`) and embedded sessions, both in test mode alone."""
    shown = api.send("GET", PAGES[name](api), key=None)
    assert (shown.status, "frame-ancestors 'none'" in shown.headers["content-security-policy"]) == (200, True)
