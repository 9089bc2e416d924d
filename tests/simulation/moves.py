"""Moves of the simulation that follow money: what is charged is captured, refunded, disputed, paid out; clocks
go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.support.api import Answer
from tests.support.recipes import HOME

if TYPE_CHECKING:
    from tests.simulation.simulation import Actor, Simulation

CARDS = [
    "tok_visa", "tok_visa", "tok_mastercard", "tok_amex", "tok_bypassPending", "tok_bypassPending", "tok_createDispute",
    "tok_chargeDeclined", "tok_chargeDeclinedInsufficientFunds", "tok_chargeCustomerFail", "tok_riskLevelElevated",
    "tok_refundFail", "tok_nothing",
]  # fmt: skip
METHODS = [
    "pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_bypassPending", "pm_card_createDispute",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired", "pm_card_chargeCustomerFail", "pm_card_refundFail", "pm_card_nothing",
]  # fmt: skip

Move = Callable[["Simulation", "Actor"], Answer | None]


def _amount(s: Simulation) -> int:
    return s.chance.choice(
        (s.chance.randrange(50, 5_000), s.chance.randrange(50, 200_000), s.chance.choice((0, 1, 49, 50, 99_999_999)))
    )


def _charge(s: Simulation, actor: Actor) -> Answer | None:
    more: dict[str, Any] = {"capture": s.chance.random() < 0.8}
    if not actor.headers and actor.name == "a" and s.chance.random() < 0.3:
        more["transfer_data"] = {"destination": s.accounts[1]}
        if s.chance.random() < 0.5:
            more["application_fee_amount"] = s.chance.randrange(1, 100)
    elif actor.headers and s.chance.random() < 0.4:
        more["application_fee_amount"] = s.chance.randrange(1, 100)
    currency = s.chance.choice(("usd", "usd", "usd", "eur", "jpy"))
    return s.send(
        actor, "POST", "/v1/charges", amount=_amount(s), currency=currency, source=s.chance.choice(CARDS), **more
    )


def _intent(s: Simulation, actor: Actor) -> Answer | None:
    manual = {"capture_method": "manual"} if s.chance.random() < 0.3 else {}
    method = {"payment_method": s.chance.choice(METHODS)} if s.chance.random() < 0.8 else {}
    confirm = {"confirm": True} if method and s.chance.random() < 0.7 else {}
    asked = {"amount": _amount(s), "currency": "usd", "allowed_payment_method_types": ["card"]}
    return s.send(actor, "POST", "/v1/payment_intents", **asked, **manual, **method, **confirm)


def _of(object: str, path: str, params: Callable[[Simulation], dict[str, Any]] = lambda s: {}) -> Move:
    """A POST to one object that was made before."""

    def move(s: Simulation, actor: Actor) -> Answer | None:
        id = s.pick(actor, object)
        return s.send(actor, "POST", path.replace("{}", id), **params(s)) if id else None

    return move


def _refund(s: Simulation, actor: Actor) -> Answer | None:
    charge = s.pick(actor, "charge")
    amount = {} if s.chance.random() < 0.4 else {"amount": s.chance.randrange(1, 3_000)}
    return s.send(actor, "POST", "/v1/refunds", charge=charge, **amount) if charge else None


def _pay_out(s: Simulation, actor: Actor) -> Answer | None:
    return s.send(actor, "POST", "/v1/payouts", amount=s.chance.randrange(1, 20_000), currency="usd")


def _transfer(s: Simulation, actor: Actor) -> Answer | None:
    destination = s.chance.choice(s.accounts)
    return s.send(
        actor, "POST", "/v1/transfers", amount=s.chance.randrange(1, 10_000), currency="usd", destination=destination
    )


def _customer(s: Simulation, actor: Actor) -> Answer | None:
    how = s.chance.choice(({}, {"source": s.chance.choice(CARDS)}, {"payment_method": s.chance.choice(METHODS)}))
    if "payment_method" in how:
        how = {**how, "invoice_settings": {"default_payment_method": how["payment_method"]}}
    clock = s.pick(actor, "test_helpers.test_clock") if s.chance.random() < 0.3 else None
    return s.send(
        actor, "POST", "/v1/customers", email="jenny@example.com", **how, **({"test_clock": clock} if clock else {})
    )


def _subscribe(s: Simulation, actor: Actor) -> Answer | None:
    customer, price = s.pick(actor, "customer"), s.pick(actor, "price")
    if not customer or not price:
        return s.send(
            actor, "POST", "/v1/prices", currency="usd", unit_amount=s.chance.randrange(0, 5_000),
            product_data={"name": "Gold"},
            recurring={"interval": s.chance.choice(("day", "week", "month"))},
        )  # fmt: skip
    trial = {"trial_period_days": s.chance.randrange(1, 10)} if s.chance.random() < 0.2 else {}
    items = [{"price": price, "quantity": s.chance.randrange(1, 4)}]
    return s.send(actor, "POST", "/v1/subscriptions", customer=customer, items=items, **trial)


def _invoice(s: Simulation, actor: Actor) -> Answer | None:
    customer = s.pick(actor, "customer")
    if not customer:
        return None
    if s.chance.random() < 0.5:
        return s.send(
            actor, "POST", "/v1/invoiceitems", customer=customer, amount=s.chance.randrange(-300, 4_000), currency="usd"
        )
    return s.send(actor, "POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include")


def _clock(s: Simulation, actor: Actor) -> Answer | None:
    id = s.pick(actor, "test_helpers.test_clock")
    if id is None or s.chance.random() < 0.1:
        return s.send(actor, "POST", "/v1/test_helpers/test_clocks", frozen_time=actor.api.now)
    clock = s.send(actor, "GET", f"/v1/test_helpers/test_clocks/{id}")
    at = clock.get("frozen_time", actor.api.now) + s.chance.choice((3600, 86400, 8 * 86400, 32 * 86400))
    return s.send(actor, "POST", f"/v1/test_helpers/test_clocks/{id}/advance", frozen_time=at)


def _time(s: Simulation, actor: Actor) -> Answer | None:
    seconds = s.chance.choice((1, 60, 3600, 86400, 3 * 86400))
    s.trace.append(f"{seconds} seconds pass")
    s.api.advance(seconds)
    s.other.advance(0)
    return None


def _evidence(s: Simulation) -> dict[str, Any]:
    return {
        "evidence": {"uncategorized_text": s.chance.choice(("winning_evidence", "losing_evidence", "x"))},
        "submit": True,
    }


def _method(s: Simulation) -> dict[str, Any]:
    return {"payment_method": s.chance.choice(METHODS), "return_url": HOME} if s.chance.random() < 0.7 else {}


def _some(s: Simulation) -> dict[str, Any]:
    return {"amount_to_capture": s.chance.randrange(1, 3_000)} if s.chance.random() < 0.4 else {}


def moves() -> list[tuple[int, Move]]:
    """Weights and moves."""
    return [
        (16, _charge), (14, _intent), (10, _refund), (6, _customer), (8, _subscribe), (6, _invoice), (5, _time),
        (5, _clock), (6, _pay_out),
        (4, _transfer),
        (4, _of("charge", "/v1/charges/{}/capture")),
        (8, _of("payment_intent", "/v1/payment_intents/{}/confirm", _method)),
        (6, _of("payment_intent", "/v1/payment_intents/{}/capture", _some)),
        (3, _of("payment_intent", "/v1/payment_intents/{}/cancel")),
        (3, _of("dispute", "/v1/disputes/{}", _evidence)),
        (2, _of("dispute", "/v1/disputes/{}/close")),
        (2, _of("payout", "/v1/payouts/{}/cancel")),
        (2, _of("payout", "/v1/payouts/{}/reverse")),
        (2, _of("transfer", "/v1/transfers/{}/reversals", lambda s: {"amount": s.chance.randrange(1, 5_000)})),
        (2, _of("application_fee", "/v1/application_fees/{}/refunds", lambda s: {"amount": s.chance.randrange(1, 60)})),
        (4, _of("invoice", "/v1/invoices/{}/finalize")),
        (4, _of("invoice", "/v1/invoices/{}/pay")),
        (2, _of("invoice", "/v1/invoices/{}/void")),
        (1, _of("invoice", "/v1/invoices/{}/mark_uncollectible")),
        (3, _of("subscription", "/v1/subscriptions/{}", lambda s: {"cancel_at_period_end": s.chance.random() < 0.5})),
        (2, _of("setup_intent", "/v1/setup_intents/{}/confirm", _method)),
    ]  # fmt: skip
