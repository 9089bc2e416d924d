"""Tax calculations.

    made ──90 days──▶ expired

Tax is collected where the account is registered, at the standard rate of the country (sales tax of
a state in the US); elsewhere the amount is zero and the reason ``not_collecting``. Reduced rates
are not known: every product counts as taxable at the standard rate, but for the tax code of non-taxable things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.catalog import kinds as catalog_kinds
from tollkey.payments.catalog import shipping_rates, tax_code_table
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.payments.tax import kinds
from tollkey.payments.tax.automatic import origin
from tollkey.payments.tax.rates import (
    Place,
    breakdown,
    percent_at,
    reverses,
    summary,
    taxed,
)
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import exclusive
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import nested_list, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        CustomerDetails,
        ShippingCost,
        StoredCalculation,
        TaxedPart,
    )
    from tollkey.wire import api, operations

TRANSACTIONS = Permission("tax_transaction", "Tax Calculations and Transactions", "Tax")
_TWO_DAYS = 2 * 86_400
_NINETY_DAYS = 90 * 86_400
_GENERAL = "txcd_99999999"


def _where(call: Call, params: operations.PostTaxCalculations) -> tuple[CustomerDetails, Place | None, str]:
    """Return the customer details of a calculation, the location, and the override: the customer's or
    ``reverse_charge``.
    """
    given: Mapping[str, Any] = params.get("customer_details") or {}
    if params.get("customer"):
        customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
        shipping = value_at(customer, "shipping.address")
        details = {**given, "address": given.get("address") or shipping or customer.get("address")}
        details["address_source"] = given.get("address_source") or ("shipping" if shipping else "billing")
    else:
        details = dict(given)
    if details.get("address") and not details.get("address_source"):
        raise invalid(
            "You must provide `customer_details[address_source]` with an address.", "customer_details[address_source]"
        )
    address = fields.address(details.get("address"))
    override = details.get("taxability_override") or "none"
    full: CustomerDetails = {
        "address": cast("api.TaxProductResourcePostalAddress | None", address),  # customers may lack the country
        "address_source": details.get("address_source"),
        "ip_address": details.get("ip_address"),
        "tax_ids": details.get("tax_ids") or [],
        "taxability_override": override,
    }
    if address is None:
        if full["ip_address"] is None:
            raise invalid("You must provide a customer's address or IP address to calculate tax.", "customer_details")
        return full, None, override
    place = percent_at(call, address)
    settings = call.objects.find(kinds.SETTINGS, call.account)
    if override == "none" and reverses(place, origin(call, settings), full["tax_ids"]):
        override = "reverse_charge"
    return full, place, override


def _check_references(references: Sequence[str | None]) -> None:
    """Refuse two lines of one name."""
    for index, reference in enumerate(references):
        if reference is not None and reference in references[:index]:
            raise invalid(
                f"The reference `{reference}` is used by another line item; it must be unique.",
                f"line_items[{index}][reference]",
            )


def _lines(
    call: Call, params: operations.PostTaxCalculations, place: Place | None, override: str
) -> list[api.TaxCalculationLineItem]:
    lines = []
    _check_references([item.get("reference") for item in params["line_items"]])
    for index, item in enumerate(params["line_items"]):
        behaviour = item.get("tax_behavior") or "exclusive"
        if item.get("product"):
            call.objects.get(catalog_kinds.PRODUCT, item["product"], f"line_items[{index}][product]")
        tax_code_table.check(item.get("tax_code"), f"line_items[{index}][tax_code]")
        code = item.get("tax_code") or _GENERAL
        amount, tax = item["amount"], taxed(item["amount"], behaviour, place, code, override)
        line = new_object(
            kinds.CALCULATION_LINE,
            id=call.ids.new("tax_li"),
            amount=amount,
            amount_tax=tax,
            livemode=call.livemode,
            product=item.get("product"),
            quantity=item.get("quantity") or 1,
            reference=item.get("reference") or f"L{index + 1}",
            tax_behavior=behaviour,
            tax_code=code,
            metadata=item.get("metadata") or {},
            tax_breakdown=breakdown(amount, tax, behaviour, place, code, override),
        )
        lines.append(line)
    return lines


def calculate(call: Call, params: operations.PostTaxCalculations) -> StoredCalculation:
    """Calculate the tax on line items and shipping for a customer's address."""
    currency = shared_currency.check_currency(params["currency"], "currency")
    date = params.get("tax_date")
    if date is not None and abs(date - call.now) > _TWO_DAYS:
        raise invalid("The `tax_date` must be within 48 hours of the current time.", "tax_date")
    details, place, override = _where(call, params)
    lines = _lines(call, params, place, override)
    shipping = _shipping(call, params.get("shipping_cost"), currency, place, override)
    counted: list[TaxedPart] = [*lines, *([shipping] if shipping else [])]
    exclusive = sum(part["amount_tax"] for part in counted if part["tax_behavior"] == "exclusive")
    inclusive = sum(part["amount_tax"] for part in counted if part["tax_behavior"] == "inclusive")
    source = params.get("ship_from_details")
    calculation = new_object(
        kinds.CALCULATION,
        id=call.ids.new("taxcalc"),
        amount_total=sum(part["amount"] for part in counted) + exclusive,
        currency=currency,
        customer=params.get("customer"),
        customer_details=details,
        expires_at=call.now + _NINETY_DAYS,
        livemode=call.livemode,
        ship_from_details=None if source is None else {"address": fields.address(source["address"])},
        shipping_cost=shipping,
        tax_amount_exclusive=exclusive,
        tax_amount_inclusive=inclusive,
        tax_breakdown=summary(counted, place, override),
        tax_date=params.get("tax_date") or call.now,
    )
    calculation["_lines"] = lines
    return call.objects.insert(calculation)


