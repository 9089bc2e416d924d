"""Payment methods of customers.

created ──attach──▶ attached to a customer ──detach──▶ detached (may not be used again)
   └──paid with once, unattached──▶ used (may not be used again)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.methods import claims, copying, derived, kinds, method_changes, network_tokens, sepa_addresses
from tollkey.payments.methods.customer_sources import checked, refuse_to_save
from tollkey.payments.methods.instruments import (
    USED,
    as_payment_method,
    card_payment_method,
    named_method,
    no_payment_method,
    redeem,
    token_card,
)
from tollkey.payments.methods.mandates import detach_from
from tollkey.payments.methods.method_types import TYPES, check_attaches
from tollkey.payments.methods.new_cards import NewCard, check_network, fingerprint_owner
from tollkey.payments.processors import banks, vault
from tollkey.payments.shared import client_access as client
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.access import Access, publishable_access
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import list_page
from tollkey.wire.removed import Removed
from tollkey.wire.sealing import sealed

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument, StoredBankAccount, StoredCard, StoredPaymentMethod
    from tollkey.wire import operations

PERMISSION = Permission("payment_method", "PaymentMethods", "Core")


def create(call: Call, params: operations.PostPaymentMethods) -> StoredPaymentMethod:
    """Create a payment method from data, a token, or a payment method of the platform."""
    if params.get("payment_method"):
        return copying.copy_payment_method(call, params, PERMISSION)
    if params.get("customer"):
        raise invalid(
            "You cannot attach a PaymentMethod to a Customer during PaymentMethod creation. Please instead create the"
            " PaymentMethod and then attach it using the attachment method of the PaymentMethods API."
        )
    kind = params.get("type")
    if kind is None:
        raise missing_param("type")
    for name in (*TYPES, "custom"):
        if name != kind and value_at(params, name):
            raise invalid(f"The details in `{name}` are not those of a PaymentMethod of type `{kind}`.", name)
    return create_of(call, kind, params)


def create_of(call: Call, kind: str, params: operations.PostPaymentMethods) -> StoredPaymentMethod:
    """Create a payment method of a type from data, also of the types of cards that a reader reads.

    kind: the type. Raises ApiError 400 for missing or invalid data.
    """
    if kind == "card":
        value = _card(call, params)
    elif kind in ("us_bank_account", "sepa_debit"):
        value = _bank(call, kind, params)
    else:
        value = _other(call, kind, params)
    value["metadata"] = fields.new_metadata(params)
    if value_at(params, "radar_options.session"):
        value["radar_options"] = {"session": params["radar_options"]["session"]}
    if params.get("allow_redisplay"):
        value["allow_redisplay"] = params["allow_redisplay"]
    if call.client:
        value["_client"] = True
    vault.hold(call, value)
    return call.objects.insert(value)


def _card(call: Call, params: operations.PostPaymentMethods) -> StoredPaymentMethod:
    data, billing = params.get("card"), params.get("billing_details")
    if not data:
        raise missing_param("card")
    if "token" in data:
        of_network = network_tokens.of_processor(call, data, billing)
        if of_network is not None:
            of_network["_token"] = sealed(call, of_network["id"], network_tokens.without_expiry(data["token"]))
            return of_network
        test_card = token_card(call, data["token"])
        return (
            _of_token(call, redeem(call, data["token"], "card[token]"), billing)
            if test_card is None
            else card_payment_method(call, test_card, billing)
        )
    for name in ("number", "exp_month", "exp_year"):
        if data.get(name) in (None, ""):
            raise missing_param(f"card[{name}]")
    new = NewCard.typed(call, data, billing.get("address") if billing else None)
    networks = data.get("networks")
    preferred = networks.get("preferred") if networks else None
    check_network(preferred, new.card.available_networks, "card[networks][preferred]")
    return card_payment_method(call, new, billing, preferred_network=preferred)


def _of_token(
    call: Call, card: StoredCard | StoredBankAccount, billing: Mapping[str, Any] | None
) -> StoredPaymentMethod:
    new = NewCard.saved(card) if kinds.is_card(card) else None
    if new is None:
        raise invalid("This token cannot be used to create a PaymentMethod of type card.", "card[token]", retry=False)
    return card_payment_method(call, new, billing, preferred_network=value_at(card, "networks.preferred"))


def _new(call: Call, kind: str, params: operations.PostPaymentMethods) -> StoredPaymentMethod:
    return new_object(
        kinds.PAYMENT_METHOD,
        id=call.ids.new("pm"),
        allow_redisplay="unspecified",
        billing_details=fields.billing_details(params.get("billing_details")),
        created=call.now,
        livemode=call.livemode,
        type=kind,
    )


def _bank(call: Call, kind: str, params: operations.PostPaymentMethods) -> StoredPaymentMethod:
    value = _new(call, kind, params)
    if kind == "sepa_debit":
        debit = params.get("sepa_debit")
        number = debit["iban"].replace(" ", "").upper() if debit else ""
        if not number:
            raise missing_param("sepa_debit[iban]")
        if not banks.iban_valid(number):
            raise invalid("The IBAN you provided is invalid.", "sepa_debit[iban]", "invalid_bank_account_iban")
        _check_usable(call, number, "sepa_debit", "iban")
        value["sepa_debit"] = banks.sepa_debit(number, account=fingerprint_owner(call))
        sepa_addresses.check_method(call, value)
    else:
        data = params.get("us_bank_account") or {}
        for name in ("account_number", "routing_number"):
            if not data.get(name):
                raise missing_param(f"us_bank_account[{name}]")
        number, routing = data["account_number"], data["routing_number"]
        if not banks.routing_valid(routing):
            raise invalid(
                "You must use a valid routing number.", "us_bank_account[routing_number]", "routing_number_invalid"
            )
        real = banks.TestBank(number, "US", "usd", "us_bank_account", routing_number=routing) if call.livemode else None
        bank = real or banks.bank_by_number(number)
        if bank is None:
            message = banks.TEST_ACCOUNT_MESSAGE.format(number="000123456789")
            raise invalid(message, "us_bank_account[account_number]", "account_number_invalid", retry=False)
        holder, sort = data.get("account_holder_type") or "individual", data.get("account_type") or "checking"
        inner = banks.us_bank_account(bank, account=fingerprint_owner(call), holder_type=holder, account_type=sort)
        if call.livemode:
            inner["bank_name"] = None
        value["us_bank_account"] = inner
        value["_typed"] = True  # so it has to be verified with deposits before its first debit
    if not call.livemode:
        value["_bank"] = banks.key_of(number)
    return value


_UNUSABLE = {
    "sepa_debit_bank_not_supported": "The customer's bank does not support SEPA Direct Debit.",
    "sepa_debit_debits_not_supported": "The customer's bank account cannot be debited with SEPA Direct Debit.",
    "account_number_invalid": "The account number provided is invalid.",
}


def _check_usable(call: Call, number: str, kind: str, name: str) -> None:
    """Raise ApiError 400 for a test account that cannot become a PaymentMethod. name: of its number's parameter."""
    bank = None if call.livemode else banks.bank_by_number(number, kind=kind)
    if bank is not None and bank.outcome == "unusable":
        code = bank.failure or "bank_account_unusable"
        raise invalid(_UNUSABLE[code], f"{kind}[{name}]", code, retry=False)


