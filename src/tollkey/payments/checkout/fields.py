"""The fields of a session's page, with errors beside them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.checkout.known import amount_of, currency_of, delivery_countries, delivery_of
from tollkey.payments.documents import forms
from tollkey.wire.languages import Language, Text
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import CustomField, StoredSession, TextPosition
    from tollkey.wire import api

METHODS = {
    "card": Text("Card"), "sepa_debit": Text("SEPA debit"), "us_bank_account": Text("US bank account"),
    "cashapp": "Cash App Pay", "klarna": "Klarna", "link": "Link",
    "ideal": "iDEAL", "bancontact": "Bancontact", "eps": "EPS", "p24": "Przelewy24", "alipay": "Alipay",
    "amazon_pay": "Amazon Pay",
    "afterpay_clearpay": "Afterpay", "affirm": "Affirm", "paypal": "PayPal",
}  # fmt: skip
#: ``submit_type`` -> label of the button, with the amount.
_BUTTONS = {
    "book": Text("Book {amount}"),
    "donate": Text("Donate {amount}"),
    "subscribe": Text("Subscribe"),
    "pay": Text("Pay {amount}"),
}
#: Fields that show the errors of the parameter with the same name.
_OWN_ERRORS = frozenset((
    "account_number", "routing_number", "promotion_code", "phone", "terms", "country", "line1", "city", "state",
    "postal_code", "tax_id", "business_name", "individual_name", "iban", "email", "name",
))  # fmt: skip


def offered(session: StoredSession) -> list[str]:
    """Return the payment methods that the page has a form for, in the session's order; Link unless it is hidden."""
    wallets = session.get("wallet_options")
    hidden = {"link"} if value_at(wallets, "link.display") == "never" else set()
    return [name for name in session["payment_method_types"] if name in METHODS and name not in hidden]


def place_of(param: str | None) -> str:
    """Return the field that shows errors of a parameter; empty without one."""
    if param and param.startswith(("custom[", "quantity[", "amount[")):
        return param
    name = (param or "").rstrip("]").rpartition("[")[2] or (param or "")
    return forms.field_of(param) or (name if name in _OWN_ERRORS or name.startswith("ship_") else "")


def address_fields(form: forms.Form, known: api.Address, *, full: bool) -> str:
    """Return the fields of the billing address, or of the country and postal code, which automatic tax needs.

    known: the known address. full: whether all fields are shown.
    """
    value = {
        "line1": known.get("line1") or "",
        "line2": known.get("line2") or "",
        "city": known.get("city") or "",
        "state": known.get("state") or "",
        "postal_code": known.get("postal_code") or "",
    }
    if not full:
        code = form.input(
            "postal_code",
            form.say("Postal code"),
            value=value["postal_code"],
            autocomplete="postal-code",
            optional=True,
        )
        country = form.country(known.get("country") or form.language.region or "US")
        return f'<div class="pair"><div>{country}</div><div>{code}</div></div>'
    return "\n".join(
        (
            form.input("line1", form.say("Address"), value=value["line1"], autocomplete="address-line1"),
            form.input(
                "line2",
                form.optional(form.say("Address, second line")),
                value=value["line2"],
                optional=True,
                autocomplete="address-line2",
            ),
            form.input("city", form.say("City"), value=value["city"], autocomplete="address-level2"),
            form.input(
                "state",
                form.say("State or province (if there is one)"),
                value=value["state"],
                optional=True,
                autocomplete="address-level1",
            ),
            address_fields(form, known, full=False),
        )
    )


