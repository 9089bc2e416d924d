"""Issuing authorizations: requests of merchants to charge an issued card.

    (request: pending, approved=false) ──approve / decline / two seconds──▶ decided
    decided, approved: pending ──capture──▶ closed · ──reverse──▶ reversed · ──expire──▶ expired
    decided, refused:  closed

An approved authorization holds its amount in the issuing balance until it is captured or released.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.issuing import _purchases, jobs, kinds, states, transactions
from tollkey.payments.issuing._book import available, move
from tollkey.payments.issuing._controls import refuses
from tollkey.payments.issuing._merchant import merchant
from tollkey.payments.issuing.cards import count_payment
from tollkey.payments.issuing.cards import view as card_view
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, P, Resource, invalid, new_object
from tollkey.wire.live import needs, only_in_test
from tollkey.wire.pages import listing, retrieve
from tollkey.wire.params import operation_params
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.issuing.stored import StoredIssuingCard
    from tollkey.wire import api, operations

PERMISSION = Permission("issuing_authorization", "Authorizations", "Issuing")
_ANSWER_SECONDS = 2
_NAME = "issuing.authorization"


def _new(call: Call, card: StoredIssuingCard, amount: int, params: Mapping[str, Any]) -> api.IssuingAuthorization:
    currency = shared_currency.check_currency(params.get("currency") or params.get("held_currency") or card["currency"])
    paid_in = params.get("merchant_currency")
    method = params.get("authorization_method") or "online"
    return new_object(
        kinds.AUTHORIZATION,
        id=call.ids.new("iauth"),
        amount=amount,
        amount_details=_purchases.amount_details(params.get("amount_details")),
        approved=False,
        authorization_method=method,
        card=card["id"],
        card_presence="not_present" if method in ("online", "keyed_in") else "present",
        cardholder=card["cardholder"],
        created=call.now,
        currency=currency,
        fleet=_purchases.fleet(params.get("fleet"), "alphanumeric_id"),
        fuel=_purchases.fuel(params.get("fuel")),
        livemode=call.livemode,
        merchant_amount=params.get("merchant_amount") or amount,
        merchant_currency=shared_currency.check_currency(paid_in, "merchant_currency") if paid_in else currency,
        merchant_data=merchant(params.get("merchant_data")),
        metadata={},
        network_data={
            "acquiring_institution_id": (params.get("network_data") or {}).get("acquiring_institution_id"),
            "system_trace_audit_number": None,
            "transaction_id": None,
        },
        status=states.AUTHORIZATION.start("pending"),
        verification_data=_purchases.verification(params.get("verification_data")),
        wallet=params.get("wallet"),
    )


def _held(authorization: api.IssuingAuthorization) -> Money:
    """Return the amount that an authorization requests or holds, in minor units."""
    return Money(authorization["amount"], authorization["currency"])


def _reason(call: Call, card: StoredIssuingCard, authorization: api.IssuingAuthorization) -> str | None:
    """Return why the card is declined, or None."""
    holder = call.objects.get(kinds.CARDHOLDER, card["cardholder"])
    amount, shop = _held(authorization), authorization["merchant_data"]
    if card["status"] != "active":
        return f"card_{card['status']}"
    if holder["status"] != "active":
        return f"cardholder_{holder['status']}"
    if holder["requirements"]["disabled_reason"]:
        return "cardholder_verification_required"
    presence = authorization["card_presence"]
    if refuses(call, card, card["spending_controls"], amount, shop, presence) or refuses(
        call, card, holder["spending_controls"], amount, shop, presence
    ):
        return "spending_controls"
    if available(call, amount.currency) < amount:
        return "insufficient_funds"
    return None


def _decide(call: Call, authorization: api.IssuingAuthorization, approved: bool, reason: str) -> None:
    """Record the decision in the history; an approval holds the amount."""
    amount = authorization["amount"]
    authorization["request_history"].append(
        {
            "amount": amount, "amount_details": authorization["amount_details"], "approved": approved,
            "authorization_code": None,
            "created": call.now, "currency": authorization["currency"],
            "merchant_amount": authorization["merchant_amount"],
            "merchant_currency": authorization["merchant_currency"], "network_risk_score": None, "reason": reason,
            "reason_message": None,
            "requested_at": authorization["created"],
        }
    )  # fmt: skip
    authorization["approved"], authorization["pending_request"] = approved, None
    if approved:
        hold = move(call, "issuing_authorization_hold", -_held(authorization), authorization["id"])
        authorization["balance_transactions"].append(call.objects.copy(hold))
    else:
        states.AUTHORIZATION.set(authorization, "closed")
        authorization["amount"] = 0


def _check_controllable(asked: bool | None) -> None:
    """Raise ApiError 400 when an account is to choose the amount of an authorization that is decided at once."""
    if asked:
        raise invalid(
            "This authorization is decided at once, so nobody can choose its amount; use"
            " `POST /v1/issuing/cards/{card}/test/authorizations` for one that waits for an answer.",
            "is_amount_controllable",
        )


def create(call: Call, params: operations.PostTestHelpersIssuingAuthorizations) -> api.IssuingAuthorization:
    """Simulate a purchase, decided at once by the card's status, its controls and the issuing balance."""
    card = call.objects.get(kinds.CARD, params["card"], "card")
    amount = int(params["amount"] if params.get("amount") is not None else params.get("merchant_amount") or 0)
    _check_controllable(params.get("is_amount_controllable"))
    details = params.get("amount_details") or {}
    if (details.get("atm_fee") or 0) + (details.get("cashback_amount") or 0) > amount:
        raise invalid("The parts of an amount cannot be above the amount itself.", "amount_details")
    authorization = _new(call, card, amount, params)
    refusal = _reason(call, card, authorization)
    _decide(call, authorization, refusal is None, refusal or "webhook_timeout")
    call.objects.insert(authorization, "issuing_authorization.created")
    if refusal is None:
        count_payment(call, card, _held(authorization))
    return authorization