def _other(call: Call, kind: str, params: operations.PostPaymentMethods) -> StoredPaymentMethod:
    """Return the details of a type without numbers: the properties of its specification, set from the parameters."""
    try:
        inner = new_object(f"payment_method_{kind}")
    except LookupError:
        inner = {}
    inner.pop("object", None)
    inner.pop("id", None)
    data = value_at(params, kind) or {}
    inner.update({name: given for name, given in data.items() if name in inner or not inner})
    derived.complete(call, kind, inner, data)
    value = _new(call, kind, params)
    fields.assign(value, {kind: inner}, (kind,))
    if kind in derived.NUMBERED and not call.livemode:
        number = str(data.get("account_number") or "")
        _check_usable(call, number, kind, "account_number")
        value["_bank"] = banks.key_of(number, kind)
        if kind == "acss_debit":
            value["_typed"] = True  # so deposits verify it, as for a US account
    return value


def retrieve(call: Call, params: operations.GetPaymentMethodsPaymentMethod) -> Instrument:
    """Retrieve a payment method; the name of a test payment method creates one."""
    return as_payment_method(call, named_method(call, call.path["payment_method"], None))


_CHANGES = ("billing_details", "card", "allow_redisplay", "payto", "us_bank_account")


def update(call: Call, params: operations.PostPaymentMethodsPaymentMethod) -> Instrument:
    """Change billing details, expiry or metadata of a customer's payment method."""
    value = named_method(call, call.path["payment_method"], None)
    if not value.get("customer"):
        raise invalid("You must save this PaymentMethod to a customer before you can update it.", None, retry=False)
    claims.check_listed(call, value, claims.of_caller(call))
    if kinds.is_payment_method(value):
        method_changes.change(call, value, params)
    elif any(params.get(name) for name in _CHANGES):
        raise no_payment_method(call, call.path["payment_method"], None)
    fields.merge_metadata(value, params)
    return call.objects.save(value, "payment_method.updated")


