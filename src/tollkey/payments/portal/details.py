"""The customer's details in the portal: name, addresses, e-mail and tax ids, if the configuration lets them change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.customers import customers
from tollkey.payments.documents import brand, forms
from tollkey.payments.portal.session import Here, completed, here, return_link
from tollkey.payments.shared import fields
from tollkey.payments.tax import tax_ids
from tollkey.wire import ApiError, Call, Endpoint, P, Reply, invalid
from tollkey.wire.languages import Text

if TYPE_CHECKING:
    from tollkey.wire import operations

_ADDRESS = (
    ("line1", Text("Address")),
    ("line2", Text("Address, second line")),
    ("city", Text("City")),
    ("state", Text("State or province (if there is one)")),
    ("postal_code", Text("Postal code")),
    ("country", Text("Country")),
)
#: Field -> its label, and what a browser fills in.
_PLAIN = (
    ("name", Text("Name"), "name"),
    ("email", Text("Email"), "email"),
    ("phone", Text("Phone number"), "tel"),
)
_TAX_ID = re.compile(r"\s*([a-z_]+)\s+(\S.*)")


def details_link(at: Here) -> str:
    """Return the link to the details page; empty if the configuration allows no changes."""
    rules = at.features["customer_update"]
    if not rules["enabled"] or not rules["allowed_updates"]:
        return ""
    say = at.language.say
    link = brand.button(f"{at.path}/details", say("Update information"), second=True)
    return f"<h2>{escape(say('Billing information'))}</h2>\n{link}"


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
    customer, say, form = at.customer, at.language.say, forms.Form(typed, "", problem, at.language)
    fields = [
        form.input(name, say(label), value=str(customer.get(name) or ""), optional=True, autocomplete=kind)
        for name, label, kind in _PLAIN
        if name in allowed
    ]
    for kind in ("address", "shipping"):
        if kind in allowed:
            fields.append(_address(at, kind, form))
    if "tax_id" in allowed:
        label = say("New tax ID: its type and number, such as eu_vat DE123456789")
        fields.append(form.input("tax_id", label, optional=True, autocomplete="off"))
    body = (
        f'{form.refusal()}<form method="post" action="{at.path}/details">{"".join(fields)}'
        f"<button>{escape(say('Save'))}</button></form>\n"
        f"{brand.button(at.path, say('Back'), second=True)}{return_link(at)}"
    )
    return at.page(say("Billing information"), body, status=400 if problem else 200)


def _address(at: Here, kind: str, form: forms.Form) -> str:
    """Return the fields of an address. kind: ``address`` or ``shipping``."""
    home, goods = at.customer.get("address"), (at.customer.get("shipping") or {}).get("address")
    known: Mapping[str, Any] = (goods if kind == "shipping" else home) or {}
    made = []
    for name, label in _ADDRESS:
        field, value = f"{kind}_{name}", str(known.get(name) or "")
        if name == "country":
            options = [("", ""), *at.language.countries(forms.COUNTRIES)]
            made.append(form.choice(field, at.language.say(label), options, value=value, autocomplete="country"))
        else:
            made.append(form.input(field, at.language.say(label), value=value, optional=True))
    title = at.language.say("Delivery address") if kind == "shipping" else at.language.say("Billing address")
    return f"<fieldset><legend>{escape(title)}</legend>{''.join(made)}</fieldset>"


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
