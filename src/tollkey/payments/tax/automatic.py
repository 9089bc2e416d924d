"""Automatic tax of invoices, subscriptions, quotes and Checkout: the customer's location, and the tax rate of
each line.

Prices without ``tax_behavior`` follow the account's default, else their currency: prices in US and Canadian dollars
exclude tax, others include it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic
from tollkey.payments.catalog import kinds as catalog_kinds
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.shared import fields
from tollkey.payments.tax import kinds
from tollkey.payments.tax.rates import Place, located, percent_at, reason_of, reverses
from tollkey.wire import ApiError, Call, invalid, new_object
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        DeliveryCost,
        RatedLine,
        StoredTaxRate,
        StoredTaxSettings,
        TypeOfTaxId,
    )
    from tollkey.wire import api

GENERAL, SHIPPING = "txcd_99999999", "txcd_92010001"
_OVERRIDES = {"exempt": "customer_exempt", "reverse": "reverse_charge"}
_WITHOUT_TAX = ("usd", "cad")


class Taxing(NamedTuple):
    """The tax treatment of a customer. override: ``customer_exempt``, ``reverse_charge`` or ``none``."""

    place: Place
    override: str
    defaults: api.TaxProductResourceTaxSettingsDefaults | None


def liability_of(given: Mapping[str, Any] | None) -> api.ConnectAccountReference | None:
    """Return who is liable for the tax of ``automatic_tax`` parameters, by default the account; None without tax."""
    if not given or not given.get("enabled"):
        return None
    named: api.ConnectAccountReference | None = given.get("liability")
    return named or {"type": "self"}


def unlocated(param: str | None = None) -> ApiError:
    """Return the 400 error for a customer whose location is not known."""
    return invalid(
        "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate"
        " tax.",
        param,
        "customer_tax_location_invalid",
        retry=False,
    )


def address_of(call: Call, customer: api.Customer) -> api.Address | None:
    """Return the address that determines a customer's tax: shipping, billing or payment method; None without one."""
    method = call.objects.find(
        methods_kinds.PAYMENT_METHOD, value_at(customer, "invoice_settings.default_payment_method") or ""
    )
    addresses: tuple[api.Address | None, ...] = (
        value_at(customer, "shipping.address"),
        customer.get("address"),
        method["billing_details"]["address"] if method is not None else None,
    )
    for found in addresses:
        if found and located(found):
            return found.copy()
    return None


def taxing(
    call: Call, where: api.Address | None, exempt: str | None, tax_ids: Iterable[TypeOfTaxId] = ()
) -> Taxing | None:
    """Return the tax treatment at an address; None if the address does not determine a location.

    exempt: the customer's ``tax_exempt``. tax_ids: the customer's, with ``type``; a business in another EU country owes
        the tax itself.
    """
    if where is None or not located(where):
        return None
    settings = call.objects.find(kinds.SETTINGS, call.account)
    place, override = percent_at(call, where), _OVERRIDES.get(exempt or "none", "none")
    if override == "none" and reverses(place, origin(call, settings), tax_ids):
        override = "reverse_charge"
    return Taxing(place, override, settings["defaults"] if settings is not None else None)


def origin(call: Call, settings: StoredTaxSettings | None) -> str:
    """Return the country that the account sells from: its head office's, or its own."""
    return str(value_at(settings, "head_office.address.country") or fields.account_country(call))


def tax_ids_of(call: Call, customer: str | None) -> list[api.TaxId]:
    """Return the tax ids of a customer."""
    return (
        cast("list[api.TaxId]", call.objects.query_read_only("tax_id", {"customer": customer}, 20)) if customer else []
    )


def rate_of_price(call: Call, how: Taxing, price: str | None, currency: str) -> arithmetic.Rate:
    """Return the tax rate of a price (its id), by the tax code of its product."""
    found = call.objects.find(catalog_kinds.PRICE, price or "")
    product = call.objects.find(catalog_kinds.PRODUCT, found["product"] or "") if found is not None else None
    code = product.get("tax_code") if product is not None else None
    if not code and how.defaults is not None:
        code = how.defaults.get("tax_code")
    return rate(call, how, code or GENERAL, found.get("tax_behavior") if found is not None else None, currency)


