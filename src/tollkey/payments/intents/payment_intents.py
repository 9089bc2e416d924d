"""PaymentIntents: the lifecycle of one payment, with authentication and capture.

                              ┌────────────────────── declined, not authenticated ─────────────────────┐
                              ▼                                                                        │
    created ──▶ requires_payment_method ──method──▶ requires_confirmation ──confirm──▶ requires_action ┤
                                                          ▲     │                          │           │
                                                          └─────┼── manual confirmation ───┤           │
                                                                └──────────────────────────┴──▶ processing (bank debits)
                                                                │                          │           │
                                                                ├──▶ requires_capture ─────┼──capture──┤
                                                                └──────────────────────────┴──▶ succeeded

    Every status but succeeded can become canceled. ``states.py`` lists all transitions, and a test covers each.

For other resources: ``create_intent``, ``confirm_intent`` (returns the 402 error instead of raising it),
``capture_intent``, ``cancel_intent``. An invoice's intent carries the invoice's id in ``_invoice``.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, cast

from tollkey.keys import Permission
from tollkey.payments.charges import jobs as charge_jobs
from tollkey.payments.intents import (
    bank_transfers,
    building,
    followup,
    jobs,
    kinds,
    option_rules,
    ownership,
    payment_states,
    removed,
    through_network,
    views,
    vouchers,
)
from tollkey.payments.intents.bank_transfers import TRANSFERS, cash_of, reconcile, transfer_address
from tollkey.payments.intents.building import check_parts, too_large_fee, too_much_transferred
from tollkey.payments.intents.client_secrets import intent_of, not_for_clients
from tollkey.payments.intents.confirmation import confirm_intent
from tollkey.payments.intents.followup import cancel_intent, capture_intent, not_authenticated, refusal, request_capture
from tollkey.payments.intents.microdeposits import Entered
from tollkey.payments.intents.pages import (
    answer_challenge,
    answer_deposits,
    challenge_page,
    deposits_page,
    transfer_page,
)
from tollkey.payments.intents.payment_states import UPDATABLE
from tollkey.payments.intents.through_network import method_refusal
from tollkey.payments.shared import client_access as client
from tollkey.payments.shared import providers
from tollkey.wire import Action, Call, Endpoint, P, Page, Reply, Resource
from tollkey.wire.access import publishable_access
from tollkey.wire.languages import Text
from tollkey.wire.live import asks, needs, records
from tollkey.wire.pages import listing, page_of_list
from tollkey.wire.search import searching

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.wire import operations

__all__ = [
    "PAYMENT_INTENT",
    "PERMISSION",
    "TRANSFERS",
    "UPDATABLE",
    "cancel_intent",
    "capture_intent",
    "cash_of",
    "check_parts",
    "confirm_intent",
    "create_intent",
    "method_refusal",
    "not_authenticated",
    "reconcile",
    "refusal",
    "too_large_fee",
    "too_much_transferred",
    "transfer_address",
]

PERMISSION = Permission("payment_intent", "PaymentIntents", "Core")
_AT_CONFIRMATION = (
    "confirmation_token", "error_on_requires_action", "mandate", "mandate_data", "off_session",
    "payment_method_options", "return_url", "use_stripe_sdk",
)  # fmt: skip


def create_intent(call: Call, params: operations.PostPaymentIntents, **private: object) -> StoredPaymentIntent:
    """Store a PaymentIntent as ``POST /v1/payment_intents`` does without ``confirm``.

    private: private fields such as ``_invoice``. Raises ApiError for inconsistent parameters.
    """
    intent = building.new_intent(call, params)
    cast("MutableMapping[str, object]", intent).update(private)
    building.choose_method(call, intent, params)
    return call.objects.insert(intent, "payment_intent.created")


def create(call: Call, params: operations.PostPaymentIntents) -> StoredPaymentIntent:
    """Create a PaymentIntent, and confirm it if requested."""
    params = removed.modern(call, params)
    option_rules.check_creation(params, "PaymentIntent")
    option_rules.check_options(call, params, confirming=bool(params.get("confirm")))
    intent = create_intent(call, params)
    option_rules.check_types(intent)
    if not params.get("confirm"):
        return intent
    later = {name: value for name, value in params.items() if name in _AT_CONFIRMATION}
    error = confirm_intent(call, intent, later)
    if error is not None:
        raise error
    return intent


def _get(call: Call, secret: str | None = None) -> StoredPaymentIntent:
    return intent_of(call, kinds.PAYMENT_INTENT, secret)


def retrieve(
    call: Call, params: operations.GetPaymentIntentsIntent | operations.PostPaymentIntentsIntentRefresh
) -> StoredPaymentIntent:
    """Retrieve a PaymentIntent; a browser needs its ``client_secret``."""
    return _get(call, params.get("client_secret"))


def update(call: Call, params: operations.PostPaymentIntentsIntent) -> StoredPaymentIntent:
    """Change a PaymentIntent that has not been confirmed."""
    params = removed.modern(call, params)
    intent = _get(call)
    through_network.check_free(intent)
    ownership.check_invoice(call, intent, params)
    option_rules.check_options(call, params, confirming=False, usage=intent["setup_future_usage"])
    building.apply(call, intent, params)
    option_rules.check_types(intent)
    building.choose_method(call, intent, params)
    return call.objects.save(intent)


def confirm(call: Call, params: operations.PostPaymentIntentsIntentConfirm) -> StoredPaymentIntent:
    """Confirm a PaymentIntent: charge it, or return the customer's next action."""
    intent = _get(call, params.get("client_secret"))
    not_for_clients(call, intent)
    ownership.check_session(call, intent, "confirm")
    option_rules.check_options(call, params, confirming=True, usage=intent["setup_future_usage"])
    error = confirm_intent(call, intent, params)
    if error is not None:
        raise error
    return intent