def request(call: Call, params: operations.PostIssuingCardsCardTestAuthorizations) -> api.IssuingAuthorization:
    """Simulate a purchase that the account can approve or decline within two seconds."""
    card = call.objects.get(kinds.CARD, call.path["card"])
    amount = params.get("held_amount") or 0
    authorization = _new(call, card, amount, params)
    authorization["pending_request"] = {
        "amount": amount, "amount_details": {"atm_fee": None, "cashback_amount": None},
        "currency": authorization["currency"],
        "is_amount_controllable": bool(params.get("is_amount_controllable")),
        "merchant_amount": amount, "merchant_currency": authorization["currency"],
        "network_risk_score": None,
    }  # fmt: skip
    call.schedule.add(call.now + _ANSWER_SECONDS, jobs.ISSUING_REQUEST, authorization["id"])
    return call.objects.insert(authorization, "issuing_authorization.request")


def _pending_authorization(call: Call) -> api.IssuingAuthorization:
    authorization = call.objects.get(kinds.AUTHORIZATION, call.path["authorization"])
    if authorization["pending_request"] is None:
        raise invalid("This authorization has no pending request.", retry=False)
    return authorization


def approve(call: Call, params: operations.PostIssuingAuthorizationsAuthorizationApprove) -> api.IssuingAuthorization:
    """Approve a pending request: as much as was asked for, or ``amount`` where the account may choose."""
    authorization = _pending_authorization(call)
    asked = authorization["pending_request"]
    if params.get("amount") is not None:
        if asked is None or not asked["is_amount_controllable"]:
            raise invalid("The amount of this authorization is not yours to choose.", "amount")
        authorization["amount"] = params["amount"]
    fields.merge_metadata(authorization, params)
    return _answer(call, authorization, None, "webhook_approved")


def decline(call: Call, params: operations.PostIssuingAuthorizationsAuthorizationDecline) -> api.IssuingAuthorization:
    """Decline a pending request."""
    authorization = _pending_authorization(call)
    fields.merge_metadata(authorization, params)
    return _answer(call, authorization, "webhook_declined", "")


