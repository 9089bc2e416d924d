"""The fields of a session's page, with errors beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.checkout.known import amount_of, currency_of, delivery_countries, delivery_of
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import CustomField, StoredSession, TextPosition
    from tollkey.wire import api

_COUNTRIES = {
    "US": "United States", "AU": "Australia", "AT": "Austria", "BE": "Belgium", "BR": "Brazil", "CA": "Canada",
    "DK": "Denmark",
    "FI": "Finland", "FR": "France", "DE": "Germany", "IN": "India", "IE": "Ireland", "IT": "Italy", "JP": "Japan",
    "MX": "Mexico",
    "NL": "Netherlands", "NZ": "New Zealand", "NO": "Norway", "PL": "Poland", "PT": "Portugal", "SG": "Singapore",
    "ES": "Spain",
    "SE": "Sweden", "CH": "Switzerland", "GB": "United Kingdom",
}  # fmt: skip
METHODS = {
    "card": "Card", "sepa_debit": "SEPA debit", "us_bank_account": "US bank account", "cashapp": "Cash App Pay",
    "klarna": "Klarna", "link": "Link",
    "ideal": "iDEAL", "bancontact": "Bancontact", "eps": "EPS", "p24": "Przelewy24", "alipay": "Alipay",
    "amazon_pay": "Amazon Pay",
    "afterpay_clearpay": "Afterpay", "affirm": "Affirm", "paypal": "PayPal",
}  # fmt: skip
_BUTTONS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe", "pay": "Pay"}
#: Fields that show the errors of the parameter with the same name.
_OWN_ERRORS = frozenset((
    "account_number", "routing_number", "promotion_code", "phone", "terms", "country", "line1", "city", "state",
    "postal_code", "tax_id",
    "business_name",
        "individual_name",
))  # fmt: skip
_AT = {"number": "number", "exp_month": "expiry", "exp_year": "expiry", "cvc": "cvc", "iban": "iban", "email": "email"}


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
    return _AT.get(name, name if name in _OWN_ERRORS or name.startswith("ship_") else "")


class Form:
    """The values and the error of a form that is shown again. Card numbers and security codes are never shown again.

    typed: the values. field: name of the field with the error. problem: the error's text.
    """

    def __init__(self, typed: Mapping[str, Any] | None = None, field: str = "", problem: str = "") -> None:
        self.typed, self.field, self.problem = typed or {}, field, problem

    def text(self, name: str, value: str = "") -> str:
        """Return the entered value of a field, else ``value``."""
        if name.endswith("]"):
            group, _, key = name[:-1].partition("[")
            inside = self.typed.get(group)
            found = inside.get(key) if isinstance(inside, dict) else None
        else:
            found = self.typed.get(name)
        return str(found or value)

    def input(
        self, name: str, label: str, *, secret: bool = False, optional: bool = False, value: str = "", **attributes: str
    ) -> str:
        """Return a labeled input, with its error below it. secret: do not show the entered value again."""
        text = "" if secret else self.text(name, value)
        more = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(val)}"' for key, val in attributes.items())
        name, required = escape(name), "" if optional else " required"
        html = (
            f'<label for="{name}">{escape(label)}</label>\n<input id="{name}" name="{name}" '
            f'value="{escape(text)}"{required}{more}'
        )
        return html + self._with_error(name)

    def choice(
        self, name: str, label: str, options: Iterable[tuple[str, str]], *, value: str = "", **attributes: str
    ) -> str:
        """Return a labeled select element. options: (value, text)."""
        chosen = self.text(name, value)
        inside = "".join(
            f'<option value="{escape(one)}"{" selected" if one == chosen else ""}>{escape(text)}</option>'
            for one, text in options
        )
        more = "".join(f' {key}="{escape(val)}"' for key, val in attributes.items())
        html = (
            f'<label for="{escape(name)}">{escape(label)}</label>\n<select id="{escape(name)}" '
            f'name="{escape(name)}"{more}'
        )
        return html + self._with_error(escape(name), f"{inside}</select>")

    def check(self, name: str, label: str, *, optional: bool = False) -> str:
        """Return a labeled checkbox, with its error."""
        ticked = " checked" if self.typed.get(name) else ""
        required = "" if optional else " required"
        html = (
            f'<label class="check" for="{name}"><input type="checkbox" id="{name}" name="{name}" '
            f'value="1"{ticked}{required}'
        )
        return html + self._with_error(name, f"<span>{escape(label)}</span></label>")

    def _with_error(self, name: str, inside: str = "") -> str:
        """Return the end of a field's start tag, the field's content, and its error."""
        if not self.problem or escape(self.field) != name:
            return f">{inside}"
        told = f'\n<p class="error" id="{name}-error" role="alert">{escape(self.problem)}</p>'
        return f' aria-invalid="true" aria-describedby="{name}-error" autofocus>{inside}{told}'

    def country(self, value: str = "US") -> str:
        """Return the select element of the country. value: two-letter code."""
        return self.choice("country", "Country", _COUNTRIES.items(), value=value, autocomplete="country")


def address_fields(form: Form, known: api.Address, *, full: bool) -> str:
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
            "postal_code", "Postal code", value=value["postal_code"], autocomplete="postal-code", optional=True
        )
        return f'<div class="pair"><div>{form.country(known.get("country") or "US")}</div><div>{code}</div></div>'
    return "\n".join(
        (
            form.input("line1", "Address", value=value["line1"], autocomplete="address-line1"),
            form.input(
                "line2",
                "Address, second line (optional)",
                value=value["line2"],
                optional=True,
                autocomplete="address-line2",
            ),
            form.input("city", "City", value=value["city"], autocomplete="address-level2"),
            form.input(
                "state",
                "State or province (if there is one)",
                value=value["state"],
                optional=True,
                autocomplete="address-level1",
            ),
            address_fields(form, known, full=False),
        )
    )


def method_fields(session: StoredSession, kind: str, form: Form) -> str:
    """Return the fields of a payment method. kind: its type."""
    known = (session["customer_details"] or {}).get("address") or {}
    full = session["billing_address_collection"] == "required"
    if kind == "card":
        return "\n".join(
            (
                form.input("number", "Card number", secret=True, inputmode="numeric", autocomplete="cc-number"),
                '<div class="pair"><div>',
                form.input(
                    "expiry", "Expiry (MM / YY)", inputmode="numeric", autocomplete="cc-exp", placeholder="MM / YY"
                ),
                "</div><div>",
                form.input(
                    "cvc", "Security code", secret=True, inputmode="numeric", autocomplete="cc-csc", maxlength="4"
                ),
                "</div></div>",
                form.input("name", "Name on card", autocomplete="cc-name"),
                address_fields(form, known, full=full),
            )
        )
    parts = [form.input("name", "Full name", autocomplete="name")]
    if kind == "sepa_debit":
        parts.append(form.input("iban", "IBAN", secret=True, autocomplete="off"))
        parts.append('<p class="note">By paying you allow the business to debit your account.</p>')
    elif kind == "us_bank_account":
        parts.append(
            form.input("routing_number", "Routing number", secret=True, inputmode="numeric", autocomplete="off")
        )
        parts.append(
            form.input("account_number", "Account number", secret=True, inputmode="numeric", autocomplete="off")
        )
        parts.append('<p class="note">By paying you allow the business to debit your account.</p>')
    elif kind == "link":
        parts.append('<p class="note">You pay with what is saved in your Link account.</p>')
    else:
        parts.append("" if full else form.country(known.get("country") or "US"))
        parts.append(f'<p class="note">You continue on the page of {escape(METHODS[kind])}.</p>')
    if full:
        parts.insert(1, address_fields(form, known, full=True))
    return "\n".join(parts)


def shipping_address_fields(session: StoredSession, form: Form) -> str:
    """Return the fields of the delivery address, with the countries that are delivered to."""
    details = delivery_of(session)
    known: api.Address = details["address"] if details is not None else {}
    to = details["name"] if details is not None else ""
    countries = delivery_countries(session)
    parts = ["<fieldset><legend>Delivery address</legend>", _custom_text(session["custom_text"]["shipping_address"])]
    parts.append(form.input("ship_name", "Name", value=to or "", autocomplete="shipping name"))
    line1, city = known.get("line1") or "", known.get("city") or ""
    parts.append(form.input("ship_line1", "Address", value=line1, autocomplete="shipping address-line1"))
    parts.append(
        form.input(
            "ship_line2",
            "Address, second line (optional)",
            value=known.get("line2") or "",
            optional=True,
            autocomplete="shipping address-line2",
        )
    )
    parts.append(form.input("ship_city", "City", value=city, autocomplete="shipping address-level2"))
    state = known.get("state") or ""
    parts.append(
        form.input(
            "ship_state",
            "State or province (if there is one)",
            value=state,
            optional=True,
            autocomplete="shipping address-level1",
        )
    )
    code = known.get("postal_code") or ""
    parts.append(form.input("ship_postal_code", "Postal code", value=code, autocomplete="shipping postal-code"))
    options = [(one, _COUNTRIES.get(one, one)) for one in countries]
    parts.append(
        form.choice(
            "ship_country", "Country", options, value=known.get("country") or "", autocomplete="shipping country"
        )
    )
    return "\n".join((*parts, "</fieldset>"))


def extras(session: StoredSession, form: Form) -> str:
    """Return the fields for phone, delivery address, names, tax id, custom fields and consent."""
    parts = []
    if session["phone_number_collection"]["enabled"]:
        known = (session["customer_details"] or {}).get("phone") or ""
        parts.append(form.input("phone", "Phone number", value=known, autocomplete="tel", type="tel"))
    if session["shipping_address_collection"]:
        parts.append(shipping_address_fields(session, form))
    parts += _names(session, form)
    tax_id = session.get("tax_id_collection")
    if tax_id is not None and tax_id["enabled"]:
        needed = tax_id["required"] == "if_supported"
        also = "" if needed else " (optional)"
        parts.append(
            form.input("business_name", f"Business name{also}", optional=not needed, autocomplete="organization")
        )
        parts.append(form.input("tax_id", f"Tax ID of the business{also}", optional=not needed, autocomplete="off"))
    parts += [_custom(field, form) for field in session["custom_fields"]]
    consent = session["consent_collection"] or {}
    if consent.get("promotions") == "auto":
        parts.append(form.check("promotions", "Tell me about news and offers", optional=True))
    if consent.get("terms_of_service") == "required":
        terms = _text(session["custom_text"]["terms_of_service_acceptance"])
        parts.append(form.check("terms", terms or "I agree to the terms of service"))
    return "\n".join(parts)


def _names(session: StoredSession, form: Form) -> list[str]:
    """Return the fields of ``name_collection``."""
    made = []
    asked = session.get("name_collection") or {}
    for kind, label, rule in (
        ("business", "Business name", asked.get("business")),
        ("individual", "Full name", asked.get("individual")),
    ):
        if rule is not None and rule["enabled"]:
            optional = rule["optional"]
            made.append(form.input(f"{kind}_name", label + (" (optional)" if optional else ""), optional=optional))
    return made


def _text(position: TextPosition | None) -> str:
    """Return the text of a ``custom_text`` position; empty without one."""
    return position["message"] if position is not None else ""


def _custom_text(position: TextPosition | None) -> str:
    """Return the merchant's ``custom_text`` for a position of the page as HTML."""
    text = _text(position)
    return f'<p class="note">{escape(text)}</p>' if text else ""


def _custom(field: CustomField, form: Form) -> str:
    """Return a custom field."""
    name = f"custom[{field['key']}]"
    label = (field["label"]["custom"] or field["key"]) + (" (optional)" if field["optional"] else "")
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


def delivery(session: StoredSession, names: Mapping[str, str | None], form: Form) -> str:
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
                    names.get(one["shipping_rate"]) or "Delivery",
                    shared_currency.show(one["shipping_amount"], currency),
                )
            ),
        )
        for one in session["shipping_options"]
    ]
    return form.choice("shipping_rate", "Delivery", options, value=chosen)


def button_text(session: StoredSession) -> str:
    """Return the label of the submit button."""
    if session["mode"] == "setup":
        return "Save"
    if session["mode"] == "subscription":
        return "Subscribe"
    verb = _BUTTONS.get(session["submit_type"] or "", "Pay")
    return f"{verb} {shared_currency.show(amount_of(session), currency_of(session))}"


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