def attach(call: Call, params: operations.PostPaymentMethodsPaymentMethodAttach) -> Instrument:
    """Attach a payment method to a customer, unless the bank refuses to save it."""
    value = named_method(call, call.path["payment_method"], None)
    if not params.get("customer"):
        raise invalid("Must provide customer or customer_account.", None, "parameter_missing")
    return attach_to(call, value, call.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"])


def attach_to(call: Call, value: Instrument, customer: str) -> Instrument:
    """Attach a payment method to the customer with that id, with the event ``payment_method.attached``.

    Raises ApiError 400 if it is attached, or was used or detached before, and 402 if the bank refuses to save it.
    """
    if value.get("customer"):
        if value["customer"] == customer:
            return value
        raise invalid("The payment method you provided has already been attached to a customer.", None, retry=False)
    if value.get("_used"):
        raise invalid(USED, None, retry=False)
    if kinds.is_payment_method(value):
        check_attaches(value["type"])
    refuse_to_save(value)
    checked(value)
    value["customer"] = customer
    call.objects.save(value)
    call.emit("payment_method.attached", value)
    return value


def detach(call: Call, params: operations.PostPaymentMethodsPaymentMethodDetach) -> Instrument:
    """Detach a payment method from its customer; it cannot be used again."""
    value = named_method(call, call.path["payment_method"], None)
    owner = value.get("customer")
    if not owner:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message, retry=False)
    detach_from(call, value, owner)
    return value


def list_all(call: Call, params: operations.GetPaymentMethods) -> Page:
    """List payment methods, by customer and type."""
    customer = params.get("customer")
    if customer:
        call.objects.get(kinds.CUSTOMER, customer, "customer")
    return _page(call, params, customer, "/v1/payment_methods")


def of_customer(call: Call, params: operations.GetCustomersCustomerPaymentMethods) -> Page:
    """List a customer's payment methods."""
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])["id"]
    return _page(call, params, customer, f"/v1/customers/{customer}/payment_methods")


def _page(
    call: Call,
    params: operations.GetPaymentMethods | operations.GetCustomersCustomerPaymentMethods,
    customer: str | None,
    url: str,
) -> Page:
    equal: dict[str, str | Sequence[str]] = {
        name: params[name] for name in ("type", "allow_redisplay") if params.get(name)
    }
    if customer:
        equal["customer"] = customer
    listed = claims.redisplayed(call.key.permissions) if call.key is not None and call.limited else None
    if listed is not None:
        asked = params.get("allow_redisplay")
        equal["allow_redisplay"] = [value for value in listed if asked in (None, value)]
    page = list_page(call, "payment_method", params, equal, url=url)
    cards = (
        call.objects.query(kinds.CARD, {"customer": customer}, limit=100)
        if customer and params.get("type") in (None, "card") and listed is None
        else []
    )
    room = (params.get("limit") or 10) - len(page.data)
    if cards and not page.has_more and room > 0 and not params.get("ending_before"):
        page.data = page.data + [as_payment_method(call, card) for card in cards][:room]
        page.has_more = len(cards) > room
    return page