def capture(call: Call, params: operations.PostPaymentIntentsIntentCapture) -> StoredPaymentIntent:
    """Capture an authorized PaymentIntent, in full or in part; with ``final_capture=false`` it can be captured
    again.
    """
    return request_capture(call, _get(call), params)


def cancel(call: Call, params: operations.PostPaymentIntentsIntentCancel) -> StoredPaymentIntent:
    """Cancel a PaymentIntent."""
    intent = _get(call)
    payment_states.check_cancelable(call, intent)
    ownership.check_session(call, intent, "cancel")
    ownership.check_invoice(call, intent)
    return cancel_intent(call, intent, params.get("cancellation_reason"))


def increment_authorization(
    call: Call, params: operations.PostPaymentIntentsIntentIncrementAuthorization
) -> StoredPaymentIntent:
    """Increase the authorized amount."""
    return followup.increment(call, _get(call), params)


def apply_customer_balance(
    call: Call, params: operations.PostPaymentIntentsIntentApplyCustomerBalance
) -> StoredPaymentIntent:
    """Apply the customer's cash balance to a PaymentIntent that waits for a bank transfer."""
    return bank_transfers.apply(call, _get(call), params.get("amount"))


def verify_microdeposits(
    call: Call, params: operations.PostPaymentIntentsIntentVerifyMicrodeposits
) -> StoredPaymentIntent:
    """Verify the customer's bank account with micro-deposits."""
    entered = Entered(params.get("amounts"), params.get("descriptor_code"))
    return followup.verify(call, _get(call, params.get("client_secret")), entered)


def source_cancel(call: Call, params: operations.PostPaymentIntentsIntentSourceCancel) -> StoredPaymentIntent:
    """Cancel the challenge; a mobile client calls it when the customer closes it."""
    intent = _get(call, params.get("client_secret"))
    not_authenticated(call, intent)
    return intent


def line_items(call: Call, params: operations.GetPaymentIntentsIntentAmountDetailsLineItems) -> Page:
    """List the line items of ``amount_details``."""
    intent = _get(call)
    items = []
    for number, given in enumerate(intent.get("_line_items") or []):
        item = {
            "id": f"uli_{intent['id'].removeprefix('pi_')}{number}",
            "object": "payment_intent_amount_details_line_item",
        }
        base = {
            "discount_amount": None,
            "product_code": None,
            "tax": None,
            "unit_of_measure": None,
            "payment_method_options": None,
        }
        items.append({**item, **base, **given})
    return page_of_list(items, f"/v1/payment_intents/{intent['id']}/amount_details_line_items", params)


