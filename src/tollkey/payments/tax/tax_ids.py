"""Tax ids of customers and of the account itself.

    pending ──checked──▶ verified | unverified      (EU VAT and Australian ABN; others are not checked: unavailable)

In test mode the last nine digits decide: 000000000 is verified, 111111111 is not, 222222222 stays pending
(reference section 6.11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.shared import permissions, providers
from tollkey.payments.tax import jobs, kinds
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_object, missing_param
from tollkey.wire.live import needs, records
from tollkey.wire.objects import Deleted, value_at
from tollkey.wire.pages import list_page
from tollkey.wire.params import Choice, operation_params

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("tax_id", "Tax IDs", "Billing")
_MOST = 5
_CHECKED = ("eu_vat", "au_abn", "gb_vat")
#: The number after the prefix of each member state, and of Northern Ireland (the European Commission's VIES).
_EU = {
    "AT": r"U\d{8}", "BE": r"[01]?\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
    "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[0-9A-Z]\d{7}[0-9A-Z]", "FI": r"\d{8}",
    "FR": r"[0-9A-HJ-NP-Z]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}",
    "IE": r"\d[0-9A-Z+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}", "LT": r"\d{9}|\d{12}", "LU": r"\d{8}", "LV": r"\d{11}",
    "MT": r"\d{8}", "NL": r"[0-9A-Z+*]{10}\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}",
    "SI": r"\d{8}", "SK": r"\d{10}", "XI": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
}  # fmt: skip
_FORMS = {
    "eu_vat": "|".join(f"{country}({form})" for country, form in _EU.items()),
    "gb_vat": r"(GB)?(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "au_abn": r"\d{11}|\d{9}",
    "us_ein": r"\d{2}-?\d{7}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "in_gst": r"[0-9A-Z]{15}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "ch_vat": r"CHE-?[\d.]{9,11} ?(MWST|TVA|IVA)",
}
_SETTLES_SECONDS = 1
_NOBODY: frozenset[str] = frozenset()


def create(call: Call, params: operations.PostCustomersCustomerTaxIds | operations.PostTaxIds) -> api.TaxId:
    """Create a tax id of a customer (in the path or as ``owner``) or of the account. It is verified a moment later."""
    kind, value = params["type"], params["value"].strip()
    given: Mapping[str, Any] = params  # without ``owner`` when the path names the customer
    owner = _owner(call, given.get("owner"))
    customer = owner.get("customer")
    compact = value.replace(" ", "")
    if not well_formed(kind, value):
        raise invalid(f"Invalid value for {kind}.", "value", "tax_id_invalid")
    if customer is not None and len(call.objects.query(kinds.TAX_ID, {"customer": customer}, limit=_MOST)) == _MOST:
        raise invalid(f"Customers can have at most {_MOST} tax IDs.", retry=False)  # the guide's limit; our text
    checked = kind in _CHECKED and call.has(providers.TAX_IDS)
    tax_id = new_object(
        kinds.TAX_ID,
        id=call.ids.new("txi"),
        country=_country(kind, compact),
        created=call.now,
        customer=customer,
        livemode=call.livemode,
        owner=owner,
        type=kind,
        value=value,
        verification={
            "status": "pending" if checked else "unavailable",
            "verified_address": None,
            "verified_name": None,
        },
    )
    call.objects.insert(tax_id, "customer.tax_id.created" if customer else None)
    if checked and not compact.endswith("222222222"):
        call.schedule.add(call.now + _SETTLES_SECONDS, jobs.TAX_ID_VERIFY, tax_id["id"])
    return tax_id


def _owner(call: Call, named: operations.GetTaxIdsOwner | None) -> api.TaxIDsOwner:
    """Return the owner of tax ids: the customer in the path, the one that is named, or the account itself.

    named: ``owner`` of the parameters. Raises ApiError 400 for an owner that is missing, unknown, or named beside
    another type.
    """
    given = named or {"type": "self"}
    if "customer" in call.path:  # ``owner`` is no parameter there
        given = {"type": "customer", "customer": call.path["customer"]}
    kind = given["type"]
    for name in ("account", "customer"):
        if kind == name and not given.get(name):
            raise missing_param(f"owner[{name}]")
        if kind != name and given.get(name):
            raise invalid(f"You may only provide `owner[{name}]` with `owner[type]={name}`.", f"owner[{name}]")
    if kind == "customer":
        call.objects.get(kinds.CUSTOMER, given["customer"], None if "customer" in call.path else "owner[customer]")
        return {"customer": given["customer"], "customer_account": None, "type": "customer"}
    if kind == "account":
        id, known = given["account"], call.within(call.platform).objects
        if id not in (call.account, call.platform) and known.find("account", id) is None:
            raise invalid(f"No such account: '{id}'", "owner[account]", "resource_missing")
        return {"account": id, "type": "account"}
    return {"type": kind}


def check_account_ids(
    call: Call, params: Mapping[str, object], path: str = "", merchants: frozenset[str] = _NOBODY
) -> None:
    """Raise ApiError 400 for ``account_tax_ids``, anywhere in the parameters, that are not those of the account.

    Those of a connected account are taken beside it as ``issuer`` or ``on_behalf_of``. path: of these parameters in
    the request. merchants: ids of accounts that the hashes around them name so. That unknown ids are refused is how
    every reference is; that ids of customers and of other accounts are is inferred from the parameter's name.
    """
    named = (value_at(params, "issuer.account"), params.get("on_behalf_of"))
    merchants |= {one for one in named if isinstance(one, str)}
    for name, value in params.items():
        full = f"{path}[{name}]" if path else name
        if name == "account_tax_ids":
            for place, id in enumerate(value if isinstance(value, list) else ()):
                _check_own(call, id, f"{full}[{place}]", merchants)
        elif isinstance(value, dict) and name != "metadata":
            check_account_ids(call, value, full, merchants)
        elif isinstance(value, list):
            for place, one in enumerate(value):
                if isinstance(one, dict):
                    check_account_ids(call, one, f"{full}[{place}]", merchants)


def _check_own(call: Call, id: str, param: str, merchants: frozenset[str]) -> None:
    owner = call.objects.get(kinds.TAX_ID, id, param)["owner"] or {"type": "self"}
    if owner["type"] != "self" and owner.get("account") not in merchants | {call.account}:
        raise invalid(f"The tax ID `{id}` does not belong to your account.", param)


def known_type(text: str) -> operations.TaxIdType | None:
    """Return the type of tax id with that name, or None."""
    node = operation_params("POST", "/v1/tax_ids").fields["type"]
    return cast("operations.TaxIdType", text) if isinstance(node, Choice) and text in node.words else None


def well_formed(kind: str, value: str) -> bool:
    """Return whether a value has the format of its type of tax id; nine equal digits always do, for tests."""
    compact = value.replace(" ", "")
    return kind not in _FORMS or bool(
        re.fullmatch(_FORMS[kind], compact) or re.fullmatch(r"([A-Z]{2})?(\d)\2{8}", compact)
    )


def _country(kind: str, value: str) -> str | None:
    if kind == "eu_vat":
        return "GR" if value[:2] == "EL" else value[:2] if value[:2].isalpha() else None
    return None if kind in ("eu_oss_vat", "unknown") else kind[:2].upper()


def verify(call: Call, id: str) -> None:
    """Run the job that ends the verification of a tax id."""
    tax_id = call.objects.find(kinds.TAX_ID, id)
    if tax_id is None or tax_id["verification"] is None or tax_id["verification"]["status"] != "pending":
        return
    refused = tax_id["value"].replace(" ", "").endswith("111111111")
    tax_id["verification"] = {
        "status": "unverified" if refused else "verified",
        "verified_address": None if refused else "123 TEST STREET",
        "verified_name": None if refused else "TEST",
    }
    call.objects.save(tax_id, "customer.tax_id.updated" if tax_id["customer"] else None)


def _get(call: Call) -> api.TaxId:
    tax_id = call.objects.get(kinds.TAX_ID, call.path["id"])
    if "customer" in call.path and tax_id["customer"] != call.path["customer"]:
        raise missing_object("tax_id", tax_id["id"], "id", in_path=True)
    return tax_id


def show(call: Call, params: operations.GetCustomersCustomerTaxIdsId | operations.GetTaxIdsId) -> api.TaxId:
    """Retrieve a tax id."""
    return _get(call)


def delete(call: Call, params: operations.DeleteCustomersCustomerTaxIdsId | operations.DeleteTaxIdsId) -> Deleted:
    """Delete a tax id."""
    tax_id = _get(call)
    return call.objects.delete(tax_id, "customer.tax_id.deleted" if tax_id["customer"] else None)


def list_ids(call: Call, params: operations.GetCustomersCustomerTaxIds | operations.GetTaxIds) -> Page:
    """List the tax ids of a customer, of the account, or of what ``owner`` names."""
    given: Mapping[str, Any] = params  # without ``owner`` when the path names the customer
    owner = _owner(call, given.get("owner"))
    customer, account = owner.get("customer"), owner.get("account")
    url = f"/v1/customers/{customer}/tax_ids" if "customer" in call.path else "/v1/tax_ids"
    equal = {"customer": customer} if customer else {"owner.type": owner["type"]}
    keep = None if account is None else (lambda one: value_at(one, "owner.account") == account)
    return list_page(call, kinds.TAX_ID, params, equal, url=url, keep=keep)


TAX_ID = Resource(
    object="tax_id",
    prefix="txi",
    permission=PERMISSION,
    live=records(),
    indexed=("customer", "owner.type"),
    endpoints=(
        Endpoint("GET", "/v1/customers/{customer}/tax_ids", list_ids, permission=permissions.CUSTOMER),
        Endpoint("POST", "/v1/customers/{customer}/tax_ids", create, permission=permissions.CUSTOMER),
        Endpoint("GET", "/v1/customers/{customer}/tax_ids/{id}", show, permission=permissions.CUSTOMER),
        Endpoint("DELETE", "/v1/customers/{customer}/tax_ids/{id}", delete, permission=permissions.CUSTOMER),
        Endpoint("GET", "/v1/tax_ids", list_ids),
        Endpoint("POST", "/v1/tax_ids", create),
        Endpoint("GET", "/v1/tax_ids/{id}", show),
        Endpoint("DELETE", "/v1/tax_ids/{id}", delete),
    ),
    due_live={jobs.TAX_ID_VERIFY: needs(providers.TAX_IDS)},
    on_due={jobs.TAX_ID_VERIFY: verify},
    title="Tax ids",
    columns=("type", "value", "id", "customer", "created"),
)
