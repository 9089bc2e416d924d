"""What a customer changes on a shop's own page (``ui_mode`` elements): details, addresses, order, code, delivery.

Names of parameters are those that Stripe.js is known to send (``promotion_code``, ``shipping_rate``,
``updated_line_item_quantity``); the others, and the texts of errors, are inferred from its documented actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.checkout import discounts, rules
from tollkey.payments.checkout.building import check_total
from tollkey.payments.checkout.known import collected_details, delivery_countries
from tollkey.payments.checkout.lines import total
from tollkey.payments.checkout.order import change_order
from tollkey.payments.checkout.place import collect
from tollkey.payments.shared import fields
from tollkey.payments.tax import tax_ids
from tollkey.wire import Call, P, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.wire import operations

_TEXT = P.string(blank=True)
_ADDRESS = P.nested({name: P.string(blank=True) for name in fields.ADDRESS}, required=("country",))
_CONTACT = P.nested(name=_TEXT, address=_ADDRESS)
PARAMS = P.object(
    client_secret=P.string(),
    browser_locale=P.string(),
    email=_TEXT,
    phone=_TEXT,
    individual_name=_TEXT,
    business_name=_TEXT,
    billing_address=_CONTACT,
    shipping_address=_CONTACT,
    tax_id=P.nested(type=P.string(), value=_TEXT, required=("type", "value")),
    promotion_code=_TEXT,
    shipping_rate=P.string(),
    updated_line_item_quantity=P.nested(
        line_item_id=P.string(), quantity=P.integer(minimum=0), required=("line_item_id", "quantity")
    ),
)
_PLACE = "{name address{city country line1 line2 postal_code state}}"
TAKES = (
    "client_secret browser_locale email phone individual_name business_name"
    f" billing_address{_PLACE} shipping_address{_PLACE} tax_id{{type value}} promotion_code shipping_rate"
    " updated_line_item_quantity{line_item_id quantity}"
)


def change(call: Call, session: StoredSession, params: operations.PostPaymentPagesSession) -> None:
    """Change a session and add it up. The caller saves it.

    Raises ApiError 400 for what the session does not allow, and for a total that is too small to charge.
    """
    _details(session, params)
    if "billing_address" in params:
        place = params["billing_address"]
        details = collected_details(session)
        details["address"] = fields.full_address(place["address"]) if place.get("address") else None
        details["name"] = place.get("name") or details.get("name")
    if "shipping_address" in params:
        _deliver(session, params["shipping_address"])
    if params.get("shipping_rate"):
        _ship(session, params["shipping_rate"])
    if "updated_line_item_quantity" in params:
        _quantity(call, session, params["updated_line_item_quantity"])
    if session["mode"] == "setup":
        return
    total(call, session)
    if "promotion_code" in params:
        _code(call, session, params["promotion_code"].strip())
    if len(discounts.fitting(call, session)) < len(session["_discounts"]):
        raise invalid("The promotion code is not for this order.", "promotion_code", "promotion_code_not_applicable")
    check_total(session)


def _details(session: StoredSession, params: operations.PostPaymentPagesSession) -> None:
    setup = session["mode"] == "setup"
    known = session["customer_details"]
    if known is None:
        known = session["customer_details"] = {
            "address": None, "business_name": None, "email": None, "individual_name": None, "name": None, "phone": None,
            "tax_exempt": None if setup else "none", "tax_ids": None if setup else [],
        }  # fmt: skip
    if "email" in params:
        email = params["email"].strip()
        if session["customer_email"] or (session["customer"] and known.get("email")):
            raise invalid("The email of this Checkout Session was given when it was created.", "email")
        if email:
            rules.check_email(email, "email")
        known["email"] = email or None
    if "phone" in params:
        known["phone"] = params["phone"].strip() or None
    if "individual_name" in params:
        known["individual_name"] = params["individual_name"].strip() or None
    if "business_name" in params:
        known["business_name"] = params["business_name"].strip() or None
    if "tax_id" in params:
        _tax_id(session, params["tax_id"]["type"], params["tax_id"]["value"].strip())


def _tax_id(session: StoredSession, kind: str, value: str) -> None:
    """Set the tax id of the customer; remove it if it is empty."""
    asked = session.get("tax_id_collection")
    if asked is None or not asked["enabled"]:
        raise invalid("This Checkout Session does not collect tax IDs.", "tax_id")
    if value and not tax_ids.well_formed(kind, value):
        raise invalid("This is not a valid tax ID.", "tax_id", "tax_id_invalid")
    collected_details(session)["tax_ids"] = [{"type": kind, "value": value}] if value else []


def _deliver(session: StoredSession, place: Mapping[str, Any]) -> None:
    """Set where the goods go. Raises ApiError 400 for a country that is not delivered to."""
    if value_at(session.get("permissions"), "update_shipping_details") == "server_only":
        raise invalid("Only your server may change the shipping details of this Checkout Session.", "shipping_address")
    address = place.get("address")
    if not address:
        collect(session, {"shipping_details": None})
        return
    if not session["shipping_address_collection"]:
        raise invalid("This Checkout Session does not collect a shipping address.", "shipping_address")
    if address["country"] not in delivery_countries(session):
        raise invalid("We do not deliver to this country.", "shipping_address[address][country]")
    name = place.get("name") or ""
    collect(session, {"shipping_details": {"address": fields.full_address(address), "name": name}})


def _ship(session: StoredSession, rate: str) -> None:
    option = next((one for one in session["shipping_options"] if one["shipping_rate"] == rate), None)
    if option is None:
        raise invalid("This is not one of the shipping options of this Checkout Session.", "shipping_rate")
    amount = option["shipping_amount"]
    session["shipping_cost"] = {
        "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": rate,
    }  # fmt: skip


def _quantity(call: Call, session: StoredSession, given: Mapping[str, Any]) -> None:
    param = "updated_line_item_quantity"
    line = next((one for one in session["_lines"] if one["id"] == given["line_item_id"]), None)
    if line is None:
        raise invalid("This Checkout Session has no such line item.", f"{param}[line_item_id]")
    rule = line.get("adjustable_quantity")
    if rule is None or not rule["enabled"]:
        raise invalid("The quantity of this line item cannot be changed: it needs `adjustable_quantity`.", param)
    change_order(call, session, {"quantity": {line["id"]: str(given["quantity"])}})


def _code(call: Call, session: StoredSession, text: str) -> None:
    """Apply a promotion code, or remove it if the text is empty; the session counts wrong ones."""
    if not text:
        discounts.put(session, [])
    elif not session["allow_promotion_codes"]:
        raise invalid("This Checkout Session takes no promotion codes: it needs `allow_promotion_codes`.")
    else:
        discounts.put_typed(call, session, text)
    total(call, session)
