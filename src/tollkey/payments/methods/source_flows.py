"""Sources (``src_…``) and their four flows: chargeable at once, or after an action of the customer.

The redirect page is part of Tollkey: in test mode the customer authorizes or fails the payment on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.methods import jobs, kinds, sepa_addresses, source_limits, states
from tollkey.payments.methods.customer_sources import checked, inline_card
from tollkey.payments.methods.instruments import (
    no_payment_method,
    redeem,
    resolve_payment_method,
    test_card,
)
from tollkey.payments.methods.new_cards import fingerprint_owner
from tollkey.payments.processors import banks, cards, vault
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, permissions
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.hosted import hosted_url
from tollkey.wire.kinds import Kind
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredCard, StoredSource
    from tollkey.wire import api, operations

_TRANSACTION: Kind[api.SourceTransaction] = Kind("source_transaction")
REDIRECT = (
    "alipay", "bancontact", "eps", "giropay", "ideal", "p24", "sofort", "three_d_secure", "klarna", "multibanco",
)  # fmt: skip
RECEIVER = ("ach_credit_transfer", "bitcoin")
REUSABLE = ("card", "sepa_debit", "ach_debit", "acss_debit", "au_becs_debit", "ach_credit_transfer")
#: The types of source that this server makes.
TYPES = tuple(sorted({*REDIRECT, *RECEIVER, *REUSABLE}))
_CURRENCY = {"ideal": "eur", "bancontact": "eur", "eps": "eur", "giropay": "eur", "sofort": "eur", "p24": "eur"}
#: A pending redirect or receiver source is canceled after these seconds.
_EXPIRES_SECONDS = 6 * 3600
_FILLS_AFTER = 1


def create(call: Call, params: operations.PostSources) -> StoredSource:
    """Return a new source of one of ``TYPES``. Raises ApiError for missing or invalid parameters."""
    kind = params.get("type")
    if params.get("token") and kind is None:
        kind = "card"
    if kind is None:
        raise missing_param("type")
    if kind not in TYPES:
        raise invalid(f"Invalid type: must be one of {', '.join(TYPES)}", "type")
    flow = "redirect" if kind in REDIRECT else "receiver" if kind in RECEIVER else "none"
    if params.get("flow") not in (None, flow):  # with another one nobody would have to authorize the payment
        raise invalid(f"Invalid flow: a source of type {kind} has the flow {flow}.", "flow")
    _check_flow(params, flow)
    _check_type(params, kind)
    source = _new(call, params, kind, flow)
    source_limits.set_mandate(source, params.get("mandate"))
    source_limits.set_order(source, params.get("source_order"))
    if kind == "card":
        _set_card(call, source, params)
    elif kind == "three_d_secure":
        _set_three_d_secure(call, source, params)
    elif kind == "sepa_debit":
        _set_sepa_debit(call, source, params)
    else:
        fields.assign(source, {kind: _details(call, kind, value_at(params, kind) or {})}, (kind,))
    if flow == "redirect":
        _start_redirect(call, source, params)
    elif flow == "receiver":
        _start_receiver(call, source, value_at(params, "receiver.refund_attributes_method") or "email")
    vault.hold(call, call.objects.insert(source))
    if source["status"] == "chargeable":
        call.emit("source.chargeable", source)
    return source


def _check_flow(params: operations.PostSources, flow: str) -> None:
    """Refuse what another flow takes."""
    if params.get("receiver") and flow != "receiver":
        raise invalid("You may only specify `receiver` for sources whose flow is `receiver`.", "receiver")
    if params.get("amount") is not None and flow == "receiver":
        raise invalid("You may not specify `amount` for sources whose flow is `receiver`.", "amount")


def _check_type(params: Mapping[str, Any], type: str) -> None:
    """Refuse the details of another type, and a token for a type that takes none."""
    for name in (*TYPES, "wechat"):
        if params.get(name) and name != type:
            raise invalid(f"You may only specify `{name}` for sources whose type is `{name}`.", name)
    if params.get("token") and type != "card":
        raise invalid("You may only specify `token` for sources whose type is `card`.", "token", guess=True)


def _new(call: Call, params: operations.PostSources, kind: str, flow: str) -> StoredSource:
    currency = shared_currency.check_currency(params["currency"]) if params.get("currency") else _CURRENCY.get(kind)
    if params.get("amount") is not None and currency:
        shared_currency.check_amount(params["amount"], currency)
    if flow == "redirect" and params.get("amount") is None:
        raise missing_param("amount")
    id = call.ids.new("src")
    source = new_object(
        kinds.SOURCE,
        id=id,
        amount=params.get("amount"),
        client_secret=f"src_client_secret_{call.ids.text(24)}",
        created=call.now,
        currency=currency,
        flow=flow,
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        owner=_owner({}),
        statement_descriptor=params.get("statement_descriptor"),
        status=states.SOURCE.start("pending" if flow in ("redirect", "receiver") else "chargeable"),
        type=kind,
        usage=params.get("usage") or ("reusable" if kind in REUSABLE else "single_use"),
    )
    set_owner(source, params.get("owner"))
    return source


def _owner(given: Mapping[str, Any]) -> api.SourceOwner:
    return {
        "address": fields.address(given["address"]) if given.get("address") else None,
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "verified_address": None,
        "verified_email": None,
        "verified_name": None,
        "verified_phone": None,
    }


def _owner_of(source: StoredSource) -> api.SourceOwner:
    owner = source["owner"]
    assert owner is not None  # every source is made with one
    return owner


def set_owner(source: StoredSource, owner: operations.Owner | None) -> None:
    """Merge the parameter ``owner`` into a source; None if it was not sent."""
    if owner:
        source["owner"] = _owner({**_owner_of(source), **owner})


def _details(call: Call, kind: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the details of other types. An account number is reduced to its last four digits and a fingerprint."""
    try:
        blanks = new_object(f"source_type_{kind}")
    except LookupError:
        blanks = {}
    details = {**{name: value for name, value in blanks.items() if name not in ("id", "object")}, **given}
    number = re.sub(r"\W", "", "".join(str(details.pop(name, None) or "") for name in ("account_number", "iban")))
    if number:
        details.update({"last4": number[-4:], "fingerprint": cards.fingerprint(number, fingerprint_owner(call))})
    return details


