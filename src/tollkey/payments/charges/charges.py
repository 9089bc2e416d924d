"""Charges: single attempts to move money into the balance.

failed
pending ──▶ succeeded │ failed
succeeded (authorized) ──capture──▶ captured ──refund──▶ refunded
        └──seven days──▶ expired
captured by a PaymentIntent with capture_method automatic_async ──a second──▶ its balance transaction is there
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.charges import jobs, kinds, lifecycle, refund_objects, splitting, through_network
from tollkey.payments.charges.lifecycle import Attempt
from tollkey.payments.charges.receipts import PAGES
from tollkey.payments.charges.splitting import check_destination, check_fee_country, check_may_charge, check_method
from tollkey.payments.methods import customer_sources, instruments
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import asking
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import events, providers
from tollkey.payments.shared import fields as shared_fields
from tollkey.wire import Action, ApiError, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import card_error, exclusive
from tollkey.wire.live import needs, records
from tollkey.wire.pages import list_page, nested_list, retrieve
from tollkey.wire.resource import Reaction
from tollkey.wire.search import searching
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api, operations

PERMISSION = Permission("charge", "Charges", "Core")
#: Most charges of one transfer group that can be listed; above it the API returns an error (recorded).
MOST_OF_A_GROUP = 100


def create(call: Call, params: operations.PostCharges) -> StoredCharge:
    """Charge a token, a source, or a saved source of a customer."""
    currency = shared_currency.check_currency(params["currency"])
    shared_currency.check_amount(params["amount"], currency)
    backend = asking.backend_of(call)
    if backend is None:
        lifecycle.authorizable(call)
    data = _transfer_data(params)
    if data:
        param = "destination" if params.get("destination") else "transfer_data[destination]"
        check_destination(call, data["destination"], params.get("on_behalf_of"), param)
    check_may_charge(call, params.get("on_behalf_of"))
    _check_fee(call, params, data)
    instrument = _instrument(call, params)
    check_method(call, params.get("on_behalf_of"), instrument, currency)
    attempt = Attempt(
        amount=params["amount"],
        currency=currency,
        payment_method=instrument,
        customer=params.get("customer") or instrument.get("customer"),
        capture=params.get("capture", True) is not False,
        description=params.get("description"),
        metadata=shared_fields.new_metadata(params),
        statement_descriptor=params.get("statement_descriptor") or params.get("statement_description"),
        statement_descriptor_suffix=params.get("statement_descriptor_suffix"),
        receipt_email=params.get("receipt_email"),
        radar_options=params.get("radar_options"),
        shipping=shared_fields.shipping(params.get("shipping")),
        on_behalf_of=params.get("on_behalf_of"),
        transfer_group=params.get("transfer_group"),
        transfer_data=data,
        application_fee_amount=params.get("application_fee_amount") or params.get("application_fee"),
    )
    if backend is not None:
        return through_network.authorize(call, backend, attempt)
    value = lifecycle.charge(call, attempt)
    if value["status"] == "failed":
        raise lifecycle.decline(call, value, instrument)
    if methods_kinds.is_source(instrument) and (
        instrument.get("usage") == "single_use" or not instrument.get("customer")
    ):
        customer_sources.consume(call, instrument)
    return value


def _transfer_data(params: operations.PostCharges) -> api.ChargeTransferData | None:
    """Return ``transfer_data``, or the older parameter ``destination``: an account id, or a hash with ``account``."""
    destination = params.get("destination")
    _check_share(params)
    given: Mapping[str, Any] | None = params.get("transfer_data") or (
        {"destination": destination} if isinstance(destination, str) else destination
    )
    if given and "account" in given:
        given = {
            **{name: value for name, value in given.items() if name != "account"},
            "destination": given["account"],
        }
    return cast("api.ChargeTransferData | None", given)  # its parameters are declared so


def _check_share(params: operations.PostCharges) -> None:
    """Raise ApiError 400 if the destination is named twice, is to get more than is paid, or its share beside a fee."""
    data, older = params.get("transfer_data"), params.get("destination")
    if data and older:
        raise exclusive("transfer_data", "destination", param="destination")
    name = "transfer_data[amount]" if data else "destination[amount]"
    given: Mapping[str, Any] = data or (older if isinstance(older, dict) else {})
    share = given.get("amount")
    fee = next((one for one in ("application_fee_amount", "application_fee") if params.get(one) is not None), None)
    if share is not None and fee:
        raise exclusive(fee, name)
    if share is not None and share > params["amount"]:
        raise invalid(f"The {name} cannot be greater than the amount of the charge.", name, "parameter_invalid_integer")


def _instrument(call: Call, params: operations.PostCharges) -> Instrument:
    """Return the instrument to charge: the given source, or the customer's default source.

    Raises ApiError if none is given, or it does not exist, belongs to another customer or cannot be charged.
    """
    customer = (
        call.objects.get(methods_kinds.CUSTOMER, params["customer"], "customer") if params.get("customer") else None
    )
    given, name = customer_sources.given_source(params)
    if given is None:
        if customer is None:
            raise invalid("Must provide source or customer.", None, "parameter_missing")
        default = customer.get("default_source")
        if not default:
            raise _no_source(call, customer["id"])
        return instruments.resolve_payment_method(call, default, "source")
    if isinstance(given, dict):
        return customer_sources.inline_card(call, given, name)
    if given.startswith(("tok_", "btok_")):
        if customer is not None:
            raise _not_linked(customer, given)
        redeemed = instruments.redeem(call, given, name)
        customer_sources.check_chargeable(redeemed, name)
        return redeemed
    if customer is not None:
        return _linked(call, customer, given)
    found = instruments.resolve_payment_method(call, given, name)
    if found.get("customer"):
        raise invalid(
            "For security reasons, you cannot directly charge a source that is already attached to a customer. Please"
            f" specify the customer this source is attached to ({found['customer']}) when charging it.",
            "customer",
            "missing",
        )
    customer_sources.check_chargeable(found, name)
    return found


def _linked(call: Call, customer: api.Customer, given: str) -> Instrument:
    """Return the customer's source with that id.

    Raises ApiError 404 if the customer has no such source, and 400 if it cannot be charged.
    """
    try:
        found = instruments.resolve_payment_method(call, given, "source")
    except ApiError as error:
        if error.code != "resource_missing":
            raise
        raise _not_linked(customer, given) from None
    loose = methods_kinds.is_source(found) and not found.get("customer") and found["usage"] == "reusable"
    if not loose and found.get("customer") != customer["id"]:
        raise _not_linked(customer, given)
    customer_sources.check_chargeable(found, "source")
    if loose:
        raise _not_linked(customer, given)
    return found


def _no_source(call: Call, customer: str) -> ApiError:
    """Return the 402 for a customer without a source: what to use instead depends on its PaymentMethods."""
    if call.objects.query(methods_kinds.PAYMENT_METHOD, {"customer": customer}, limit=1):
        message = (
            "This Customer doesn't have any legacy saved payment details, but does have a Payment Method attached."
            " Use a Payment Intent instead of creating a Charge:"
            " https://stripe.com/docs/payments/payment-intents/migration"
        )
    else:
        message = (
            "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or Source"
            " to this Customer and then try this request again, or use Payment Intents and Payment Methods instead."
        )
    return card_error("missing", message, "card", keep=False)


def _not_linked(customer: api.Customer, given: str) -> ApiError:
    message = f"Customer {customer['id']} does not have a linked source with ID {given}."
    return ApiError(404, "invalid_request_error", "missing", message, "source")


def _check_fee(call: Call, params: operations.PostCharges, transfer: Mapping[str, Any] | None) -> None:
    """Raise ApiError for an application fee of a charge that gives no other account money, and for more than is paid.

    A fee may take the whole payment (gumroad pull request 5962).
    """
    name = "application_fee_amount" if params.get("application_fee_amount") is not None else "application_fee"
    if params.get(name) is not None:
        check_fee_country(call, (transfer or {}).get("destination"), name)
    fee = params.get("application_fee_amount", params.get("application_fee"))
    if fee is not None and fee > params["amount"]:
        raise invalid(f"The {name} cannot be greater than the amount.", name)
    if fee is None or call.account != call.platform or transfer:
        return
    message = (
        f"Can only apply an {name} when the request is made on behalf of another account"
        " (using an OAuth key, the Stripe-Account header, or the destination parameter)."
    )
    raise invalid(message, name)


def update(call: Call, params: operations.PostChargesCharge) -> StoredCharge:
    """Change the description, shipping, fraud details or metadata of a charge."""
    charge = call.objects.get(kinds.CHARGE, call.path["charge"])
    if params.get("transfer_group") is not None and charge["payment_intent"]:
        raise invalid(
            f"This Charge was created by a PaymentIntent ({charge['payment_intent']}). You must update the"
            " `transfer_group` on the PaymentIntent instead of updating the Charge directly."
            " See https://stripe.com/docs/api#update_payment_intent",
            retry=False,
        )
    for name in ("customer", "transfer_group"):
        if params.get(name) is not None and charge.get(name) not in (None, params[name]):
            raise invalid(f"You cannot modify `{name}` on a charge once it already has been set.", name)
    if params.get("customer"):
        call.objects.get(methods_kinds.CUSTOMER, params["customer"], "customer")
    shared_fields.merge_metadata(charge, params)
    shared_fields.assign(charge, params, ("description", "receipt_email", "transfer_group", "customer"))
    if "shipping" in params:
        charge["shipping"] = shared_fields.shipping(params["shipping"])
    if params.get("fraud_details"):
        details: api.ChargeFraudDetails = {**(charge["fraud_details"] or {})}
        shared_fields.assign(details, params["fraud_details"], ("user_report",))
        charge["fraud_details"] = details
    return call.objects.save(charge, "charge.updated")


def capture(call: Call, params: operations.PostChargesChargeCapture) -> StoredCharge:
    """Capture an authorized charge, in full or in part."""
    charge = call.objects.get(kinds.CHARGE, call.path["charge"])
    refund_objects.check_own_capture(charge)
    fields = {
        name: params.get(name)
        for name in ("statement_descriptor", "statement_descriptor_suffix", "transfer_group", "receipt_email")
    }
    fee = params.get("application_fee_amount") or params.get("application_fee")
    if (fee or 0) > (params.get("amount") or charge["amount"]):
        raise invalid(
            "The application_fee_amount cannot be greater than the captured amount.", "application_fee_amount"
        )
    transfer, older = params.get("transfer_data"), params.get("destination")
    if transfer and older:
        raise exclusive("transfer_data", "destination", param="destination")
    share = transfer or older
    splitting.check_captured_share(share, params.get("amount") or charge["amount"])
    given: Mapping[str, Any] = {"application_fee_amount": fee, "transfer_data": share, **fields}
    backend = asking.backend_of(call)
    if backend is not None:
        return through_network.capture(call, backend, charge, params.get("amount"), given)
    return lifecycle.capture(call, charge, params.get("amount"), **given)


def list_charges(call: Call, params: operations.GetCharges) -> Page:
    """List charges, newest first, by customer, payment intent or transfer group."""
    equal = {name: params[name] for name in ("customer", "payment_intent", "transfer_group") if params.get(name)}
    group = params.get("transfer_group")
    if group and call.objects.table("charge").count(call.tx, call.scope, {"transfer_group": group}) > MOST_OF_A_GROUP:
        raise invalid(f"Too many charges with transfer group: `{group}`", "transfer_group")
    return list_page(call, kinds.CHARGE, params, equal, url="/v1/charges")


def complete_pending(call: Call, id: str) -> None:
    """Run the job ``charge.settle``: a pending bank debit succeeds or fails."""
    lifecycle.complete_pending_charge(call, id)


def complete_async_capture(call: Call, id: str) -> None:
    """Run the job ``charge.collect``: store the balance transaction of an asynchronous capture."""
    charge = call.objects.find(kinds.CHARGE, id)
    if charge is not None:
        lifecycle.with_balance_transaction(call, charge)


def refunds_of(call: Call, charge: StoredCharge) -> api.ChargeRefunds:
    """Return the refunds of a charge, newest first: the first ten, and how many there are."""
    of_charge = {"charge": charge["id"]}
    known = "refund" in call.setup.tables.of
    refunds = call.objects.query(kinds.REFUND, of_charge, limit=10) if known else []
    count = call.objects.table("refund").count(call.tx, call.scope, of_charge) if known else 0
    listed: api.ChargeRefunds = nested_list(
        [call.objects.copy(refund) for refund in refunds],
        f"/v1/charges/{charge['id']}/refunds",
        has_more=count > len(refunds),
        total_count=count,
    )
    return listed


def _with_refunds(call: Call, charge: StoredCharge) -> None:
    """Before 2022-11-15 the refunds of a charge were included without ``expand``."""
    charge.setdefault("refunds", refunds_of(call, charge))


def _no_code(call: Call, charge: MutableMapping[str, Any]) -> None:
    """Versions before 2025-03-31 have no authorization code."""
    card = (charge.get("payment_method_details") or {}).get("card")
    if isinstance(card, dict):
        card["authorization_code"] = None


def _paid(call: Call, charge: MutableMapping[str, Any]) -> None:
    """Before 2015-02-18 a charge had ``card`` beside ``source``, and the status ``paid``."""
    if charge.get("status") == "succeeded":
        charge["status"] = "paid"
    source = charge.get("source")
    charge["card"] = source if isinstance(source, dict) and source.get("object") == "card" else None
    charge["statement_description"] = charge.get("statement_descriptor")


CHARGE = Resource(
    object="charge",
    prefix="ch",
    prefixes=("py",),
    permission=PERMISSION,
    live=records(),
    indexed=("customer", "payment_intent", "transfer_group"),
    path_param="id",
    searchable={
        "amount": "amount",
        "billing_details.address.postal_code": "billing_details.address.postal_code",
        "created": "created",
        "currency": "currency",
        "customer": "customer",
        "disputed": "disputed",
        "metadata": "metadata",
        "payment_method_details.card.brand": "payment_method_details.card.brand",
        "payment_method_details.card.exp_month": "payment_method_details.card.exp_month",
        "payment_method_details.card.exp_year": "payment_method_details.card.exp_year",
        "payment_method_details.card.fingerprint": "payment_method_details.card.fingerprint",
        "payment_method_details.card.last4": "payment_method_details.card.last4",
        "refunded": "refunded",
        "status": "status",
    },
    endpoints=(
        Endpoint("GET", "/v1/charges", list_charges),
        Endpoint("POST", "/v1/charges", create, live=needs(providers.PAYMENTS)),
        searching("charge", "/v1/charges/search"),
        retrieve("charge", "/v1/charges/{charge}"),
        Endpoint("POST", "/v1/charges/{charge}", update),
        Endpoint("POST", "/v1/charges/{charge}/capture", capture, live=needs(providers.PAYMENTS)),
        *PAGES,
    ),
    expands={"refunds": refunds_of},
    changes=(Change("2025-03-31", _no_code), Change("2022-11-15", _with_refunds), Change("2015-02-18", _paid)),
    due_live={
        **dict.fromkeys((jobs.CHARGE_SETTLE, jobs.CHARGE_COLLECT), needs(providers.CHARGES)),
        jobs.CHARGE_EXPIRE: needs(providers.PAYMENTS),
    },
    refusal=through_network.refusal,
    on=(
        Reaction(events.AttemptEnded, through_network.attempt_ended),
        Reaction(events.AttemptWaits, through_network.attempt_waits),
    ),
    on_due={
        jobs.CHARGE_SETTLE: complete_pending,
        jobs.CHARGE_EXPIRE: through_network.expire,
        jobs.CHARGE_COLLECT: complete_async_capture,
    },
    title="Charges",
    columns=("amount", "status", "description", "id", "created"),
    actions=(
        Action("Refund", "/v1/refunds", ("amount", "reason"), ("succeeded",), id_param="charge"),
        Action("Capture", "/v1/charges/{charge}/capture", ("amount",), ("succeeded",)),
    ),
)
