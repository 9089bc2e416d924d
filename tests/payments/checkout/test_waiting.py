"""A challenge is for what its session came to when it began: whatever changes the session takes it back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import URL, again, fill, line, path_of, post, price, session
from tests.support.api import Answer, Api

CHALLENGED = "4000000000003220"
ADJUSTABLE = {"adjustable_quantity": {"enabled": True, "maximum": 50}}


def waits(api: Api, mode: str, **more: Any) -> tuple[Answer, str, str]:
    """A session whose customer is at the challenge: the session, the id of its line, and the path of the challenge."""
    recurring = {"recurring": {"interval": "month"}} if mode == "subscription" else {}
    made = session(api, mode, line_items=[{**line(1500, 1, **recurring), **ADJUSTABLE}], **more)
    item = api.get(f"{URL}/{made['id']}/line_items")["data"][0]["id"]
    sent = fill(api, path_of(made), CHALLENGED)
    assert sent.status == 303
    return made, str(item), sent.headers["location"].removeprefix(api.core.setup.base_url)


def changed(api: Api, how: str, made: Answer, item: str) -> None:
    """Change the session as its page, or the merchant, can."""
    path = path_of(made)
    if how == "order":
        assert post(api, f"{path}/order", **{f"quantity[{item}]": 9}).status == 303
    elif how == "promotion":
        post(api, f"{path}/promotion", promotion_code="")
    elif how == "address":
        assert post(api, f"{path}/address", email="jo@shop.example", country="US").status == 303
    elif how == "merchant":
        told = [{"id": item, "price": price(api), "quantity": 9}]
        api.ok("POST", f"{URL}/{made['id']}", line_items=told)
    else:
        assert fill(api, path, shown_total="1").status == 402


@pytest.mark.parametrize(
    ("mode", "how"),
    [(mode, how) for mode in ("payment", "subscription") for how in ("order", "promotion", "address", "shown")]
    + [("payment", "merchant")],
)
def test_a_challenge_ends_when_the_session_changes(api: Api, mode: str, how: str) -> None:
    more = {"allow_promotion_codes": True} if how == "promotion" else {}
    made, item, challenge = waits(api, mode, **more)
    before = api.get("/v1/charges")["data"]
    changed(api, how, made, item)
    api.send("POST", f"{challenge}/complete", key=None)
    assert (again(api, made)["status"], api.get("/v1/charges")["data"]) == ("open", before)


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_what_is_paid_after_a_challenge_was_left_is_what_the_session_comes_to(api: Api, mode: str) -> None:
    made, item, challenge = waits(api, mode)
    changed(api, "order", made, item)
    fill(api, path_of(made))
    api.send("POST", f"{challenge}/complete", key=None)
    paid = again(api, made)
    assert (paid["status"], paid["payment_status"], paid["amount_total"]) == ("complete", "paid", 9 * 1500)
    charges = [one["amount"] for one in api.get("/v1/charges")["data"] if one["paid"]]
    assert charges == [9 * 1500]
    if mode == "subscription":
        found = api.get(f"/v1/subscriptions/{paid['subscription']}")
        assert (found["status"], found["items"]["data"][0]["quantity"]) == ("active", 9)


def test_an_intent_that_is_paid_by_itself_completes_no_session_that_comes_to_more(api: Api) -> None:
    """Versions before 2020-08-27 let its client secret confirm it."""
    made, item, _ = waits(api, "payment")
    changed(api, "order", made, item)
    intent = api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")
    paid = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm", key=api.pk, headers={"Stripe-Version": "2019-12-03"},
        client_secret=intent["client_secret"], payment_method="pm_card_visa",
    )  # fmt: skip
    assert paid["status"] == "succeeded"
    assert again(api, made)["status"] == "open"


def test_a_challenge_that_nothing_changed_completes_the_session(api: Api) -> None:
    for mode in ("payment", "subscription"):
        made, _, challenge = waits(api, mode)
        api.send("GET", path_of(made), key=None)
        api.send("POST", f"{challenge}/complete", key=None)
        assert again(api, made)["status"] == "complete"
