"""Customers: the payers of charges, invoices and subscriptions.

created ──update──▶ created ──delete──▶ deleted   (a deleted one is still retrievable, as ``deleted: true``)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.ledger import Money
from tollkey.payments.catalog import redemption, rendering
from tollkey.payments.customers import kinds, plans, views
from tollkey.payments.customers.balance import balances_of, change_balance
from tollkey.payments.customers.cash import cash_balance
from tollkey.payments.methods import claims, customer_sources, instruments, payment_methods
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import vault
from tollkey.payments.shared import client_access, events, fields, permissions
from tollkey.payments.shared import clock as shared_clock
from tollkey.payments.tax import automatic, rates, tax_ids
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.access import Access
from tollkey.wire.errors import exclusive
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted, value_at
from tollkey.wire.pages import list_page
from tollkey.wire.search import searching

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.customers.stored import StoredCustomer, TaxQuestion
    from tollkey.wire import api, operations

_PREFIX = re.compile(r"[A-Z0-9]{3,12}")
_PLAIN = ("description", "name", "phone", "preferred_locales", "business_name", "individual_name", "tax_exempt")
#: Parameters that name the default of the sources that the customer has.
_DEFAULTS = ("default_source", "default_card", "default_bank_account", "default_alipay_account")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def create(call: Call, params: operations.PostCustomers) -> StoredCustomer:
    """Create a customer, optionally with a payment method or a source."""
    plans.check(params)
    clock = params.get("test_clock")
    if clock:
        call = shared_clock.join(call, clock)
    customer = new_object(
        kinds.CUSTOMER,
        id=call.ids.new("cus"),
        balance=0,
        created=call.now,
        delinquent=False,
        invoice_prefix=call.ids.text(8).upper(),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        livemode=call.livemode,
        next_invoice_sequence=1,
        tax_exempt="none",
        test_clock=clock,
    )
    _name_method(call, params)
    _assign(call, customer, params)
    given, name = customer_sources.given_source(params)
    source = customer_sources.prepare_source(call, given, name) if given is not None else None
    if source is not None:
        customer["default_source"] = source["id"]
    call.objects.insert(customer, "customer.created")
    if source is not None:
        customer_sources.store_source(call, customer["id"], source)
    _after(call, customer, params, new=True)
    return plans.subscribe(call, customer, params)


def _name_method(call: Call, params: operations.PostCustomers) -> None:
    """Treat a test payment method (``pm_card_visa``) given twice, to attach and as default, as one new card."""
    settings = params.get("invoice_settings") or {}
    default = settings.get("default_payment_method")
    if default and default == params.get("payment_method"):
        id = instruments.resolve_payment_method(call, default, "payment_method")["id"]
        params["payment_method"] = settings["default_payment_method"] = id


def _assign(
    call: Call, customer: StoredCustomer, params: operations.PostCustomers | operations.PostCustomersCustomer
) -> None:
    """Copy the given fields to the customer. Raises ApiError for an invalid e-mail address."""
    email = params.get("email")
    if email and not _EMAIL.fullmatch(email):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")
    fields.assign(customer, params, ("email", *_PLAIN))
    if customer.get("tax_exempt") is None:
        customer["tax_exempt"] = "none"
    if customer.get("preferred_locales") is None:
        customer["preferred_locales"] = []
    prefix = params.get("invoice_prefix")
    if prefix and _PREFIX.fullmatch(prefix) is None:
        raise invalid("Invoice prefix must be between 3 and 12 uppercase letters or numbers.", "invoice_prefix")
    fields.assign(customer, params, [name for name in ("invoice_prefix", "next_invoice_sequence") if params.get(name)])
    if "address" in params:
        customer["address"] = fields.address(params["address"])
    if "shipping" in params:
        customer["shipping"] = fields.shipping(params["shipping"])
    if "tax" in params:
        asked = cast("TaxQuestion", params["tax"] or {})  # ``tax`` of either operation
        customer["_tax"] = {**customer.get("_tax", {}), **asked}
        if asked.get("validate_location") == "immediately" and automatic.address_of(call, customer) is None:
            raise automatic.unlocated("tax[validate_location]")
    mode = value_at(params, "cash_balance.settings.reconciliation_mode")
    if mode is not None:
        customer["_reconciliation"] = None if mode == "merchant_default" else mode
    if "business_vat_id" in params or "tax_info" in params:
        number = params.get("business_vat_id") or (params.get("tax_info") or {}).get("tax_id")
        customer["_tax_info"] = {"tax_id": number, "type": "vat"} if number else None
    fields.merge_metadata(customer, params)
    settings: MutableMapping[str, Any] = {**(params.get("invoice_settings") or {})}
    options = settings.get("rendering_options")
    if options:
        before: Mapping[str, Any] = customer["invoice_settings"]["rendering_options"] or {}
        settings["rendering_options"] = {"amount_tax_display": None, "template": None, **before, **options}
        if options.get("template"):
            rendering.named_template(
                call, options["template"], "invoice_settings[rendering_options][template]", before.get("template")
            )
    merged = {**customer["invoice_settings"], **settings}
    customer["invoice_settings"] = cast(  # the parameters have the names of its fields
        "api.InvoiceSettingCustomerSetting", {name: value or None for name, value in merged.items()}
    )


def _after(
    call: Call,
    customer: StoredCustomer,
    params: Mapping[str, Any],
    *,
    new: bool = False,
) -> None:
    """Add what requires a stored customer: its payment method, discount and tax ids."""
    if params.get("payment_method"):
        method = instruments.resolve_payment_method(call, params["payment_method"], "payment_method")
        payment_methods.attach_to(call, method, customer["id"])
        settings = customer["invoice_settings"]
        if settings["default_payment_method"] == params["payment_method"] != method["id"]:
            settings["default_payment_method"] = method[
                "id"
            ]  # a test payment method by its name: the one that was just attached
            params = {**params, "invoice_settings": {"default_payment_method": method["id"]}}
            call.objects.save(customer)
    _check_default(call, customer, params)
    wanted = params.get("balance", params.get("account_balance"))
    if wanted is not None and wanted != customer["balance"]:
        currency = customer["currency"] or str((fields.acting_account(call) or {}).get("default_currency") or "usd")
        kind = "initial" if new else "adjustment"
        change_balance(call, customer, Money(wanted - customer["balance"], currency), kind, event=False)
    if "coupon" in params or "promotion_code" in params:
        given = params.get("coupon") or params.get("promotion_code")
        entry: DiscountEntry = {"coupon": params.get("coupon"), "promotion_code": params.get("promotion_code")}
        redemption.set_customer_discount(call, customer, entry if given else None)
        call.objects.save(customer, None if new else "customer.updated")
    for tax_id in params.get("tax_id_data") or []:
        _add_tax_id(call, customer, tax_id)


def _add_tax_id(call: Call, customer: StoredCustomer, entry: operations.TaxId) -> None:
    owner: operations.GetTaxIdsOwner = {"type": "customer", "customer": customer["id"]}
    tax_ids.create(call, {"type": entry["type"], "value": entry["value"], "owner": owner})


def _check_default(call: Call, customer: StoredCustomer, params: Mapping[str, Any]) -> None:
    """Raise ApiError unless ``invoice_settings[default_payment_method]`` is attached to the customer."""
    wanted = (params.get("invoice_settings") or {}).get("default_payment_method")
    if not wanted:
        return
    param = "invoice_settings[default_payment_method]"
    method = instruments.resolve_payment_method(call, wanted, param)
    if method.get("customer") != customer["id"]:
        raise instruments.not_attached(wanted, param)


def retrieve_customer(call: Call, params: operations.GetCustomersCustomer) -> StoredCustomer | api.DeletedCustomer:
    """Retrieve a customer; a deleted one is returned with ``deleted: true``."""
    id = call.path["customer"]
    found = call.objects.find(kinds.CUSTOMER, id)
    if found is None and call.objects.find(kinds.DELETED_CUSTOMER, id) is not None:
        return {"id": id, "object": "customer", "deleted": True}
    return found if found is not None else call.objects.get(kinds.CUSTOMER, id)


def update(call: Call, params: operations.PostCustomersCustomer) -> StoredCustomer:
    """Change a customer; metadata is merged. A new source replaces the default one."""
    return change(call, call.objects.get(kinds.CUSTOMER, call.path["customer"]), params)


def change(call: Call, customer: StoredCustomer, params: operations.PostCustomersCustomer) -> StoredCustomer:
    """Apply update parameters to a customer, and store it. Raises ApiError for parameters that are not valid."""
    plans.check(params)
    _assign(call, customer, params)
    given, name = customer_sources.given_source(params)
    saved: Mapping[str, Any] = params  # the names are computed
    defaults = [each for each in _DEFAULTS if saved.get(each)]
    if len(defaults) + (given is not None) > 1:
        raise exclusive(*defaults, *([name] if given is not None else ()), param=defaults[0])
    for each in defaults:  # there is one, and never one of Alipay
        customer["default_source"] = customer_sources.source_of(call, customer["id"], saved[each], each)["id"]
    if given is not None:
        customer_sources.replace_source(call, customer, given, name)
    _after(call, customer, params)
    return plans.subscribe(call, call.objects.save(customer, "customer.updated"), params)


def list_customers(call: Call, params: operations.GetCustomers) -> Page:
    """List customers by ``email`` and ``test_clock``; customers on a test clock only if it is given."""
    equal = {name: params[name] for name in ("email", "test_clock") if params.get(name)}
    keep = None if params.get("test_clock") else (lambda customer: customer.get("test_clock") is None)
    return list_page(call, "customer", params, equal, url="/v1/customers", keep=keep)


def delete(call: Call, params: operations.DeleteCustomersCustomer) -> Deleted:
    """Delete a customer: its payment methods are detached and its subscriptions canceled."""
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])
    id = customer["id"]
    if any(amount > 0 for amount in (cash_balance(call, customer)["available"] or {}).values()):
        raise invalid("You cannot delete a customer with a cash balance.", retry=False)
    for method in call.objects.query(methods_kinds.PAYMENT_METHOD, {"customer": id}):
        method.update({"customer": None, "_used": True})
        vault.end(call, method)
        call.objects.save(method)
    for source in customer_sources.sources_of(call, id):
        vault.end(call, source)
        call.objects.delete(source)
    call.announce(events.CustomerDeleted(customer))
    call.objects.insert({"id": id, "object": "deleted_customer", "created": customer["created"]})
    return call.objects.delete(customer, "customer.deleted")


def _tax(call: Call, customer: StoredCustomer) -> api.CustomerTax:
    """Return ``tax``: whether the customer's location suffices for automatic tax."""
    stored = call.objects.find(kinds.CUSTOMER, customer["id"]) or customer
    how = automatic.taxing(call, automatic.address_of(call, stored), stored.get("tax_exempt"))
    location: api.CustomerTaxLocation | None = None
    if how is not None:
        goods, home = rates.located(value_at(stored, "shipping.address")), rates.located(stored.get("address"))
        source = "shipping_destination" if goods else "billing_address" if home else "payment_method"
        location = {"country": how.place.country, "source": source, "state": how.place.state}
    asked = stored.get("_tax")
    return {
        "automatic_tax": "unrecognized_location"
        if how is None
        else "supported"
        if how.place.registered
        else "not_collecting",
        "ip_address": asked.get("ip_address") if asked else None,
        "location": location,
        "provider": "stripe",
    }


