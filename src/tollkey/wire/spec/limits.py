"""Limits that Stripe's document states only in words.

``MOST`` maps an operation to {path: limit}: elements of a list, characters of a text, or the largest integer. A path is
dotted, with ``[]`` after a list that it goes through. ``LOWEST`` does the same with smallest integers.

The limit of ``days_until_due`` is ours, a century: the time it leads to has to fit a 64-bit integer and a date.
"""

from __future__ import annotations

from typing import Final

Limits = dict[str, dict[str, int]]

_SHOWN = "components.payment_element.features"
_PRODUCT = {"images": 8, "marketing_features": 15, "marketing_features[].name": 80}
_LINK = {"custom_fields": 3, "custom_fields[].dropdown.options": 200, "optional_items": 10}
_DUE = {"days_until_due": 36_500}
_DUE_WITHIN = {"invoice_settings.days_until_due": 36_500}
_DUE_IN_PHASES = {
    "default_settings.invoice_settings.days_until_due": 36_500,
    "phases[].invoice_settings.days_until_due": 36_500,
}
#: "You can apply up to 20 discounts to a subscription, subscription item, or invoice" (billing/subscriptions/coupons).
_DISCOUNTS = {"discounts": 20}
_DISCOUNTS_OF_ITEMS = {**_DISCOUNTS, "items[].discounts": 20}
#: As of the subscription that is made (stripe-ruby issue 804).
_TRIAL_OF = {"subscription_data.trial_period_days": 730}
_PORTAL = {"features.subscription_update.products": 10}

MOST: Final[Limits] = {
    "GET /v1/events": {"types": 20},
    "GET /v1/prices": {"lookup_keys": 10},
    "POST /v1/billing/credit_grants": {"priority": 100},
    "POST /v1/billing_portal/configurations": _PORTAL,
    "POST /v1/billing_portal/configurations/{}": _PORTAL,
    "POST /v1/checkout/sessions": {
        **_LINK,
        "custom_fields[].key": 200,
        "discounts": 1,
        "line_items[].adjustable_quantity.maximum": 999_999,
        "optional_items[].adjustable_quantity.maximum": 999_999,
        "shipping_options": 5,
    },
    "POST /v1/checkout/sessions/{}": {"shipping_options": 5},
    "POST /v1/customer_sessions": {f"{_SHOWN}.payment_method_redisplay_limit": 10},
    "POST /v1/customers": {"tax_id_data": 5},
    "POST /v1/invoices": {"custom_fields": 4, **_DISCOUNTS, **_DUE},
    "POST /v1/invoices/{}": {"custom_fields": 4, **_DISCOUNTS, **_DUE},
    "POST /v1/issuing/cardholders": {"name": 24},
    "POST /v1/payment_links": {**_LINK, **_TRIAL_OF, "line_items": 20, "shipping_options": 5},
    "POST /v1/payment_links/{}": {**_LINK, "line_items": 20},
    "POST /v1/products": _PRODUCT,
    "POST /v1/products/{}": _PRODUCT,
    "POST /v1/quotes": {**_DUE_WITHIN, **_TRIAL_OF},
    "POST /v1/quotes/{}": {**_DUE_WITHIN, **_TRIAL_OF},
    "POST /v1/subscription_items": _DISCOUNTS,
    "POST /v1/subscription_items/{}": _DISCOUNTS,
    "POST /v1/subscription_schedules": _DUE_IN_PHASES,
    "POST /v1/subscription_schedules/{}": _DUE_IN_PHASES,
    "POST /v1/subscriptions": {**_DISCOUNTS_OF_ITEMS, **_DUE},
    "POST /v1/subscriptions/{}": {**_DISCOUNTS_OF_ITEMS, **_DUE},
}

#: Parts of a payment: a fee is not negative, and a transfer moves something (gumroad pull request 5962).
_PARTS = {"application_fee_amount": 0, "transfer_data.amount": 1}

LOWEST: Final[Limits] = {
    "POST /v1/application_fees/{}/refunds": {"amount": 1},
    "POST /v1/billing/credit_grants": {"priority": 0},
    "POST /v1/charges": {"amount": 1, "destination.amount": 1, **_PARTS},
    "POST /v1/charges/{}/refund": {"amount": 1},
    "POST /v1/charges/{}/refunds": {"amount": 1},
    "POST /v1/checkout/sessions": {
        "payment_intent_data.application_fee_amount": 0,
        "payment_intent_data.transfer_data.amount": 1,
        "subscription_data.trial_period_days": 1,
    },
    "POST /v1/coupons": {"duration_in_months": 1, "max_redemptions": 1},
    "POST /v1/customer_sessions": {f"{_SHOWN}.payment_method_redisplay_limit": 1},
    "POST /v1/issuing/authorizations/{}/approve": {"amount": 1},
    "POST /v1/invoices": {**_PARTS, "days_until_due": 0},
    "POST /v1/invoices/{}": {**_PARTS, "days_until_due": 0},
    "POST /v1/payment_intents": _PARTS,
    "POST /v1/payment_intents/{}": _PARTS,
    "POST /v1/payment_links": {"subscription_data.trial_period_days": 1, **_PARTS},
    "POST /v1/quotes": {**_PARTS, "invoice_settings.days_until_due": 0},
    "POST /v1/quotes/{}": {**_PARTS, "invoice_settings.days_until_due": 0},
    "POST /v1/payouts": {"amount": 1},
    "POST /v1/promotion_codes": {"max_redemptions": 1},
    "POST /v1/refunds": {"amount": 1},
    "POST /v1/shipping_rates": {"delivery_estimate.maximum.value": 1, "delivery_estimate.minimum.value": 1},
    "POST /v1/subscriptions": {"days_until_due": 0},
    "POST /v1/subscriptions/{}": {"days_until_due": 0},
    "POST /v1/terminal/readers/{}/process_payment_intent": {"process_config.tipping.amount_eligible": 1},
    "POST /v1/topups": {"amount": 1},
    "POST /v1/transfers": {"amount": 1},
    "POST /v1/transfers/{}/reversals": {"amount": 1},
}
