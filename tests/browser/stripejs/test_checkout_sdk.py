"""A Checkout Session on a shop's own page, with the React package's provider and the unmodified script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import bundle
from tests.browser.stripejs.shopfront import ORIGIN, Shopfront

BACK = f"{ORIGIN}/done?session={{CHECKOUT_SESSION_ID}}"
TEA = {"price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Tea"}}, "quantity": 1}
TITLE = "Secure payment input frame"
STAYS = {"redirect": "if_required"}


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with Shopfront(chromium, shared_server, bundle("checkout.jsx")) as shop:
        yield shop


def opened(shop: Shopfront, session: dict[str, Any] | None = None, **asked: Any) -> str:
    """A new session that the page shows; its id."""
    given = {"mode": "payment", "ui_mode": "elements", "return_url": BACK, "line_items": [TEA], **(session or {})}
    made = shop.post("/v1/checkout/sessions", **given)
    shop.open(secret=made["client_secret"], **{"confirm": STAYS, **asked})
    return str(made["id"])


def type_card(shop: Shopfront, number: str = "4242424242424242") -> None:
    frame = shop.frame(TITLE)
    for name, text in {"number": number, "expiry": "12 / 34", "cvc": "123", "postalCode": "12345"}.items():
        frame.locator(f"#payment-{name}Input input, #Field-{name}Input").first.fill(text)


def act(shop: Shopfront, action: str, *given: Any) -> Any:
    """What an action of the session answers."""
    return shop.page.evaluate("([action, given]) => window.checkout[action](...given)", [action, list(given)])


def test_a_session_is_shown_typed_and_paid_without_a_word_on_the_console(shop: Shopfront) -> None:
    id = opened(shop)
    expect(shop.page.locator("li")).to_have_text("1 × Tea: $20.00")
    assert act(shop, "updateEmail", "jenny@example.com")["type"] == "success"
    expect(shop.page.locator("#can")).to_have_text("false")
    type_card(shop)
    expect(shop.page.locator("#can")).to_have_text("true")
    shop.pay()
    done = shop.result()
    assert (done["type"], done["session"]["status"]) == ("success", {"type": "complete", "paymentStatus": "paid"})
    paid = shop.get(f"/v1/checkout/sessions/{id}")
    assert (paid["status"], paid["customer_details"]["email"]) == ("complete", "jenny@example.com")
    assert shop.problems == []


def test_what_is_typed_into_its_elements_belongs_to_it(shop: Shopfront) -> None:
    more = {"shipping_address_collection": {"allowed_countries": ["US"]}}
    shop.page.set_viewport_size({"width": 900, "height": 1600})  # nothing scrolls while it is typed and pressed
    id = opened(shop, more, contact=True, places=True)
    shop.frame("Secure email input frame").get_by_label("Email").fill("jenny@example.com")
    typed = {"Full name": "Jenny Rosen", "Address line 1": "1 Main Street", "City": "Austin", "State": "TX"}
    for place in (0, 1):
        address = shop.page.frame_locator('iframe[title="Secure address input frame"]').nth(place)
        for label, text in {**typed, "ZIP code": "78701"}.items():
            address.get_by_label(label).fill(text)
    type_card(shop)
    expect(shop.page.locator("#can")).to_have_text("true")
    shop.pay()
    shown = shop.result()["session"]
    assert (shown["email"], shown["shippingAddress"]["address"]["city"]) == ("jenny@example.com", "Austin")
    kept = shop.get(f"/v1/checkout/sessions/{id}")
    assert kept["collected_information"]["shipping_details"]["address"]["line1"] == "1 Main Street"
    assert kept["customer_details"]["address"]["postal_code"] in ("78701", "12345")


def test_an_order_changes_and_a_code_is_applied(shop: Shopfront) -> None:
    coupon = shop.post("/v1/coupons", percent_off=10)["id"]
    shop.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="TENTH")
    more = {"line_items": [{**TEA, "adjustable_quantity": {"enabled": True}}], "allow_promotion_codes": True}
    opened(shop, more, defaults={"email": "jenny@example.com"})
    expect(shop.page.locator("li")).to_have_text("1 × Tea: $20.00")
    line = shop.page.evaluate("window.checkout.lineItems[0].id")
    act(shop, "updateLineItemQuantity", {"lineItem": line, "quantity": 3})
    expect(shop.page.locator("li")).to_have_text("3 × Tea: $60.00")
    wrong = act(shop, "applyPromotionCode", "NONE")
    assert (wrong["type"], wrong["error"]["code"]) == ("error", "invalidCode")
    assert act(shop, "applyPromotionCode", "TENTH")["session"]["discountAmounts"][0]["promotionCode"] == "TENTH"
    expect(shop.page.locator("#total")).to_have_text("$54.00")
    assert act(shop, "updateEmail", "nobody")["error"]["code"] == "invalidEmail"
    assert shop.page.evaluate("window.checkout.email") == "jenny@example.com"


def test_a_decline_is_told_and_a_challenge_is_passed_in_a_frame(shop: Shopfront) -> None:
    opened(shop, {"customer_email": "jenny@example.com"})
    type_card(shop, "4000000000000002")
    shop.pay()
    error = shop.result()["error"]
    assert (error["code"], error["paymentFailed"]) == ("paymentFailed", {"declineCode": "generic_decline"})
    type_card(shop, "4000002760003184")
    shop.pay()
    shop.bank().locator("#test-source-fail-3ds").click()
    expect(shop.page.locator("#result")).to_contain_text("failed authentication")
    shop.pay()
    shop.bank().locator("#test-source-authorize-3ds").click()
    expect(shop.page.locator("#result")).to_contain_text("complete")
    assert shop.problems == []


def test_the_customer_is_led_to_the_return_url(shop: Shopfront) -> None:
    recurring = {**TEA["price_data"], "recurring": {"interval": "month"}}  # type: ignore[dict-item]
    more = {"mode": "subscription", "line_items": [{**TEA, "price_data": recurring}]}
    id = opened(shop, {**more, "customer_email": "jenny@example.com"}, confirm={})
    type_card(shop)
    shop.pay()
    shop.page.wait_for_url(f"{ORIGIN}/done?session={id}")
    assert shop.get(f"/v1/checkout/sessions/{id}")["subscription"]


def test_the_server_changes_what_the_page_shows(shop: Shopfront) -> None:
    id = opened(shop)
    expect(shop.page.locator("#total")).to_have_text("$20.00")
    shop.post(f"/v1/checkout/sessions/{id}", line_items=[{**TEA, "quantity": 2}])
    assert shop.page.evaluate("checkout.runServerUpdate(async () => {})")["type"] == "success"
    expect(shop.page.locator("#total")).to_have_text("$40.00")
    failed = shop.page.evaluate("checkout.runServerUpdate(async () => { throw new Error('away'); })")
    assert failed == {"type": "error", "error": {"message": "away", "code": None}}


def test_a_wrong_secret_is_told(shop: Shopfront) -> None:
    shop.open(secret="pi_1_secret_2")
    expect(shop.page.get_by_role("alert")).to_contain_text("client secret")
