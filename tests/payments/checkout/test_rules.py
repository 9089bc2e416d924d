"""Which parameters of a Checkout Session go together: with its mode, its ``ui_mode``, and one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.checkout.steps import FIELD, MONTHLY, line
from tests.support.api import Api, rule_table
from tests.support.versions import BEFORE_ENDIVE, ENDIVE

URL = "/v1/checkout/sessions"
DONE = "https://shop.example/done"
DAY = 86_400
INVOICES = (
    "You can only enable invoice creation when `mode` is set to `payment`. Invoices are created automatically when"
    " `mode` is set to `subscription`, and are unsupported when set to `setup`. To learn more visit"
    " https://stripe.com/docs/payments/checkout/post-payment-invoices."
)


def dropdown(*values: str, **more: Any) -> dict[str, Any]:
    options = [{"label": value, "value": value} for value in values]
    return {**FIELD, "type": "dropdown", "dropdown": {"options": options, **more}}


def body(mode: str, ui: str = "hosted_page", **more: Any) -> dict[str, Any]:
    lines: dict[str, Any] = {
        "payment": {"line_items": [line()]},
        "subscription": {"line_items": [line(**MONTHLY)]},
        "setup": {"currency": "usd"},
    }[mode]
    back = {"success_url": DONE} if ui == "hosted_page" else {"ui_mode": ui, "return_url": DONE}
    return {"mode": mode, **lines, **back, **more}


RATE = {"display_name": "Post", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
#: Parameter -> a value, and the modes that take it.
IN_MODES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "allow_promotion_codes": (True, ("payment", "subscription")),
    "customer_creation": ("always", ("payment", "setup")),
    "discounts": ([{"coupon": "NONE"}], ("payment", "subscription")),
    "invoice_creation": ({"enabled": True}, ("payment",)),
    "payment_intent_data": ({"description": "x"}, ("payment",)),
    "payment_method_collection": ("always", ("subscription",)),
    "phone_number_collection": ({"enabled": True}, ("payment", "subscription")),
    "saved_payment_method_options": ({"payment_method_save": "enabled"}, ("payment", "subscription")),
    "setup_intent_data": ({"description": "x"}, ("setup",)),
    "shipping_options": ([{"shipping_rate_data": RATE}], ("payment", "subscription")),
    "submit_type": ("donate", ("payment", "subscription")),
    "subscription_data": ({"description": "x"}, ("subscription",)),
}
SAID_OTHERWISE = {
    "customer_creation": "`customer_creation` can only be used in `payment` mode.",
    "invoice_creation": INVOICES,
}


@rule_table
@pytest.mark.parametrize("mode", ["payment", "setup", "subscription"])
@pytest.mark.parametrize("name", IN_MODES)
def test_a_parameter_is_taken_in_its_modes_only(api: Api, name: str, mode: str) -> None:
    value, modes = IN_MODES[name]
    if name == "discounts":
        value = [{"coupon": api.ok("POST", "/v1/coupons", percent_off=10)["id"]}]
    answer = api.post(URL, **body(mode, **{name: value}))
    if mode in modes:
        assert answer.status == 200, answer.error
    else:
        said = SAID_OTHERWISE.get(name, f"You can not pass `{name}` in `{mode}` mode.")
        assert (answer.status, answer.error["param"], answer.error["message"]) == (400, name, said)


def test_what_is_off_is_taken_in_every_mode(api: Api) -> None:
    off = {"invoice_creation": {"enabled": False}, "phone_number_collection": {"enabled": False}}
    assert api.post(URL, **body("subscription", invoice_creation=off["invoice_creation"])).status == 200
    assert api.post(URL, **body("setup", **off)).status == 200


#: Parameter -> a value, and the pages that have it.
ON_PAGES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "after_expiration": ({"recovery": {"enabled": True}}, ("hosted_page", "embedded_page")),
    "branding_settings": ({"display_name": "Shop"}, ("hosted_page", "embedded_page")),
    "cancel_url": (DONE, ("hosted_page",)),
    "custom_fields": ([FIELD], ("hosted_page", "embedded_page")),
    "custom_text": ({"submit": {"message": "x"}}, ("hosted_page", "embedded_page")),
    "name_collection": ({"business": {"enabled": True}}, ("hosted_page", "embedded_page")),
    "origin_context": ("web", ("hosted_page", "embedded_page")),
    "permissions": ({"update_shipping_details": "server_only"}, ("elements",)),
    "redirect_on_completion": ("if_required", ("embedded_page", "elements")),
    "return_url": (DONE, ("embedded_page", "elements")),
    "submit_type": ("donate", ("hosted_page", "embedded_page")),
    "success_url": (DONE, ("hosted_page",)),
}


@rule_table
@pytest.mark.parametrize("ui", ["hosted_page", "embedded_page", "elements"])
@pytest.mark.parametrize("name", ON_PAGES)
def test_a_parameter_is_taken_by_its_pages_only(api: Api, name: str, ui: str) -> None:
    value, pages = ON_PAGES[name]
    answer = api.post(URL, **body("payment", ui, **{name: value}))
    if ui in pages:
        assert answer.status == 200, answer.error
    else:
        assert answer.status == 400
        assert answer.error["param"].startswith(name)
        assert answer.error["message"].endswith(f"when `ui_mode` is `{'hosted' if ui == 'hosted_page' else ui}`.")


@pytest.mark.parametrize("ui", ["hosted_page", "embedded_page", "elements"])
def test_optional_items_are_shown_by_the_pages_of_checkout(api: Api, ui: str) -> None:
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=100, product_data={"name": "x"})["id"]
    answer = api.post(URL, **body("payment", ui, optional_items=[{"price": price, "quantity": 1}]))
    assert answer.status == (400 if ui == "elements" else 200)


@pytest.mark.parametrize("ui", ["hosted_page", "embedded_page", "elements"])
def test_what_a_page_of_ours_collected_is_not_set_by_the_shop(api: Api, ui: str) -> None:
    made = api.ok("POST", URL, **body("payment", ui))
    place = {"name": "Jo", "address": {"country": "US", "line1": "1 Main St"}}
    answer = api.post(f"{URL}/{made['id']}", collected_information={"shipping_details": place})
    assert answer.status == (400 if ui == "hosted_page" else 200)
    if ui != "hosted_page":
        address = answer["collected_information"]["shipping_details"]["address"]
        blank = {"city": None, "line2": None, "postal_code": None, "state": None}
        assert address == {"country": "US", "line1": "1 Main St", **blank}


_LONG_TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "a key of 201 characters": ({"custom_fields": [{**FIELD, "key": "k" * 201}]}, "custom_fields[0][key]"),
    "a label of 51 characters": (
        {"custom_fields": [{**FIELD, "label": {"type": "custom", "custom": "k" * 51}}]},
        "custom_fields[0][label][custom]",
    ),
    "a choice of 101 characters": (
        {"custom_fields": [{**dropdown(), "dropdown": {"options": [{"label": "k" * 101, "value": "a"}]}}]},
        "custom_fields[0][dropdown][options][0][label]",
    ),
    "a text of 1201 characters": ({"custom_text": {"submit": {"message": "k" * 1201}}}, "custom_text[submit][message]"),
}


@pytest.mark.parametrize("what", _LONG_TEXTS)
def test_longer_texts_than_the_page_has_room_for_are_refused(api: Api, what: str) -> None:
    more, param = _LONG_TEXTS[what]
    answer = api.post(URL, **body("payment", **more))
    assert (answer.status, answer.error["param"]) == (400, param)
    assert "must be at most" in answer.error["message"]


@pytest.mark.parametrize("ui", ["embedded_page", "elements"])
def test_a_page_within_the_shop_says_where_to_return_to(api: Api, ui: str) -> None:
    given = {name: value for name, value in body("payment", ui).items() if name != "return_url"}
    answer = api.post(URL, **given)
    assert (answer.status, answer.error["param"]) == (400, "return_url")


REFUSED: dict[str, tuple[str, dict[str, Any], str, str | None]] = {
    "nothing is bought where a card is saved": (
        "setup", {"line_items": [line()]}, "You can not pass `line_items` in `setup` mode.", "line_items"),
    "a payment is for something": (
        "payment", {"line_items": None}, "Missing required param: line_items.", "line_items"),
    "a subscription is to something": (
        "subscription", {"line_items": None}, "Missing required param: line_items.", "line_items"),
    "a recurring price is not paid once": (
        "payment", {"line_items": [line(**MONTHLY)]},
        "You specified `payment` mode but passed a recurring price."
        " Either switch to `subscription` mode or use only one-time prices.", "line_items[0][price]"),
    "a subscription has a recurring price": (
        "subscription", {"line_items": [line()]},
        "You must provide at least one recurring price in `subscription` mode when using prices.", "line_items"),
    "a line has a price": (
        "payment", {"line_items": [{"quantity": 1}]},
        "You must provide either price or price_data for each line item when using prices.", None),
    "the customer is known, or only an address": (
        "payment", {"customer": "cus_1", "customer_email": "jo@shop.example"},
        "You may only specify one of these parameters: customer, customer_email.", None),
    "a known customer is not made anew": (
        "payment", {"customer": "cus_1", "customer_creation": "always"},
        "You may only specify one of these parameters: customer, customer_creation.", None),
    "only a known customer is updated": (
        "payment", {"customer_update": {"name": "auto"}},
        "`customer_update` can only be used with `customer`.", "customer_update"),
    "a discount is given, or typed": (
        "payment", {"discounts": [{"coupon": "A"}], "allow_promotion_codes": True},
        "You may only specify one of these parameters: allow_promotion_codes, discounts.", None),
    "the page has the fonts it has": (
        "payment", {"branding_settings": {"font_family": "comic_sans"}}, "Invalid branding_settings[font_family]: ",
        "branding_settings[font_family]"),
    "a session that saves a card says its methods or its currency": (
        "setup", {"currency": None}, "Missing required param: currency.", "currency"),
    "dynamic methods are chosen or excluded, not both": (
        "payment", {"allowed_payment_method_types": ["card"], "excluded_payment_method_types": ["klarna"]},
        "You may only specify one of these parameters: allowed_payment_method_types, excluded_payment_method_types.",
        None),
    "keys of custom fields have letters and digits": (
        "payment", {"custom_fields": [{**FIELD, "key": "a b"}]},
        "Invalid key: a b; must only contain alphanumeric characters.", "custom_fields[0][key]"),
    "keys of custom fields are unique": (
        "payment", {"custom_fields": [FIELD, FIELD]},
        "The key `engraving` is used more than once; it must be unique.", "custom_fields[1][key]"),
    "values to choose from have letters and digits": (
        "payment", {"custom_fields": [dropdown("a", "b c")]},
        "Invalid value: b c; must only contain alphanumeric characters.",
        "custom_fields[0][dropdown][options][1][value]"),
    "values to choose from are unique": (
        "payment", {"custom_fields": [dropdown("a", "a")]}, "The value `a` is used more than once; it must be unique.",
        "custom_fields[0][dropdown][options][1][value]"),
    "what is chosen beforehand can be chosen": (
        "payment", {"custom_fields": [dropdown("a", "b", default_value="c")]},
        "Invalid default value: c; must be one of the options.", "custom_fields[0][dropdown][default_value]"),
    "a picture from a file has its file": (
        "payment", {"branding_settings": {"icon": {"type": "file"}}},
        "Missing required param: branding_settings[icon][file].", "branding_settings[icon][file]"),
    "a picture from an address has its address": (
        "payment", {"branding_settings": {"logo": {"type": "url"}}},
        "Missing required param: branding_settings[logo][url].", "branding_settings[logo][url]"),
    "a picture from an address has no file": (
        "payment", {"branding_settings": {"icon": {"type": "url", "url": DONE, "file": "file_1"}}},
        "You can not pass `branding_settings[icon][file]` when `branding_settings[icon][type]` is `url`.",
        "branding_settings[icon][file]"),
    "a mandate that is not sporadic says when it is used": (
        "payment", {"payment_method_options": {"acss_debit": {"mandate_options": {"payment_schedule": "interval"}}}},
        "Missing required param: payment_method_options[acss_debit][mandate_options][interval_description].",
        "payment_method_options[acss_debit][mandate_options][interval_description]"),
    "a trial lasts one day at least": (
        "subscription", {"subscription_data": {"trial_period_days": 0}},
        "This value must be greater than or equal to 1.", "subscription_data[trial_period_days]"),
    "a trial lasts two years at most": (
        "subscription", {"subscription_data": {"trial_period_days": 731}},
        "The maximum number of trial period days is 730 (2 years).", "subscription_data[trial_period_days]"),
    "a trial has its length or its end": (
        "subscription", {"subscription_data": {"trial_period_days": 5, "trial_end": 4_000_000_000}},
        "You may only specify one of these parameters: subscription_data[trial_end],"
        " subscription_data[trial_period_days].", None),
    "a field to choose from has its choices": (
        "payment", {"custom_fields": [{**FIELD, "type": "dropdown"}]},
        "Missing required param: custom_fields[0][dropdown].", "custom_fields[0][dropdown]"),
    "a fee is taken from another account only": (
        "payment", {"payment_intent_data": {"application_fee_amount": 10}},
        "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment",
        "payment_intent_data[application_fee_amount]"),
    "a payment is on behalf of an account that is connected": (
        "payment", {"payment_intent_data": {"on_behalf_of": "acct_no"}},
        "No such on_behalf_of: 'acct_no'", "payment_intent_data[on_behalf_of]"),
    "a payment is for an account that is connected": (
        "payment", {"payment_intent_data": {"transfer_data": {"destination": "acct_no"}}},
        "No such destination: 'acct_no'", "payment_intent_data[transfer_data][destination]"),
    "a share is taken from another account only": (
        "subscription", {"subscription_data": {"application_fee_percent": 10}},
        "Can only apply an application_fee_percent when the request is made on behalf of another account"
        " (using an OAuth key or the Stripe-Account header).", "subscription_data[application_fee_percent]"),
}  # fmt: skip


@pytest.mark.parametrize("rule", REFUSED)
def test_parameters_that_do_not_go_together_are_refused(api: Api, rule: str) -> None:
    mode, more, message, param = REFUSED[rule]
    answer = api.post(URL, **{k: v for k, v in body(mode, **more).items() if v is not None})
    assert (answer.status, answer.error.get("param")) == (400, param)
    assert answer.error["message"].startswith(message)


def test_named_methods_go_with_no_excluded_ones(api: Api) -> None:
    named = {"payment_method_types": ["card"], "excluded_payment_method_types": ["klarna"]}
    answer = api.under(BEFORE_ENDIVE).post(URL, **body("payment", **named))
    assert answer.status == 400
    assert answer.error["message"] == (
        "You may only specify one of these parameters: excluded_payment_method_types, payment_method_types."
    )


@pytest.mark.parametrize(
    ("version", "name"),
    [(BEFORE_ENDIVE, "payment_method_types"), (ENDIVE, "allowed_payment_method_types")],
)
def test_a_session_that_saves_a_card_needs_no_currency_beside_its_methods(api: Api, version: str, name: str) -> None:
    given = {key: value for key, value in body("setup").items() if key != "currency"}
    assert api.under(version).post(URL, **given, **{name: ["card"]})["payment_method_types"] == ["card"]


@pytest.mark.parametrize(("seconds", "status"), [(1799, 400), (1800, 200), (DAY, 200), (DAY + 1, 400)])
def test_a_session_expires_half_an_hour_to_a_day_from_now(api: Api, seconds: int, status: int) -> None:
    answer = api.post(URL, **body("payment", expires_at=api.now + seconds))
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "expires_at"


def test_a_metered_price_has_no_quantity(api: Api) -> None:
    meter = api.ok("POST", "/v1/billing/meters", display_name="Calls", event_name="calls",
                   default_aggregation={"formula": "sum"})["id"]  # fmt: skip
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=1, product_data={"name": "Calls"},
                   recurring={"interval": "month", "usage_type": "metered", "meter": meter})["id"]  # fmt: skip
    assert api.post(URL, **body("subscription", line_items=[{"price": price}])).status == 200
    answer = api.post(URL, **body("subscription", line_items=[{"price": price, "quantity": 1}]))
    assert (answer.status, answer.error["message"]) == (
        400,
        "Quantity should not be specified where usage_type is `metered`. Remove quantity from `line_items[0]`",
    )


def test_all_lines_have_one_currency(api: Api) -> None:
    answer = api.post(URL, **body("payment", line_items=[line(), line(currency="eur")]))
    assert (answer.status, answer.error["param"]) == (400, "line_items[1][price]")


def test_fields_with_keys_of_their_own_and_a_choice_made_beforehand_are_taken(api: Api) -> None:
    fields = [{**FIELD, "key": "first_name"}, {**dropdown("a", "b", default_value="b"), "key": "size"}]
    assert len(api.ok("POST", URL, **body("payment", custom_fields=fields))["custom_fields"]) == 2


@pytest.mark.parametrize(("seconds", "status"), [(2 * DAY - 1, 400), (2 * DAY, 200)])
def test_a_trial_ends_two_days_from_now_at_the_soonest(api: Api, seconds: int, status: int) -> None:
    given = {"trial_end": api.now + seconds}
    answer = api.post(URL, **body("subscription", subscription_data=given))
    assert answer.status == status
    if status == 400:
        assert answer.error["message"] == "The `trial_end` date has to be at least 2 days in the future."
        assert answer.error["param"] == "subscription_data[trial_end]"


@pytest.mark.parametrize(("mode", "recurring", "once", "status"), [
    ("payment", 0, 100, 200), ("payment", 0, 101, 400),
    ("subscription", 20, 20, 200), ("subscription", 21, 0, 400), ("subscription", 1, 21, 400),
])  # fmt: skip
def test_a_session_has_so_many_lines_of_a_kind(api: Api, mode: str, recurring: int, once: int, status: int) -> None:
    lines = [line(**MONTHLY)] * recurring + [line()] * once
    answer = api.post(URL, **body(mode, line_items=lines))
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "line_items"


def test_optional_items_count_as_lines(api: Api) -> None:
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=100, product_data={"name": "x"})["id"]
    given = body("payment", line_items=[line()] * 99, optional_items=[{"price": price, "quantity": 1}] * 2)
    assert api.post(URL, **given).status == 400
    assert api.post(URL, **{**given, "line_items": [line()] * 98}).status == 200


def test_a_tax_rate_that_is_no_longer_in_use_is_refused(api: Api) -> None:
    rate = api.ok("POST", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    taxed = [{**line(), "tax_rates": [rate]}]
    assert api.post(URL, **body("payment", line_items=taxed)).status == 200
    api.ok("POST", f"/v1/tax_rates/{rate}", active=False)
    answer = api.post(URL, **body("payment", line_items=taxed))
    assert (answer.status, answer.error["param"]) == (400, "line_items[0][tax_rates][0]")
    default = api.post(URL, **body("subscription", subscription_data={"default_tax_rates": [rate]}))
    assert (default.status, default.error["param"]) == (400, "subscription_data[default_tax_rates][0]")


def _subscribed(api: Api, who: str) -> None:
    data = {"currency": "eur", "unit_amount": 500, **MONTHLY}
    data["product"] = api.ok("POST", "/v1/products", name="Tea")["id"]
    sent = {"collection_method": "send_invoice", "days_until_due": 3}
    api.ok("POST", "/v1/subscriptions", customer=who, items=[{"price_data": data}], **sent)


def _opened(api: Api, who: str) -> None:
    api.ok("POST", URL, **body("subscription", line_items=[line(currency="eur", **MONTHLY)], customer=who))


@pytest.mark.parametrize("active", [_subscribed, _opened])
def test_a_customer_stays_in_the_currency_of_what_is_active(api: Api, active: Callable[[Api, str], None]) -> None:
    who = api.ok("POST", "/v1/customers", email="a@example.com")["id"]
    active(api, who)
    refused = api.post(URL, **body("subscription", customer=who))
    assert (refused.status, refused.error["message"]) == (
        400,
        "You cannot combine currencies on a single customer. This customer has an active subscription, subscription"
        " schedule, discount, quote, invoice item or active subscription mode checkout session with currency eur.",
    )
    euros = {"line_items": [line(currency="eur", **MONTHLY)]}
    assert api.post(URL, **body("subscription", customer=who, **euros)).status == 200
    assert api.post(URL, **body("payment", customer=who)).status == 200
