"""Building a Checkout Session from its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.catalog import shipping_rates
from tollkey.payments.charges import splitting
from tollkey.payments.checkout import anchors, branding, discounts, jobs, kinds, states
from tollkey.payments.checkout.known import amount_of, currency_of, price_of
from tollkey.payments.checkout.legacy import modern
from tollkey.payments.checkout.lines import check_quantities, make_items, total
from tollkey.payments.checkout.order import optional_items, optional_prices
from tollkey.payments.checkout.place import check_customer, collect
from tollkey.payments.checkout.rules import check, check_currency, check_lines, check_tax_rates
from tollkey.payments.intents import option_rules, payment_intents, setup_intents
from tollkey.payments.methods import method_capabilities, method_types, payment_method_configurations
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import creation
from tollkey.payments.tax import automatic
from tollkey.wire import Call, Params, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.hosted import hosted_url
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import (
        AutomaticTax,
        BusinessName,
        CustomField,
        NameCollection,
        StoredSession,
    )
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.wire import api, operations

DAY = 86_400
_HALF_HOUR = 1800
_MODES = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}
_MODE_LETTERS = {"payment": "a", "subscription": "b", "setup": "c"}
_COPIED = (
    "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id",
    "integration_identifier", "locale",
    "origin_context", "permissions", "shipping_address_collection", "submit_type", "success_url", "return_url",
)  # fmt: skip
#: From this version on, a session in mode `payment` creates a customer only if it needs one.
_CUSTOMER_IF_REQUIRED_SINCE = "2022-08-01"
#: From this version on, a session in mode `payment` collects a payment method only if it needs one.
_COLLECTED_IF_REQUIRED_SINCE = "2023-08-16"
#: From this version on, a session creates its PaymentIntent when confirmed, and shows customer details before that.
_INTENT_LATER_SINCE = "2022-08-01"


def _expiry(call: Call, given: int | None) -> int:
    """Return when a session expires (UTC epoch seconds). Raises ApiError 400 outside of 30 minutes to 24 hours."""
    if given is None:
        return call.now + DAY
    if given < call.now + _HALF_HOUR:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", "expires_at"
        )
    if given > call.now + DAY:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", "expires_at"
        )
    return given


def _new(call: Call, params: Mapping[str, Any], mode: str, ui: str) -> StoredSession:
    """Return a new session without lines, customer and payment methods, not stored. ui: ``ui_mode``."""
    id = f"cs_{'live' if call.livemode else 'test'}_{_MODE_LETTERS[mode]}1{call.ids.text(56)}"
    session = new_object(
        kinds.SESSION,
        id=id,
        adaptive_pricing={"enabled": fields.given(params.get("adaptive_pricing") or {}, "enabled", mode == "payment")},
        automatic_tax=_automatic_tax(params.get("automatic_tax")),
        created=call.now,
        custom_text={name: (params.get("custom_text") or {}).get(name) or None
                     for name in ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")},
        expires_at=_expiry(call, params.get("expires_at")),
        livemode=call.livemode,
        managed_payments={"enabled": False},
        metadata=fields.new_metadata(params),
        mode=mode,
        payment_status=states.PAYMENT.start("no_payment_required" if mode == "setup" else "unpaid"),
        phone_number_collection={"enabled": bool(value_at(params, "phone_number_collection.enabled"))},
        status=states.SESSION.start("open"),
        ui_mode=ui,
    )  # fmt: skip
    branding.apply(call, session, params.get("branding_settings") or {})
    fields.assign(session, params, [name for name in _COPIED if params.get(name) is not None])
    if ui != "hosted_page":
        session["redirect_on_completion"] = params.get("redirect_on_completion") or "always"
    return session


def _automatic_tax(given: Mapping[str, Any] | None) -> AutomaticTax:
    """Return ``automatic_tax`` with all of its keys."""
    enabled = bool((given or {}).get("enabled"))
    return {
        "enabled": enabled,
        "liability": automatic.liability_of(given),
        "provider": "stripe" if enabled else None,
        "status": "requires_location_inputs" if enabled else None,
    }


def _customer(call: Call, session: StoredSession, params: Mapping[str, Any]) -> None:
    """Set the customer: a stored one, an e-mail address, or neither."""
    email, mode = params.get("customer_email"), session["mode"]
    if params.get("customer"):
        customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
        session["customer"], email = customer["id"], customer.get("email")
    else:
        session["customer_email"] = email
        always = mode == "subscription" or (mode == "payment" and call.version < _CUSTOMER_IF_REQUIRED_SINCE)
        default = "always" if always else "if_required"
        session["customer_creation"] = params.get("customer_creation") or default
    if email or session["customer"]:
        session["customer_details"] = {
            "address": None, "business_name": None, "email": email, "individual_name": None, "name": None,
            "phone": None,
            "tax_exempt": None if mode == "setup" else "none", "tax_ids": None,
        }  # fmt: skip
        collect(session)


def _methods(call: Call, session: StoredSession, params: Mapping[str, Any]) -> None:
    """Set the payment method types and their options."""
    named, allowed = params.get("payment_method_types"), params.get("allowed_payment_method_types")
    method_types.check_alone(params)
    payment = params.get("payment_intent_data") or {}
    merchant = (payment or params.get("setup_intent_data") or {}).get("on_behalf_of")
    refused = splitting.refused_types(call, merchant, session["currency"])
    if allowed:
        session["payment_method_types"] = method_types.allowed_types(
            (name for name in allowed if name not in refused),
            currency=session["currency"],
            manual_capture=payment.get("capture_method") == "manual",
            reusable=session["mode"] != "payment",
            saving=bool(payment.get("setup_future_usage")),
        )
        session["allowed_payment_method_types"] = allowed
    elif named:
        session["payment_method_types"] = method_types.check_types(named)
        method_capabilities.check_accepted(named, refused)
        option_rules.refuse_types(named, params.get("payment_method_options") or {}, payment, "payment_intent_data[{}]")
    else:
        configuration = payment_method_configurations.used_configuration(
            call, params.get("payment_method_configuration")
        )
        session["payment_method_configuration_details"] = {
            "id": configuration["id"],
            "parent": configuration.get("parent"),
        }
        excluded = params.get("excluded_payment_method_types") or []
        session["payment_method_types"] = method_types.automatic_types(
            payment_method_configurations.enabled_types(configuration), currency=session["currency"], redirects=True,
            reusable=session["mode"] != "payment",
            excluded=[*excluded, *refused],
        )  # fmt: skip
    session["_method_options"] = {  # what a payment intent has no notion of stays here
        name: {key: value for key, value in (given or {}).items() if key != "restrictions"}
        for name, given in (params.get("payment_method_options") or {}).items()
    }
    options: dict[str, Any] = {}
    if "card" in session["payment_method_types"]:
        options["card"] = {"request_three_d_secure": "automatic"}
    if "us_bank_account" in session["payment_method_types"]:
        access = {"permissions": ["payment_method"], "prefetch": []}
        options["us_bank_account"] = {"financial_connections": access, "verification_method": "automatic"}
    for name, given in (params.get("payment_method_options") or {}).items():
        options[name] = {**options.get(name, {}), **(given or {})}
    # The names of the options are payment method types, given in the parameters.
    session["payment_method_options"] = cast("api.CheckoutSessionPaymentMethodOptions", options)


def _collect(call: Call, session: StoredSession, params: Mapping[str, Any]) -> None:
    """Set what the page collects besides the payment, and the recovery and invoice after it."""
    mode = session["mode"]
    if_required = mode == "payment" and call.version >= _COLLECTED_IF_REQUIRED_SINCE
    session["payment_method_collection"] = params.get("payment_method_collection") or (
        "if_required" if if_required else "always"
    )
    consent = params.get("consent_collection")
    if consent:
        session["consent_collection"] = {
            "payment_method_reuse_agreement": consent.get("payment_method_reuse_agreement"),
            "promotions": consent.get("promotions"),
            "terms_of_service": consent.get("terms_of_service"),
        }
    if params.get("tax_id_collection"):
        given = params["tax_id_collection"]
        session["tax_id_collection"] = {"enabled": given["enabled"], "required": given.get("required") or "never"}
    recovery = value_at(params, "after_expiration.recovery")
    if recovery:
        session["after_expiration"] = {
            "recovery": {
                "allow_promotion_codes": bool(recovery.get("allow_promotion_codes")),
                "enabled": recovery["enabled"],
                "expires_at": None,
                "url": None,
            }
        }
    if mode == "payment":
        given = params.get("invoice_creation") or {}
        data = given.get("invoice_data") or {}
        inner: api.PaymentPagesCheckoutSessionInvoiceSettings = {
            "account_tax_ids": data.get("account_tax_ids"),
            "custom_fields": data.get("custom_fields"),
            "description": data.get("description"),
            "footer": data.get("footer"),
            "issuer": data.get("issuer"),
            "rendering_options": data.get("rendering_options"),
            "metadata": data.get("metadata") or {},
        }
        session["invoice_creation"] = {"enabled": bool(given.get("enabled")), "invoice_data": inner}
    if params.get("saved_payment_method_options") or (mode == "subscription" and session["customer"]):
        session["saved_payment_method_options"] = {
            "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled", "payment_method_save": None,
            **(params.get("saved_payment_method_options") or {}),
        }  # fmt: skip
    if params.get("name_collection"):
        session["name_collection"] = cast("NameCollection", name_rules(params["name_collection"]))
    session["custom_fields"] = [_custom_field(field) for field in params.get("custom_fields") or []]


def name_rules(given: Mapping[str, Any]) -> Mapping[str, BusinessName]:
    """Return ``name_collection`` of a session or link with all keys of its entries."""
    return {
        name: {"enabled": rule["enabled"], "optional": bool(rule.get("optional"))}
        for name, rule in given.items()
        if rule
    }


def _custom_field(given: Mapping[str, Any]) -> CustomField:
    """Return a custom field with all of its keys."""
    kind = given["type"]
    inner = {"default_value": None, "value": None, **(given.get(kind) or {})}
    if kind != "dropdown":
        inner = {"maximum_length": None, "minimum_length": None, **inner}
    label = {"custom": given["label"].get("custom"), "type": given["label"]["type"]}
    made = {kind: inner, "key": given["key"], "label": label, "optional": bool(given.get("optional")), "type": kind}
    return cast("CustomField", made)  # one key is the field's type


def shipping_options(
    call: Call, session: StoredSession, given: Sequence[operations.PostCheckoutSessionsShippingOption]
) -> None:
    """Set the shipping options; the first one is chosen until the customer changes it.

    Raises ApiError 400 for an unknown shipping rate, one without an amount in the session's currency, and
    for neither or both of rate and data.
    """
    made: list[api.PaymentPagesCheckoutSessionShippingOption] = []
    for index, option in enumerate(given):
        if ("shipping_rate" in option) == ("shipping_rate_data" in option):
            one = "You must provide exactly one of `shipping_rate` or `shipping_rate_data`."
            raise invalid(one, f"shipping_options[{index}]")
        if "shipping_rate_data" in option:
            rate = shipping_rates.create_shipping_rate(
                call, option["shipping_rate_data"], f"shipping_options[{index}][shipping_rate_data]"
            )
        else:
            rate = call.objects.get(
                kinds.SHIPPING_RATE, option["shipping_rate"], f"shipping_options[{index}][shipping_rate]"
            )
        amount = shipping_rates.amount_in(rate, currency_of(session), f"shipping_options[{index}]")
        made.append({"shipping_amount": amount, "shipping_rate": rate["id"]})
    session["shipping_options"] = made
    if made:
        amount = made[0]["shipping_amount"]
        session["shipping_cost"] = {
            "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount,
            "shipping_rate": made[0]["shipping_rate"],
        }  # fmt: skip


def new_session(call: Call, params: Mapping[str, Any], *, for_portal: bool = False) -> StoredSession:
    """Create and store a session, with the SetupIntent or PaymentIntent that it needs at this point.

    for_portal: whether it saves a card for the customer portal. Raises ApiError 400 for parameters that contradict each
        other, or a total that is too small to charge.
    """
    params = modern(call, params)
    mode = params.get("mode")
    if mode is None:
        raise missing_param("mode")
    if mode == "subscription":  # the page that makes the subscription has no version
        default = {"billing_mode": {"type": creation.default_mode(call)}}
        params = {**params, "subscription_data": {**default, **(params.get("subscription_data") or {})}}
    ui = params.get("ui_mode") or "hosted_page"
    ui = _MODES.get(ui, ui)
    check(call, params, mode, ui)
    session = _new(call, params, mode, ui)
    session.update({"_lines": [], "_discounts": [], "_params": _kept(params)})
    if for_portal:
        session["_for_portal"] = True
    if value_at(params, "wallet_options.link"):
        session["wallet_options"] = {"link": {"display": "auto", **params["wallet_options"]["link"]}}
    if value_at(params, "payment_method_data.allow_redisplay"):
        session["_allow_redisplay"] = params["payment_method_data"]["allow_redisplay"]
    session["_payment_intent_data"] = params.get("payment_intent_data") or {}
    session["_subscription_data"] = params.get("subscription_data") or {}
    session["_setup_intent_data"] = params.get("setup_intent_data") or {}
    currency = shared_currency.check_currency(params["currency"], "currency") if params.get("currency") else None
    if mode != "setup":
        check_quantities(params["line_items"])
        check_tax_rates(call, params)
        session["_lines"] = make_items(call, params["line_items"], currency)
        check_lines(session, optional_prices(call, params.get("optional_items") or []))
        anchors.check(call, session)
        session["currency"] = session["_lines"][0]["currency"]
    else:
        session["currency"] = currency
        session["discounts"] = None
    _customer(call, session, params)
    check_customer(call, session, params)
    check_currency(call, session)
    _methods(call, session, params)
    _collect(call, session, params)
    if mode != "setup":
        shipping_options(call, session, params.get("shipping_options") or [])
        if params.get("optional_items"):
            session["optional_items"] = optional_items(call, params["optional_items"], currency_of(session))
        discounts.put(session, params.get("discounts") or [])
        total(call, session)
        discounts.check(call, session)
        check_total(session)
        chosen = any(price_of(item)["custom_unit_amount"] for item in session["_lines"])
        if mode == "payment" and session["amount_total"] == 0 and not chosen:
            states.PAYMENT.set(session, "no_payment_required")
    else:
        given = {
            **session["_setup_intent_data"], "payment_method_types": session["payment_method_types"],
            "payment_method_options": session["_method_options"], "customer": session["customer"],
        }  # fmt: skip
        setup = setup_intents.create_setup(call, cast("operations.PostSetupIntents", given))
        setup["_checkout"] = session["id"]
        call.objects.save(setup)
        session["setup_intent"] = setup["id"]
    if call.version < _INTENT_LATER_SINCE:
        session["customer_details"] = None
        if mode == "payment" and session["amount_total"]:
            intent_of(call, session)
    if ui == "hosted_page":
        session["url"] = hosted_url(call, "pay", session["id"], expires_at=session["expires_at"])
    else:
        session["client_secret"] = f"{session['id']}_secret_{call.ids.text(24)}"
    call.schedule.add(session["expires_at"], jobs.CHECKOUT_EXPIRE, session["id"])
    return call.objects.insert(session)


def check_total(session: StoredSession) -> None:
    """Raise ApiError 400 for a payment, added up, that is too small to be charged."""
    if session["mode"] == "payment" and 0 < amount_of(session) < shared_currency.minimum(currency_of(session)):
        raise shared_currency.session_too_small(currency_of(session))


def _kept(params: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the parameters if the session may be recovered after it expires, else None."""
    return dict(params) if value_at(params, "after_expiration.recovery.enabled") else None


def intent_of(call: Call, session: StoredSession) -> StoredPaymentIntent:
    """Return the PaymentIntent of a session in mode ``payment``, with the session's total; created if there is none."""
    if session["payment_intent"] is not None:
        intent = call.objects.get(kinds.PAYMENT_INTENT, session["payment_intent"])
        if intent["amount"] != session["amount_total"] and intent["status"] == "requires_payment_method":
            intent["amount"] = amount_of(session)
            call.objects.save(intent)
        return intent
    params: Params = {
        **session["_payment_intent_data"],
        "amount": session["amount_total"],
        "currency": session["currency"],
        "payment_method_types": session["payment_method_types"],
        "payment_method_options": session.get("_method_options") or {},
    }
    if session["customer"]:
        params["customer"] = session["customer"]
    made = payment_intents.create_intent(call, cast("operations.PostPaymentIntents", params), _checkout=session["id"])
    session["payment_intent"] = made["id"]
    return made
