"""A session as Stripe.js tells a shop's own page of it (``ui_mode`` elements).

Names and forms are those of ``StripeCheckoutSession`` in the type declarations of ``@stripe/stripe-js``. What the real
API answers its script is not documented; here it is this, ready to be handed on. Prices in tiers are not broken down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING

from tollkey.payments.catalog import pricing
from tollkey.payments.checkout import collected, kinds
from tollkey.payments.checkout.fields import asks_for_place
from tollkey.payments.checkout.known import delivery_of, price_of
from tollkey.payments.checkout.lines import breakdown, total
from tollkey.payments.checkout.saved import saved_methods
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.checkout.stored import StoredLine, StoredSession
    from tollkey.wire import api

View = dict[str, object]
#: What makes the first payment of a subscription differ from the next one.
_AT_FIRST = ("trial_period_days", "trial_end", "billing_cycle_anchor", "proration_behavior")


class _Sums:
    """Writes amounts of one currency in one language."""

    def __init__(self, currency: str, language: Language) -> None:
        self.currency, self.language = currency, language

    def of(self, amount: int | None) -> View:
        return {"minorUnitsAmount": amount or 0, "amount": self.language.amount(amount or 0, self.currency)}

    def exact(self, decimal: str | None) -> View | None:
        """Return a price that has fractions of a minor unit; None for others."""
        if decimal is None or Decimal(decimal) == int(Decimal(decimal)):
            return None
        text = self.language.unit_price(Decimal(decimal), self.currency)
        return {"minorUnitsAmount": float(decimal), "amount": text}


def shown(call: Call, session: StoredSession, language: Language) -> View:
    """Return a session as the page is told of it. language: of amounts."""
    sums = _Sums(session["currency"] or "usd", language)
    details = session["customer_details"] or {}
    discounts = _discounts(call, session, sums)
    goods = delivery_of(session)
    lines = session["_lines"]
    return {
        "billingAddress": _contact(details.get("name"), details.get("address")),
        "businessName": details.get("business_name"),
        "canConfirm": session["status"] == "open" and not collected.lacks(session, None),
        "currency": sums.currency,
        "currencyOptions": None,
        "discountAmounts": discounts or None,
        "email": details.get("email"),
        "id": session["id"],
        "lastPaymentError": _last_error(call, session),
        "lineItems": [_line(call, item, sums, discounts) for item in lines],
        "livemode": session["livemode"],
        "minorUnitsAmountDivisor": 10 ** shared_currency.decimals(sums.currency),
        "nameCollection": None,
        "optionalItems": None,
        "phoneNumber": details.get("phone"),
        "recurring": _recurring(call, session, sums),
        "savedPaymentMethods": _saved(call, session),
        "shipping": _shipping(call, session, sums),
        "shippingAddress": _contact(goods["name"], goods["address"]) if goods else None,
        "shippingOptions": [_option(call, one["shipping_rate"], one["shipping_amount"], sums)
                            for one in session["shipping_options"]],
        "status": {"type": session["status"],
                   **({"paymentStatus": session["payment_status"]} if session["status"] == "complete" else {})},
        "surcharge": None,
        "tax": {"status": _tax_status(session)},
        "taxAmounts": _taxes(call, session, sums) or None,
        "taxIdInfo": _tax_id(details.get("tax_ids"), details.get("business_name")),
        "total": _total(call, session, sums),
    }  # fmt: skip


def _contact(name: str | None, address: Mapping[str, object] | None) -> View | None:
    if address is None or not address.get("country"):
        return None
    return {"name": name, "address": dict(address)}


def _tax_id(ids: Iterable[Mapping[str, object]] | None, business: str | None) -> View | None:
    first = next(iter(ids or ()), None)
    return None if first is None else {"taxId": dict(first), "businessName": business or ""}


def _tax_status(session: StoredSession) -> str:
    if not asks_for_place(session):
        return "ready"
    return f"requires_{'shipping' if session['shipping_address_collection'] else 'billing'}_address"


def _last_error(call: Call, session: StoredSession) -> View | None:
    intent = call.objects.find(kinds.PAYMENT_INTENT, session["payment_intent"] or "")
    error = intent["last_payment_error"] if intent is not None else None
    return {"message": error.get("message") or ""} if error else None


def _discounts(call: Call, session: StoredSession, sums: _Sums) -> list[View]:
    made: list[View] = []
    amounts = (session.get("_breakdown") or {"discounts": []})["discounts"]
    for entry, one in zip(session["_discounts"], amounts, strict=False):
        code = call.objects.find(kinds.PROMOTION_CODE, entry.get("promotion_code") or "")
        coupon = call.objects.find(kinds.COUPON, value_at(one["discount"], "source.coupon") or "")
        duration, months = (coupon["duration"], coupon.get("duration_in_months")) if coupon else ("once", None)
        text = code["code"] if code is not None else None
        again: View | None = {"type": duration} if duration != "once" else None
        if again is not None and duration == "repeating":
            again["durationInMonths"] = months
        made.append({
            **sums.of(one["amount"]), "displayName": text or (coupon["name"] if coupon else None) or "",
            "percentOff": coupon["percent_off"] if coupon else None, "promotionCode": text, "recurring": again,
        })  # fmt: skip
    return made


def _taxes(call: Call, session: StoredSession, sums: _Sums) -> list[View]:
    return [
        {**sums.of(one["amount"]), "displayName": one["rate"]["display_name"], "inclusive": one["rate"]["inclusive"],
         "percentage": one["rate"]["percentage"]}
        for one in breakdown(call, session)["taxes"]
    ]  # fmt: skip


def _line(call: Call, item: StoredLine, sums: _Sums, discounts: list[View]) -> View:
    price, product = price_of(item), call.objects.get(kinds.PRODUCT, price_of(item)["product"])
    stored: StoredPrice = call.objects.get(kinds.PRICE, price["id"])
    sold = pricing.in_currency(stored, sums.currency) or stored
    rule, recurring, grouped = item.get("adjustable_quantity"), price["recurring"], price.get("transform_quantity")
    quantity = item["quantity"] or 1
    outside = item["amount_total"] - item["amount_subtotal"] + item["amount_discount"]
    return {
        "adjustableQuantity": {"maximum": rule.get("maximum") or 99, "minimum": rule.get("minimum") or 0}
        if rule and rule["enabled"] else None,
        "description": product["description"],
        "discount": sums.of(item["amount_discount"]),
        "discountAmounts": [{**discounts[0], **sums.of(item["amount_discount"])}] if len(discounts) == 1 else None,
        "id": item["id"],
        "images": list(product["images"]),
        "isRemovable": False,
        "name": product["name"],
        "priceId": price["id"],
        "pricing": None,
        "quantity": quantity,
        "recurring": {"interval": recurring["interval"], "intervalCount": recurring["interval_count"],
                      "usageType": recurring["usage_type"]} if recurring else None,
        "subtotal": sums.of(item["amount_subtotal"]),
        "taxAmounts": None,
        "taxExclusive": sums.of(outside),
        "taxInclusive": sums.of(item["amount_tax"] - outside),
        "total": sums.of(item["amount_total"]),
        "transformQuantity": {"divideBy": grouped["divide_by"], "packageCount": -(-quantity // grouped["divide_by"]),
                              "round": grouped["round"]} if grouped else None,
        "unitAmount": sums.of(item["_amount"] if item["_amount"] is not None else sold["unit_amount"]),
        "unitAmountDecimal": sums.exact(sold["unit_amount_decimal"]),
        "unitLabel": product["unit_label"],
    }  # fmt: skip


def _total(call: Call, session: StoredSession, sums: _Sums) -> View:
    inside = sum(one["amount"] for one in breakdown(call, session)["taxes"] if one["rate"]["inclusive"])
    parts = session["total_details"]
    tax, off, sent = (parts["amount_tax"], parts["amount_discount"], parts["amount_shipping"]) if parts else (0, 0, 0)
    return {
        "appliedBalance": sums.of(0),
        "balanceAppliedToNextInvoice": False,
        "discount": sums.of(off),
        "shippingRate": sums.of(sent),
        "subtotal": sums.of(session["amount_subtotal"]),
        "surcharge": sums.of(0),
        "taxExclusive": sums.of(tax - inside),
        "taxInclusive": sums.of(inside),
        "total": sums.of(session["amount_total"]),
    }


def _recurring(call: Call, session: StoredSession, sums: _Sums) -> View | None:
    """Return what a subscription costs from its second payment on."""
    lines = [item for item in session["_lines"] if price_of(item)["recurring"]]
    if session["mode"] != "subscription" or not lines:
        return None
    next_time, data = deepcopy(session), session["_subscription_data"]
    kept = [item["id"] for item in lines]
    next_time["_lines"] = [item for item in next_time["_lines"] if item["id"] in kept]
    next_time["_subscription_data"] = {name: value for name, value in data.items() if name not in _AT_FIRST}
    next_time["_discounts"] = [entry for entry, one in zip(session["_discounts"], _discounts(call, session, sums),
                                                           strict=False) if one["recurring"]]  # fmt: skip
    next_time["shipping_cost"] = None
    total(call, next_time)
    due = _total(call, next_time, sums)
    rhythm = price_of(lines[0])["recurring"]
    assert rhythm is not None, "chosen for having one"
    anchor = data.get("billing_cycle_anchor")
    names = ("subtotal", "total", "discount", "taxInclusive", "taxExclusive")
    return {
        "dueNext": {**{name: due[name] for name in names}, "billingCycleAnchor": anchor},
        "interval": rhythm["interval"],
        "intervalCount": rhythm["interval_count"],
        "isProrated": anchor is not None and data.get("proration_behavior") != "none",
        "trial": _trial(call, data),
    }


def _trial(call: Call, data: Mapping[str, object]) -> View | None:
    days, end = data.get("trial_period_days"), data.get("trial_end")
    if isinstance(days, int) and days:
        return {"trialEnd": call.now + days * 86_400, "trialPeriodDays": days}
    return {"trialEnd": end, "trialPeriodDays": -((call.now - end) // 86_400)} if isinstance(end, int) else None


def _shipping(call: Call, session: StoredSession, sums: _Sums) -> View | None:
    cost = session["shipping_cost"]
    if cost is None or not cost.get("shipping_rate"):
        return None
    return {
        "shippingOption": _option(call, str(cost["shipping_rate"]), cost["amount_subtotal"], sums),
        "taxAmounts": None,
    }


def _option(call: Call, id: str, amount: int, sums: _Sums) -> View:
    rate: api.ShippingRate = call.objects.get(kinds.SHIPPING_RATE, id)
    estimate = rate["delivery_estimate"]
    return {
        **sums.of(amount), "currency": sums.currency, "id": id, "displayName": rate["display_name"],
        "deliveryEstimate": {"maximum": estimate.get("maximum"), "minimum": estimate.get("minimum")}
        if estimate else None,
    }  # fmt: skip


def _saved(call: Call, session: StoredSession) -> list[View] | None:
    """Return the cards that a returning customer may pay with."""
    found = [one for one in saved_methods(call, session) if one["type"] == "card"]
    made: list[View] = []
    for one in found:
        card = one["card"]
        shape = {"brand": card["brand"], "expMonth": card["exp_month"], "expYear": card["exp_year"],
                 "last4": card["last4"]}  # fmt: skip
        billing = one["billing_details"]
        owner = {"email": billing["email"], "name": billing["name"], "phone": billing["phone"],
                 "address": billing["address"]}  # fmt: skip
        made.append({"id": one["id"], "type": "card", "card": shape, "billingDetails": owner})
    return made or None
