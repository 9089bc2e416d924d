"""PaymentMethodConfigurations: the payment methods enabled in the Dashboard.

    (default, always there) ──update──▶ …      created ──update──▶ … active │ inactive

Every account has a default configuration in each mode. It is stored when it is first changed; until then it is that
of a new account.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from tollkey.keys import Permission
from tollkey.payments.methods.method_types import TYPES
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.kinds import Kind
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import list_page
from tollkey.wire.shapes import properties

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("payment_method_configuration", "Payment Method Configurations", "Core")
OBJECT = "payment_method_configuration"
_KIND: Kind[api.PaymentMethodConfiguration] = Kind(OBJECT)
_OURS = frozenset({"id", "object", "active", "application", "is_default", "livemode", "name", "parent"})
#: Card wallets, enabled in a new account.
_WALLETS = frozenset({"apple_pay", "google_pay", "cartes_bancaires", "jcb"})


def methods_of(configuration: api.PaymentMethodConfiguration) -> list[str]:
    """Return the names of the payment methods in a configuration."""
    return [name for name in configuration if name not in _OURS and not name.startswith("_")]


def enabled_types(configuration: api.PaymentMethodConfiguration) -> set[str]:
    """Return the enabled types."""
    return {
        name
        for name in methods_of(configuration)
        for method in (_method(configuration, name),)
        if method["display_preference"]["value"] == "on" and method["available"]
    }


def _method(configuration: Mapping[str, Any], name: str) -> api.PaymentMethodConfigResourcePaymentMethodProperties:
    found: api.PaymentMethodConfigResourcePaymentMethodProperties = configuration[name]
    return found


def default_id(call: Call) -> str:
    """Return the id of the account's default configuration, which is the same before and after it is stored."""
    return f"pmc_1{call.account.removeprefix('acct_')}{'Live' if call.livemode else 'Test'}Default"


def used_configuration(call: Call, id: str | None = None) -> api.PaymentMethodConfiguration:
    """Return the configuration with that id, or the default. Raises ApiError 400 for an unknown id."""
    if id is not None and id != default_id(call):
        return call.objects.get(_KIND, id, OBJECT)
    return call.objects.find(_KIND, default_id(call)) or _default(call)


def _default(call: Call) -> api.PaymentMethodConfiguration:
    return _new(call, default_id(call), "Default", is_default=True)


def _new(
    call: Call, id: str, name: str, *, is_default: bool = False, parent: str | None = None
) -> api.PaymentMethodConfiguration:
    configuration = new_object(
        _KIND, id=id, active=True, is_default=is_default, livemode=call.livemode, name=name, parent=parent
    )
    usual = orjson.loads(_usual_methods())
    fields.assign(configuration, usual, usual)
    return configuration


@cache
def _usual_methods() -> bytes:
    """Return the methods of a new configuration as JSON: every PaymentIntent without one needs them."""
    usual = {}
    for method in properties(OBJECT):
        if method not in _OURS:
            on = method in _WALLETS or (method in TYPES and TYPES[method].default)
            value = "on" if on else "off"
            inner = {"overridable": None, "preference": value, "value": value}
            usual[method] = {"available": on, "display_preference": inner}
    return orjson.dumps(usual)


def _apply(
    configuration: api.PaymentMethodConfiguration,
    params: operations.PostPaymentMethodConfigurations | operations.PostPaymentMethodConfigurationsConfiguration,
) -> None:
    fields.assign(configuration, params, [name for name in ("name", "active") if params.get(name) is not None])
    if configuration["is_default"] and configuration["active"] is False:
        raise invalid("You cannot deactivate the default payment method configuration.", "active")
    for name in methods_of(configuration):
        preference = value_at(params, f"{name}.display_preference.preference")
        if preference is not None:
            on = preference == "on" or (preference == "none" and name in TYPES and TYPES[name].default)
            method: api.PaymentMethodConfigResourcePaymentMethodProperties = {
                "available": on or _method(configuration, name)["available"],
                "display_preference": {"overridable": None, "preference": preference, "value": "on" if on else "off"},
            }
            fields.assign(configuration, {name: method}, (name,))


def create(call: Call, params: operations.PostPaymentMethodConfigurations) -> api.PaymentMethodConfiguration:
    """Create a configuration."""
    parent = params.get("parent")
    if parent is not None:
        used_configuration(call, parent)
    configuration = _new(call, call.ids.new("pmc"), params.get("name") or "Configuration", parent=parent)
    _apply(configuration, params)
    return call.objects.insert(configuration)


def retrieve_one(
    call: Call, params: operations.GetPaymentMethodConfigurationsConfiguration
) -> api.PaymentMethodConfiguration:
    """Retrieve a configuration."""
    id = call.path["configuration"]
    return used_configuration(call, id) if id == default_id(call) else call.objects.get(_KIND, id)


def update(
    call: Call, params: operations.PostPaymentMethodConfigurationsConfiguration
) -> api.PaymentMethodConfiguration:
    """Enable or disable payment methods."""
    configuration = retrieve_one(call, params)
    _apply(configuration, params)
    if call.objects.find(_KIND, configuration["id"]) is None:
        return call.objects.insert(configuration)
    return call.objects.save(configuration)


def list_all(call: Call, params: operations.GetPaymentMethodConfigurations) -> Page:
    """List configurations, including the default one even if it is not stored."""
    application, active = params.get("application") or None, params.get("active")

    def fits(value: api.PaymentMethodConfiguration) -> bool:
        return value["application"] == application and active in (None, value["active"])

    keep = fits if "application" in params or active is not None else None
    page = list_page(call, OBJECT, params, url="/v1/payment_method_configurations", keep=keep)
    if (
        (keep is None or keep(_default(call)))
        and not page.has_more
        and params.get("starting_after") is None
        and call.objects.find(_KIND, default_id(call)) is None
    ):
        page.data.append(_default(call))
    return page


CONFIGURATION = Resource(
    object=OBJECT,
    prefix="pmc",
    permission=PERMISSION,
    live=records(),
    path_param="configuration",
    endpoints=(
        Endpoint("GET", "/v1/payment_method_configurations", list_all),
        Endpoint("POST", "/v1/payment_method_configurations", create),
        Endpoint("GET", "/v1/payment_method_configurations/{configuration}", retrieve_one),
        Endpoint("POST", "/v1/payment_method_configurations/{configuration}", update),
    ),
    title="Payment method configurations",
    columns=("name", "id", "active", "is_default"),
)
