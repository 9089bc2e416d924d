"""The tax settings of an account.

pending ──head office and default tax code are known──▶ active
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.catalog import tax_code_table
from tollkey.payments.shared import fields
from tollkey.payments.tax import kinds, states
from tollkey.wire import Call, Endpoint, Resource, new_object
from tollkey.wire.live import records

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        StoredTaxSettings,
    )
    from tollkey.wire import api, operations


SETTINGS = Permission("tax_settings", "Tax Settings and Registrations", "Tax")


def _settings(call: Call) -> StoredTaxSettings:
    found = call.objects.find(kinds.SETTINGS, call.account)
    if found is not None:
        return found
    return {
        **new_object(kinds.SETTINGS, livemode=call.livemode, status=states.SETTINGS.start("pending")),
        "id": call.account,
        "defaults": {"provider": "stripe", "tax_behavior": None, "tax_code": None},
        "status_details": {"pending": {"missing_fields": ["head_office", "defaults.tax_code"]}},
    }


def read_settings(call: Call, params: operations.GetTaxSettings) -> api.TaxSettings:
    """Retrieve the tax settings of the account."""
    return _without_id(_settings(call))


def change_settings(call: Call, params: operations.PostTaxSettings) -> api.TaxSettings:
    """Change the head office or the defaults; settings become active when they are complete."""
    new = call.objects.find(kinds.SETTINGS, call.account) is None
    settings = _settings(call)
    given: Mapping[str, Any] = params.get("defaults") or {}
    tax_code_table.check(given.get("tax_code"), "defaults[tax_code]")
    fields.assign(settings["defaults"], given, given)
    if params.get("head_office"):
        settings["head_office"] = {"address": fields.full_address(params["head_office"]["address"])}
    missing = [
        name
        for name, value in (
            ("head_office", settings["head_office"]),
            ("defaults.tax_code", settings["defaults"]["tax_code"]),
        )
        if not value
    ]
    states.SETTINGS.set(settings, "pending" if missing else "active")
    settings["status_details"] = {"pending": {"missing_fields": missing}} if missing else {"active": {}}
    if new:
        call.objects.insert(settings)
    else:
        call.objects.save(settings)
    shown = _without_id(settings)
    call.emit("tax.settings.updated", shown)
    return shown


def _without_id(settings: StoredTaxSettings) -> api.TaxSettings:
    public = {name: value for name, value in settings.items() if name != "id"}
    return cast("api.TaxSettings", public)  # the names are computed


TAX_SETTINGS = Resource(
    object="tax.settings",
    permission=SETTINGS,
    live=records(),
    endpoints=(
        Endpoint("GET", "/v1/tax/settings", read_settings),
        Endpoint("POST", "/v1/tax/settings", change_settings),
    ),
    title="Tax settings",
)
