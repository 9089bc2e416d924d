"""How tests make the objects of ``payments.testing`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.payments.subscriptions.recipes import new_subscription
from tests.support.recipes import DAY, Body, Json, Maker


def _clock(m: Maker) -> Json:
    return m.post("/v1/test_helpers/test_clocks", frozen_time=m.api.now)


def _advancing(m: Maker) -> None:
    """A clock with a customer whose subscription renews twice on the way."""
    clock = _clock(m)["id"]
    customer = m.post("/v1/customers", test_clock=clock, payment_method="pm_card_visa",
                      invoice_settings={"default_payment_method": "pm_card_visa"})["id"]  # fmt: skip
    new_subscription(m, customer=customer, trial_period_days=5)
    m.post(f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=m.api.now + 45 * DAY)


COLLECTIONS = {
    "/v1/test_clocks": "test_helpers.test_clock",
}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "test_helpers.test_clock": _clock,
}


BODIES: dict[str, Body] = {
    "POST /v1/test_helpers/test_clocks": lambda m: {"frozen_time": m.api.now},
    "POST /v1/test_helpers/test_clocks/{}/advance": lambda m: {"frozen_time": m.api.now + 3600},
}  # fmt: skip


DUE: dict[str, Callable[[Maker], object]] = {
    "test_clock.advance": _advancing,
    "test_clock.delete": _clock,
}
