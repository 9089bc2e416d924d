"""Tax registrations: where an account collects tax.

scheduled ──active_from──▶ active ──expires_at──▶ expired
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.shared import fields
from tollkey.payments.tax import kinds
from tollkey.payments.tax.rates import registration_status
from tollkey.payments.tax.settings import SETTINGS
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.live import records
from tollkey.wire.pages import list_page, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations


def register(call: Call, params: operations.PostTaxRegistrations) -> api.TaxRegistration:
    """Register the account for tax in a country or state."""
    country = params["country"].upper()
    options: Mapping[str, Any] = params["country_options"]  # by country, which is computed
    if country.lower() not in options:
        raise invalid(f"You must provide country_options[{country.lower()}].", "country_options")
    other = next((name for name in options if name != country.lower()), None)
    if other is not None:
        raise invalid(f"You may only provide country_options[{country.lower()}].", f"country_options[{other}]")
    start = call.now if params["active_from"] == "now" else params["active_from"]
    registration = new_object(
        kinds.REGISTRATION,
        id=call.ids.new("taxreg"),
        active_from=start,
        expires_at=params.get("expires_at"),
        country=country,
        country_options={country.lower(): options[country.lower()]},
        created=call.now,
        livemode=call.livemode,
        status="active",
    )
    return call.objects.insert(registration)


def change_registration(call: Call, params: operations.PostTaxRegistrationsId) -> api.TaxRegistration:
    """Change the start or end of a registration."""
    found = call.objects.get(kinds.REGISTRATION, call.path["id"])
    for name in ("active_from", "expires_at"):
        if name in params:
            fields.assign(found, {name: call.now if params[name] == "now" else params[name]}, (name,))
    return call.objects.save(found)


def list_registrations(call: Call, params: operations.GetTaxRegistrations) -> Page:
    """List registrations, optionally by their present status."""
    wanted = params.get("status")
    keep = None if wanted in (None, "all") else (lambda one: registration_status(one, call.now) == wanted)
    return list_page(call, kinds.REGISTRATION, params, url="/v1/tax/registrations", keep=keep)


def _registration_view(call: Call, registration: api.TaxRegistration) -> api.TaxRegistration:
    registration["status"] = registration_status(registration, call.now)
    return registration


REGISTRATION = Resource(
    object="tax.registration",
    prefix="taxreg",
    permission=SETTINGS,
    live=records(),
    label="tax registration",
    view=_registration_view,
    endpoints=(
        Endpoint("POST", "/v1/tax/registrations", register),
        Endpoint("GET", "/v1/tax/registrations", list_registrations),
        retrieve("tax.registration", "/v1/tax/registrations/{id}"),
        Endpoint("POST", "/v1/tax/registrations/{id}", change_registration),
    ),
    title="Tax registrations",
)
