"""The shipping of physical cards, which test helpers move on.

pending ──▶ submitted ──▶ shipped ──▶ delivered │ returned │ failure

A step may be left out; no helper goes back, and none goes on from the last three (inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.issuing import kinds, states
from tollkey.wire import Call, Endpoint, invalid
from tollkey.wire.live import only_in_test

if TYPE_CHECKING:
    from tollkey.payments.issuing.stored import StoredIssuingCard
    from tollkey.wire import operations

#: The version since which cards are submitted before they are shipped.
_SUBMITTED_SINCE = "2024-09-30"


def submit(call: Call, params: operations.PostTestHelpersIssuingCardsCardShippingSubmit) -> StoredIssuingCard:
    """Set the shipping status of a card to ``submitted``. Raises ApiError 400 for versions that do not have it."""
    if call.version < _SUBMITTED_SINCE:
        raise invalid("This method requires API version 2024-09-30.acacia or later.", retry=False)
    return _move(call, "submitted")


def ship(call: Call, params: operations.PostTestHelpersIssuingCardsCardShippingShip) -> StoredIssuingCard:
    """Set the shipping status of a card to ``shipped``."""
    return _move(call, "shipped")


def deliver(call: Call, params: operations.PostTestHelpersIssuingCardsCardShippingDeliver) -> StoredIssuingCard:
    """Set the shipping status of a card to ``delivered``."""
    return _move(call, "delivered")


def give_back(call: Call, params: operations.PostTestHelpersIssuingCardsCardShippingReturn) -> StoredIssuingCard:
    """Set the shipping status of a card to ``returned``."""
    return _move(call, "returned")


def fail(call: Call, params: operations.PostTestHelpersIssuingCardsCardShippingFail) -> StoredIssuingCard:
    """Set the shipping status of a card to ``failure``."""
    return _move(call, "failure")


def _move(call: Call, to: str) -> StoredIssuingCard:
    """Set the shipping status of the card in the path. Raises ApiError 400 where it cannot follow."""
    card = call.objects.get(kinds.CARD, call.path["card"])
    shipping = card["shipping"]
    if card["type"] != "physical" or shipping is None:
        raise invalid("Only physical cards are shipped.", "card", retry=False)
    if not states.SHIPPING.allows(str(shipping["status"]), to):
        message = f"The shipping of this card cannot become {to} because its status is {shipping['status']}."
        raise invalid(message, None, retry=False)
    moved = shipping.copy()
    states.SHIPPING.set(moved, to)
    card["shipping"] = moved
    return call.objects.save(card, "issuing_card.updated")


_PATH = "/v1/test_helpers/issuing/cards/{card}/shipping"
ENDPOINTS = (
    Endpoint("POST", f"{_PATH}/submit", submit, live=only_in_test()),
    Endpoint("POST", f"{_PATH}/ship", ship, live=only_in_test()),
    Endpoint("POST", f"{_PATH}/deliver", deliver, live=only_in_test()),
    Endpoint("POST", f"{_PATH}/return", give_back, live=only_in_test()),
    Endpoint("POST", f"{_PATH}/fail", fail, live=only_in_test()),
)
