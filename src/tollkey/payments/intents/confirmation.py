"""Confirming a PaymentIntent: it ends in a charge, or in a next action for the customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.charges import splitting
from tollkey.payments.intents import (
    bank_transfers,
    building,
    defaults,
    kinds,
    payment_states,
    through_network,
    vouchers,
)
from tollkey.payments.intents.actions import (
    DEPOSITED,
    card_challenge,
    check_return_url,
    deposits_action,
    first_action,
    redirect_action,
    unverified,
)
from tollkey.payments.intents.client_secrets import only_raised
from tollkey.payments.intents.method_choice import check_owner, redeem_confirmation_token
from tollkey.payments.intents.outcome import charge_and_record, refuse
from tollkey.payments.methods import customer_sources, instruments, mandates, method_types
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import asking, protocol
from tollkey.payments.shared import events, providers
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import card_error, missing_param
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import Instrument, StoredPaymentIntent
    from tollkey.wire import api, operations

_BOTH_SESSIONS = (
    "You cannot confirm with `off_session=true` when `setup_future_usage` is also set on the PaymentIntent."
    " The customer needs to be"
    " on-session to perform the steps which may be required to set up the PaymentMethod for future usage."
    " Please confirm this"
    " PaymentIntent with your customer on-session."
)
_ASKED = ("any", "challenge")


def confirm_intent(call: Call, intent: StoredPaymentIntent, params: Mapping[str, Any]) -> ApiError | None:
    """Confirm a stored PaymentIntent and save the result, with its events.

    params: those of the confirm endpoint. Returns the 402 error of a declined payment, which the caller may raise, or
        None. Raises ApiError for parameters or a status that do not allow confirmation, and 402 if this mode has no
        provider; the caller must then keep no changes.
    """
    call.require(providers.PAYMENTS)
    through_network.check_free(intent)
    if intent["status"] == "canceled" and any(params.get(name) is not None for name in _CHOICES):
        payment_states.check_updatable(call, intent, "payment_method")  # as recorded, stripe-react-native issue 1688
    payment_states.check_confirmable(call, intent)
    params = redeem_confirmation_token(call, params, intent)
    defaults.ask(call, intent, bool(params.get("set_as_default_payment_method")))
    only_raised(call, intent, params)
    if not params.get("return_url") and intent.get("_returns_to"):
        params = {**params, "return_url": intent["_returns_to"]}
    change = {name: value for name, value in params.items() if name in _CHANGES}
    building.apply(call, intent, cast("operations.PostPaymentIntentsIntent", change))
    building.choose_method(call, intent, params)
    _check_amount(intent, params.get("amount_to_confirm"))
    _default_source(call, intent, params)
    if intent["payment_method"] is None:
        raise payment_states.missing_method(call, intent)
    check_return_url(call, intent, params.get("return_url"), bool(params.get("off_session")))
    off_session = bool(params.get("off_session"))
    if off_session and intent["setup_future_usage"] is not None:
        raise invalid(_BOTH_SESSIONS, "off_session", "payment_intent_invalid_parameter")
    method = instruments.resolve_payment_method(call, intent["payment_method"])
    check_owner(call, intent, method)  # it may have been detached or attached since the intent named it
    if methods_kinds.is_source(method):
        customer_sources.check_chargeable(method, "source")
    code = value_at(params, "payment_method_options.card.cvc_token")
    if code is None and not off_session:
        _check_recollected(intent, method)
    if code is not None:
        _redeem_code(call, code)
    intent["_mandate"] = mandates.mandate_for(call, intent, method, params)
    if params.get("radar_options"):
        intent["_radar_options"] = params["radar_options"]
    return _attempt(call, intent, method, params, off_session)


def _check_amount(intent: StoredPaymentIntent, amount: int | None) -> None:
    """Raise ApiError 400 if another amount is to be confirmed than the intent's. amount: minor units, or None."""
    if amount not in (None, intent["amount"]):
        raise invalid(
            f"The amount to confirm ({amount}) is not the amount of this PaymentIntent ({intent['amount']}).",
            "amount_to_confirm",
            "payment_intent_invalid_parameter",
        )


def _check_recollected(intent: StoredPaymentIntent, method: Instrument) -> None:
    """Raise ApiError 400 if the security code of a saved card, which was not sent, is to be asked for again.

    Source: the description of ``payment_method_options[card][require_cvc_recollection]``.
    """
    asks = value_at(intent, "payment_method_options.card.require_cvc_recollection") and method.get("customer")
    if asks and protocol.kind_of(method) == "card":
        raise missing_param("payment_method_options[card][cvc_token]")


