"""How to bring about each kind of timed work: after its recipe, work of that kind waits for its time.

Keyed by the kind, as resources declare it in ``on_due``. A kind without a recipe fails
``tests/nodes/test_every_kind.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.support.connected import acting, connected, fund
from tests.support.recipes import HOME, Json, Maker
from tollkey.server import run_due

DAY = 86_400
BAD_CARD = "pm_card_chargeCustomerFail"
_PERIOD = 32 * DAY
_CLIMATE = {"product": "climsku_frontier_offtake_portfolio_2027", "metric_tons": "0.01"}


def _customer(m: Maker, card: str = "pm_card_visa") -> str:
    found: str = m.post("/v1/customers", payment_method=card, invoice_settings={"default_payment_method": card})["id"]
    return found


def _price(m: Maker, **more: Any) -> str:
    monthly = {
        "currency": "usd",
        "unit_amount": 1500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Gold"},
    }
    found: str = m.post("/v1/prices", **{**monthly, **more})["id"]
    return found


def _subscription(m: Maker, **more: Any) -> Json:
    return m.post("/v1/subscriptions", **{"customer": _customer(m), "items": [{"price": _price(m)}], **more})


def _with_bad_card(m: Maker) -> Json:
    """A subscription that was paid once and whose customer's card fails from now on."""
    made = _subscription(m)
    bad = m.post(f"/v1/payment_methods/{BAD_CARD}/attach", customer=made["customer"])["id"]
    m.post(f"/v1/customers/{made['customer']}", invoice_settings={"default_payment_method": bad})
    return made


def _renewal_fails(m: Maker) -> None:
    _with_bad_card(m)
    m.api.advance(_PERIOD)
    m.api.advance(3_600)


def _renewed(m: Maker) -> None:
    """A subscription whose second invoice is a draft."""
    _subscription(m)
    m.api.advance(_PERIOD)


def _change_fails(m: Maker) -> None:
    made = _with_bad_card(m)
    items = [{"id": made["items"]["data"][0]["id"], "price": _price(m, unit_amount=9_000)}]
    changed = {"items": items, "payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    m.post(f"/v1/subscriptions/{made['id']}", **changed)


def _used(m: Maker, **subscription: Any) -> None:
    """Usage of a metered price, just reported."""
    meter = m.make("billing.meter")
    customer = _customer(m)
    metered = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    m.post(
        "/v1/subscriptions",
        customer=customer,
        items=[{"price": _price(m, unit_amount=5, recurring=metered)}],
        **subscription,
    )
    alert = {"gte": 100, "meter": meter["id"], "recurrence": "one_time"}
    m.post("/v1/billing/alerts", alert_type="usage_threshold", title="Much", usage_threshold=alert)
    m.post(
        "/v1/billing/meter_events",
        event_name=meter["event_name"],
        payload={"stripe_customer_id": customer, "value": 300},
    )


def _connected(m: Maker, card: str = "", **params: Any) -> Any:
    account = connected(m.api, **params)
    if card:
        m.api.ok("post", "/v1/charges", amount=1_000, currency="usd", source=card, headers=acting(account))
    return account


def _daily_payouts(m: Maker) -> None:
    account = _connected(m)
    fund(m.api, 5_000, account)
    m.post(f"/v1/accounts/{account['id']}", settings={"payouts": {"schedule": {"interval": "daily"}}})


def _payout_of_a_schedule(m: Maker) -> None:
    _daily_payouts(m)
    m.api.advance(1)


def _bank_debit(m: Maker) -> None:
    mandate = {"customer_acceptance": {"type": "offline"}}
    data = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": "DE89370400440532013000"},
        "billing_details": {"name": "J", "email": "j@example.com"},
    }
    m.post(
        "/v1/payment_intents",
        amount=2_000,
        currency="eur",
        payment_method_types=["sepa_debit"],
        payment_method_data=data,
        mandate_data=mandate,
        confirm=True,
    )


def _bank_debit_settled(m: Maker) -> None:
    """One look of the server's timer: what the debit brings about is left for the next."""
    _bank_debit(m)
    m.api.world.clock[0] += 6
    for _ in range(100):
        m.api.world.runner.run(run_due(m.api.core, m.api.world.server.edge))
        if "succeeded" in {charge["status"] for charge in m.get("/v1/charges")["data"]}:
            return


def _decided(m: Maker) -> None:
    made = m.make("identity.verification_session")
    m.api.post(re.sub(r"^https?://[^/]+", "", made["url"]), key=None, outcome="verified")


def _clock(m: Maker) -> str:
    found: str = m.make("test_helpers.test_clock")["id"]
    return found


def _advancing(m: Maker) -> None:
    """A clock with a customer whose subscription renews twice on the way."""
    clock = _clock(m)
    customer = m.post("/v1/customers", test_clock=clock, payment_method="pm_card_visa",
                      invoice_settings={"default_payment_method": "pm_card_visa"})["id"]  # fmt: skip
    _subscription(m, customer=customer, trial_period_days=5)
    m.post(f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=m.api.now + 45 * DAY)


def _schedule(m: Maker, iterations: int = 1) -> None:
    phase = {"items": [{"price": _price(m)}], "duration": {"interval": "month", "interval_count": iterations}}
    m.post("/v1/subscription_schedules", customer=_customer(m), start_date="now", phases=[phase], end_behavior="cancel")


def _finalized(m: Maker, **more: Any) -> None:
    customer = _customer(m)
    m.post("/v1/invoiceitems", customer=customer, amount=1_200, currency="usd")
    made = m.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include", **more)
    m.post(f"/v1/invoices/{made['id']}/finalize")


