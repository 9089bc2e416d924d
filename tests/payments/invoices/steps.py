"""Steps that several tests of invoices share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, subscribe
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid


def exhausted(api: Api, monkeypatch: pytest.MonkeyPatch, wanted: str) -> tuple[str, str, Answer]:
    """A clock, a customer and a subscription whose first renewal failed four times on a server with that setting."""
    services = api.core.setup.services
    monkeypatch.setattr(services, "settings", replace(services.settings, after_last_retry=wanted))
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 16 * DAY)
    return clock, who, current(api, sub["id"])


def posted(api: Api, path: str, template: str | None = None, **params: Any) -> Answer:
    answer = api.ok("post", path, **params)
    assert_valid("POST", template or path, 200, dict(answer))
    return answer


def drafted(api: Api, amount: int = 1_200, **params: Any) -> Answer:
    who = api.ok("post", "/v1/customers", email="a@example.com", payment_method="pm_card_visa")["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, amount=amount, currency="usd")
    return posted(
        api, "/v1/invoices", customer=who, pending_invoice_items_behavior="include", auto_advance=False, **params
    )


def finalized(api: Api, invoice: Answer) -> Answer:
    return posted(api, f"/v1/invoices/{invoice['id']}/finalize", "/v1/invoices/{invoice}/finalize")


def read(api: Api, invoice: Answer) -> Answer:
    return api.ok("get", f"/v1/invoices/{invoice['id']}")


def payment_for(api: Api, invoice: Answer, amount: int, **params: Any) -> Answer:
    given = {
        "amount": amount,
        "currency": "usd",
        "customer": invoice["customer"],
        "allowed_payment_method_types": ["card"],
    }
    return api.ok("post", "/v1/payment_intents", **given, **params)


def attach(api: Api, invoice: Answer, payment: Answer) -> Answer:
    path = f"/v1/invoices/{invoice['id']}/attach_payment"
    return posted(api, path, "/v1/invoices/{invoice}/attach_payment", payment_intent=payment["id"])


def customer(api: Api, card: str | None = "pm_card_visa", **params: object) -> str:
    saved = {"payment_method": card, "invoice_settings": {"default_payment_method": card}} if card else {}
    return str(api.ok("post", "/v1/customers", email="a@example.com", **saved, **params)["id"])


def draft(api: Api, who: str, amount: int = 2000, **params: object) -> Answer:
    api.ok("post", "/v1/invoiceitems", customer=who, amount=amount, currency="usd", description="Work")
    return api.ok("post", "/v1/invoices", customer=who, pending_invoice_items_behavior="include", **params)
