"""Where the customer of a session is: that decides its automatic tax."""

from __future__ import annotations

from typing import Any

from tollkey.payments.shared import fields
from tollkey.payments.tax import automatic as tax_automatic
from tollkey.payments.tax import rates
from tollkey.wire import Call, Json, Params, dig, invalid

_NOWHERE = (
    "Automatic tax calculation in Checkout requires a valid address on the Customer."
    " Add a valid address to the Customer or set either"
    " `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' to save the address entered in"
    " Checkout to the"
    " Customer."
)


def check_customer(call: Call, session: Json, params: Params) -> None:
    """Raise ApiError 400 when tax is to be worked out for a stored customer whose place is neither known nor
    will be.
    """
    update = params.get("customer_update") or {}
    if update and not session["customer"]:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
    session["_customer_update"] = update
    if not session["automatic_tax"]["enabled"] or not session["customer"]:
        return
    customer = call.objects.get("customer", session["customer"])
    if tax_automatic.address_of(call, customer) is None and "auto" not in (
        update.get("address"),
        update.get("shipping"),
    ):
        raise invalid(_NOWHERE, "automatic_tax", "customer_tax_location_invalid")


def taxed_at(call: Call, session: Json) -> tax_automatic.Taxing | None:
    """How the session is taxed; None when tax is not worked out, or nobody knows yet where the customer is.

    What was typed on the page comes first (the delivery address before the billing address), then what the customer
    has.
    """
    automatic = session["automatic_tax"]
    if not automatic["enabled"]:
        return None
    customer = call.objects.find("customer", session["customer"] or "")
    update = (session.get("_customer_update") or {}).values()
    typed = (dig(session, "collected_information.shipping_details.address"), dig(session, "customer_details.address"))
    counts = customer is None or "auto" in update
    where = next((one for one in typed if counts and rates.located(one)), None)
    if where is None and customer is not None:
        where = tax_automatic.address_of(call, customer)
    given = dig(session, "customer_details.tax_ids") or []
    how = tax_automatic.taxing(
        call, where, (customer or {}).get("tax_exempt"), [*given, *tax_automatic.tax_ids_of(call, session["customer"])]
    )
    automatic["status"] = "complete" if how else "requires_location_inputs"
    return how


def collect(session: Json, **told: Any) -> None:
    """Keep what the customer has told in ``collected_information``: ``business_name``, ``individual_name``,
    ``shipping_details``.
    """
    known = session["collected_information"] or {}
    session["collected_information"] = {
        "business_name": None,
        "individual_name": None,
        "shipping_details": None,
        **known,
        **told,
    }


def save_to_customer(call: Call, session: Json) -> None:
    """Save the details that were entered on the page to the customer, as ``customer_update`` asks."""
    update = session.get("_customer_update") or {}
    customer = call.objects.find("customer", session["customer"] or "")
    if customer is None or "auto" not in update.values():
        return
    details = session["customer_details"] or {}
    shipping = dig(session, "collected_information.shipping_details")
    if update.get("address") == "auto" and details.get("address"):
        customer["address"] = _whole(details["address"])
    if update.get("name") == "auto" and details.get("name"):
        customer["name"] = details["name"]
    if update.get("shipping") == "auto" and shipping:
        customer["shipping"] = {
            "address": _whole(shipping["address"]),
            "name": shipping["name"],
            "phone": details.get("phone"),
        }
    call.objects.save(customer, "customer.updated")


def _whole(given: Json) -> Json:
    return {name: given.get(name) for name in fields.ADDRESS}
