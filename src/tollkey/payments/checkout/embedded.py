"""Embedded Checkout: the page of a session in a frame of the shop's page, which Stripe.js shows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession


def framed(session: StoredSession, step: str | None) -> str | None:
    """Return the address of the customer's next step; for an embedded session as it is shown in a frame.

    It stays on the host that Stripe.js was loaded from: the frames around it allow no other.
    """
    if step is None or session["ui_mode"] != "embedded_page":
        return step
    return f"{urlsplit(step).path}?framed=1"