def _paid_by_card(m: Maker, **more: Any) -> None:
    card = {"payment_method_types": ["card"], "payment_method": "pm_card_visa", "confirm": True}
    m.post("/v1/payment_intents", **{"amount": 2_000, "currency": "usd", **card, **more})


def _refund(m: Maker) -> None:
    charge = m.post("/v1/charges", amount=1_000, currency="usd", source="tok_pendingRefund")
    m.post("/v1/refunds", charge=charge["id"])


def _source(m: Maker, **more: Any) -> None:
    m.post("/v1/sources", **more)


def _issuing_dispute(m: Maker) -> None:
    m.post(f"/v1/issuing/disputes/{m.make('issuing.dispute')['id']}/submit")


def _asked_for_an_authorization(m: Maker) -> None:
    path = f"/v1/issuing/cards/{m.make('issuing.card')['id']}/test/authorizations"
    m.post(path, **m.body("POST /v1/issuing/cards/{}/test/authorizations"))


def _quote(m: Maker) -> None:
    made = m.post("/v1/quotes", customer=_customer(m), line_items=[{"price": _price(m), "quantity": 1}])
    m.post(f"/v1/quotes/{made['id']}/finalize")


def _pending_items(m: Maker) -> None:
    made = _subscription(m, pending_invoice_item_interval={"interval": "week", "interval_count": 1})
    m.post("/v1/invoiceitems", customer=made["customer"], subscription=made["id"], amount=333, currency="usd")


def _paused(m: Maker) -> None:
    paused = {"behavior": "void", "resumes_at": m.api.now + 3 * DAY}
    m.post(f"/v1/subscriptions/{_subscription(m)['id']}", pause_collection=paused)


def _after_due_pay(m: Maker) -> None:
    """An order that could not be paid, and money since."""
    m.post("/v1/climate/orders", **_CLIMATE)
    m.make("charge")
    fund(m.api, 5_000_000)


RECIPES: dict[str, Callable[[Maker], object]] = {
    "account.charge_block": lambda m: _connected(m, "tok_visa_triggerChargeBlock"),
    "account.next_requirements": lambda m: _connected(m, "tok_visa_triggerVerification"),
    "account.payout_block": lambda m: _connected(m, "tok_visa_triggerTransferBlock"),
    "account.verify": lambda m: m.make("transfer"),
    "apps.secret.expire": lambda m: m.post(
        "/v1/apps/secrets", name="k", payload="p", scope={"type": "account"}, expires_at=m.api.now + 60
    ),
    "balance.available": lambda m: m.make("charge"),
    "billing.alert.check": lambda m: _used(m),
    "charge.collect": lambda m: _paid_by_card(m, capture_method="automatic_async"),
    "charge.expire": lambda m: m.post("/v1/charges", amount=2_000, currency="usd", source="tok_visa", capture=False),
    "charge.settle": _bank_debit,
    "checkout.expire": lambda m: m.make("checkout.session"),
    "climate.order.deliver": lambda m: m.make("climate.order"),
    "climate.order.pay": _after_due_pay,
    "coupon.expire": lambda m: m.post("/v1/coupons", percent_off=25, duration="once", redeem_by=m.api.now + 60),
    "credit_grant.expire": lambda m: m.post(
        "/v1/billing/credit_grants", **m.body("POST /v1/billing/credit_grants"), expires_at=m.api.now + 60
    ),
    "invoice.advance": _renewed,
    "invoice.overdue": lambda m: _finalized(m, collection_method="send_invoice", days_until_due=3),
    "invoice.retry": _renewal_fails,
    "issuing_dispute": _issuing_dispute,
    "issuing_request": _asked_for_an_authorization,
    "payment_intent.charge_settled": _bank_debit_settled,
    "payment_intent.expire": lambda m: _paid_by_card(m, capture_method="manual"),
    "payout.arrive": lambda m: m.make("payout"),
    "payout.automatic": _payout_of_a_schedule,
    "payout.plan": _daily_payouts,
    "promotion_code.expire": lambda m: m.post(
        "/v1/promotion_codes", **m.body("POST /v1/promotion_codes"), expires_at=m.api.now + 60
    ),
    "quote.expire": _quote,
    "refund.settle": _refund,
    "report_run": lambda m: m.make("reporting.report_run"),
    "source.expire": lambda m: _source(m, type="ideal", amount=1_000, currency="eur", redirect={"return_url": HOME}),
    "source.fill": lambda m: _source(
        m, type="ach_credit_transfer", currency="usd", owner={"email": "amount_4242@example.com"}
    ),
    "subscription.cancel": lambda m: _subscription(m, cancel_at=m.api.now + 5 * DAY),
    "subscription.drop_pending": _change_fails,
    "subscription.expire": lambda m: _subscription(
        m, customer=_customer(m, BAD_CARD), payment_behavior="allow_incomplete"
    ),
    "subscription.pending_items": _pending_items,
    "subscription.renew": _subscription,
    "subscription.resume": _paused,
    "subscription.thresholds": lambda m: _used(m, billing_thresholds={"amount_gte": 500}),
    "subscription.trial_will_end": lambda m: _subscription(m, trial_period_days=10),
    "subscription.upcoming": _subscription,
    "subscription_schedule.expiring": lambda m: _schedule(m, 2),
    "subscription_schedule.step": _schedule,
    "tax_id.verify": lambda m: m.make("tax_id"),
    "test_clock.advance": _advancing,
    "test_clock.delete": _clock,
    "topup.settle": lambda m: m.make("topup"),
    "verification": _decided,
}
