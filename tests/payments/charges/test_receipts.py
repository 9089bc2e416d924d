"""The receipt of a charge: a page for whoever holds its address."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.payments.documents.steps import line_of, text_of
from tests.support.api import Answer, Api
from tests.support.connected import acting, connected


def receipt(api: Api, charge: Answer) -> str:
    """The text of a charge's receipt page, asked for without a key."""
    answer = api.send("GET", urlsplit(charge["receipt_url"]).path, key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return answer.body.decode()


def test_a_receipt_tells_who_was_paid_how_much_with_which_card(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=2_050, currency="usd", source="tok_visa", description="<b>Rocket</b>")
    text = receipt(api, charge)
    for told in (
        "Receipt from Test account",
        "Visa •••• 4242",
        "$20.50",
        "January 1, 2026",
        "Amount paid",
        "Test mode",
    ):
        assert told in text
    assert "&lt;b&gt;Rocket" in text
    assert "<b>Rocket" not in text


def test_a_receipt_can_be_kept_as_a_document(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=2_050, currency="usd", source="tok_visa", description="Rocket ürü")
    api.ok("post", "/v1/refunds", charge=charge["id"], amount=500)
    path = urlsplit(charge["receipt_url"]).path
    assert f'href="{path}/pdf"' in receipt(api, charge)
    answer = api.send("GET", path + "/pdf", key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert line_of(answer.body, "Date", "January 1, 2026", "Payment method", "Visa •••• 4242")
    assert line_of(answer.body, "Refunded on January 1, 2026", "-$5.00", "Paid after refunds", "$15.50")
    assert "Rocket ürü" in text_of(answer.body)


def test_a_receipt_is_in_the_language_of_its_customer(api: Api) -> None:
    who = api.ok("post", "/v1/customers", source="tok_visa", preferred_locales=["es"])["id"]
    charge = api.ok("post", "/v1/charges", amount=2_050, currency="eur", customer=who)
    text = receipt(api, charge)
    assert "<h1>Recibo de Test account</h1>" in text
    assert "1 de enero de 2026" in text


def test_a_receipt_follows_the_refunds(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=2_000, currency="usd", source="tok_amex")
    api.ok("post", "/v1/refunds", charge=charge["id"], amount=500)
    text = receipt(api, charge)
    for told in ("American Express", "Refunded on January 1, 2026", "-$5.00", "Paid after refunds", "$15.00"):
        assert told in text


def test_an_authorization_s_receipt_says_that_nothing_was_charged(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=2_000, currency="usd", source="tok_visa", capture=False)
    assert "Authorized, not charged yet" in receipt(api, charge)
    api.ok("post", f"/v1/charges/{charge['id']}/capture", amount=1_200)
    assert "Charged of it" in receipt(api, charge)
    assert "$12.00" in receipt(api, charge)


def test_a_declined_charge_has_no_receipt(api: Api) -> None:
    api.post("/v1/charges", amount=2_000, currency="usd", source="tok_chargeDeclined")
    assert api.get("/v1/charges")["data"][0]["receipt_url"] is None


def test_the_receipt_of_a_direct_charge_names_the_connected_account(api: Api) -> None:
    account = connected(api, business_profile={"name": "Rocket Rides", "url": "https://accessible.stripe.com"})
    charge = api.ok("post", "/v1/charges", amount=2_000, currency="usd", source="tok_visa", headers=acting(account))
    assert "Receipt from Rocket Rides" in receipt(api, charge)
    assert api.send("GET", "/receipts/" + charge["id"], key=None).status == 404