def _set_card(call: Call, source: StoredSource, params: operations.PostSources) -> None:
    data: Any = params.get("card")
    card = (
        inline_card(call, data, "card")
        if isinstance(data, dict)
        else redeem(call, str(params.get("token") or data or ""), "token")
    )
    if not kinds.is_card(card):
        raise invalid("The token provided is not of a card.", "token", retry=False)
    _hold_card(source, card, named=params.get("owner") is not None)
    checked(source)


def _hold_card(source: StoredSource, card: StoredCard, *, named: bool) -> None:
    """Let a source hold a card. named: whether the request says who owns the source."""
    source["card"] = _card_details(card)
    fields.assign(source, card, [name for name in card if name.startswith("_") and name != "_created"])
    if not named and card.get("name"):
        _owner_of(source)["name"] = card["name"]


def _card_details(card: StoredCard) -> api.SourceTypeCard:
    """Return ``source.card``: the legacy card's fields, and whether 3-D Secure is required."""
    known = test_card(card)
    wanted = known.three_d_secure if known is not None else cards.ThreeDSecure.UNENROLLED
    required = wanted in (
        cards.ThreeDSecure.REQUIRED,
        cards.ThreeDSecure.ALWAYS,
        cards.ThreeDSecure.UNLESS_SET_UP,
        cards.ThreeDSecure.REQUIRED_ERROR,
    )
    print_ = card["fingerprint"]
    assert print_ is not None  # every card is made with one
    return {
        "address_line1_check": card.get("address_line1_check"),
        "address_zip_check": card.get("address_zip_check"),
        "brand": card["brand"],
        "country": card.get("country"),
        "cvc_check": card.get("cvc_check"),
        "dynamic_last4": card.get("dynamic_last4"),
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": print_,
        "funding": card["funding"],
        "last4": card["last4"],
        "name": card.get("name"),
        "tokenization_method": card.get("tokenization_method"),
        "three_d_secure": (
            "required" if required else "not_supported" if wanted is cards.ThreeDSecure.NOT_SUPPORTED else "optional"
        ),
    }


