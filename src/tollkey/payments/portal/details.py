"""The customer's details in the portal: name, addresses, e-mail and tax ids, if the configuration lets them change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.customers import customers
from tollkey.payments.portal.session import Here, completed, here, return_link
from tollkey.payments.shared import fields
from tollkey.payments.tax import tax_ids
from tollkey.wire import ApiError, Call, Endpoint, P, Reply, invalid
from tollkey.wire.hosted import html_page

if TYPE_CHECKING:
    from tollkey.wire import operations

_ADDRESS = (
    ("line1", "Address"),
    ("line2", "Address, second line"),
    ("city", "City"),
    ("state", "State or province"),
    ("postal_code", "Postal code"),
    ("country", "Country (two letters)"),
)
_TAX_ID = re.compile(r"\s*([a-z_]+)\s+(\S.*)")


def details_link(at: Here) -> str:
    """Return the link to the details page; empty if the configuration allows no changes."""
    rules = at.features["customer_update"]
    if not rules["enabled"] or not rules["allowed_updates"]:
        return ""
    return f'<h2>Billing information</h2>\n<a class="button second" href="{at.path}/details">Update information</a>'


def form(call: Call, params: operations.GetPortalTokenDetails) -> Reply:
    """Show the details that the customer may change."""
    at = here(call)
    return _page(at, _rules(at), {})


def _rules(at: Here) -> list[str]:
    """Return the names of the details that can be changed. Raises ApiError 400 if none can."""
    rules = at.features["customer_update"]
    if not rules["enabled"]:
        raise invalid("Changing these details is not offered here.")
    return list(rules["allowed_updates"])


def _page(at: Here, allowed: list[str], typed: Mapping[str, Any], problem: str = "") -> Reply:
    """Return the form. typed: the values that were entered. problem: why they were refused."""
    customer = at.customer
    values: list[tuple[str, str, str | None]] = []
    for name, label, current in (
        ("name", "Name", customer.get("name")),
        ("email", "Email", customer.get("email")),
        ("phone", "Phone", customer.get("phone")),
    ):
        if name in allowed:
            values.append((name, label, current))
    for kind in ("address", "shipping"):
        if kind in allowed:
            home, goods = customer.get("address"), (customer.get("shipping") or {}).get("address")
            known: Mapping[str, Any] = (goods if kind == "shipping" else home) or {}
            before = "Delivery: " if kind == "shipping" else ""
            values += [(f"{kind}_{name}", before + label, known.get(name)) for name, label in _ADDRESS]
    if "tax_id" in allowed:
        values.append(("tax_id", "New tax ID: its type and number, such as eu_vat DE123456789", ""))
    fields = "\n".join(
        f'<label for="{name}">{escape(label)}</label><input id="{name}" name="{name}"'
        f' value="{escape(str(typed.get(name, value) or ""))}">'
        for name, label, value in values
    )
    wrong = f'<p class="error" role="alert">{escape(problem)}</p>' if problem else ""
    body = (
        f'<h1>Billing information</h1>\n{wrong}<form method="post"'
        f' action="{at.path}/details">{fields}<button>Save</button></form>\n'
        f'<a class="button second" href="{at.path}">Back</a>{return_link(at.session)}'
    )
    return html_page("Billing information", body, status=400 if problem else 200)


def save(call: Call, params: operations.PostPortalTokenDetails) -> Reply:
    """Store the details that the customer entered."""
    at = here(call)
    allowed = _rules(at)
    given: Mapping[str, Any] = params  # the names of the form's fields are computed
    wanted: operations.PostCustomersCustomer = {}
    fields.assign(wanted, given, [name for name in ("name", "email", "phone") if name in allowed and given.get(name)])
    for kind in ("address", "shipping"):
        if kind in allowed:
            address = {name: (given.get(f"{kind}_{name}") or "").strip() for name, _ in _ADDRESS}
            if any(address.values()):
                address["country"] = address["country"].upper()
                name = params.get("name") or at.customer.get("name") or ""
                fields.assign(wanted, {"address": address, "shipping": {"address": address, "name": name}}, (kind,))
    try:
        with call.tx.savepoint():
            if wanted:
                customers.change(at.call, at.customer, wanted)
            if "tax_id" in allowed and (params.get("tax_id") or "").strip():
                _add_tax_id(at, params["tax_id"])
    except ApiError as error:
        return _page(here(call), allowed, params, error.message)
    return completed(at)


def _add_tax_id(at: Here, text: str) -> None:
    """Create the tax id in a text like ``eu_vat DE123456789``. Raises ApiError 400 for any other text."""
    found = _TAX_ID.fullmatch(text)
    type = tax_ids.known_type(found[1]) if found else None
    if found is None or type is None:
        raise invalid("Write the type of the tax ID and its number, such as eu_vat DE123456789.", "tax_id")
    tax_ids.create(
        at.call, {"type": type, "value": found[2], "owner": {"type": "customer", "customer": at.customer["id"]}}
    )


_NAMES = (
    "name",
    "email",
    "phone",
    "tax_id",
    *(f"{kind}_{name}" for kind in ("address", "shipping") for name, _ in _ADDRESS),
)
PAGES = (
    Endpoint("GET", "/portal/{token}/details", form, public=True, params=P.object()),
    Endpoint(
        "POST",
        "/portal/{token}/details",
        save,
        public=True,
        params=P.object().extended({n: P.string(blank=True) for n in _NAMES}),
    ),
)
