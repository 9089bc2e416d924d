"""Vouchers and codes that customers pay elsewhere: when they expire, and what test mode does with them by itself.

requires_action ──three minutes, or as the e-mail address says──▶ paid │ expired

In test mode the e-mail address of the payment method decides, and for Konbini the confirmation number, too (the guides
of Boleto, Konbini, Multibanco, OXXO and Pix).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tollkey.payments.intents import jobs, kinds, payment_states
from tollkey.payments.intents.actions import PAGES
from tollkey.payments.intents.outcome import charge_and_record, refuse
from tollkey.payments.processors import banks, protocol
from tollkey.payments.shared import clock, fields
from tollkey.wire import Call, invalid
from tollkey.wire.hosted import hosted_url
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import Ending, Instrument, StoredPaymentIntent

#: Hours that the local time of a voucher's country is ahead of UTC: a voucher ends at the end of a day there.
_ZONES = {"boleto": -3, "konbini": 9, "multibanco": 0, "oxxo": -6}
_DAYS = {"boleto": 3, "konbini": 3, "multibanco": 7, "oxxo": 3}
KINDS = frozenset({*_ZONES, "pix"})
_PIX_SECONDS = 86_400
#: Seconds after which test mode pays a voucher, or lets one expire, "with delay".
LATER_SECONDS = 180
_NUMBERS = {
    "22222222220": "succeed_immediately",
    "33333333330": "expire_immediately",
    "44444444440": "expire_with_delay",
    "55555555550": "fill_never",
}
_REJECTED_NUMBER = "01234567890"
_EXPIRED = (
    "The payment attempt for this PaymentIntent has expired. You can provide payment_method_data or a new PaymentMethod"
    " to attempt to fulfill this PaymentIntent again."
)
DEPOSITS_FAILED = "Microdeposit transfers failed. Please check the account, institution and transit numbers provided."


def action(call: Call, intent: StoredPaymentIntent, method: Instrument) -> Any:
    """Return ``next_action`` of a voucher, and plan what test mode does with it.

    Raises ApiError 400 for a Konbini confirmation number that is rejected.
    """
    kind = protocol.kind_of(method)
    now = clock.at_clock(call, fields.clock_of(call, intent["customer"])).now
    options = value_at(intent, f"payment_method_options.{kind}") or {}
    name = _wanted(kind, method, options)
    expires = _expiry(kind, options, now)
    ending: Ending = "expired" if name in ("expire_immediately", "expire_with_delay", "fill_never") else "paid"
    due = now + LATER_SECONDS
    if name in ("succeed_immediately", "expire_immediately"):
        due = now + fields.settle_seconds(call)
    elif name == "fill_never":
        due = expires
    if name == "expire_immediately":
        expires = now
    elif name == "expire_with_delay":
        expires = due
    plan(call, intent, ending, due)
    return _display(call, kind, hosted_url(call, PAGES["payment_intent"], intent["id"]), expires, options)


def _wanted(kind: str, method: Instrument, options: Mapping[str, Any]) -> str | None:
    """Return the documented end of the e-mail address that decides, or None."""
    number = options.get("confirmation_number")
    if number == _REJECTED_NUMBER:
        raise invalid(
            "The provided confirmation number was rejected. Please try again with a different confirmation number.",
            "payment_method_options[konbini][confirmation_number]",
            "payment_intent_konbini_rejected_confirmation_number",
            retry=False,
        )
    if kind == "konbini" and number in _NUMBERS:
        return _NUMBERS[number]
    who = str(value_at(method, "billing_details.email") or "").partition("@")[0]
    return next((name for name in _NUMBERS.values() if who.endswith(name)), None)


def _expiry(kind: str, options: Mapping[str, Any], now: int) -> int:
    """Return when a voucher expires, in UTC epoch seconds: as the options say, or by the default of its kind."""
    if options.get("expires_at"):
        return int(options["expires_at"])
    if kind == "pix":
        return now + int(options.get("expires_after_seconds") or _PIX_SECONDS)
    zone = timezone(timedelta(hours=_ZONES[kind]))
    days = options.get("expires_after_days")
    day = datetime.fromtimestamp(now, UTC).astimezone(zone) + timedelta(days=_DAYS[kind] if days is None else days)
    return int(day.replace(hour=23, minute=59, second=59, microsecond=0).timestamp())


def _display(call: Call, kind: str, url: str, expires: int, options: Mapping[str, Any]) -> Mapping[str, Any]:
    number = f"{call.ids.number(10**11):011d}"
    details: dict[str, object] = {"expires_at": expires, "hosted_voucher_url": url}
    name = f"{kind}_display_details"
    if kind == "pix":
        name = "pix_display_qr_code"
        details = {"data": url, "expires_at": expires, "hosted_instructions_url": url}
        details.update({"image_url_png": url, "image_url_svg": url})
    elif kind == "boleto":
        details.update({"number": number, "pdf": url})
    elif kind == "oxxo":
        details = {"expires_after": expires, "hosted_voucher_url": url, "number": number}
    elif kind == "multibanco":
        details.update({"entity": "12345", "reference": number[:9]})
    else:
        store = {"confirmation_number": options.get("confirmation_number") or number, "payment_code": number[:6]}
        details["stores"] = {shop: dict(store) for shop in ("familymart", "lawson", "ministop", "seicomart")}
    return {name: details, "type": name}


def plan(call: Call, intent: StoredPaymentIntent, ending: Ending, due: int) -> None:
    """Plan what becomes of a waiting intent by itself in test mode. due: UTC epoch seconds, of the customer's clock."""
    intent["_fate"] = ending
    call.schedule.cancel(jobs.PAYMENT_INTENT_WAITED, intent["id"])  # of an earlier attempt
    call.schedule.add(due, jobs.PAYMENT_INTENT_WAITED, intent["id"], fields.clock_of(call, intent["customer"]))


def plan_deposits(call: Call, intent: StoredPaymentIntent, method: Instrument) -> None:
    """Plan the failure of the micro-deposits to the test account that they fail for."""
    bank = banks.bank_by_key(method.get("_bank"))
    if bank is not None and bank.mark == "no_deposits":
        now = clock.at_clock(call, fields.clock_of(call, intent["customer"])).now
        plan(call, intent, "deposits_failed", now + fields.settle_seconds(call))


def waited(call: Call, id: str) -> None:
    """Run the job ``payment_intent.waited``: the voucher is paid or expires, or the micro-deposits fail."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, id)
    ending = intent.get("_fate") if intent is not None else None
    if intent is None or ending is None or intent["status"] != "requires_action":
        return
    method = payment_states.method_of(call, intent)
    del intent["_fate"]
    if ending == "paid":
        charge_and_record(call, intent, method, off_session=False, authenticated=True)
    elif ending == "expired":
        refuse(call, intent, method, invalid(_EXPIRED, None, "payment_intent_payment_attempt_expired"))
    else:
        refuse(call, intent, method, invalid(DEPOSITS_FAILED, None, "payment_method_microdeposit_failed"))
