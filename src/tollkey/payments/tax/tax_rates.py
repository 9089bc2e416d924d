"""Tax rates: percentages that invoices add to a price, or that a price includes.

active ──update──▶ active | inactive   (the percentage never changes; a rate cannot be deleted)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.shared import fields
from tollkey.payments.tax import kinds
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.live import records
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        StoredTaxRate,
    )
    from tollkey.wire import api, operations

PERMISSION = Permission("tax_rate", "Tax Rates", "Billing")
_FIELDS = ("active", "country", "description", "display_name", "jurisdiction", "state", "tax_type")


def create(call: Call, params: operations.PostTaxRates) -> StoredTaxRate:
    """Create a tax rate."""
    rate = new_object(
        kinds.TAX_RATE,
        id=call.ids.new("txr"),
        active=True,
        created=call.now,
        livemode=call.livemode,
        inclusive=params["inclusive"],
        percentage=float(params["percentage"]),
        rate_type="percentage",
    )
    fields.assign_with_metadata(rate, params, _FIELDS)
    rate["metadata"] = fields.new_metadata(params)
    return call.objects.insert(rate, "tax_rate.created")


def update(call: Call, params: operations.PostTaxRatesTaxRate) -> StoredTaxRate:
    """Change the description of a tax rate, or whether it is active."""
    rate = call.objects.get(kinds.TAX_RATE, call.path["tax_rate"])
    fields.assign_with_metadata(rate, params, _FIELDS)
    return call.objects.save(rate, "tax_rate.updated")


def check_active(
    call: Call, ids: Iterable[str] | None, param: str, used: Iterable[api.TaxRate | str] | None = None
) -> None:
    """Raise ApiError 400 for an archived tax rate that is to be used anew; one that is in use stays usable.

    param: the parameter with the ids, for errors. used: the rates that the object has already. Source: ``active`` of
    tax rates in Stripe's OpenAPI document; the text is ours.
    """
    known = {one if isinstance(one, str) else one["id"] for one in used or ()}
    for place, id in enumerate(ids or ()):
        rate = call.objects.find(kinds.TAX_RATE, id)
        if rate is not None and not rate["active"] and rate.get("_automatic") is None and id not in known:
            raise invalid(f"The tax rate `{id}` is inactive, so it cannot be used anew.", f"{param}[{place}]")


def percent_rate(call: Call, percent: float | str) -> api.TaxRate:
    """Create the tax rate of ``tax_percent``, a parameter of older versions. Raises ApiError 400 for no percentage."""
    if not 0 <= float(percent) <= 100:
        raise invalid("A percentage must be between 0 and 100.", "tax_percent")
    rate = new_object(
        kinds.TAX_RATE,
        id=call.ids.new("txr"),
        active=False,
        created=call.now,
        display_name="Tax",
        inclusive=False,
        livemode=call.livemode,
        percentage=float(percent),
        rate_type="percentage",
    )
    return call.objects.copy(call.objects.insert(rate))


TAX_RATE = Resource(
    object="tax_rate",
    label="tax rate",
    prefix="txr",
    permission=PERMISSION,
    live=records(),
    path_param="tax_rate",
    indexed=("active", "inclusive", "_automatic"),
    endpoints=(
        listing("tax_rate", "/v1/tax_rates"),
        Endpoint("POST", "/v1/tax_rates", create),
        retrieve("tax_rate", "/v1/tax_rates/{tax_rate}"),
        Endpoint("POST", "/v1/tax_rates/{tax_rate}", update),
    ),
    title="Tax rates",
    columns=("display_name", "id", "percentage", "inclusive", "active", "created"),
)