def method_fields(session: StoredSession, kind: str, form: forms.Form) -> str:
    """Return the fields of a payment method. kind: its type."""
    known = (session["customer_details"] or {}).get("address") or {}
    full = session["billing_address_collection"] == "required"
    if kind == "card":
        name = form.input("name", form.say("Name on card"), autocomplete="cc-name")
        return "\n".join((forms.card_fields(form), name, address_fields(form, known, full=full)))
    parts = [form.input("name", form.say("Full name"), autocomplete="name")]
    if kind == "sepa_debit":
        parts.append(form.input("iban", form.say("IBAN"), secret=True, autocomplete="off"))
        parts.append(_note(form.say("By paying you allow the business to debit your account.")))
    elif kind == "us_bank_account":
        parts.append(
            form.input(
                "routing_number", form.say("Routing number"), secret=True, inputmode="numeric", autocomplete="off"
            )
        )
        parts.append(
            form.input(
                "account_number", form.say("Account number"), secret=True, inputmode="numeric", autocomplete="off"
            )
        )
        parts.append(_note(form.say("By paying you allow the business to debit your account.")))
    elif kind == "link":
        parts.append(_note(form.say("You pay with what is saved in your Link account.")))
    else:
        parts.append("" if full else form.country(known.get("country") or form.language.region or "US"))
        parts.append(_note(form.say("You continue on the page of {name}.", name=form.say(METHODS[kind]))))
    if full:
        parts.insert(1, address_fields(form, known, full=True))
    return "\n".join(parts)


def shipping_address_fields(session: StoredSession, form: forms.Form) -> str:
    """Return the fields of the delivery address, with the countries that are delivered to."""
    details = delivery_of(session)
    known: api.Address = details["address"] if details is not None else {}
    to = details["name"] if details is not None else ""
    countries = delivery_countries(session)
    parts = [
        f"<fieldset><legend>{escape(form.say('Delivery address'))}</legend>",
        _custom_text(session["custom_text"]["shipping_address"]),
    ]
    parts.append(form.input("ship_name", form.say("Name"), value=to or "", autocomplete="shipping name"))
    line1, city = known.get("line1") or "", known.get("city") or ""
    parts.append(form.input("ship_line1", form.say("Address"), value=line1, autocomplete="shipping address-line1"))
    parts.append(
        form.input(
            "ship_line2",
            form.optional(form.say("Address, second line")),
            value=known.get("line2") or "",
            optional=True,
            autocomplete="shipping address-line2",
        )
    )
    parts.append(form.input("ship_city", form.say("City"), value=city, autocomplete="shipping address-level2"))
    state = known.get("state") or ""
    parts.append(
        form.input(
            "ship_state",
            form.say("State or province (if there is one)"),
            value=state,
            optional=True,
            autocomplete="shipping address-level1",
        )
    )
    code = known.get("postal_code") or ""
    parts.append(
        form.input("ship_postal_code", form.say("Postal code"), value=code, autocomplete="shipping postal-code")
    )
    options = form.language.countries(countries)
    parts.append(
        form.choice(
            "ship_country",
            form.say("Country"),
            options,
            value=known.get("country") or next(iter(countries), ""),
            autocomplete="shipping country",
        )
    )
    return "\n".join((*parts, "</fieldset>"))


def extras(session: StoredSession, form: forms.Form) -> str:
    """Return the fields for phone, delivery address, names, tax id, custom fields and consent."""
    parts = []
    if session["phone_number_collection"]["enabled"]:
        known = (session["customer_details"] or {}).get("phone") or ""
        parts.append(form.input("phone", form.say("Phone number"), value=known, autocomplete="tel", type="tel"))
    if session["shipping_address_collection"]:
        parts.append(shipping_address_fields(session, form))
    parts += _names(session, form)
    tax_id = session.get("tax_id_collection")
    if tax_id is not None and tax_id["enabled"]:
        needed = tax_id["required"] == "if_supported"
        named, number = form.say("Business name"), form.say("Tax ID of the business")
        if not needed:
            named, number = form.optional(named), form.optional(number)
        parts.append(form.input("business_name", named, optional=not needed, autocomplete="organization"))
        parts.append(form.input("tax_id", number, optional=not needed, autocomplete="off"))
    parts += [_custom(field, form) for field in session["custom_fields"]]
    consent = session["consent_collection"] or {}
    if consent.get("promotions") == "auto":
        parts.append(form.check("promotions", form.say("Tell me about news and offers"), optional=True))
    if consent.get("terms_of_service") == "required":
        terms = _text(session["custom_text"]["terms_of_service_acceptance"])
        parts.append(form.check("terms", terms or form.say("I agree to the terms of service")))
    return "\n".join(parts)


