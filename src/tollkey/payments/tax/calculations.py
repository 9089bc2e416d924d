"""Tax: calculations, the transactions made from them, registrations and settings.

    calculation:   made ──90 days──▶ expired
    transaction:   transaction ──create_reversal──▶ a reversal with negative amounts
    registration:  scheduled ──active_from──▶ active ──expires_at──▶ expired

Tax is collected where the account is registered, at the standard rate of the country (sales tax of
a state in the US); elsewhere the amount is zero and the reason ``not_collecting``. Reduced rates
are not known: every product counts as taxable at the standard rate, but for the tax code of non-taxable things.
"""

from __future__ import annotations

from collections.abc import Callable

from tollkey.keys import Permission
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.payments.tax import states
from tollkey.payments.tax.automatic import origin
from tollkey.payments.tax.rates import (
    Place,
    breakdown,
    percent_at,
    registration_status,
    reverses,
    spread,
    summary,
    taxed,
)
from tollkey.wire import (
    Call,
    Endpoint,
    Json,
    Page,
    Params,
    Resource,
    blank,
    invalid,
    list_page,
    of_list,
    records,
    retrieve,
    sublist,
)

TRANSACTIONS = Permission("tax_transaction", "Tax Calculations and Transactions", "Tax")
SETTINGS = Permission("tax_settings", "Tax Settings and Registrations", "Tax")
_NINETY_DAYS = 90 * 86_400
_GENERAL = "txcd_99999999"


def _where(call: Call, params: Params) -> tuple[Json, Place | None]:
    """The customer's details of a calculation, and the place that is taxed."""
    given = params.get("customer_details") or {}
    if params.get("customer"):
        customer = call.objects.get("customer", params["customer"], "customer")
        shipping = (customer.get("shipping") or {}).get("address")
        details = {**given, "address": given.get("address") or shipping or customer.get("address")}
        details["address_source"] = given.get("address_source") or ("shipping" if shipping else "billing")
    else:
        details = dict(given)
    if details.get("address") and not details.get("address_source"):
        raise invalid(
            "You must provide `customer_details[address_source]` with an address.", "customer_details[address_source]"
        )
    full: Json = {
        "address": fields.address(details.get("address")),
        "address_source": details.get("address_source"),
        "ip_address": details.get("ip_address"),
        "tax_ids": details.get("tax_ids") or [],
        "taxability_override": details.get("taxability_override") or "none",
    }
    if full["address"] is None:
        if full["ip_address"] is None:
            raise invalid("You must provide a customer's address or IP address to calculate tax.", "customer_details")
        return full, None
    place = percent_at(call, full["address"])
    settings = call.objects.find("tax.settings", call.account) or {}
    if full["taxability_override"] == "none" and reverses(place, origin(call, settings), full["tax_ids"]):
        full["_override"] = "reverse_charge"
    return full, place