def _redeem_code(call: Call, id: str) -> None:
    """Use up the token of a security code. Raises ApiError 400 for an unknown or used one, and for any other token."""
    param = "payment_method_options[card][cvc_token]"
    token = call.objects.get(methods_kinds.TOKEN, id, param)
    if token["type"] != "cvc_update":
        raise invalid("This token is not one of a security code.", param)
    if token["used"]:
        raise invalid(f"You cannot use a token more than once: {id}.", param, "token_already_used")
    token["used"] = True
    call.objects.save(token)
    asking.recollected(call, token.get("_code"))


#: Parameters that choose a payment method.
_CHOICES = ("payment_method", "payment_method_data", "confirmation_token")
_CHANGES = frozenset({
    "allowed_payment_method_types", "amount_details", "capture_method", "payment_details", "payment_method_options",
    "payment_method_types",
    "receipt_email", "save_payment_method",
    "setup_future_usage", "shipping", "excluded_payment_method_types", "hooks",
})  # fmt: skip


def _default_source(call: Call, intent: StoredPaymentIntent, params: Mapping[str, Any]) -> None:
    """Use the customer's default source if there is no payment method, as with the Charges API."""
    if intent["payment_method"] is None and intent["customer"] is not None:
        customer = call.objects.get(kinds.CUSTOMER, intent["customer"], "customer")
        if customer.get("default_source"):
            building.choose_method(call, intent, {"source": customer["default_source"]})


def _attempt(
    call: Call, intent: StoredPaymentIntent, method: Instrument, params: Mapping[str, Any], off_session: bool
) -> ApiError | None:
    call.announce(events.IntentActs(intent))
    splitting.check_may_charge(call, intent["on_behalf_of"])
    splitting.check_method(call, intent["on_behalf_of"], method, intent["currency"])
    through_network.check_method(call, method, intent["currency"])
    kind = protocol.kind_of(method)
    if call.livemode:
        intent["_return_url"] = params.get("return_url")  # if the processor sends the customer away
    intent.pop("_fate", None)  # what was planned for an earlier attempt
    redirected = methods_kinds.is_source(method) and method["flow"] == "redirect"  # its customer has been asked
    authenticated = intent.get("_authenticated") == method["id"] or redirected
    challenge = None
    if kind == "card" and not authenticated:
        requested = value_at(intent, "payment_method_options.card.request_three_d_secure") in _ASKED
        challenge = card_challenge(method, off_session=off_session, requested=requested, client=bool(call.client))
    redirects = kind in method_types.TYPES and (method_types.TYPES[kind].redirects or kind in _SHOWN)
    deposits = unverified(intent, method)
    leaves = challenge == "challenge" or (not deposits and not authenticated and kind != "card" and redirects)
    outcome: ApiError | None
    if kind == "customer_balance":
        outcome = bank_transfers.confirm(call, intent)
    elif challenge == "error":
        declined = card_error("card_declined", "Your card was declined.", decline_code="generic_decline")
        outcome = refuse(call, intent, method, declined)
    elif leaves and params.get("error_on_requires_action"):
        outcome = refuse(call, intent, method, _needs_action())
    elif leaves or deposits:
        outcome = _require_action(call, intent, _action(call, intent, method, params))
    else:
        outcome = charge_and_record(call, intent, method, off_session=off_session, authenticated=authenticated)
    return outcome


def _action(call: Call, intent: StoredPaymentIntent, method: Instrument, params: Mapping[str, Any]) -> Any:
    """Return the ``next_action`` of a payment method that needs one, else None."""
    kind, return_url = protocol.kind_of(method), params.get("return_url")
    if kind == "card":
        sdk = bool(params.get("use_stripe_sdk"))
        return first_action(call, intent, method, return_url=return_url, use_stripe_sdk=sdk)
    if kind in DEPOSITED:
        vouchers.plan_deposits(call, intent, method)
        return deposits_action(call, intent, kind)
    if kind in vouchers.KINDS:
        return vouchers.action(call, intent, method)
    return redirect_action(call, intent, kind, return_url)


#: Payment methods that display a code or a voucher.
_SHOWN = frozenset({"wechat_pay", "paynow", "promptpay"}) | vouchers.KINDS


def _needs_action() -> ApiError:
    return card_error(
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
        decline_code="authentication_not_handled",
    )


def _require_action(call: Call, intent: StoredPaymentIntent, action: api.PaymentIntentNextAction) -> ApiError | None:
    """Set the next action, and the status ``requires_action``."""
    payment_states.move(intent, "requires_action")
    intent["next_action"] = action
    call.objects.save(intent)
    call.emit("payment_intent.requires_action", intent)
    return None
