"""A test card that is presented to a simulated reader: it pays the intent, with the tip that its holder adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tollkey.payments.intents import payment_intents
from tollkey.payments.methods import payment_methods
from tollkey.payments.processors import cards
from tollkey.payments.terminal import kinds, states
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import api, operations

_APPROVED = "4242424242424242"


def present(
    call: Call, params: operations.PostTestHelpersTerminalReadersReaderPresentPaymentMethod
) -> api.TerminalReader:
    """Present a test card to a simulated reader; the intent is charged, or declined for a declining card."""
    reader = call.objects.get(kinds.READER, call.path["reader"])
    action = reader["action"]
    if action is None or action["status"] != "in_progress":
        raise invalid("Reader has no action in progress.", retry=False)
    asked = action["process_payment_intent"]
    intent = call.objects.get(kinds.PAYMENT_INTENT, asked["payment_intent"])
    config: api.TerminalReaderReaderResourceProcessConfig = asked.get("process_config") or {}
    tip = _tip(params.get("amount_tip"), bool(config.get("skip_tipping")))
    method = _read(call, _number(params), reader.get("_redisplay"))
    amount, details = intent["amount"], intent["amount_details"]
    if tip:
        _add_tip(intent, tip)
    confirmed: operations.PostPaymentIntentsIntentConfirm = {"payment_method": method["id"]}
    if config.get("return_url"):
        confirmed["return_url"] = config["return_url"]
    error = payment_intents.confirm_intent(call, intent, confirmed)
    if error is None:
        states.ACTION.set(action, "succeeded")
    else:
        states.ACTION.set(action, "failed")
        action.update({"failure_code": error.code, "failure_message": error.message})
        if tip:
            intent["amount"], intent["amount_details"] = amount, details
            call.objects.save(intent)
    call.objects.save(reader)
    call.emit("terminal.reader.action_succeeded" if error is None else "terminal.reader.action_failed", reader)
    return reader


def _tip(given: int | None, skipped: bool) -> int:
    """Return the tip, in minor units. Raises ApiError 400 for a negative one, or where the reader asks for none."""
    if given is not None and given < 0:
        raise invalid("This value must be greater than or equal to 0.", "amount_tip")
    if given and skipped:
        raise invalid("The reader does not ask for a tip, because `process_config[skip_tipping]` is set.", "amount_tip")
    return given or 0


def _add_tip(intent: StoredPaymentIntent, tip: int) -> None:
    """Add a tip to what an intent charges. tip: minor units."""
    intent["amount"] += tip
    intent["amount_details"] = {**(intent["amount_details"] or {}), "tip": {"amount": tip}}


def _number(params: operations.PostTestHelpersTerminalReadersReaderPresentPaymentMethod) -> str:
    """Return the number of the presented card. Raises ApiError 400 for what a simulated reader does not read."""
    if params.get("type", "card_present") != "card_present":
        raise invalid("Simulated readers of this server read cards of the type card_present only.", "type")
    return cards.normal_number((params.get("card_present") or {}).get("number") or _APPROVED)


def _read(
    call: Call, number: str, redisplay: Literal["always", "limited", "unspecified"] | None
) -> StoredPaymentMethod:
    """Return the payment method of a card that the reader has read. redisplay: its ``allow_redisplay``."""
    card = cards.by_number(number)
    if card is None:
        raise invalid("The card number is not a test card.", "card_present[number]")
    method = payment_methods.create_of(call, "card_present", {"allow_redisplay": redisplay} if redisplay else {})
    inner = method["card_present"]
    inner.update(
        {
            "brand": card.brand,
            "country": card.country,
            "funding": card.funding,
            "last4": card.last4,
            "read_method": "contactless_emv",
        }
    )
    inner.update(
        {
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": call.ids.text(16),
            "networks": {"available": [card.brand], "preferred": None},
        }
    )
    method["_card"] = card.key
    return call.objects.save(method)
