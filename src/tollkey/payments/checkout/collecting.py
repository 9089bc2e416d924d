"""Storing what the page collects besides the payment: addresses, phone, tax id, custom fields, consent."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tollkey.payments.checkout.known import collected_details, delivery_countries, language_of
from tollkey.payments.checkout.lines import total
from tollkey.payments.checkout.place import collect
from tollkey.payments.documents import forms
from tollkey.payments.shared import fields
from tollkey.payments.tax import rates, tax_ids
from tollkey.wire import Call, invalid
from tollkey.wire.languages import Language

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import CustomField, NameRule, StoredSession
    from tollkey.wire import api, operations

    #: What the forms of the page send.
    Entered: TypeAlias = operations.PostPayToken | operations.PostPayTokenAddress

_NEEDED = "This field is required."
_TAX_IDS = {
    "GB": "gb_vat", "AU": "au_abn", "CH": "ch_vat", "NO": "no_vat", "NZ": "nz_gst", "IN": "in_gst", "BR": "br_cnpj",
    "CA": "ca_bn",
    "US": "us_ein", "SG": "sg_uen", "JP": "jp_cn", "MX": "mx_rfc",
}  # fmt: skip


def collect_extras(call: Call, session: StoredSession, params: operations.PostPayToken) -> None:
    """Store the customer's details, addresses, custom fields and consents. Raises ApiError 400 for invalid ones."""
    collect_customer(session, params)
    if session["phone_number_collection"]["enabled"]:
        collected_details(session)["phone"] = _required_text(params, "phone")
    if session["shipping_address_collection"]:
        collect_shipping_address(session, params)
    collect_billing_address(session, params)
    _names(session, params)
    _tax_id(session, params)
    for field in session["custom_fields"]:
        _custom(field, params, language_of(call, session))
    _delivery(session, params)
    _consent(session, params)
    if session["mode"] != "setup":
        total(call, session)


def collect_customer(session: StoredSession, params: Entered) -> None:
    """Store the customer's name, e-mail address and phone. Raises ApiError 400 if there is no e-mail address."""
    details = session["customer_details"]
    if details is None or not details.get("email"):
        session["customer_details"] = {
            "address": (details or {}).get("address"), "business_name": None, "email": _required_text(params, "email"),
            "individual_name": None,
            "name": params.get("name"), "phone": params.get("phone"),
            "tax_exempt": None if session["mode"] == "setup" else "none",
            "tax_ids": None if session["mode"] == "setup" else [],
        }  # fmt: skip


def _required_text(params: Entered, name: str) -> str:
    """Return the text of a required field. Raises ApiError 400 if it is empty."""
    value = str(params.get(name) or "").strip()
    if not value:
        raise invalid(_NEEDED, name)
    return value


def collect_billing_address(session: StoredSession, params: Entered) -> None:
    """Store the billing address. Raises ApiError 400 for missing parts that the session or automatic tax requires."""
    address = _address(params)
    if session["billing_address_collection"] == "required":
        for name in ("line1", "city", "country"):
            _required_text(params, name)
    if address["country"] and address["country"] not in forms.COUNTRIES:
        raise invalid("Choose one of the options.", "country")
    if address["country"]:
        if (
            session["automatic_tax"]["enabled"]
            and not session["shipping_address_collection"]
            and not rates.located(address)
        ):
            raise invalid("Enter a postal code that we can work out your tax with.", "postal_code")
        session["customer_details"] = {**collected_details(session), "address": address}


def collect_shipping_address(session: StoredSession, params: Entered) -> None:
    """Store the delivery address. Raises ApiError 400 for missing parts, or a country that is not delivered to."""
    address = _address(params, "ship_")
    name = _required_text(params, "ship_name")
    for part in ("line1", "city", "postal_code", "country"):
        _required_text(params, f"ship_{part}")
    if address["country"] not in delivery_countries(session):
        raise invalid("We do not deliver to this country.", "ship_country")
    if session["automatic_tax"]["enabled"] and not rates.located(address):
        raise invalid("Enter a postal code that we can work out your tax with.", "ship_postal_code")
    collect(session, {"shipping_details": {"address": address, "name": name}})