def _answer(
    call: Call, authorization: api.IssuingAuthorization, refusal: str | None, approval: str
) -> api.IssuingAuthorization:
    card = call.objects.get(kinds.CARD, authorization["card"])
    refusal = refusal or _reason(call, card, authorization)
    _decide(call, authorization, refusal is None, refusal or approval)
    call.schedule.cancel(jobs.ISSUING_REQUEST, authorization["id"])
    call.objects.save(authorization)
    call.emit("issuing_authorization.created", authorization)
    if refusal is None:
        count_payment(call, card, _held(authorization))
    return authorization


def unanswered(call: Call, id: str) -> None:
    """Decide a request that the account did not answer, by the card's status."""
    authorization = call.objects.get(kinds.AUTHORIZATION, id)
    if authorization["pending_request"] is not None:
        _answer(call, authorization, None, "webhook_timeout")


def update(call: Call, params: operations.PostIssuingAuthorizationsAuthorization) -> api.IssuingAuthorization:
    """Change the metadata of an authorization."""
    authorization = call.objects.get(kinds.AUTHORIZATION, call.path["authorization"])
    fields.merge_metadata(authorization, params)
    return call.objects.save(authorization, "issuing_authorization.updated")


# -- test helpers: actions of the merchant


def _open(call: Call) -> api.IssuingAuthorization:
    authorization = call.objects.get(kinds.AUTHORIZATION, call.path["authorization"])
    if not authorization["approved"] or authorization["status"] != "pending":
        raise invalid(
            f"This authorization cannot be changed because its status is {authorization['status']}.", retry=False
        )
    return authorization


def _release(call: Call, authorization: api.IssuingAuthorization, amount: Money) -> None:
    left = _held(authorization) - amount
    if not amount.is_zero:
        back = move(call, "issuing_authorization_release", amount, authorization["id"])
        authorization["balance_transactions"].append(call.objects.copy(back))
    authorization["amount"] = left.amount


def capture(
    call: Call, params: operations.PostTestHelpersIssuingAuthorizationsAuthorizationCapture
) -> api.IssuingAuthorization:
    """Capture an authorization, in full or in part; with ``close_authorization=false`` the rest stays held."""
    authorization = _open(call)
    held = _held(authorization)
    amount = held.with_amount(params.get("capture_amount") or held.amount)
    close = params.get("close_authorization") is not False
    _release(call, authorization, held if close else min(amount, held))
    origin = transactions.origin_of(authorization, authorization["id"])
    made = transactions.record(call, origin, "capture", -amount, params.get("purchase_details"))
    authorization["transactions"].append(made["id"])
    if close:
        states.AUTHORIZATION.set(authorization, "closed")
    return call.objects.save(authorization, "issuing_authorization.updated")


def increment(
    call: Call, params: operations.PostTestHelpersIssuingAuthorizationsAuthorizationIncrement
) -> api.IssuingAuthorization:
    """Increase the amount of an authorization."""
    authorization = _open(call)
    _check_controllable(params.get("is_amount_controllable"))
    more = _held(authorization).with_amount(params["increment_amount"])
    ok = available(call, more.currency) >= more
    if ok:
        hold = move(call, "issuing_authorization_hold", -more, authorization["id"])
        authorization["balance_transactions"].append(call.objects.copy(hold))
        authorization["amount"] += more.amount
        authorization["merchant_amount"] += more.amount
    last = authorization["request_history"][-1].copy()
    last.update(
        {
            "amount": more.amount,
            "merchant_amount": more.amount,
            "approved": ok,
            "created": call.now,
            "reason": "webhook_timeout" if ok else "insufficient_funds",
        }
    )
    authorization["request_history"].append(last)
    return call.objects.save(authorization, "issuing_authorization.updated")


def finalize(
    call: Call, params: operations.PostTestHelpersIssuingAuthorizationsAuthorizationFinalizeAmount
) -> api.IssuingAuthorization:
    """Set the final amount of an authorization made in advance (fuel)."""
    authorization = _open(call)
    held = _held(authorization)
    difference = held - held.with_amount(params["final_amount"])
    if difference < held.with_amount(0):
        raise invalid("final_amount must not be above the held amount.", "final_amount")
    _release(call, authorization, difference)
    if "fleet" in params:
        authorization["fleet"] = _purchases.fleet(params["fleet"], "alphanumeric_id")
    if "fuel" in params:
        authorization["fuel"] = _purchases.fuel(params["fuel"])
    return call.objects.save(authorization, "issuing_authorization.updated")


