"""Descriptive fields of a charge: outcome, ``payment_method_details``, and the statement descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from tollkey.payments.methods import instruments, new_cards
from tollkey.payments.processors import cards, protocol
from tollkey.payments.shared import fields
from tollkey.wire import Call, new_object
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api

_NO_DETAIL = "The bank did not return any further details with this decline."
HOLDS_SECONDS = 7 * 86_400


#: Debits whose details name the mandate, besides those that have details of their own here.
_MANDATED = ("acss_debit", "au_becs_debit", "bacs_debit")


def outcome(verdict: protocol.Verdict) -> api.ChargeOutcome:
    """Return ``charge.outcome`` with the keys of current API versions."""
    result: api.ChargeOutcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": verdict.risk_level,
        "risk_score": verdict.risk_score,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if verdict.blocked:
        result.update({"network_status": "not_sent_to_network", "reason": "highest_risk_level", "type": "blocked"})
        result["seller_message"] = "Stripe blocked this payment as too risky."
    elif verdict.decline is not None:
        reason = verdict.decline.decline_code or verdict.decline.code
        generic = reason == "generic_decline"
        result.update({"network_status": "declined_by_network", "reason": reason, "type": "issuer_declined"})
        result["seller_message"] = _NO_DETAIL if generic else f"The bank returned the decline code `{reason}`."
        result.update(
            {
                "advice_code": verdict.decline.advice_code,
                "network_advice_code": verdict.decline.network_advice_code,
                "network_decline_code": verdict.decline.network_decline_code,
            }
        )
    elif verdict.risk_level == "elevated":
        result.update({"reason": "elevated_risk_level", "type": "manual_review"})
        result["seller_message"] = (
            "Stripe evaluated this payment as having elevated risk, and placed it in your manual review queue."
        )
    return result


def payment_method_details(
    call: Call,
    instrument: Instrument | None,
    amount: int,
    verdict: protocol.Verdict,
    *,
    capture: bool,
    authenticated: bool,
    mandate: str | None,
) -> api.PaymentMethodDetails:
    """Return ``charge.payment_method_details`` for any kind of instrument. amount: minor units."""
    kind = protocol.kind_of(instrument)
    card = protocol.card_of_instrument(instrument)
    if instrument is None or kind != "card" or card is None:
        shown = _other(kind, instruments.as_payment_method(call, instrument) if instrument else {}, mandate)
        if verdict.authorization_code is not None or verdict.network_reference is not None:
            shown = {**shown, **_network_answer(verdict)}
        return cast("api.PaymentMethodDetails", {kind: shown, "type": kind})  # the field's name is the type
    source: Mapping[str, Any] = instrument
    inner = (source.get("card") if source["object"] in ("payment_method", "source") else None) or source
    if "exp_month" not in inner:
        month, year = instrument.get("_exp") or (12, 2030)
        inner = {**inner, "exp_month": month, "exp_year": year}
    approved = verdict.status != "failed"
    checks = cards.checks_at_charge(
        card,
        cvc=bool(instrument.get("_cvc")),
        postal_code=bool(instrument.get("_zip")),
        line1=bool(instrument.get("_line1")),
    )
    owner = new_cards.fingerprint_owner(call)
    details = cards.charge_card_details(
        cards.CardDetails(card, inner["exp_month"], inner["exp_year"], owner, checks),
        cards.NetworkAnswer(
            f"{call.ids.number(1_000_000):06d}" if approved else None,
            str(10**14 + call.ids.number(9 * 10**14)),
            call.now + HOLDS_SECONDS if approved and not capture else None,
        ),
        amount=amount,
        three_d_secure=_authenticated(call) if authenticated else None,
        mandate=mandate,
        wallet=inner.get("wallet"),
    )
    details["network"] = value_at(inner, "networks.preferred") or details["network"]
    details["overcapture"] = {"maximum_amount_capturable": amount, "status": "unavailable"}
    return {"card": details, "type": "card"}


def _network_answer(verdict: protocol.Verdict) -> Mapping[str, str | None]:
    return {
        "authorization_code": verdict.authorization_code,
        "network_transaction_id": verdict.network_reference,
    }


def _authenticated(call: Call) -> api.ThreeDSecureDetailsCharge:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": str(UUID(int=call.ids.number(1 << 128), version=4)),
        "version": "2.2.0",
    }


def _other(kind: str, instrument: Mapping[str, Any], mandate: str | None) -> Mapping[str, Any]:
    """Return the details of a method that is not a card: the properties of the specification, set from the
    instrument.
    """
    try:
        details = new_object(f"payment_method_details_{kind}")
    except LookupError:
        details = {}
    known = instrument if instrument.get("object") == "bank_account" else instrument.get(kind) or {}
    if kind == "us_bank_account":
        details = {
            name: known.get(name)
            for name in ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4")
        }
        return {**details, "mandate": mandate, "payment_reference": None, "routing_number": known.get("routing_number")}
    if kind == "sepa_debit":
        details = {name: known.get(name) for name in ("bank_code", "branch_code", "country", "fingerprint", "last4")}
        return {**details, "mandate": mandate}
    if kind == "ach_debit":
        return {
            name: known.get(name)
            for name in ("account_holder_type", "bank_name", "country", "fingerprint", "last4", "routing_number")
        }
    if kind == "card_present":
        details.update({"incremental_authorization_supported": False, "overcapture_supported": False})
    details.pop("id", None)
    details.pop("object", None)
    if mandate is not None and kind in _MANDATED:
        details["mandate"] = mandate
    return {**details, **{name: known[name] for name in details if known.get(name) is not None}}


def of_charge(charge: StoredCharge) -> api.PaymentMethodDetails:
    """Return the ``payment_method_details`` of a charge. The API allows null; this server always sets them."""
    found = charge["payment_method_details"]
    assert found is not None, f"{charge['id']} does not say what was charged"
    return found


def debited(details: api.PaymentMethodDetails, now: int) -> None:
    """Set the debit date in the details of a SEPA debit (recorded). now: UTC epoch seconds."""
    if "sepa_debit" in details:
        details["sepa_debit"]["expected_debit_date"] = datetime.fromtimestamp(now, UTC).date().isoformat()


def descriptor(call: Call, full: str | None, suffix: str | None) -> str:
    """Return the statement descriptor, at most 22 characters: the account's own, followed by the suffix."""
    account = fields.acting_account(call) or {}
    prefix = value_at(account, "settings.card_payments.statement_descriptor_prefix") or value_at(
        account, "settings.payments.statement_descriptor"
    )
    own = str(prefix or value_at(account, "business_profile.name") or "Tollkey")
    text = f"{own[:10]}* {suffix}" if suffix else str(full or own)
    return text.upper()[:22]
