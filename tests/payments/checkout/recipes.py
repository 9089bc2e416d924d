"""How tests make the objects of ``payments.checkout`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.payments.catalog.recipes import one_time_price
from tests.support.recipes import HOME, META, Body, Json, Maker, Visit, visit_of


def _checkout(m: Maker, **more: Any) -> Json:
    return m.post(
        "/v1/checkout/sessions",
        mode="payment",
        success_url=HOME,
        line_items=[{"price": one_time_price(m), "quantity": 1}],
        **more,
    )


def _page(**more: Any) -> Callable[[Maker, Json], Visit]:
    def visit(m: Maker, card: Json) -> Visit:
        given: Json = {"mode": "payment", "success_url": HOME, **more}
        if given["mode"] == "payment":
            given["line_items"] = [{"price": m.make("price")["id"], "quantity": 1}]
        else:
            given |= {"currency": "usd", "allowed_payment_method_types": ["card"]}
        session = m.post("/v1/checkout/sessions", **given)["id"]
        typed = {
            "email": "jenny@example.com",
            "name": "Jenny",
            "number": card["number"],
            "expiry": "12 / 34",
            "cvc": "123",
        }
        return Visit(session, {**typed, "country": "US", "postal_code": "94111"})

    return visit


def _removal(m: Maker, _card: Json) -> Visit:
    """A returning customer removes a saved payment method."""
    method = m.make("payment_method")
    session = m.post(
        "/v1/checkout/sessions",
        mode="payment",
        success_url=HOME,
        customer=method["customer"],
        line_items=[{"price": one_time_price(m), "quantity": 1}],
        saved_payment_method_options={"payment_method_remove": "enabled"},
    )
    return Visit(session["id"], {"saved": method["id"]})


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "checkout.session": _checkout,
}


BODIES: dict[str, Body] = {
    "POST /v1/checkout/sessions": lambda m: {
        "mode": "payment", "success_url": HOME, "line_items": [{"price": one_time_price(m), "quantity": 1}]},
    "POST /v1/payment_links": lambda m: {"line_items": [{"price": one_time_price(m), "quantity": 1}]},
    "POST /v1/payment_links/{}": META,
    "POST /v1/payment_pages/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/payment_pages/{}/init": {},
    "POST /v1/payment_pages/{}": {"email": "jenny@example.com"},
}  # fmt: skip

PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/payment_pages/{}": lambda m: [
        m.post("/v1/checkout/sessions", mode="payment", ui_mode="elements", return_url=HOME,
               line_items=[{"price": one_time_price(m), "quantity": 1}])["id"]
    ],
}  # fmt: skip


DUE: dict[str, Callable[[Maker], object]] = {
    "checkout.expire": lambda m: m.make("checkout.session"),
}


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "POST /pay/{token}": (_page(), _page(mode="setup")),
    "POST /pay/{token}/address": (_page(),),
    "POST /pay/{token}/promotion": (_page(),),
    "POST /pay/{token}/order": (_page(),),
    "POST /pay/{token}/remove": (_removal,),
    "POST /recover/{token}": (_page(after_expiration={"recovery": {"enabled": True}}),),
    "POST /buy/{token}": (visit_of("payment_link"),),
}