def _address(params: Entered, prefix: str = "") -> api.Address:
    """Return the address in the fields whose names begin with ``prefix``."""
    typed = {name: str(params.get(prefix + name) or "").strip() or None for name in fields.ADDRESS}
    return {
        "city": typed["city"],
        "country": typed["country"],
        "line1": typed["line1"],
        "line2": typed["line2"],
        "postal_code": typed["postal_code"],
        "state": typed["state"],
    }


def _names(session: StoredSession, params: Entered) -> None:
    """Store the names that ``name_collection`` requires."""
    asked = session.get("name_collection") or {}
    business = _name(asked.get("business"), "business_name", params)
    if business:
        collected_details(session)["business_name"] = business
        collect(session, {"business_name": business})
    individual = _name(asked.get("individual"), "individual_name", params)
    if individual:
        collected_details(session)["individual_name"] = individual
        collect(session, {"individual_name": individual})


def _name(rule: NameRule | None, field: str, params: Entered) -> str:
    """Return the name in a field; empty if it is not collected, or is optional and was left out."""
    if rule is None or not rule["enabled"]:
        return ""
    return str(params.get(field) or "").strip() if rule["optional"] else _required_text(params, field)


def _tax_id(session: StoredSession, params: Entered) -> None:
    """Store the tax id and the name of the business. Raises ApiError 400 for a malformed tax id."""
    asked = session.get("tax_id_collection")
    if asked is None or not asked["enabled"]:
        return
    details = collected_details(session)
    country = (details.get("address") or {}).get("country") or params.get("country") or ""
    kind = "eu_vat" if country in rates.EU else _TAX_IDS.get(country)
    if asked["required"] == "if_supported" and kind:
        for needed in ("business_name", "tax_id"):
            _required_text(params, needed)
    name, value = (str(params.get(field) or "").strip() for field in ("business_name", "tax_id"))
    if name:
        details["business_name"] = details["name"] = name
        collect(session, {"business_name": name})
    if value and kind and not tax_ids.well_formed(kind, value):
        raise invalid("This is not a valid tax ID.", "tax_id")
    if value:
        details["tax_ids"] = [{"type": kind or "unknown", "value": value}]


def _custom(field: CustomField, params: operations.PostPayToken, language: Language) -> None:
    """Store the value of a custom field. Raises ApiError 400 for a wrong length, non-digits, or an unknown option."""
    name, kind = f"custom[{field['key']}]", field["type"]
    value = (params.get("custom") or {}).get(field["key"], "").strip()
    if not value:
        if not field["optional"]:
            raise invalid(_NEEDED, name)
        _set_value(field, None)
        return
    if kind == "dropdown":
        if value not in [one["value"] for one in field["dropdown"].get("options") or []]:
            raise invalid("Choose one of the options.", name)
        _set_value(field, value)
        return
    if kind == "numeric" and not (value.isascii() and value.isdigit()):
        raise invalid("Only digits can be entered here.", name)
    inner = field["numeric"] if kind == "numeric" else field["text"]
    least, most = inner.get("minimum_length"), inner.get("maximum_length")
    if (least is not None and len(value) < least) or len(value) > (most or 255):
        told = language.say("Enter {least} to {most} characters.", least=least or 0, most=most or 255)
        raise invalid(told, name)
    _set_value(field, value)


def _set_value(field: CustomField, value: str | None) -> None:
    """Set the value of a custom field."""
    if field["type"] == "dropdown":
        field["dropdown"]["value"] = value
    elif field["type"] == "numeric":
        field["numeric"]["value"] = value
    else:
        field["text"]["value"] = value


def _delivery(session: StoredSession, params: Entered) -> None:
    """Set the shipping cost to that of the chosen shipping option."""
    rate = params.get("shipping_rate")
    for option in session["shipping_options"]:
        if option["shipping_rate"] == rate:
            amount = option["shipping_amount"]
            session["shipping_cost"] = {
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "shipping_rate": rate,
            }


def _consent(session: StoredSession, params: Entered) -> None:
    """Store the consents. Raises ApiError 400 if required terms were not accepted."""
    asked = session["consent_collection"] or {}
    promotions, terms = asked.get("promotions") == "auto", asked.get("terms_of_service") == "required"
    if terms and not params.get("terms"):
        raise invalid("You have to agree to the terms of service.", "terms")
    if promotions or terms:
        session["consent"] = {
            "promotions": ("opt_in" if params.get("promotions") else "opt_out") if promotions else None,
            "terms_of_service": "accepted" if terms else None,
        }
