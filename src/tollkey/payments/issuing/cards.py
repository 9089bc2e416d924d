"""Issued cards.

inactive ──update status=active──▶ active ──update status=inactive──▶ inactive
    └────────── update status=canceled (lost, stolen) ──▶ canceled    (for good)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.issuing import kinds, shipping, states
from tollkey.payments.issuing._controls import changed, controls
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import needs
from tollkey.wire.pages import listing, retrieve
from tollkey.wire.sealing import seal_params, unseal_params

if TYPE_CHECKING:
    from tollkey.payments.issuing.stored import StoredIssuingCard
    from tollkey.wire import api, operations

PERMISSION = Permission("issuing_card", "Cards", "Issuing")
_FOUR_YEARS = 4


def _year_month(now: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(now, UTC)
    return day.year + _FOUR_YEARS, day.month


def _luhn_end(digits: str) -> str:
    doubled = [int(d) if at % 2 else sum(divmod(int(d) * 2, 10)) for at, d in enumerate(reversed(digits))]
    return digits + str(-sum(doubled) % 10)


def _wallets() -> api.IssuingCardWallets:
    why = "missing_cardholder_contact"
    return {
        "apple_pay": {"eligible": False, "ineligible_reason": why},
        "google_pay": {"eligible": False, "ineligible_reason": why},
        "primary_account_identifier": None,
    }


def _validation(
    given: Mapping[str, Any] | None, address: api.Address
) -> api.IssuingCardShippingAddressValidation | None:
    """Return ``address_validation`` of a shipment: nobody corrects the address here, so its result is not known."""
    mode = given.get("mode") if given else None
    if mode is None:
        return None
    return {
        "mode": mode,
        "normalized_address": None if mode == "disabled" else address.copy(),
        "result": "indeterminate" if mode == "validation_and_normalization" else None,
    }


def _shipping(given: Mapping[str, Any] | None) -> api.IssuingCardShipping | None:
    """Return ``shipping`` of a physical card. Raises ApiError 400 for a signature that its service does not ask for."""
    if given is None:
        return None
    address, customs = fields.full_address(given["address"]), given.get("customs")
    service, signature = given.get("service") or "standard", given.get("require_signature")
    if signature and service == "standard":
        raise invalid("The standard shipping service does not support signatures.", "shipping[require_signature]")
    status: Literal["pending"] = states.SHIPPING.start("pending")
    return {
        "address": address, "address_validation": _validation(given.get("address_validation"), address),
        "carrier": None, "customs": {"eori_number": customs.get("eori_number")} if customs else None, "eta": None,
        "name": given["name"], "phone_number": given.get("phone_number"),
        "require_signature": service != "standard" if signature is None else signature,
        "service": service, "status": status, "tracking_number": None,
        "tracking_url": None,
        "type": given.get("type") or "individual",
    }  # fmt: skip


def _lifecycle(given: operations.PostIssuingCardsLifecycleControls | None) -> api.IssuingCardLifecycleControls | None:
    """Return ``lifecycle_controls``. Raises ApiError 400 for a card that would be canceled before its first payment."""
    if given is None:
        return None
    count = given["cancel_after"]["payment_count"]
    if count < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", "lifecycle_controls[cancel_after][payment_count]"
        )
    return {"cancel_after": {"payment_count": count}}


def count_payment(call: Call, card: StoredIssuingCard, amount: Money) -> None:
    """Count an approved payment that is not of zero; the card is canceled with the last one that its rules allow."""
    rules = card.get("lifecycle_controls")  # absent in cards of earlier versions
    if rules is None or amount.is_zero or card["status"] == "canceled":
        return
    card["_payments"] = card.get("_payments", 0) + 1
    last = card["_payments"] >= rules["cancel_after"]["payment_count"]
    if last:
        states.CARD.set(card, "canceled")
    call.objects.save(card, "issuing_card.updated" if last else None)


def create(call: Call, params: operations.PostIssuingCards) -> StoredIssuingCard:
    """Issue a card to a cardholder."""
    if params.get("cardholder") is None:
        raise missing_param("cardholder")
    holder = call.objects.get(kinds.CARDHOLDER, params["cardholder"], "cardholder")
    status = params.get("status") or "inactive"
    if status == "active" and holder["requirements"]["past_due"]:
        raise invalid("This card cannot be activated: its cardholder has outstanding requirements.", "status")
    if params["type"] == "physical" and params.get("shipping") is None:
        raise missing_param("shipping")
    year, month = _year_month(call.now)
    currency = shared_currency.check_currency(params["currency"], "currency")
    digits = "".join(str(ord(letter) % 10) for letter in call.ids.text(9))
    number = _luhn_end("400000" + digits)
    card = new_object(
        kinds.CARD,
        id=call.ids.new("ic"),
        brand="Visa",
        cardholder=holder["id"],
        created=call.now,
        currency=currency,
        exp_month=params.get("exp_month") or month,
        exp_year=params.get("exp_year") or year,
        last4=number[-4:],
        lifecycle_controls=_lifecycle(params.get("lifecycle_controls")),
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        replacement_for=params.get("replacement_for"),
        replacement_reason=params.get("replacement_reason"),
        second_line=params.get("second_line"),
        shipping=_shipping(params.get("shipping")),
        spending_controls=controls(params.get("spending_controls"), currency=currency),
        status=states.CARD.start(status),
        type=params["type"],
        wallets=_wallets(),
    )
    card["_printed"] = seal_params(
        call, card["id"], {"number": number, "cvc": f"{sum(map(int, number)) * 7 % 1000:03}"}
    )
    if params.get("replacement_for"):
        old = call.objects.get(kinds.CARD, params["replacement_for"], "replacement_for")
        old["replaced_by"] = card["id"]
        call.objects.save(old, "issuing_card.updated")
    return call.objects.insert(card, "issuing_card.created")


def _printed(name: str) -> Callable[[Call, StoredIssuingCard], str | None]:
    """Return the expandable field ``number`` or ``cvc`` of a card, which is sealed at rest."""

    def printed(call: Call, card: StoredIssuingCard) -> str | None:
        sealed = unseal_params(call, card["id"], card.get("_printed")).get(name)
        return sealed or (card.get("_number") if name == "number" else card.get("_cvc"))

    return printed


def update(call: Call, params: operations.PostIssuingCardsCard) -> StoredIssuingCard:
    """Change a card's status, controls or metadata; a canceled card stays canceled."""
    card = call.objects.get(kinds.CARD, call.path["card"])
    status = params.get("status")
    if status and card["status"] == "canceled" and status != "canceled":
        raise invalid("A canceled card cannot be reactivated.", "status")
    if status:
        states.CARD.set(card, status)
    if status == "canceled" or params.get("cancellation_reason"):
        if card["status"] != "canceled":
            raise invalid("Only a canceled card has a cancellation reason.", "cancellation_reason")
        card["cancellation_reason"] = params.get("cancellation_reason") or card["cancellation_reason"]
    if params.get("spending_controls"):
        card["spending_controls"] = changed(card["spending_controls"], params["spending_controls"])
    if params.get("shipping"):
        if card["shipping"] is None or card["status"] == "canceled":
            raise invalid("Only a physical card that is not canceled is shipped.", "shipping")
        moved, card["shipping"] = card["shipping"], _shipping(params["shipping"])
        if card["shipping"] is not None:  # another address does not bring the card back
            states.SHIPPING.restore(card["shipping"], str(moved["status"]))
    fields.merge_metadata(card, params)
    return call.objects.save(card, "issuing_card.updated")


def view(call: Call, card: StoredIssuingCard) -> Mapping[str, object]:
    """Return a card that contains its cardholder."""
    card.setdefault("lifecycle_controls", None)
    holder = card["cardholder"]
    if not isinstance(holder, str):
        return card
    return {**card, "cardholder": call.objects.copy(call.objects.get(kinds.CARDHOLDER, holder))}


CARD = Resource(
    object="issuing.card",
    prefix="ic",
    permission=PERMISSION,
    live=needs(providers.ISSUING),
    label="issuing card",
    path_param="card",
    indexed=("cardholder", "exp_month", "exp_year", "last4", "status", "type"),
    expands={"number": _printed("number"), "cvc": _printed("cvc")},
    sealed=("_printed",),
    view=view,
    endpoints=(
        Endpoint("POST", "/v1/issuing/cards", create),
        listing("issuing.card", "/v1/issuing/cards"),
        retrieve("issuing.card", "/v1/issuing/cards/{card}"),
        Endpoint("POST", "/v1/issuing/cards/{card}", update),
        *shipping.ENDPOINTS,
    ),
    title="Issued cards",
    columns=("last4", "status", "type", "id", "created"),
)