def of_customer_one(call: Call, params: operations.GetCustomersCustomerPaymentMethodsPaymentMethod) -> Instrument:
    """Retrieve one payment method of a customer."""
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])
    value = named_method(call, call.path["payment_method"], None)
    if value.get("customer") != customer["id"]:
        raise no_payment_method(call, call.path["payment_method"], None)
    return as_payment_method(call, value)


def client_view(call: Call, value: StoredPaymentMethod) -> StoredPaymentMethod:
    """Return the fields that browsers and apps may see: no metadata, and no fingerprint (reference section 3).

    An app with an ephemeral key sees the fingerprint of its customer's cards (recorded in the traffic of stripe-ios).
    It removes a saved card with its duplicates by it: without any, all cards would look the same.
    """
    value.pop("metadata", None)
    for name, inner in value.items():
        if isinstance(inner, dict) and (call.client or name != "card"):
            inner.pop("fingerprint", None)
    return value


#: ``customer`` and ``payment_method`` copy a saved payment method, which only the server may do.
_MADE_BY_CLIENT = publishable_access(
    takes=f"{client.METHOD} custom{{type}}",
    ignores=client.HCAPTCHA,
    refuses=f"customer payment_method {client.METHOD_REFUSED}",
)
_PAGE = "limit starting_after ending_before type allow_redisplay"
_LISTED_BY_APP = Access(takes=f"customer {_PAGE}", refuses="customer_account", granted=claims.REDISPLAYS)
#: What the mobile SDKs change of a saved card; Android's says who it is.
_CHANGED_BY_APP = Access(
    takes=f"{client.BILLING} card{{exp_month exp_year networks{{preferred}}}}",
    ignores="payment_user_agent client_attribution_metadata",
    refuses="allow_redisplay metadata payto us_bank_account",
    granted=frozenset({claims.UPDATE}),
)
_ATTACHED_BY_APP = Access(takes="customer", refuses="customer_account")

_UPDATE_REMOVED = (Removed("2026-09-30", "payto", link="endive/2026-09-30/removed-payto-fields"),)
PAYMENT_METHOD = Resource(
    object="payment_method",
    rewrites=(banks.without_number,),
    prefix="pm",
    permission=PERMISSION,
    live=records(),
    sealed=("_token",),
    label="PaymentMethod",
    path_param="payment_method",
    indexed=("customer", "type", "allow_redisplay"),
    endpoints=(
        Endpoint("GET", "/v1/payment_methods", list_all, ephemeral=_LISTED_BY_APP),
        Endpoint("POST", "/v1/payment_methods", create, publishable=_MADE_BY_CLIENT),
        Endpoint("GET", "/v1/payment_methods/{payment_method}", retrieve, makes=True),
        Endpoint(
            "POST", "/v1/payment_methods/{payment_method}", update, ephemeral=_CHANGED_BY_APP, removed=_UPDATE_REMOVED
        ),
        Endpoint("POST", "/v1/payment_methods/{payment_method}/attach", attach, ephemeral=_ATTACHED_BY_APP),
        Endpoint("POST", "/v1/payment_methods/{payment_method}/detach", detach, ephemeral=Access()),
        Endpoint(
            "GET",
            "/v1/customers/{customer}/payment_methods",
            of_customer,
            ephemeral=Access(takes=_PAGE, granted=claims.REDISPLAYS),
        ),
        Endpoint("GET", "/v1/customers/{customer}/payment_methods/{payment_method}", of_customer_one),
    ),
    client_view=client_view,
    title="Payment methods",
    columns=("type", "customer", "id", "created"),
)
