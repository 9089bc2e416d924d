"""How tests make the objects of ``payments.climate`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.payments.charges.recipes import funded
from tests.support.connected import fund
from tests.support.recipes import META, Body, Json, Maker

_ORDER = {"product": "climsku_frontier_offtake_portfolio_2027", "metric_tons": "0.01"}


def _after_due_pay(m: Maker) -> None:
    """An order that could not be paid, and money since."""
    m.post("/v1/climate/orders", **_ORDER)
    m.make("charge")
    fund(m.api, 5_000_000)


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "climate.product": lambda m: {"id": "climsku_frontier_offtake_portfolio_2027"},
    "climate.supplier": lambda m: {"id": "climsup_heirloom"},
}


BODIES: dict[str, Body] = {
    "POST /v1/climate/orders": lambda m: (
        funded(m), {"product": "climsku_frontier_offtake_portfolio_2027", "metric_tons": "0.01"})[1],
    "POST /v1/climate/orders/{}": META,
}  # fmt: skip


DUE: dict[str, Callable[[Maker], object]] = {
    "climate.order.deliver": lambda m: m.make("climate.order"),
    "climate.order.pay": _after_due_pay,
}