def _credit_balances(call: Call, customer: StoredCustomer) -> dict[str, int]:
    """Return ``invoice_credit_balance``: what the balances hold, minor units by currency."""
    return balances_of(call.objects.find(kinds.CUSTOMER, customer["id"]) or customer)


_READ_BY_APP = Access(expands=("sources", "default_source"), granted=frozenset({claims.CUSTOMER}))
#: The mobile SDKs set where goods are sent and what is charged by default. All else is between the merchant and the
#: customer.
_CHANGED_BY_APP = Access(
    takes=f"{client_access.CUSTOMER_SHIPPING} default_source",
    refuses="account_balance address balance bank_account billing business_name business_vat_id card cash_balance"
    " coupon"
    " default_alipay_account default_bank_account default_card description email individual_name invoice_prefix"
    " invoice_settings metadata"
    " name next_invoice_sequence phone plan preferred_locales promotion_code prorate quantity source tax tax_exempt"
    " tax_info tax_percent"
    " trial_end",
    expands=("sources", "default_source"),
)


DELETED = Resource(object="deleted_customer", permission=permissions.CUSTOMER, label="customer")

CUSTOMER = Resource(
    object="customer",
    prefix="cus",
    permission=permissions.CUSTOMER,
    live=records(),
    indexed=("email", "test_clock"),
    searchable={"created": "created", "email": "email", "metadata": "metadata", "name": "name", "phone": "phone"},
    endpoints=(
        Endpoint("GET", "/v1/customers", list_customers),
        Endpoint("POST", "/v1/customers", create, removed=views.REMOVED),
        searching("customer", "/v1/customers/search"),
        Endpoint("GET", "/v1/customers/{customer}", retrieve_customer, raw=True, ephemeral=_READ_BY_APP),
        Endpoint("POST", "/v1/customers/{customer}", update, ephemeral=_CHANGED_BY_APP, removed=views.REMOVED),
        Endpoint("DELETE", "/v1/customers/{customer}", delete),
    ),
    expands={
        "sources": views.sources,
        "subscriptions": views.subscriptions,
        "tax_ids": views.tax_ids,
        "tax": _tax,
        "invoice_credit_balance": _credit_balances,
        "cash_balance": cash_balance,
    },
    client_view=views.client_view,
    changes=views.CHANGES,
    title="Customers",
    columns=("name", "email", "id", "created"),
)
