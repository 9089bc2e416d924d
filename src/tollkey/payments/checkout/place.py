"""The location of a session's customer, which determines automatic tax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.checkout import kinds
from tollkey.payments.checkout.known import delivery_of
from tollkey.payments.tax import automatic as tax_automatic
from tollkey.payments.tax import rates
from tollkey.wire import Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import CollectedInformation, StoredSession
    from tollkey.wire import api

_NO_LOCATION = (
    "Automatic tax calculation in Checkout requires a valid address on the Customer."
    " Add a valid address to the Customer or set either"
    " `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' to save the address entered in"
    " Checkout to the"
    " Customer."
)


#: Public reports of the two that follow: many of the first; the second has the code ``parameter_missing``.
_NO_NAME = (
    "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing"
    " customer, please set `customer_update[name]` to `auto`."
)
_NO_DELIVERY = (
    "You specified `shipping_address_collection`. To use `automatic_tax` with this parameter, you must also set"
    " `customer_update[shipping]` to `auto`."
)


def check_customer(call: Call, session: StoredSession, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 if a known customer would not get what the page collects: a name, or an address for tax."""
    update = params.get("customer_update") or {}
    if update and not session["customer"]:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
    session["_customer_update"] = update
    if not session["customer"]:
        return
    if value_at(params, "tax_id_collection.enabled") and update.get("name") != "auto":
        raise invalid(_NO_NAME, "customer_update")
    if not session["automatic_tax"]["enabled"]:
        return
    if params.get("shipping_address_collection") and update.get("shipping") != "auto":
        raise invalid(_NO_DELIVERY, "customer_update[shipping]", "parameter_missing")
    customer = call.objects.get(kinds.CUSTOMER, session["customer"], "customer")
    if tax_automatic.address_of(call, customer) is None and "auto" not in (
        update.get("address"),
        update.get("shipping"),
    ):
        raise invalid(_NO_LOCATION, "automatic_tax", "customer_tax_location_invalid")


def taxed_at(call: Call, session: StoredSession) -> tax_automatic.Taxing | None:
    """Return how the session is taxed automatically; None if it is not, or the customer's location is unknown.

    Addresses entered on the page take precedence (delivery before billing) over those of the customer.
    """
    automatic = session["automatic_tax"]
    if not automatic["enabled"]:
        return None
    customer = call.objects.find(kinds.CUSTOMER, session["customer"] or "")
    update = (session.get("_customer_update") or {}).values()
    goods, details = delivery_of(session), session["customer_details"] or {}
    typed = (goods["address"] if goods is not None else None, details.get("address"))
    counts = customer is None or "auto" in update
    where = next((one for one in typed if counts and rates.located(one)), None)
    if where is None and customer is not None:
        where = tax_automatic.address_of(call, customer)
    exempt = customer.get("tax_exempt") if customer is not None else None
    ids = [*(details.get("tax_ids") or []), *tax_automatic.tax_ids_of(call, session["customer"])]
    how = tax_automatic.taxing(call, where, exempt, ids)
    automatic["status"] = "complete" if how else "requires_location_inputs"
    return how


def collect(session: StoredSession, told: CollectedInformation | None = None) -> None:
    """Store names and the delivery address that the customer entered in ``collected_information``."""
    none: CollectedInformation = {"business_name": None, "individual_name": None, "shipping_details": None}
    session["collected_information"] = {**none, **(session["collected_information"] or {}), **(told or {})}


def save_to_customer(call: Call, session: StoredSession) -> None:
    """Save the details entered on the page to the customer, as ``customer_update`` requires."""
    update = session.get("_customer_update") or {}
    customer = call.objects.find(kinds.CUSTOMER, session["customer"] or "")
    wanted = {name for name, what in update.items() if what == "auto"}
    details = session["customer_details"] or {}
    shipping = delivery_of(session)
    address = details.get("address")
    if customer is not None and wanted:
        if "address" in wanted and address:
            customer["address"] = _full_address(address)
        if "name" in wanted and details.get("name"):
            customer["name"] = details["name"]
        if "shipping" in wanted and shipping:
            customer["shipping"] = {
                "address": _full_address(shipping["address"]),
                "name": shipping["name"],
                "phone": details.get("phone"),
            }
        call.objects.save(customer, "customer.updated")


def _full_address(given: api.Address) -> api.Address:
    """Return an address with all of its keys."""
    return {
        "city": given.get("city"),
        "country": given.get("country"),
        "line1": given.get("line1"),
        "line2": given.get("line2"),
        "postal_code": given.get("postal_code"),
        "state": given.get("state"),
    }
