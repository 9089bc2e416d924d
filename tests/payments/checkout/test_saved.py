"""Saved payment methods on the page: which are shown, removed and saved, and what it says about using them again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import again, fill, page, path_of, post, session
from tests.support.api import Answer, Api

FUTURE = {"payment_intent_data": {"setup_future_usage": "off_session"}}
SAVES = {"saved_payment_method_options": {"payment_method_save": "enabled"}}


def customer(api: Api) -> str:
    return str(api.ok("POST", "/v1/customers", email="jo@shop.example")["id"])


def saved(api: Api, owner: str, redisplay: str = "always") -> str:
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"}, allow_redisplay=redisplay)
    return str(api.ok("POST", f"/v1/payment_methods/{method['id']}/attach", customer=owner)["id"])


def of(api: Api, owner: str | None) -> list[tuple[str, str]]:
    """The customer's payment methods: last digits and ``allow_redisplay``."""
    found = api.ok("GET", "/v1/payment_methods", customer=owner)["data"] if owner else []
    return [(one["card"]["last4"], one["allow_redisplay"]) for one in found]


FILTERS = {
    "always, unless the session says otherwise": ({}, {"always"}),
    "those of the filters": ({"allow_redisplay_filters": ["limited", "unspecified"]}, {"limited", "unspecified"}),
}  # fmt: skip


@pytest.mark.parametrize("case", FILTERS)
def test_a_returning_customer_sees_the_methods_of_the_filters(api: Api, case: str) -> None:
    options, shown = FILTERS[case]
    owner = customer(api)
    methods = {one: saved(api, owner, one) for one in ("always", "limited", "unspecified")}
    more: dict[str, Any] = {"saved_payment_method_options": options} if options else {}
    text = page(api, session(api, customer=owner, **more))
    assert {name for name, id in methods.items() if id in text} == shown
    assert "Visa ending in 4242" in text
    assert 'name="number"' not in text


def test_a_customer_pays_with_a_saved_card_or_with_another_one(api: Api) -> None:
    owner = customer(api)
    method = saved(api, owner)
    one = session(api, customer=owner)
    assert post(api, path_of(one), method="saved", saved=method, shown_total="3000").status == 303
    intent = api.get(f"/v1/payment_intents/{again(api, one)['payment_intent']}")
    assert (intent["payment_method"], intent["customer"], intent["status"]) == (method, owner, "succeeded")
    two = session(api, customer=owner)
    other = api.send("GET", path_of(two), key=None, query="method=card").body
    assert b'name="number"' in other
    assert method.encode() not in other
    assert fill(api, path_of(two)).status == 303


NOT_SHOWN = {
    "a method of another customer": lambda api: saved(api, customer(api)),
    "no method": lambda api: "pm_no",
    "a test method": lambda api: "pm_card_visa",
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_SHOWN)
def test_a_method_that_the_page_does_not_show_pays_nothing(api: Api, case: str) -> None:
    owner = customer(api)
    saved(api, owner)
    made = session(api, customer=owner, saved_payment_method_options={"payment_method_remove": "enabled"})
    foreign = NOT_SHOWN[case](api)
    refused = post(api, path_of(made), method="saved", saved=foreign, shown_total="3000")
    assert refused.status == 402
    assert b"This payment method is no longer saved" in refused.body
    assert post(api, path_of(made) + "/remove", saved=foreign).status == 303
    assert not api.events("payment_method.detached")


def test_a_session_without_a_customer_shows_nobodys_methods(api: Api) -> None:
    saved(api, customer(api))
    assert "ending in" not in page(api, session(api))


