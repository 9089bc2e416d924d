"""What the API derives from the data of a new PaymentMethod."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api


@pytest.mark.parametrize(
    ("kind", "sent", "derived"),
    [
        ("ideal", {"bank": "ing"}, {"bic": "INGBNL2A"}),
        ("ideal", {}, {"bic": None}),
        ("au_becs_debit", {"bsb_number": "000000", "account_number": "000123456"}, {"last4": "3456"}),
        ("payto", {"bsb_number": "000000", "account_number": "000123456"}, {"last4": "3456"}),
        ("fpx", {"bank": "maybank2u"}, {"account_holder_type": "individual"}),
    ],
)
def test_what_follows_from_the_data_is_added(
    api: Api, kind: str, sent: dict[str, Any], derived: dict[str, Any]
) -> None:
    billing = {"name": "Jenny Rosen", "email": "jenny@example.com"}
    made = api.ok("POST", "/v1/payment_methods", type=kind, **{kind: sent}, billing_details=billing)
    assert {name: made[kind][name] for name in derived} == derived
    assert "account_number" not in made[kind]


def test_an_account_is_known_again_by_its_fingerprint(api: Api) -> None:
    billing = {"name": "Jenny Rosen", "email": "jenny@example.com"}

    def print_of(number: str) -> str:
        account = {"bsb_number": "000000", "account_number": number}
        made = api.ok(
            "POST", "/v1/payment_methods", type="au_becs_debit", au_becs_debit=account, billing_details=billing
        )
        return str(made["au_becs_debit"]["fingerprint"])

    assert print_of("000123456") == print_of("000123456") != print_of("900123456")