def rate(call: Call, how: Taxing, code: str, behavior: str | None, currency: str) -> arithmetic.Rate:
    """Return the tax rate of a tax code, and store its object if there is none yet."""
    reason = reason_of(how.place, code, how.override)
    percent = how.place.percent if reason == "standard_rated" else "0"
    inclusive = _inclusive(how, behavior, currency)
    return arithmetic.Rate(_rate_object(call, how.place, percent, inclusive)["id"], Decimal(percent), inclusive, reason)


def rate_of(call: Call, id: str, param: str = "tax_rates") -> arithmetic.Rate:
    """Return a stored tax rate in the form that the arithmetic uses.

    Raises ApiError 400, naming ``param``, for an unknown id.
    """
    found = call.objects.get(kinds.TAX_RATE, id, param)
    return arithmetic.Rate(id, Decimal(str(found["percentage"])), found["inclusive"])


def rates_of(call: Call, line: RatedLine, how: Taxing | None, param: str = "tax_rates") -> list[arithmetic.Rate]:
    """Return the tax rates of a line of a quote or a Checkout Session: its own (``_rates``), or that of the
    location.
    """
    if line["_rates"] or how is None:
        return [rate_of(call, id, param) for id in line["_rates"]]
    price = line["price"]
    return [rate_of_price(call, how, price["id"] if price is not None else None, line["currency"])]


def taxed_shipping(call: Call, cost: DeliveryCost, how: Taxing | None, currency: str) -> list[arithmetic.Tax]:
    """Return the automatic tax of the shipping cost, and add it to that cost's total.

    cost: ``shipping_cost``. how: None for no tax.
    """
    rates = []
    if how is not None:
        chosen = call.objects.get(catalog_kinds.SHIPPING_RATE, cost["shipping_rate"] or "")
        rates = [rate(call, how, chosen["tax_code"] or SHIPPING, chosen["tax_behavior"], currency)]
    line = arithmetic.Line(Money(cost["amount_subtotal"], currency), rates=rates)
    arithmetic.compute([line], currency=currency)
    cost["amount_tax"], cost["amount_total"] = sum(tax.amount for tax in line.taxes), line.gross.amount
    return line.taxes


def _inclusive(how: Taxing, behavior: str | None, currency: str) -> bool:
    if behavior in (None, "unspecified") and how.defaults is not None:
        behavior = how.defaults.get("tax_behavior")
    if behavior in ("inclusive", "exclusive"):
        return behavior == "inclusive"
    return currency not in _WITHOUT_TAX


def _rate_object(call: Call, place: Place, percent: str, inclusive: bool) -> StoredTaxRate:
    shown = {
        "country": place.country,
        "display_name": "Sales Tax" if place.kind == "sales_tax" else place.kind.upper(),
        "effective_percentage": float(percent),
        "jurisdiction": place.state or place.country,
        "jurisdiction_level": "state" if place.state else "country",
        "state": place.state,
        "tax_type": place.kind,
    }
    key = f"{place.country}-{place.state or ''}-{percent}-{inclusive}"
    return archived_rate(call, key, float(percent), inclusive=inclusive, shown=shown)


def archived_rate(
    call: Call, key: str, percentage: float, *, inclusive: bool, shown: Mapping[str, Any]
) -> StoredTaxRate:
    """Return the archived tax rate with this key, which is created without an event if it does not exist.

    key: the same for the same rate. percentage: in percent. shown: its further fields.
    """
    known = call.objects.query(kinds.TAX_RATE, {"_automatic": key}, limit=1)
    if known:
        return known[0]
    rate = new_object(
        kinds.TAX_RATE,
        id=call.ids.new("txr"),
        active=False,
        created=call.now,
        inclusive=inclusive,
        livemode=call.livemode,
        percentage=percentage,
        rate_type="percentage",
    )
    fields.assign(rate, shown, tuple(shown))
    rate["_automatic"] = key
    return call.objects.insert(rate)