def test_a_saved_method_is_removed_where_the_session_allows_it(api: Api) -> None:
    owner = customer(api)
    method = saved(api, owner)
    closed = session(api, customer=owner)
    assert "Remove" not in page(api, closed)
    post(api, path_of(closed) + "/remove", saved=method)
    assert api.get(f"/v1/payment_methods/{method}")["customer"] == owner
    made = session(api, customer=owner, saved_payment_method_options={"payment_method_remove": "enabled"})
    assert "Remove Visa ending in 4242" in page(api, made)
    for _ in range(2):  # the second press finds it gone
        assert post(api, path_of(made) + "/remove", saved=method).status == 303
    assert api.get(f"/v1/payment_methods/{method}")["customer"] is None
    assert len(api.events("payment_method.detached")) == 1
    assert 'name="number"' in page(api, made)


#: mode, parameters, whether the box is ticked -> what the customer has then.
KEPT: dict[str, tuple[str, dict[str, Any], bool, list[tuple[str, str]]]] = {
    "nothing without the box": ("payment", SAVES, False, []),
    "nothing by a box that is not shown": ("payment", {}, True, []),
    "always by the box": ("payment", SAVES, True, [("4242", "always")]),
    "limited for the business": ("payment", FUTURE, False, [("4242", "limited")]),
    "always by the box, besides": ("payment", {**FUTURE, **SAVES}, True, [("4242", "always")]),
    "limited for a subscription": ("subscription", {}, False, [("4242", "limited")]),
    "always by the box of a subscription": ("subscription", SAVES, True, [("4242", "always")]),
    "always by setup": ("setup", {"customer_creation": "always", "currency": "usd"}, False, [("4242", "always")]),
    "what the request says": (
        "subscription", {"payment_method_data": {"allow_redisplay": "unspecified"}}, False, [("4242", "unspecified")]),
}  # fmt: skip


@pytest.mark.parametrize("case", KEPT)
def test_a_method_is_saved_as_the_customer_and_the_session_say(api: Api, case: str) -> None:
    mode, more, ticked, kept = KEPT[case]
    made = session(api, mode, **more)
    assert ('name="save"' in page(api, made)) is ("saved_payment_method_options" in more)
    assert fill(api, path_of(made), **({"save": "1"} if ticked else {})).status == 303
    assert of(api, again(api, made)["customer"]) == kept


def test_what_is_saved_by_the_box_is_for_payments_with_the_customer_present(api: Api) -> None:
    made = session(api, **SAVES)
    fill(api, path_of(made), save="1")
    assert api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")["setup_future_usage"] == "on_session"


AGREED: dict[str, tuple[str, dict[str, Any], str]] = {
    "subscription": ("subscription", {}, "By subscribing you allow"),
    "setup": ("setup", {"currency": "usd"}, "By saving your payment details you allow"),
    "a payment that keeps the method": ("payment", FUTURE, "By paying you allow"),
    "a payment": ("payment", {}, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", AGREED)
def test_the_page_says_that_the_method_is_used_again_unless_that_is_hidden(api: Api, case: str) -> None:
    mode, more, text = AGREED[case]
    for position in ("auto", "hidden", None):
        asked = {"consent_collection": {"payment_method_reuse_agreement": {"position": position}}} if position else {}
        shown = page(api, session(api, mode, **more, **asked))
        assert ("you allow" in shown) is (bool(text) and position != "hidden")
        assert position == "hidden" or text in shown


def test_the_merchants_own_text_stands_below_the_button(api: Api) -> None:
    made = session(api, custom_text={"after_submit": {"message": "We <3 tea."}})
    assert '</button><p class="note">We &lt;3 tea.</p>' in page(api, made)


def pays(api: Api, made: Answer) -> int:
    return int(post(api, path_of(made), method="link", email="jo@shop.example", name="Jo", shown_total="3000").status)


@pytest.mark.parametrize(("display", "shown"), [(None, True), ("auto", True), ("never", False)])
def test_link_is_offered_unless_the_session_hides_it(api: Api, display: str | None, shown: bool) -> None:
    more = {"wallet_options": {"link": {"display": display}}} if display else {}
    made = session(api, **more)
    assert ("?method=link" in page(api, made)) is shown
    assert pays(api, made) == (303 if shown else 402)
