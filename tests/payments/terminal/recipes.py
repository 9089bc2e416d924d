"""How tests make the objects of ``payments.terminal`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.recipes import META, Body, Maker


def _in_person(m: Maker) -> str:
    """An intent that a card reader can take."""
    found: str = m.post(
        "/v1/payment_intents", amount=500, currency="usd", allowed_payment_method_types=["card_present"]
    )["id"]
    return found


def _busy_reader(m: Maker) -> str:
    """A reader that waits for a card."""
    id: str = m.post("/v1/terminal/readers", registration_code="simulated-wpe")["id"]
    m.post(f"/v1/terminal/readers/{id}/process_payment_intent", payment_intent=_in_person(m))
    return id


BODIES: dict[str, Body] = {
    "POST /v1/terminal/configurations": {"name": "Tips"},
    "POST /v1/terminal/configurations/{}": {"name": "More tips"},
    "POST /v1/terminal/locations": {"display_name": "Shop", "address": {
        "line1": "1 Main St", "city": "San Francisco", "state": "CA", "country": "US", "postal_code": "94111"}},
    "POST /v1/terminal/locations/{}": META,
    "POST /v1/terminal/readers": {"registration_code": "simulated-wpe"},
    "POST /v1/terminal/readers/{}": META,
    "POST /v1/terminal/readers/{}/process_payment_intent": lambda m: {"payment_intent": _in_person(m)},
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/test_helpers/terminal/readers/{}/present_payment_method": lambda m: [_busy_reader(m)],
}