def _set_three_d_secure(call: Call, source: StoredSource, params: operations.PostSources) -> None:
    given = (params.get("three_d_secure") or {}).get("card")
    if not given:
        raise missing_param("three_d_secure[card]")
    card = (
        redeem(call, given, "three_d_secure[card]")
        if str(given).startswith("tok_")
        else resolve_payment_method(call, given, "three_d_secure[card]")
    )
    if card.get("customer"):  # only keys that may read the customer may use its saved sources
        if call.client:
            raise no_payment_method(call, str(given), "three_d_secure[card]")
        call.needs(permissions.CUSTOMER)
    source["three_d_secure"] = {"authenticated": False, "card": given, "customer": None}
    fields.assign(source, card, [name for name in card if name.startswith("_")])
    inner = card if kinds.is_card(card) else None if kinds.is_bank_account(card) else card.get("card")
    source["_exp"] = [inner.get("exp_month"), inner.get("exp_year")] if inner else [None, None]


def _set_sepa_debit(call: Call, source: StoredSource, params: operations.PostSources) -> None:
    iban = str((params.get("sepa_debit") or {}).get("iban") or "").replace(" ", "").upper()
    if not iban:
        raise missing_param("sepa_debit[iban]")
    if not banks.iban_valid(iban):
        raise invalid("The IBAN you provided is invalid.", "sepa_debit[iban]", "invalid_bank_account_iban")
    sepa_addresses.check(call, iban[:2], (params.get("owner") or {}).get("address"), "owner")
    facts = banks.sepa_debit(iban, account=fingerprint_owner(call))
    reference = call.ids.text(16).upper()
    source["sepa_debit"] = {
        "bank_code": facts["bank_code"],
        "branch_code": facts["branch_code"],
        "country": facts["country"],
        "fingerprint": facts["fingerprint"],
        "last4": facts["last4"],
        "mandate_reference": reference,
        "mandate_url": f"{call.setup.base_url}/mandates/{reference}",
    }
    if not call.livemode:
        source["_bank"] = banks.key_of(iban)


def again(call: Call, platform: Call, params: operations.PostSources) -> StoredSource:
    """Return a copy of a platform's source, or of a card that its customer saved, on the connected account.

    platform: the call in the platform's account.
    """
    if params["original_source"].startswith("card_"):
        return _of_card(call, platform, params)
    original = platform.objects.get(kinds.SOURCE, params["original_source"], "original_source")
    if params.get("customer") and original.get("customer") != params["customer"]:
        raise platform.objects.missing(kinds.SOURCE, original["id"], "original_source")
    copy = original.copy()
    copy.update({"id": call.ids.new("src"), "created": call.now, "metadata": fields.new_metadata(params)})
    copy.pop("customer", None)
    fields.assign(copy, params, [name for name in ("usage",) if params.get(name)])
    set_owner(copy, params.get("owner"))
    return call.objects.insert(copy)


def _of_card(call: Call, platform: Call, params: operations.PostSources) -> StoredSource:
    """Return a source made from a card of one of the platform's customers.

    Raises ApiError 400 without ``customer``, or if that customer has no such card, and 403 if the key may not read
    customers.
    """
    platform.needs(permissions.CUSTOMER)
    if not params.get("customer"):
        raise missing_param("customer")
    card = platform.objects.find(kinds.CARD, params["original_source"])
    if card is None or card.get("customer") != params["customer"]:
        raise platform.objects.missing(kinds.CARD, params["original_source"], "original_source")
    told: operations.PostSources = {}
    if "metadata" in params:
        told["metadata"] = params["metadata"]
    if "usage" in params:
        told["usage"] = params["usage"]
    if "owner" in params:
        told["owner"] = params["owner"]
    source = _new(call, told, "card", "none")
    _hold_card(source, card, named=params.get("owner") is not None)
    return call.objects.insert(source)


