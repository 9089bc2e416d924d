"""Vouchers: when they expire, and who pays them in test mode."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.api import Answer, Api

#: type -> currency, and what its payment method is made of
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "boleto": ("brl", {"tax_id": "00000000000"}),
    "konbini": ("jpy", {}),
    "multibanco": ("eur", {}),
    "oxxo": ("mxn", {}),
    "pix": ("brl", {}),
}
SHOWN = {"pix": "pix_display_qr_code"}
EXPIRES = {"oxxo": "expires_after"}


def voucher(api: Api, kind: str, email: str = "jenny@example.com", **params: Any) -> Answer:
    currency, data = KINDS[kind]
    method = {"type": kind, kind: data, "billing_details": {"name": "Jenny Rosen", "email": email}}
    given = {"amount": 2000, "currency": currency, "allowed_payment_method_types": [kind], "confirm": True}
    return api.ok("POST", "/v1/payment_intents", **{**given, "payment_method_data": method, **params})


def expiry(intent: Answer, kind: str) -> int:
    details = intent["next_action"][SHOWN.get(kind, f"{kind}_display_details")]
    return int(details[EXPIRES.get(kind, "expires_at")])


#: beginning of the address, seconds until it ends, whether it is paid, seconds until it expires (None: by default)
ADDRESSES: tuple[tuple[str, int, bool, int | None], ...] = (
    ("anything", 180, True, None),
    ("jenny.succeed_immediately", 3, True, None),
    ("expire_immediately", 3, False, 0),
    ("jenny.expire_with_delay", 180, False, 180),
    ("fill_never", -1, False, None),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ADDRESSES, ids=[row[0] for row in ADDRESSES])
def test_the_address_says_what_becomes_of_a_voucher(
    api: Api, kind: str, row: tuple[str, int, bool, int | None]
) -> None:
    name, after, paid, expires = row
    intent = voucher(api, kind, f"{name}@example.com")
    assert intent["status"] == "requires_action"
    if expires is not None:
        assert expiry(intent, kind) == api.now + expires
    wait = expiry(intent, kind) - api.now if after < 0 else after
    if wait > 10:
        api.advance(wait - 5)
        assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_action"
    api.advance(10)
    done = api.get(f"/v1/payment_intents/{intent['id']}")
    if paid:
        assert (done["status"], done["amount_received"]) == ("succeeded", 2000)
    else:
        assert (done["status"], done["last_payment_error"]["code"]) == (
            "requires_payment_method",
            "payment_intent_payment_attempt_expired",
        )
        assert "payment_intent.payment_failed" in {event["type"] for event in api.events()}


@pytest.mark.parametrize(
    ("kind", "options", "ends"),
    [
        ("boleto", {}, datetime(2026, 1, 4, 2, 59, 59, tzinfo=UTC)),
        ("boleto", {"expires_after_days": 0}, datetime(2026, 1, 1, 2, 59, 59, tzinfo=UTC)),
        ("konbini", {"expires_after_days": 2}, datetime(2026, 1, 3, 14, 59, 59, tzinfo=UTC)),
        ("konbini", {"expires_at": 1_767_400_000}, datetime.fromtimestamp(1_767_400_000, UTC)),
        ("oxxo", {"expires_after_days": 1}, datetime(2026, 1, 2, 5, 59, 59, tzinfo=UTC)),
        ("multibanco", {}, datetime(2026, 1, 8, 23, 59, 59, tzinfo=UTC)),
        ("pix", {"expires_after_seconds": 60}, datetime(2026, 1, 1, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_voucher_expires_at_the_end_of_a_day_of_its_country(
    api: Api, kind: str, options: dict[str, Any], ends: datetime
) -> None:
    intent = voucher(api, kind, **({"payment_method_options": {kind: options}} if options else {}))
    assert datetime.fromtimestamp(expiry(intent, kind), UTC) == ends


@pytest.mark.parametrize(
    ("number", "status"), [("22222222220", "succeeded"), ("33333333330", "requires_payment_method")]
)
def test_a_konbini_confirmation_number_decides_too(api: Api, number: str, status: str) -> None:
    intent = voucher(api, "konbini", payment_method_options={"konbini": {"confirmation_number": number}})
    store = intent["next_action"]["konbini_display_details"]["stores"]["lawson"]
    assert store["confirmation_number"] == number
    api.advance(10)
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == status


def test_a_rejected_confirmation_number_is_an_error(api: Api) -> None:
    given = {"amount": 2000, "currency": "jpy", "allowed_payment_method_types": ["konbini"], "confirm": True}
    refused = api.post(
        "/v1/payment_intents",
        **given,
        payment_method_data={"type": "konbini", "billing_details": {"name": "J", "email": "j@example.com"}},
        payment_method_options={"konbini": {"confirmation_number": "01234567890"}},
    )
    assert (refused.status, refused.error["code"]) == (400, "payment_intent_konbini_rejected_confirmation_number")


def test_a_voucher_that_another_method_took_the_place_of_is_not_paid(api: Api) -> None:
    intent = voucher(api, "oxxo", allowed_payment_method_types=["oxxo", "card"])
    api.ok("POST", f"/v1/payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa")
    api.advance(300)
    done = api.get(f"/v1/payment_intents/{intent['id']}")
    assert (done["status"], len(api.get("/v1/charges", payment_intent=intent["id"])["data"])) == ("succeeded", 1)


def test_a_canceled_voucher_is_not_paid(api: Api) -> None:
    intent = voucher(api, "boleto")
    api.ok("POST", f"/v1/payment_intents/{intent['id']}/cancel")
    api.advance(300)
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "canceled"