def reverse(
    call: Call, params: operations.PostTestHelpersIssuingAuthorizationsAuthorizationReverse
) -> api.IssuingAuthorization:
    """Release an authorization, in full or in part."""
    authorization = _open(call)
    held = _held(authorization)
    amount = held.with_amount(params.get("reverse_amount") or held.amount)
    if amount > held:
        raise invalid("reverse_amount must not be above the held amount.", "reverse_amount")
    _release(call, authorization, amount)
    if authorization["amount"] == 0:
        states.AUTHORIZATION.set(authorization, "reversed")
    return call.objects.save(authorization, "issuing_authorization.updated")


def expire(
    call: Call, params: operations.PostTestHelpersIssuingAuthorizationsAuthorizationExpire
) -> api.IssuingAuthorization:
    """Expire an authorization."""
    authorization = _open(call)
    _release(call, authorization, _held(authorization))
    states.AUTHORIZATION.set(authorization, "expired")
    return call.objects.save(authorization, "issuing_authorization.updated")


def view(call: Call, authorization: api.IssuingAuthorization) -> Mapping[str, object]:
    """Return an authorization that contains its card and its transactions."""
    objects = call.objects
    card, inside = authorization["card"], authorization["transactions"]
    return {
        **authorization,
        "card": card_view(call, objects.copy(objects.get(kinds.CARD, card))) if isinstance(card, str) else card,
        "transactions": [
            objects.copy(objects.get(kinds.TRANSACTION, id)) if isinstance(id, str) else id for id in inside
        ],
    }


_HELP = "/v1/test_helpers/issuing/authorizations"
_CREATED = operation_params("POST", _HELP).fields
_ASKED = P.object(
    held_amount=P.integer(0),
    held_currency=P.string(),
    authorization_method=_CREATED["authorization_method"],
    is_amount_controllable=P.boolean(),
    merchant_data=_CREATED["merchant_data"],
)


def _reversed(call: Call, authorization: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 an authorization that expired was ``reversed``."""
    if authorization["status"] == "expired":
        authorization["status"] = "reversed"


AUTHORIZATION = Resource(
    object=_NAME,
    prefix="iauth",
    permission=PERMISSION,
    live=needs(providers.ISSUING),
    label="issuing authorization",
    path_param="authorization",
    indexed=("card", "cardholder", "status"),
    view=view,
    changes=(Change("2025-03-31", _reversed),),
    on_due={jobs.ISSUING_REQUEST: unanswered},
    endpoints=(
        listing(_NAME, "/v1/issuing/authorizations"),
        retrieve(_NAME, "/v1/issuing/authorizations/{authorization}"),
        Endpoint("POST", "/v1/issuing/authorizations/{authorization}", update),
        Endpoint("POST", "/v1/issuing/authorizations/{authorization}/approve", approve),
        Endpoint("POST", "/v1/issuing/authorizations/{authorization}/decline", decline),
        Endpoint("POST", "/v1/issuing/cards/{card}/test/authorizations", request, params=_ASKED, live=only_in_test()),
        Endpoint("POST", _HELP, create, live=only_in_test()),
        Endpoint("POST", _HELP + "/{authorization}/capture", capture, live=only_in_test()),
        Endpoint("POST", _HELP + "/{authorization}/increment", increment, live=only_in_test()),
        Endpoint("POST", _HELP + "/{authorization}/finalize_amount", finalize, live=only_in_test()),
        Endpoint("POST", _HELP + "/{authorization}/reverse", reverse, live=only_in_test()),
        Endpoint("POST", _HELP + "/{authorization}/expire", expire, live=only_in_test()),
    ),
    title="Issuing authorizations",
    columns=("amount", "status", "approved", "id", "created"),
)
