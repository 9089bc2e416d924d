"""Spending controls: merchants and amounts that a card or its cardholder may pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.db.table import Range
from tollkey.ledger import Money
from tollkey.payments.issuing import kinds
from tollkey.payments.shared import conversion, fields
from tollkey.wire import Call
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.payments.issuing.stored import StoredIssuingCard
    from tollkey.wire import api

_LISTS = (
    "allowed_card_presences", "allowed_categories", "allowed_merchant_countries", "blocked_card_presences",
    "blocked_categories",
    "blocked_merchant_countries",
)  # fmt: skip
_DAYS = {"daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}
_DAY = 86_400


def _check(given: Mapping[str, Any]) -> None:
    for name in ("card_presences", "categories", "merchant_countries"):
        if given.get(f"allowed_{name}") and given.get(f"blocked_{name}"):
            raise exclusive(f"allowed_{name}", f"blocked_{name}", param=f"spending_controls[blocked_{name}]")


def controls(given: Mapping[str, Any] | None, currency: str | None = None) -> api.IssuingCardAuthorizationControls:
    """Return ``spending_controls`` with all its keys; the default of a new card is 500 a day."""
    given = given or {}
    _check(given)
    full: api.IssuingCardAuthorizationControls = {}
    fields.assign(full, {name: given.get(name) for name in _LISTS}, _LISTS)
    limits = given.get("spending_limits")
    if limits is None and currency is not None:
        limits = [{"amount": 50_000, "categories": [], "interval": "daily"}]
    full["spending_limits"] = [
        {"amount": one["amount"], "categories": one.get("categories") or [], "interval": one["interval"]}
        for one in limits or []
    ]
    full["spending_limits_currency"] = currency
    return full


def changed(
    old: api.IssuingCardAuthorizationControls | api.IssuingCardholderAuthorizationControls, given: Mapping[str, Any]
) -> api.IssuingCardAuthorizationControls:
    """Return ``spending_controls`` with the given ones replaced; an empty list unsets one.

    Raises ApiError 400 when something is both allowed and blocked.
    given: the parameter of an update.
    """
    currency = given.get("spending_limits_currency") or old.get("spending_limits_currency")
    full = controls({**old, **given}, currency)
    if not ({**old, **given}).get("spending_limits"):
        full["spending_limits"] = []
    return full


def refuses(
    call: Call,
    card: StoredIssuingCard,
    rules: api.IssuingCardAuthorizationControls | api.IssuingCardholderAuthorizationControls | None,
    amount: Money,
    merchant: api.IssuingAuthorizationMerchantData,
    presence: str | None,
) -> bool:
    """Return whether the controls forbid an authorization. amount: minor units. presence: its ``card_presence``."""
    if not rules:
        return False
    for value, allowed, blocked in (
        (presence, rules.get("allowed_card_presences"), rules.get("blocked_card_presences")),
        (merchant["category"], rules.get("allowed_categories"), rules.get("blocked_categories")),
        (merchant["country"], rules.get("allowed_merchant_countries"), rules.get("blocked_merchant_countries")),
    ):
        if (allowed and value not in allowed) or (blocked and value in blocked):
            return True
    currency = rules.get("spending_limits_currency") or card["currency"]
    asked = conversion.convert(amount, currency)
    return any(_over(call, card, one, asked, merchant) for one in rules.get("spending_limits") or [])


def _over(
    call: Call,
    card: StoredIssuingCard,
    limit: api.IssuingCardSpendingLimit | api.IssuingCardholderSpendingLimit,
    asked: Money,
    merchant: api.IssuingAuthorizationMerchantData,
) -> bool:
    """Return whether an amount, in the currency of the limit, exceeds it together with earlier spending."""
    categories = limit.get("categories") or []
    if categories and merchant["category"] not in categories:
        return False
    most = asked.with_amount(limit["amount"])
    if limit["interval"] == "per_authorization":
        return asked > most
    ranges = [Range("created", ">=", call.now - _DAYS[limit["interval"]] * _DAY)] if limit["interval"] in _DAYS else []
    spent = asked.with_amount(0)
    for earlier in call.objects.query(kinds.AUTHORIZATION, {"card": card["id"]}, ranges=ranges):
        if earlier["approved"] and (not categories or earlier["merchant_data"]["category"] in categories):
            amount = earlier["amount"] or sum(part["amount"] for part in earlier["request_history"][:1])
            spent += conversion.convert(Money(amount, earlier["currency"]), asked.currency)
    return spent + asked > most