def _waiting(call: Call) -> StoredPaymentIntent:
    return call.objects.get(kinds.PAYMENT_INTENT, call.path["id"])


def show_challenge(call: Call, params: operations.Get3dsToken) -> Reply:
    """Show the page of the 3-D Secure challenge."""
    return challenge_page(call, _waiting(call), Text("Authorize this payment"), bool(params.get("framed")))


def complete_challenge(call: Call, params: operations.Post3dsTokenComplete) -> Reply:
    """Complete the challenge successfully."""
    return answer_challenge(call, _waiting(call), followup.authenticated, bool(params.get("framed")))


def fail_challenge(call: Call, params: operations.Post3dsTokenFail) -> Reply:
    """Fail the challenge."""
    return answer_challenge(call, _waiting(call), not_authenticated, bool(params.get("framed")))


def show_deposits(call: Call, params: operations.GetMicrodepositToken) -> Reply:
    """Show the page for the micro-deposit code."""
    return deposits_page(call, _waiting(call))


def enter_deposits(call: Call, params: operations.PostMicrodepositTokenVerify) -> Reply:
    """Submit the micro-deposit code."""
    return answer_deposits(call, _waiting(call), params.get("descriptor_code"), followup.verify)


def show_transfer(call: Call, params: operations.GetBankTransferToken) -> Reply:
    """Show the page with the bank account for a transfer."""
    return transfer_page(call, _waiting(call))


_ONE = "/v1/payment_intents/{intent}"
_CODE = P.object(descriptor_code=P.string())
_SECRET = P.object(client_secret=P.string())
#: Stripe.js shows the page in a frame.
_FRAMED = P.object(framed=P.string())
_CHALLENGED = P.object(client_secret=P.string(), source=P.string())
#: A browser may send the payment method and the payer's data when it confirms. Amount, time and recurrence are set by
#: the server.
_CONFIRMED_BY_CLIENT = publishable_access(
    takes=f"client_secret payment_method payment_method_data{{{client.METHOD}}} source confirmation_token return_url"
    f" use_stripe_sdk set_as_default_payment_method"
    f" receipt_email {client.SHIPPING} {client.MANDATE} setup_future_usage radar_options{{session}}"
    f" payment_method_options{{"
    "card{cvc_token network setup_future_usage} us_bank_account{setup_future_usage} blik{code}"
    " konbini{confirmation_number}"
    " wechat_pay{app_id client} p24{tos_shown_and_accepted}"
    " customer_balance{funding_type bank_transfer{type eu_bank_transfer{country} requested_address_types}}}",
    ignores=f"spc_eligible {client.HCAPTCHA} {client.MANDATE_IGNORED} payment_method_data{{{client.HCAPTCHA}}}",
    refuses="allowed_payment_method_types amount_details amount_to_confirm capture_method error_on_requires_action"
    " excluded_payment_method_types"
    " hooks mandate"
    " off_session payment_details payment_method_options payment_method_types save_payment_method"
    f" {client.MANDATE_REFUSED} payment_method_data{{{client.METHOD_REFUSED}}}",
    expands=("payment_method",),
)
_READ_BY_CLIENT = publishable_access(takes="client_secret", ignores="is_stripe_sdk", expands=("payment_method",))
_TOLD_BY_CLIENT = publishable_access(takes="client_secret", expands=("payment_method",))
_VERIFIED_BY_CLIENT = publishable_access(takes="client_secret amounts descriptor_code", expands=("payment_method",))
_CANCELED_BY_CLIENT = publishable_access(takes="client_secret", ignores="source", expands=("payment_method",))

