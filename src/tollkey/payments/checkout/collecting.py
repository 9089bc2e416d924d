"""What the page asks for besides the payment: address, delivery, phone, tax id, custom fields, consent."""

from __future__ import annotations

from tollkey.payments.checkout.lines import total
from tollkey.payments.checkout.place import collect
from tollkey.payments.shared import fields
from tollkey.payments.tax import rates, tax_ids
from tollkey.wire import Call, Json, Params, invalid

_NEEDED = "This field is required."
_TAX_IDS = {
    "GB": "gb_vat", "AU": "au_abn", "CH": "ch_vat", "NO": "no_vat", "NZ": "nz_gst", "IN": "in_gst", "BR": "br_cnpj",
    "CA": "ca_bn",
    "US": "us_ein", "SG": "sg_uen", "JP": "jp_cn", "MX": "mx_rfc",
}  # fmt: skip


def collect_extras(call: Call, session: Json, params: Params) -> None:
    """Store the custom fields and consents that were entered. Raises ApiError 400 with the field's name."""
    collect_customer(session, params)
    if session["phone_number_collection"]["enabled"]:
        session["customer_details"]["phone"] = _text(params, "phone")
    if session["shipping_address_collection"]:
        collect_shipping_address(session, params)
    collect_billing_address(session, params)
    _names(session, params)
    _tax_id(session, params)
    for field in session["custom_fields"]:
        _custom(field, params)
    _delivery(session, params)
    _consent(session, params)
    if session["mode"] != "setup":
        total(call, session)


def collect_customer(session: Json, params: Params) -> None:
    """Store the customer's name, e-mail address and phone. Raises ApiError 400 when no e-mail address is known."""
    details = session["customer_details"]
    if details is None or not details.get("email"):
        session["customer_details"] = {
            "address": (details or {}).get("address"), "business_name": None, "email": _text(params, "email"),
            "individual_name": None,
            "name": params.get("name"), "phone": params.get("phone"),
            "tax_exempt": None if session["mode"] == "setup" else "none",
            "tax_ids": None if session["mode"] == "setup" else [],
        }  # fmt: skip


def _text(params: Params, name: str) -> str:
    value = str(params.get(name) or "").strip()
    if not value:
        raise invalid(_NEEDED, name)
    return value


def collect_billing_address(session: Json, params: Params) -> None:
    """The billing address, as far as it was typed. Raises ApiError 400 when more of it is needed."""
    address = {name: str(params.get(name) or "").strip() or None for name in fields.ADDRESS}
    if session["billing_address_collection"] == "required":
        for name in ("line1", "city", "country"):
            _text(params, name)
    if address["country"]:
        if (
            session["automatic_tax"]["enabled"]
            and not session["shipping_address_collection"]
            and not rates.located(address)
        ):
            raise invalid("Enter a postal code that we can work out your tax with.", "postal_code")
        session["customer_details"] = {**session["customer_details"], "address": address}


def collect_shipping_address(session: Json, params: Params) -> None:
    """Where goods go to. Raises ApiError 400 for a country that is not delivered to, or when something is missing."""
    address = {name: str(params.get(f"ship_{name}") or "").strip() or None for name in fields.ADDRESS}
    name = _text(params, "ship_name")
    for part in ("line1", "city", "postal_code", "country"):
        _text(params, f"ship_{part}")
    if address["country"] not in (session["shipping_address_collection"].get("allowed_countries") or ["US"]):
        raise invalid("We do not deliver to this country.", "ship_country")
    if session["automatic_tax"]["enabled"] and not rates.located(address):
        raise invalid("Enter a postal code that we can work out your tax with.", "ship_postal_code")
    collect(session, shipping_details={"address": address, "name": name})


def _names(session: Json, params: Params) -> None:
    for kind in ("business", "individual"):
        rule = (session.get("name_collection") or {}).get(kind) or {}
        if not rule.get("enabled"):
            continue
        name = str(params.get(f"{kind}_name") or "").strip() if rule.get("optional") else _text(params, f"{kind}_name")
        if name:
            session["customer_details"][f"{kind}_name"] = name
            collect(session, **{f"{kind}_name": name})


def _tax_id(session: Json, params: Params) -> None:
    asked = session.get("tax_id_collection") or {}
    if not asked.get("enabled"):
        return
    country = (session["customer_details"].get("address") or {}).get("country") or params.get("country") or ""
    kind = "eu_vat" if country in rates.EU else _TAX_IDS.get(country)
    if asked.get("required") == "if_supported" and kind:
        for needed in ("business_name", "tax_id"):
            _text(params, needed)
    name, value = (str(params.get(field) or "").strip() for field in ("business_name", "tax_id"))
    if name:
        session["customer_details"]["business_name"] = session["customer_details"]["name"] = name
        collect(session, business_name=name)
    if value and kind and not tax_ids.well_formed(kind, value):
        raise invalid("This is not a valid tax ID.", "tax_id")
    if value:
        session["customer_details"]["tax_ids"] = [{"type": kind or "unknown", "value": value}]


def _custom(field: Json, params: Params) -> None:
    """One custom field: text of a length, digits, or one of its options."""
    name, kind, inner = f"custom[{field['key']}]", field["type"], field[field["type"]]
    custom = params.get("custom")
    value = str((custom.get(field["key"]) if isinstance(custom, dict) else None) or "").strip()
    if not value:
        if not field["optional"]:
            raise invalid(_NEEDED, name)
        inner["value"] = None
        return
    if kind == "dropdown" and value not in [one["value"] for one in inner.get("options") or []]:
        raise invalid("Choose one of the options.", name)
    if kind == "numeric" and not (value.isascii() and value.isdigit()):
        raise invalid("Only digits can be entered here.", name)
    least, most = inner.get("minimum_length"), inner.get("maximum_length")
    if kind != "dropdown" and ((least is not None and len(value) < least) or len(value) > (most or 255)):
        raise invalid(f"Enter {least or 0} to {most or 255} characters.", name)
    inner["value"] = value


def _delivery(session: Json, params: Params) -> None:
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


def _consent(session: Json, params: Params) -> None:
    asked = session["consent_collection"] or {}
    promotions, terms = asked.get("promotions") == "auto", asked.get("terms_of_service") == "required"
    if terms and not params.get("terms"):
        raise invalid("You have to agree to the terms of service.", "terms")
    if promotions or terms:
        session["consent"] = {
            "promotions": ("opt_in" if params.get("promotions") else "opt_out") if promotions else None,
            "terms_of_service": "accepted" if terms else None,
        }
