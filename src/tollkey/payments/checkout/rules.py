"""Rules between the parameters of a Checkout Session, its mode and its ``ui_mode``.

The limits of single parameters are in ``wire/spec/limits.py``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import shipping_rates
from tollkey.payments.charges import splitting
from tollkey.payments.checkout import branding, kinds
from tollkey.payments.checkout.known import price_of
from tollkey.payments.subscriptions import currencies, items, periods
from tollkey.payments.tax import tax_ids
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredLine, StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import api, operations

#: Parameters that only some modes allow -> those modes.
_MODES = {
    "allow_promotion_codes": ("payment", "subscription"),
    "discounts": ("payment", "subscription"),
    "line_items": ("payment", "subscription"),
    "optional_items": ("payment", "subscription"),
    "payment_intent_data": ("payment",),
    "payment_method_collection": ("subscription",),
    "phone_number_collection": ("payment", "subscription"),
    "saved_payment_method_options": ("payment", "subscription"),
    "setup_intent_data": ("setup",),
    "shipping_options": ("payment", "subscription"),
    "submit_type": ("payment", "subscription"),
    "subscription_data": ("subscription",),
}
#: Parameters that the merchant's own pages, built with elements, do not support.
_NOT_IN_ELEMENTS = (
    "after_expiration", "branding_settings", "custom_fields", "custom_text", "name_collection", "optional_items",
    "origin_context", "submit_type",
)  # fmt: skip
_NOT_ON_HOSTED_PAGE = ("permissions", "redirect_on_completion")
_EXCLUSIVE = (
    ("customer", "customer_email"),
    ("allow_promotion_codes", "discounts"),
    ("customer", "customer_creation"),
    ("excluded_payment_method_types", "payment_method_types"),
)
#: The brand of a card as ``brands_blocked`` calls it; all others belong to the network of Discover.
_BLOCKS = {"amex": "american_express", "mastercard": "mastercard", "visa": "visa"}
_MIXED = "Checkout does not support multiple prices with different billing intervals."
_EMAIL = re.compile(r"[^@\s]+@[^@\s][^@\s.]*\.[^@\s]+")  # in linear time
_WORD = re.compile(r"[A-Za-z0-9_-]+")  # the specification says alphanumeric; underscores are in wide use
_MOST_LINES, _MOST_OF_A_KIND = 100, 20
_TWO_DAYS, _LONGEST_TRIAL = 2 * 86_400, 730


def check(call: Call, params: Mapping[str, Any], mode: str, ui: str) -> None:
    """Raise ApiError 400 for parameters that contradict each other.

    ui: ``hosted_page``, ``embedded_page`` or ``elements``; ``params["ui_mode"]`` may have its older name.
    """
    for one, two in _EXCLUSIVE:
        if params.get(one) and params.get(two):
            raise exclusive(one, two)
    if params.get("customer_email"):
        check_email(params["customer_email"], "customer_email")
    _check_mode(params, mode)
    _check_ui(params, ui)
    check_custom_fields(params.get("custom_fields") or [])
    _check_managed(params)
    branding.check(call, params.get("branding_settings") or {})
    _check_methods(params)
    tax_ids.check_account_ids(call, params)
    splitting.check_references(call, params)
    _check_payment(call, params.get("payment_intent_data") or {})
    _check_subscription(call, params.get("subscription_data") or {})


def check_email(email: str, param: str) -> None:
    """Raise ApiError 400 for what is no email address."""
    if _EMAIL.fullmatch(email) is None:
        raise invalid(f"Invalid email address: {email}", param, "email_invalid")


def _check_payment(call: Call, data: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for connected accounts that a payment cannot involve: nobody could pay the session."""
    if data.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, data["on_behalf_of"], "payment_intent_data[on_behalf_of]")
    share = data.get("transfer_data")
    if share:
        param = "payment_intent_data[transfer_data][destination]"
        splitting.check_destination(call, share["destination"], data.get("on_behalf_of"), param)
        if share.get("amount") is not None and data.get("application_fee_amount"):
            fee = "payment_intent_data[application_fee_amount]"
            raise exclusive(fee, "payment_intent_data[transfer_data][amount]")
    if data.get("application_fee_amount") and call.account == call.platform and not share:
        raise invalid(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an"
            " OAuth key or Stripe-Account header) or destination payment (using"
            " `payment_intent_data[transfer_data][destination]`).",
            "payment_intent_data[application_fee_amount]",
        )