def _names(session: StoredSession, form: forms.Form) -> list[str]:
    """Return the fields of ``name_collection``."""
    made = []
    asked = session.get("name_collection") or {}
    for kind, label, rule in (
        ("business", form.say("Business name"), asked.get("business")),
        ("individual", form.say("Full name"), asked.get("individual")),
    ):
        if rule is not None and rule["enabled"]:
            optional = rule["optional"]
            made.append(form.input(f"{kind}_name", form.optional(label) if optional else label, optional=optional))
    return made


def _text(position: TextPosition | None) -> str:
    """Return the text of a ``custom_text`` position; empty without one."""
    return position["message"] if position is not None else ""


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _custom_text(position: TextPosition | None) -> str:
    """Return the merchant's ``custom_text`` for a position of the page as HTML."""
    text = _text(position)
    return f'<p class="note">{escape(text)}</p>' if text else ""


def _custom(field: CustomField, form: forms.Form) -> str:
    """Return a custom field."""
    name = f"custom[{field['key']}]"
    label = field["label"]["custom"] or field["key"]
    label = form.optional(label) if field["optional"] else label
    if field["type"] == "dropdown":
        choice = field["dropdown"]
        value = choice.get("value") or choice.get("default_value") or ""
        options = [(one["value"], one["label"]) for one in choice.get("options") or []]
        return form.choice(
            name, label, [("", ""), *options] if field["optional"] or not value else options, value=value
        )
    mode = "numeric" if field["type"] == "numeric" else "text"
    inner = field["numeric"] if field["type"] == "numeric" else field["text"]
    value = inner.get("value") or inner.get("default_value") or ""
    limits: dict[str, Any] = {}
    for key, limit in (("minlength", inner.get("minimum_length")), ("maxlength", inner.get("maximum_length"))):
        if limit is not None:
            limits[key] = str(limit)
    return form.input(name, label, optional=field["optional"], value=value, inputmode=mode, **limits)


def delivery(session: StoredSession, names: Mapping[str, str | None], form: forms.Form) -> str:
    """Return the choice of shipping options; empty for fewer than two. names: shipping rate id -> display name."""
    if len(session["shipping_options"]) < 2:
        return ""
    cost, currency = session["shipping_cost"], currency_of(session)
    chosen = (cost["shipping_rate"] if cost is not None else None) or ""
    options = [
        (
            one["shipping_rate"],
            ": ".join(
                (
                    names.get(one["shipping_rate"]) or form.say("Delivery"),
                    form.language.amount(one["shipping_amount"], currency),
                )
            ),
        )
        for one in session["shipping_options"]
    ]
    return form.choice("shipping_rate", form.say("Delivery"), options, value=chosen)


def button_text(session: StoredSession, language: Language) -> str:
    """Return the label of the submit button."""
    if session["mode"] == "setup":
        return language.say("Save")
    if session["mode"] == "subscription":
        return language.say("Subscribe")
    amount = language.amount(amount_of(session), currency_of(session))
    return language.say(_BUTTONS.get(session["submit_type"] or "", _BUTTONS["pay"]), amount=amount)


def above_button(session: StoredSession) -> str:
    """Return the merchant's text above the submit button."""
    return _custom_text(session["custom_text"]["submit"])


def below_button(session: StoredSession) -> str:
    """Return the merchant's text below the submit button."""
    return _custom_text(session["custom_text"]["after_submit"])


def asks_for_place(session: StoredSession) -> bool:
    """Return whether the page has to ask for the customer's location before it can show the total."""
    automatic = session["automatic_tax"]
    return bool(
        automatic["enabled"] and automatic["status"] == "requires_location_inputs" and session["mode"] != "setup"
    )


def needs_method(session: StoredSession) -> bool:
    """Return whether a payment method is required."""
    if session["mode"] == "payment":
        return bool(session["amount_total"]) or session["payment_status"] == "unpaid"
    free = session["mode"] == "subscription" and session["amount_total"] == 0
    return not (free and session["payment_method_collection"] == "if_required")