PAYMENT_INTENT = Resource(
    object="payment_intent",
    prefix="pi",
    permission=PERMISSION,
    reveals={"client_secret": "read", "next_action": "read"},
    live=records(),
    path_param="intent",
    indexed=("customer", "status", "payment_method", "_invoice"),
    searchable={
        "amount": "amount",
        "created": "created",
        "currency": "currency",
        "customer": "customer",
        "metadata": "metadata",
        "status": "status",
    },
    client_view=views.client_view,
    changes=views.CHANGES,
    endpoints=(
        listing("payment_intent", "/v1/payment_intents"),
        Endpoint(
            "POST",
            "/v1/payment_intents",
            create,
            live=asks(providers.PAYMENTS, "it is confirmed"),
            removed=(removed.TYPES, removed.SOURCE_TYPES),
        ),
        searching("payment_intent", "/v1/payment_intents/search"),
        Endpoint("GET", _ONE, retrieve, publishable=_READ_BY_CLIENT),
        Endpoint("POST", _ONE, update, removed=(removed.TYPES, removed.SOURCE_TYPES)),
        Endpoint(
            "POST",
            _ONE + "/confirm",
            confirm,
            publishable=_CONFIRMED_BY_CLIENT,
            live=needs(providers.PAYMENTS),
            removed=(removed.TYPES,),
        ),
        Endpoint("POST", _ONE + "/capture", capture, live=needs(providers.PAYMENTS)),
        Endpoint("POST", _ONE + "/cancel", cancel, live=asks(providers.PAYMENTS, "an authorization is to be released")),
        Endpoint("POST", _ONE + "/increment_authorization", increment_authorization, live=needs(providers.CHARGES)),
        Endpoint("POST", _ONE + "/apply_customer_balance", apply_customer_balance, live=needs(providers.CHARGES)),
        Endpoint(
            "POST",
            _ONE + "/verify_microdeposits",
            verify_microdeposits,
            publishable=_VERIFIED_BY_CLIENT,
            live=needs(providers.CHARGES),
        ),
        Endpoint("GET", _ONE + "/amount_details_line_items", line_items),
        Endpoint("POST", _ONE + "/refresh", retrieve, publishable=_TOLD_BY_CLIENT, params=_SECRET, level="read"),
        Endpoint(
            "POST",
            _ONE + "/source_cancel",
            source_cancel,
            publishable=_CANCELED_BY_CLIENT,
            params=_CHALLENGED,
            live=needs(providers.CHARGES),
        ),
        Endpoint("GET", "/3ds/{token}", show_challenge, public=True, params=_FRAMED, live=needs(providers.CHARGES)),
        Endpoint(
            "POST",
            "/3ds/{token}/complete",
            complete_challenge,
            public=True,
            params=_FRAMED,
            live=needs(providers.CHARGES),
        ),
        Endpoint(
            "POST", "/3ds/{token}/fail", fail_challenge, public=True, params=_FRAMED, live=needs(providers.CHARGES)
        ),
        Endpoint(
            "GET", "/microdeposit/{token}", show_deposits, public=True, params=P.object(), live=needs(providers.CHARGES)
        ),
        Endpoint(
            "POST",
            "/microdeposit/{token}/verify",
            enter_deposits,
            public=True,
            params=_CODE,
            live=needs(providers.CHARGES),
        ),
        Endpoint(
            "GET",
            "/bank-transfer/{token}",
            show_transfer,
            public=True,
            params=P.object(),
            live=needs(providers.CHARGES),
        ),
    ),
    refusal=refusal,
    on=followup.OF_ATTEMPTS,
    due_live={
        **dict.fromkeys(
            (charge_jobs.PAYMENT_INTENT_CHARGE_SETTLED, jobs.PAYMENT_INTENT_WAITED), needs(providers.CHARGES)
        ),
        jobs.PAYMENT_INTENT_EXPIRE: needs(providers.PAYMENTS),
    },
    on_due={
        charge_jobs.PAYMENT_INTENT_CHARGE_SETTLED: followup.charge_settled,
        jobs.PAYMENT_INTENT_EXPIRE: followup.expire,
        jobs.PAYMENT_INTENT_WAITED: vouchers.waited,
    },
    title="Payments",
    columns=("amount", "currency", "status", "description", "customer", "created"),
    actions=(
        Action("Refund", "/v1/refunds", fields=("amount", "reason"), when=("succeeded",), id_param="payment_intent"),
        Action("Capture", _ONE + "/capture", fields=("amount_to_capture",), when=("requires_capture",)),
        Action("Cancel", _ONE + "/cancel", fields=("cancellation_reason",), when=payment_states.CANCELABLE),
    ),
)