def _check_mode(params: Mapping[str, Any], mode: str) -> None:
    """Raise ApiError 400 for parameters that the mode does not allow, or a missing one that it requires."""
    check_mode([name for name in params if _is_given(params, name)], mode)
    if params.get("customer_creation") and mode == "subscription":
        raise invalid("`customer_creation` can only be used in `payment` mode.", "customer_creation")
    if value_at(params, "invoice_creation.enabled") and mode != "payment":
        raise invalid(
            "You can only enable invoice creation when `mode` is set to `payment`. Invoices are created automatically"
            " when `mode` is set to `subscription`, and are unsupported when set to `setup`. To learn more visit"
            " https://stripe.com/docs/payments/checkout/post-payment-invoices.",
            "invoice_creation",
        )
    if mode != "setup" and not params.get("line_items"):
        raise missing_param("line_items")
    named = params.get("payment_method_types") or params.get("allowed_payment_method_types")
    if mode == "setup" and not params.get("currency") and not named:
        raise missing_param("currency")


def check_mode(given: Collection[str], mode: str) -> None:
    """Raise ApiError 400 for parameters that the mode does not allow. given: their names."""
    for name, modes in _MODES.items():
        if name in given and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)


def _is_given(params: Mapping[str, Any], name: str) -> bool:
    """Return whether a parameter is given, other than to disable something."""
    return bool(params.get(name)) and params[name] != {"enabled": False}


def _check_ui(params: Mapping[str, Any], ui: str) -> None:
    """Raise ApiError 400 for parameters that the ``ui_mode`` does not allow, or a missing one that it requires."""
    if ui == "hosted_page":
        if not params.get("success_url"):
            raise missing_param("success_url")
        refused = ("return_url", *_NOT_ON_HOSTED_PAGE)
    else:
        refused = ("success_url", "cancel_url", *(_NOT_IN_ELEMENTS if ui == "elements" else ()))
    called = "hosted" if ui == "hosted_page" else params["ui_mode"]
    for name in refused:
        if params.get(name):
            raise invalid(f"You can not pass `{name}` when `ui_mode` is `{called}`.", name)
    if ui != "hosted_page" and not params.get("return_url") and params.get("redirect_on_completion") != "never":
        raise missing_param("return_url")
    if params.get("return_url") and params.get("redirect_on_completion") == "never":  # text: inferred from the others
        raise invalid("You can not pass `return_url` when `redirect_on_completion` is `never`.", "return_url")
    if value_at(params, "permissions.update_shipping_details") and ui != "elements":
        raise invalid(
            f"You can not pass `permissions[update_shipping_details]` when `ui_mode` is `{called}`.",
            "permissions[update_shipping_details]",
        )