def _shipping(
    call: Call, given: Mapping[str, Any] | None, currency: str, place: Place | None, override: str
) -> ShippingCost | None:
    if given is None:
        return None
    tax_code_table.check(given.get("tax_code"), "shipping_cost[tax_code]")
    amount, rate = given.get("amount") or 0, None
    if given.get("shipping_rate"):
        for name in ("amount", "tax_code", "tax_behavior"):
            if given.get(name) is not None:
                raise exclusive("shipping_rate", name, param=f"shipping_cost[{name}]")
        rate = shipping_rates.rate_in_use(call, given["shipping_rate"], "shipping_cost[shipping_rate]")
        amount = shipping_rates.amount_in(rate, currency, "shipping_cost[shipping_rate]")
    behaviour, code = given.get("tax_behavior") or "exclusive", given.get("tax_code") or "txcd_92010001"
    tax = taxed(amount, behaviour, place, code, override)
    if rate is None:
        return {"amount": amount, "amount_tax": tax, "tax_behavior": behaviour, "tax_code": code}
    return {
        "amount": amount,
        "amount_tax": tax,
        "shipping_rate": rate["id"],
        "tax_behavior": behaviour,
        "tax_code": code,
    }


def expired(calculation: StoredCalculation, now: int) -> bool:
    """Return whether a calculation has expired. now: UTC epoch seconds."""
    end = calculation["expires_at"]
    return end is not None and now >= end


def unexpired(call: Call, id: str, param: str | None = None) -> StoredCalculation:
    """Return the calculation with that id.

    param: the parameter that contained it; None for the path.
    Raises ApiError ``resource_missing`` if it does not exist or has expired.
    """
    found = call.objects.get(kinds.CALCULATION, id, param)
    if expired(found, call.now):
        raise invalid(f"The calculation {id} has expired.", param or "calculation", "resource_missing")
    return found


def calculation_lines(call: Call, params: operations.GetTaxCalculationsCalculationLineItems) -> Page:
    """List the line items of a calculation."""
    found = unexpired(call, call.path["calculation"])
    return page_of_list(found["_lines"], f"/v1/tax/calculations/{found['id']}/line_items", params)


def _line_items(call: Call, calculation: StoredCalculation) -> api.TaxCalculationLineItems:
    """Return ``line_items``, which are only expandable."""
    copies = [call.objects.copy(line) for line in calculation["_lines"]]
    listed: api.TaxCalculationLineItems = nested_list(copies, f"/v1/tax/calculations/{calculation['id']}/line_items")
    return listed


CALCULATION = Resource(
    object="tax.calculation",
    prefix="taxcalc",
    permission=TRANSACTIONS,
    live=records(),
    label="tax calculation",
    path_param="calculation",
    expands={"line_items": _line_items},
    endpoints=(
        Endpoint("POST", "/v1/tax/calculations", calculate),
        retrieve("tax.calculation", "/v1/tax/calculations/{calculation}"),
        Endpoint("GET", "/v1/tax/calculations/{calculation}/line_items", calculation_lines),
    ),
    title="Tax calculations",
)