def _lines(call: Call, params: Params, place: Place | None, override: str) -> list[Json]:
    lines = []
    for index, item in enumerate(params["line_items"]):
        behaviour = item.get("tax_behavior") or "exclusive"
        if item.get("product"):
            call.objects.get("product", item["product"], f"line_items[{index}][product]")
        code = item.get("tax_code") or _GENERAL
        amount, tax = item["amount"], taxed(item["amount"], behaviour, place, code, override)
        line = blank(
            "tax.calculation_line_item",
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


def calculate(call: Call, params: Params) -> Json:
    """Work out the tax on line items and shipping for one customer's address."""
    currency = shared_currency.check_currency(params["currency"], "currency")
    details, place = _where(call, params)
    override = details.pop("_override", details["taxability_override"])
    lines = _lines(call, params, place, override)
    shipping = _shipping(call, params.get("shipping_cost"), place, override)
    counted = [*lines, *([shipping] if shipping else [])]
    exclusive = sum(part["amount_tax"] for part in counted if part["tax_behavior"] == "exclusive")
    inclusive = sum(part["amount_tax"] for part in counted if part["tax_behavior"] == "inclusive")
    source = params.get("ship_from_details")
    calculation = blank(
        "tax.calculation",
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


def _shipping(call: Call, given: Json | None, place: Place | None, override: str) -> Json | None:
    if given is None:
        return None
    amount, more = given.get("amount"), {}
    if given.get("shipping_rate"):
        rate = call.objects.get("shipping_rate", given["shipping_rate"], "shipping_cost[shipping_rate]")
        amount, more = rate["fixed_amount"]["amount"], {"shipping_rate": rate["id"]}
    behaviour, code = given.get("tax_behavior") or "exclusive", given.get("tax_code") or "txcd_92010001"
    amount = amount or 0
    return {
        "amount": amount, "amount_tax": taxed(amount, behaviour, place, code, override), **more,
        "tax_behavior": behaviour,
        "tax_code": code,
    }  # fmt: skip


def _calculation(call: Call, id: str, param: str | None = None) -> Json:
    found = call.objects.get("tax.calculation", id, param)
    if call.now >= found["expires_at"]:
        raise invalid(f"The calculation {id} has expired.", param or "calculation", "resource_missing")
    return found


def calculation_lines(call: Call, params: Params) -> Page:
    """The line items of a calculation."""
    found = _calculation(call, call.path["calculation"])
    return of_list(found["_lines"], f"/v1/tax/calculations/{found['id']}/line_items", params)


def _unused(call: Call, reference: str) -> None:
    if call.objects.query("tax.transaction", {"reference": reference}, limit=1):
        raise invalid(f"A transaction with the reference {reference} already exists.", "reference")


def record(call: Call, params: Params) -> Json:
    """Make a transaction, which counts in reports, from a calculation."""
    calculation = _calculation(call, params["calculation"], "calculation")
    _unused(call, params["reference"])
    lines = [
        {
            **blank("tax.transaction_line_item"),
            **{name: value for name, value in line.items() if name != "tax_breakdown"},
            "object": "tax.transaction_line_item", "type": "transaction", "reversal": None,
        }
        for line in calculation["_lines"]
    ]  # fmt: skip
    shipping = calculation["shipping_cost"]
    transaction = blank(
        "tax.transaction",
        id=call.ids.new("tax"),
        created=call.now,
        currency=calculation["currency"],
        customer=calculation["customer"],
        customer_details=calculation["customer_details"],
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        posted_at=params.get("posted_at") or call.now,
        reference=params["reference"],
        ship_from_details=calculation["ship_from_details"],
        shipping_cost=shipping,
        tax_date=calculation["tax_date"],
        type="transaction",
    )
    transaction["_lines"] = lines
    return call.objects.insert(transaction)


def _reversed_lines(call: Call, original: Json, params: Params) -> list[Json]:
    """The negative lines of a reversal."""
    lines = {line["id"]: line for line in original["_lines"]}
    full = params["mode"] == "full"
    parts = [
        {"original_line_item": line["id"], "amount": -line["amount"], "amount_tax": -line["amount_tax"],
        "reference": line["reference"]}
        for line in original["_lines"]
    ] if full else params.get("line_items") or []  # fmt: skip
    made = []
    for index, part in enumerate(parts):
        line = lines.get(part["original_line_item"])
        if line is None:
            where = f"line_items[{index}][original_line_item]"
            raise invalid(f"No such line item: '{part['original_line_item']}'", where, "resource_missing")
        for name in ("amount", "amount_tax"):
            if part[name] > 0 or -part[name] > line[name]:
                raise invalid(
                    f"A reversal's {name} must be between {-line[name]} and 0.", f"line_items[{index}][{name}]"
                )
        made.append(
            {
                **line, "id": call.ids.new("tax_li"), "amount": part["amount"], "amount_tax": part["amount_tax"],
                "quantity": part.get("quantity") or line["quantity"], "reference": part["reference"],
                "type": "reversal",
                "metadata": part.get("metadata") or {}, "reversal": {"original_line_item": line["id"]},
            }
        )  # fmt: skip
    return made


def _flat(original: Json, flat: int) -> Params:
    """The parts of a reversal that takes back one amount, taxes included, across the whole transaction."""
    cost = original["shipping_cost"]
    shares = spread([*original["_lines"], *([cost] if cost else [])], flat)
    parts = [
        {"original_line_item": line["id"], "reference": line["reference"], **share}
        for line, share in zip(original["_lines"], shares, strict=False)
    ]
    return {"line_items": parts, "shipping_cost": shares[-1] if cost else None}


def reverse(call: Call, params: Params) -> Json:
    """Take back a transaction, wholly or in part."""
    original = call.objects.get("tax.transaction", params["original_transaction"], "original_transaction")
    if original["type"] == "reversal":
        raise invalid("A reversal cannot be reversed.", "original_transaction")
    if original.get("_reversed"):
        raise invalid(f"The transaction {original['id']} has already been fully reversed.", "original_transaction")
    _unused(call, params["reference"])
    if params["mode"] == "partial" and params.get("flat_amount") is not None:
        params = {**params, **_flat(original, params["flat_amount"])}
    lines = _reversed_lines(call, original, params)
    cost, given = original["shipping_cost"], params.get("shipping_cost")
    if params["mode"] == "full":
        given = cost and {"amount": -cost["amount"], "amount_tax": -cost["amount_tax"]}
        original["_reversed"] = True
        call.objects.save(original)
    made = {
        **call.objects.copy(original), "id": call.ids.new("tax"), "created": call.now,
        "metadata": fields.new_metadata(params),
        "posted_at": call.now, "reference": params["reference"], "type": "reversal",
        "reversal": {"original_transaction": original["id"]}, "shipping_cost": {**cost,
        **given} if cost and given else None,
        "_lines": lines,
    }  # fmt: skip
    return call.objects.insert(made)


def transaction_lines(call: Call, params: Params) -> Page:
    """The line items of a transaction."""
    found = call.objects.get("tax.transaction", call.path["transaction"])
    return of_list(found["_lines"], f"/v1/tax/transactions/{found['id']}/line_items", params)


# -- registrations and settings


def register(call: Call, params: Params) -> Json:
    """Say that the account collects tax in a country or state."""
    country = params["country"].upper()
    options = params["country_options"]
    if country.lower() not in options:
        raise invalid(f"You must provide country_options[{country.lower()}].", "country_options")
    start = call.now if params["active_from"] == "now" else params["active_from"]
    registration = blank(
        "tax.registration",
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


def change_registration(call: Call, params: Params) -> Json:
    """Change when a registration begins or ends."""
    found = call.objects.get("tax.registration", call.path["id"])
    for name in ("active_from", "expires_at"):
        if name in params:
            found[name] = call.now if params[name] == "now" else params[name]
    return call.objects.save(found)


def list_registrations(call: Call, params: Params) -> Page:
    """Registrations, by status as of now."""
    wanted = params.get("status")
    keep = None if wanted in (None, "all") else (lambda one: registration_status(one, call.now) == wanted)
    return list_page(call, "tax.registration", params, url="/v1/tax/registrations", keep=keep)


def _registration_view(call: Call, registration: Json) -> Json:
    registration["status"] = registration_status(registration, call.now)
    return registration


def _settings(call: Call) -> Json:
    found = call.objects.find("tax.settings", call.account)
    if found is not None:
        return found
    return {
        **blank("tax.settings", livemode=call.livemode, status=states.SETTINGS.start("pending")),
        "id": call.account,
        "defaults": {"provider": "stripe", "tax_behavior": None, "tax_code": None},
        "status_details": {"pending": {"missing_fields": ["head_office", "defaults.tax_code"]}},
    }


def read_settings(call: Call, params: Params) -> Json:
    """The tax settings of the account."""
    return _without_id(_settings(call))


def change_settings(call: Call, params: Params) -> Json:
    """Change the head office or the defaults; complete settings become active."""
    new = call.objects.find("tax.settings", call.account) is None
    settings = _settings(call)
    settings["defaults"].update(params.get("defaults") or {})
    if params.get("head_office"):
        settings["head_office"] = {"address": fields.address(params["head_office"]["address"])}
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
    (call.objects.insert if new else call.objects.save)(settings)
    shown = _without_id(settings)
    call.emit("tax.settings.updated", shown)
    return shown


def _without_id(settings: Json) -> Json:
    return {name: value for name, value in settings.items() if name != "id"}


def _lines_of(url: str) -> Callable[[Call, Json], Json]:
    def make(call: Call, value: Json) -> Json:
        return sublist([call.objects.copy(line) for line in value["_lines"]], url.format(value["id"]))

    return make


CALCULATION = Resource(
    object="tax.calculation",
    prefix="taxcalc",
    permission=TRANSACTIONS,
    live=records(),
    label="tax calculation",
    path_param="calculation",
    expands={"line_items": _lines_of("/v1/tax/calculations/{}/line_items")},
    endpoints=(
        Endpoint("POST", "/v1/tax/calculations", calculate),
        retrieve("tax.calculation", "/v1/tax/calculations/{calculation}"),
        Endpoint("GET", "/v1/tax/calculations/{calculation}/line_items", calculation_lines),
    ),
    title="Tax calculations",
)

TRANSACTION = Resource(
    object="tax.transaction",
    prefix="tax",
    permission=TRANSACTIONS,
    live=records(),
    label="tax transaction",
    path_param="transaction",
    indexed=("reference",),
    expands={"line_items": _lines_of("/v1/tax/transactions/{}/line_items")},
    endpoints=(
        Endpoint("POST", "/v1/tax/transactions/create_from_calculation", record),
        Endpoint("POST", "/v1/tax/transactions/create_reversal", reverse),
        retrieve("tax.transaction", "/v1/tax/transactions/{transaction}"),
        Endpoint("GET", "/v1/tax/transactions/{transaction}/line_items", transaction_lines),
    ),
    title="Tax transactions",
)

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