def _check_managed(params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a seller of record, and for tax rates by address: this server has neither."""
    if value_at(params, "managed_payments.enabled"):
        raise invalid("Managed Payments are not available on this server.", "managed_payments[enabled]")
    for place, line in enumerate(params.get("line_items") or []):
        if line.get("dynamic_tax_rates"):
            raise invalid(
                "Dynamic tax rates are not available on this server; use `tax_rates` or `automatic_tax`.",
                f"line_items[{place}][dynamic_tax_rates]",
            )


def check_brand(session: StoredSession, method: StoredPaymentMethod) -> None:
    """Raise ApiError 400 for a card of a brand that the session blocks."""
    blocked = value_at(session["payment_method_options"], "card.restrictions.brands_blocked") or []
    brand = value_at(method, "card.brand")
    if brand is not None and _BLOCKS.get(brand, "discover_global_network") in blocked:
        raise invalid("This business does not take cards of this brand. Please use another card.", "number")


def check_custom_fields(given: Sequence[Mapping[str, Any]]) -> None:
    """Raise ApiError 400 for custom fields (of a session or link) with invalid keys or options."""
    _check_words([field["key"] for field in given], "custom_fields", "key")
    for place, field in enumerate(given):
        other = next(
            (name for name in ("dropdown", "numeric", "text") if name != field["type"] and field.get(name)), None
        )
        if other is not None:
            param = f"custom_fields[{place}][{other}]"
            raise invalid(f"You may only specify `{other}` for a field whose type is `{other}`.", param)
        if field["type"] == "dropdown" and not field.get("dropdown"):
            raise missing_param(f"custom_fields[{place}][dropdown]")
        choice, where = field.get("dropdown") or {}, f"custom_fields[{place}][dropdown]"
        values = [option["value"] for option in choice.get("options") or []]
        _check_words(values, f"{where}[options]", "value")
        if choice.get("default_value") and choice["default_value"] not in values:
            raise invalid(
                f"Invalid default value: {choice['default_value']}; must be one of the options.",
                f"{where}[default_value]",
            )


def _check_words(words: Sequence[str], where: str, name: str) -> None:
    """Raise ApiError 400 for values that are not alphanumeric or not unique."""
    for place, word in enumerate(words):
        if _WORD.fullmatch(word) is None:
            raise invalid(
                f"Invalid {name}: {word}; must only contain alphanumeric characters.", f"{where}[{place}][{name}]"
            )
        if word in words[:place]:
            raise invalid(
                f"The {name} `{word}` is used more than once; it must be unique.", f"{where}[{place}][{name}]"
            )


def _check_methods(params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for missing options of a payment method type.

    Source for WeChat Pay: its guide for Checkout, "specify that the client is web".
    """
    named = (*(params.get("payment_method_types") or ()), *(params.get("allowed_payment_method_types") or ()))
    if "wechat_pay" in named and not value_at(params, "payment_method_options.wechat_pay.client"):
        raise missing_param("payment_method_options[wechat_pay][client]")
    mandate = value_at(params, "payment_method_options.acss_debit.mandate_options") or {}
    if mandate.get("payment_schedule") in ("interval", "combined") and not mandate.get("interval_description"):
        raise missing_param("payment_method_options[acss_debit][mandate_options][interval_description]")


def _check_subscription(call: Call, data: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a trial of invalid length, or an application fee without a connected account."""
    if data.get("application_fee_percent") and call.owner == call.account and not data.get("transfer_data"):
        raise invalid(
            "Can only apply an application_fee_percent when the request is made on behalf of another account"
            " (using an OAuth key or the Stripe-Account header).",
            "subscription_data[application_fee_percent]",
        )
    splitting.check_percents(data, "subscription_data")
    if data.get("trial_end") is not None and data.get("trial_period_days") is not None:
        raise exclusive("subscription_data[trial_end]", "subscription_data[trial_period_days]")
    if data.get("trial_end") is not None and data["trial_end"] < call.now + _TWO_DAYS:
        raise invalid("The `trial_end` date has to be at least 2 days in the future.", "subscription_data[trial_end]")
    if (data.get("trial_period_days") or 0) > _LONGEST_TRIAL:
        raise invalid(
            f"The maximum number of trial period days is {_LONGEST_TRIAL} (2 years).",
            "subscription_data[trial_period_days]",
        )


def check_shipping(
    call: Call, params: operations.PostCheckoutSessions | operations.PostCheckoutSessionsSession
) -> None:
    """Raise ApiError 400 for archived shipping rates; sessions of a payment link keep the link's."""
    for place, option in enumerate(params.get("shipping_options") or []):
        if option.get("shipping_rate"):
            shipping_rates.rate_in_use(call, option["shipping_rate"], f"shipping_options[{place}][shipping_rate]")


def check_tax_rates(call: Call, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for inactive tax rates; existing sessions keep theirs."""
    named = [
        (id, f"line_items[{place}][tax_rates][{number}]")
        for place, item in enumerate(params.get("line_items") or [])
        for number, id in enumerate(item.get("tax_rates") or [])
    ]
    default = (params.get("subscription_data") or {}).get("default_tax_rates") or []
    named += [(id, f"subscription_data[default_tax_rates][{number}]") for number, id in enumerate(default)]
    for id, param in named:
        if not call.objects.get(kinds.TAX_RATE, id, param)["active"]:
            raise invalid(f"The tax rate `{id}` is inactive and can't be used with new Checkout Sessions.", param)


def check_link(
    params: operations.PostPaymentLinks | operations.PostPaymentLinksPaymentLink, recurring: bool, lines: int
) -> None:
    """Raise ApiError 400 for parameters of a payment link that contradict each other.

    recurring: whether one of its prices recurs, so that its sessions have mode ``subscription``. lines: its number of
        line items.
    """
    mode = "subscription" if recurring else "payment"
    for name in ("payment_intent_data", "payment_method_collection", "subscription_data"):
        if params.get(name) and mode not in _MODES[name]:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if params.get("application_fee_amount") is not None and recurring:
        raise invalid(
            "You can not pass `application_fee_amount` when a line item has a recurring price.",
            "application_fee_amount",
        )
    if "application_fee_percent" in params:
        percent = params["application_fee_percent"]
        if not recurring:
            raise invalid(
                "You can not pass `application_fee_percent` when no line item has a recurring price.",
                "application_fee_percent",
            )
        if not 0 <= percent <= 100 or round(percent, 2) != percent:
            raise invalid(
                "application_fee_percent must be between 0 and 100, with at most two decimal places.",
                "application_fee_percent",
            )
    check_custom_fields(params.get("custom_fields") or [])
    _check_managed(params)
    if lines + len(params.get("optional_items") or []) > _MOST_OF_A_KIND:
        raise invalid(f"You can have at most {_MOST_OF_A_KIND} line items, including optional items.", "optional_items")


def check_currency(call: Call, session: StoredSession) -> None:
    """Raise ApiError 400 for a subscription in another currency than what its customer is billed in already.

    Source: the guide to multi-currency customers; the text is that of public reports.
    """
    customer = call.objects.find(kinds.CUSTOMER, session["customer"] or "")
    if session["mode"] != "subscription" or customer is None:
        return
    known = customer.get("currency")
    taken = []
    if known and known != session["currency"] and currencies.is_active(call, customer, known):
        taken.append(known)
    waiting = call.objects.query(kinds.SESSION, {"customer": customer["id"], "status": "open"})
    taken += [one["currency"] for one in waiting if one["mode"] == "subscription" and one["currency"]]
    other = next((currency for currency in taken if currency != session["currency"]), None)
    if other is not None:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription,"
            " subscription schedule, discount, quote, invoice item or active subscription mode checkout session with"
            f" currency {other}.",
            "currency",
        )


def check_lines(session: StoredSession, optional: Sequence[api.Price] = ()) -> None:
    """Raise ApiError 400 for prices that the session's mode does not allow, or too many line items.

    optional: the prices of the optional items.
    """
    recurring = [bool(price_of(item)["recurring"]) for item in session["_lines"]]
    if session["mode"] == "payment" and any(recurring):
        raise invalid(
            "You specified `payment` mode but passed a recurring price."
            " Either switch to `subscription` mode or use only one-time prices.",
            f"line_items[{recurring.index(True)}][price]",
        )
    if session["mode"] == "subscription" and not any(recurring):
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using prices.", "line_items"
        )
    check_recurring([price_of(item) for item in session["_lines"]])
    check_options(session["_lines"], optional)
    all_kinds = [*recurring, *(bool(price["recurring"]) for price in optional)]
    if session["mode"] == "payment":
        _check_count(len(all_kinds), _MOST_LINES, "line items")
    else:
        _check_count(all_kinds.count(True), _MOST_OF_A_KIND, "line items with recurring prices")
        _check_count(all_kinds.count(False), _MOST_OF_A_KIND, "line items with one-time prices")


def check_recurring(prices: Sequence[api.Price]) -> None:
    """Raise ApiError 400 for recurring prices that one subscription of Checkout cannot have.

    Mixed intervals are for the APIs of subscriptions, schedules and quotes, not for Checkout, in any billing mode
    (docs.stripe.com/changelog/basil/2025-07-30/support-mixed-intervals; the text is that of public reports). That a
    price is named once is inferred: no subscription has one twice.
    """
    recurring = [price for price in prices if price["recurring"]]
    if len({periods.interval_of_price(price) for price in recurring}) > 1:
        raise invalid(_MIXED, "line_items")
    items.check_prices([price["id"] for price in recurring], "line_items")


def check_options(lines: Sequence[StoredLine], optional: Sequence[api.Price]) -> None:
    """Raise ApiError 400 for optional prices that the customer could not add to the lines of a session or link.

    A recurring one would be paid once, or be named twice by the subscription; of another interval, it could not be on
    it (inferred from what is refused of the lines).
    """
    bought = [price for price in (price_of(line) for line in lines) if price["recurring"]]
    for place, price in enumerate(optional):
        param = f"optional_items[{place}][price]"
        if price["recurring"] and not bought:
            raise invalid("You can not pass a recurring price in `optional_items` in `payment` mode.", param)
        if price["recurring"] and price["id"] in {one["id"] for one in (*bought, *optional[:place])}:
            raise invalid(f"The price `{price['id']}` is named more than once.", param)
        if price["recurring"] and periods.interval_of_price(price) != periods.interval_of_price(bought[0]):
            raise invalid(_MIXED, param)


def _check_count(count: int, most: int, what: str) -> None:
    """Raise ApiError 400 for more than ``most`` line items."""
    if count > most:
        raise invalid(f"You can have at most {most} {what}, including optional items.", "line_items")