# -- redirect


def _start_redirect(call: Call, source: StoredSource, params: operations.PostSources) -> None:
    given = params.get("redirect")
    back = given["return_url"] if given else None
    if not back:
        raise missing_param("redirect[return_url]")
    expires = call.now + _EXPIRES_SECONDS
    url = hosted_url(call, "source_redirect", source["id"], expires_at=expires)
    source["redirect"] = {"failure_reason": None, "return_url": back, "status": "pending", "url": url}
    call.schedule.add(expires, jobs.SOURCE_EXPIRE, source["id"])


def chargeable(call: Call, source: StoredSource) -> None:
    """Make a source chargeable, with its event."""
    states.SOURCE.set(source, "chargeable")
    if source["type"] == "three_d_secure":
        source["three_d_secure"] = {**source["three_d_secure"], "authenticated": True}
    call.objects.save(source)
    call.emit("source.chargeable", source)


# -- receiver


def _start_receiver(call: Call, source: StoredSource, refunds: str) -> None:
    """Give a source an account to pay into. refunds: how the payer is asked where refunds go: email, manual or none."""
    number = f"{call.ids.number(10**12):012d}"
    source["receiver"] = {
        "address": f"121042882-{number}",
        "amount_charged": 0,
        "amount_received": 0,
        "amount_returned": 0,
        "refund_attributes_method": refunds,
        "refund_attributes_status": "missing",
    }
    print_ = cards.fingerprint(number, fingerprint_owner(call))
    source["ach_credit_transfer"] = {
        "account_number": number,
        "bank_name": "TEST BANK",
        "routing_number": "110000000",
        "swift_code": "TSTEZ122",
        "fingerprint": print_,
        "refund_account_holder_name": None,
        "refund_account_holder_type": None,
        "refund_routing_number": None,
    }
    if _amount_in(_owner_of(source).get("email")) and not call.livemode:
        call.schedule.add(call.now + _FILLS_AFTER, jobs.SOURCE_FILL, source["id"])


def _amount_in(email: str | None) -> int:
    """Return the amount in ``amount_4242@example.com``: in test mode the source then receives it automatically."""
    local = (email or "").partition("@")[0]
    return int(local[7:]) if local.startswith("amount_") and local[7:].isdecimal() and len(local) < 7 + 13 else 0


def receive_test_funds(call: Call, id: str) -> None:
    """Run the job that funds a receiver source in test mode."""
    source = call.objects.find(kinds.SOURCE, id)
    if source is None or source["status"] not in ("pending", "chargeable"):
        return
    amount = _amount_in(_owner_of(source).get("email"))
    received = source["receiver"]["amount_received"] + amount
    source["receiver"] = {**source["receiver"], "amount_received": received}
    bank = source["ach_credit_transfer"]
    arrived = new_object(
        _TRANSACTION,
        id=call.ids.new("srctxn"),
        ach_credit_transfer={
            "customer_data": _owner_of(source).get("email"),
            "fingerprint": bank["fingerprint"],
            "last4": (bank["account_number"] or "")[-4:],
            "routing_number": bank["routing_number"],
        },
        amount=amount,
        created=call.now,
        currency=source["currency"] or "usd",
        livemode=call.livemode,
        source=source["id"],
        status="succeeded",
        type="ach_credit_transfer",
    )
    source["_transactions"] = [arrived, *(source.get("_transactions") or [])]
    call.emit("source.transaction.created", arrived)
    chargeable(call, source)


def expire(call: Call, id: str) -> None:
    """Cancel a source that stayed pending."""
    source = call.objects.find(kinds.SOURCE, id)
    if source is not None and source["status"] == "pending":
        states.SOURCE.set(source, "canceled")
        call.objects.save(source)
        call.emit("source.canceled", source)
