"""Parameters that Stripe's published OpenAPI document does not have: those of older API versions and of betas.

Tables map an operation to {path: kind}. A path is dotted, with ``[]`` after a list; a leading ``?`` makes a required
parameter optional. Kinds: text, blank (text that may be empty), integer, natural, email, url, return_url, site,
time, number, boolean, metadata, object, range, any, ``[kind]``, ``?kind`` (an empty text unsets it), ``a|b``;
``?`` alone makes a known one unsettable.
"""

from __future__ import annotations

from typing import Final

Table = dict[str, dict[str, str]]

#: What Stripe.js and the mobile SDKs send about themselves: accepted with a publishable key, and ignored.
BROWSER: Final = frozenset(
    {
        "_stripe_account",
        "_stripe_version",
        "client_attribution_metadata",
        "expected_payment_method_type",
        "guid",
        "key",
        "muid",
        "pasted_fields",
        "payment_user_agent",
        "referrer",
        "sid",
        "time_on_page",
    }
)

#: Parameters that only a publishable key may send: with a secret key they are unknown (reference section 1.10).
BROWSER_ONLY: Final = {
    "POST /v1/payment_intents/{}/confirm": frozenset({"client_secret", "set_as_default_payment_method"}),
    "POST /v1/setup_intents/{}/confirm": frozenset({"client_secret", "set_as_default_payment_method"}),
}

_PLAN = {
    "plan": "text",
    "quantity": "integer",
    "coupon": "?text",
    "prorate": "boolean",
    "tax_percent": "?number",
    "billing": "text",
}
_SUBSCRIPTION = {
    **_PLAN,
    "source": "any",
    "card": "any",
    "trial_from_plan": "boolean",
    "promotion_code": "?text",
    "items[].plan": "text",
    "default_payment_method": "?text",
    "default_source": "?text",
}
_SCHEDULE = {"phases[].coupon": "text", "phases[].iterations": "natural", "phases[].items[].plan": "text"}
_LINE = {
    "line_items[].amount": "natural",
    "line_items[].currency": "text",
    "line_items[].description": "text",
    "line_items[].images": "[url]",
    "line_items[].name": "text",
    "line_items[].tax_rates": "?[text]",
}
_OF_SOMEBODY = {
    **dict.fromkeys(("first_name", "last_name", "maiden_name", "gender", "ssn_last_4"), "?text"),
    **dict.fromkeys(("first_name_kana", "first_name_kanji", "last_name_kana", "last_name_kanji"), "?text"),
    **dict.fromkeys(("personal_id_number", "personal_phone_number", "verification.document"), "?text"),
    **dict.fromkeys(("dob.day", "dob.month", "dob.year"), "natural"),
    "dob": "?",
    "verification.document_back": "?text",
}
_PLACE = ("city", "country", "line1", "line2", "postal_code", "state", "town")
_OF_ENTITY = {
    **_OF_SOMEBODY,
    **{
        f"{kind}{script}.{name}": "?text"
        for kind in ("address", "personal_address")
        for script in ("", "_kana", "_kanji")
        for name in _PLACE
    },
    **dict.fromkeys(("business_name", "business_name_kana", "business_name_kanji", "business_tax_id"), "?text"),
    **dict.fromkeys(("business_vat_id", "phone_number", "tax_id_registrar"), "?text"),
    "type": "?company|individual",
    **{f"additional_owners[].{name}": kind for name, kind in _OF_SOMEBODY.items()},
    **{f"additional_owners[].address.{name}": "?text" for name in _PLACE},
    "additional_owners": "?",
}
_PAYOUTS = {
    "delay_days": "minimum|natural",
    "interval": "daily|manual|monthly|weekly",
    "monthly_anchor": "natural",
    "weekly_anchor": "friday|monday|saturday|sunday|thursday|tuesday|wednesday",
}
_ACCOUNT = {
    "business_profile.url": "site",
    "business_profile.support_url": "site",
    "bank_account": "any",
    "individual.nationality": "text",
    "debit_negative_balances": "boolean",
    "email": "?email",
    "individual.email": "?email",
    "managed": "boolean",
    "requested_capabilities": "[text]",
    "support_phone": "?text",
    "business_logo": "?text",
    "business_logo_large": "?text",
    "business_name": "?text",
    "business_primary_color": "?text",
    "business_url": "site",
    "decline_charge_on.avs_failure": "boolean",
    "decline_charge_on.cvc_failure": "boolean",
    "payout_statement_descriptor": "?text",
    "product_description": "?text",
    "statement_descriptor": "?text",
    "support_email": "?text",
    "support_url": "site",
    "transfer_statement_descriptor": "?text",
    **{f"legal_entity.{name}": kind for name, kind in _OF_ENTITY.items()},
    **{f"{name}_schedule.{each}": kind for name in ("payout", "transfer") for each, kind in _PAYOUTS.items()},
}
_INTENT = {
    "receipt_email": "?email",
    "return_url": "return_url",
    "save_payment_method": "boolean",
    "source": "any",
    "shipping.name": "blank",
    "payment_method_options.customer_balance.bank_transfer.type": "text",
    "payment_method_data.card": "object",
    "payment_method_data.type": "text",
}
_UPCOMING = {
    "automatic_tax": "object",
    "coupon": "text",
    "currency": "text",
    "customer": "text",
    "customer_details": "object",
    "discounts": "?[object]",
    "invoice_items": "[object]",
    "issuer": "object",
    "on_behalf_of": "?text",
    "preview_mode": "text",
    "schedule": "text",
    "schedule_details": "object",
    "subscription": "text",
    "subscription_billing_cycle_anchor": "text",
    "subscription_cancel_at": "?time",
    "subscription_cancel_at_period_end": "boolean",
    "subscription_cancel_now": "boolean",
    "subscription_default_tax_rates": "?[text]",
    "subscription_details": "object",
    "subscription_items": "[object]",
    "subscription_plan": "text",
    "subscription_prorate": "boolean",
    "subscription_proration_behavior": "text",
    "subscription_proration_date": "time",
    "subscription_quantity": "integer",
    "subscription_resume_at": "text",
    "subscription_start_date": "time",
    "subscription_trial_end": "text",
    "subscription_trial_from_plan": "boolean",
}
_PRODUCT = {
    "attributes": "?[text]",
    "caption": "text",
    "deactivate_on": "[text]",
    "features[].name": "text",
}
_PAGE = {"limit": "integer", "starting_after": "text", "ending_before": "text"}

_TYPED_CARD = {"payment_method_data.card": "object", "payment_method_data.type": "text"}

#: Parameters of older versions, and values that Stripe accepts though the document does not say so.
EXTRA: Final[Table] = {
    "POST /v1/accounts": {**_ACCOUNT, "business_profile.product_description": "?text"},
    "POST /v1/accounts/{}": {**_ACCOUNT, "business_profile.product_description": "?text"},
    "POST /v1/account_links": {"refresh_url": "return_url", "return_url": "return_url"},
    "POST /v1/billing_portal/sessions": {"return_url": "return_url"},
    "POST /v1/accounts/{}/persons": {"email": "?email"},
    "POST /v1/accounts/{}/persons/{}": {"email": "?email"},
    "POST /v1/payment_methods": {"billing_details.email": "?email"},
    "POST /v1/payment_methods/{}": {"billing_details.email": "?email"},
    "POST /v1/setup_intents": {"return_url": "return_url", **_TYPED_CARD},
    "POST /v1/setup_intents/{}": _TYPED_CARD,
    "POST /v1/setup_intents/{}/confirm": {
        "return_url": "return_url",
        "set_as_default_payment_method": "boolean",
        **_TYPED_CARD,
    },
    "POST /v1/test_helpers/confirmation_tokens": _TYPED_CARD,
    "POST /v1/charges": {
        "receipt_email": "?email",
        "card": "any",
        "statement_description": "text",
        "customer_account": "text",
    },
    "POST /v1/charges/{}/capture": {"destination.amount": "integer"},
    "POST /v1/checkout/sessions": {
        **_LINE,
        "ui_mode": "hosted|embedded|custom|hosted_page|embedded_page|elements",
        "subscription_data.items": "[object]",
        "subscription_data.items[].plan": "text",
        "subscription_data.items[].quantity": "integer",
        "subscription_data.items[].tax_rates": "?[text]",
        "subscription_data.coupon": "text",
        "subscription_data.trial_from_plan": "boolean",
        "customer_account": "text",
        "customer_email": "email",
        "success_url": "return_url",
        "cancel_url": "return_url",
        "return_url": "return_url",
    },
    "POST /v1/sources": {
        **dict.fromkeys(
            ("ach_credit_transfer", "ach_debit", "acss_debit", "alipay", "au_becs_debit", "bancontact"), "?object"
        ),
        **dict.fromkeys(("card", "eps", "giropay", "ideal", "klarna", "multibanco", "p24"), "?object"),
        **dict.fromkeys(("sepa_debit", "sofort", "three_d_secure", "wechat"), "?object"),
    },
    "GET /v1/sources/{}": {"client_secret": "text"},
    "GET /v1/credit_notes/preview": {"refund": "text"},
    "GET /v1/credit_notes/preview/lines": {"refund": "text"},
    "POST /v1/credit_notes": {"refund": "text"},
    "POST /v1/customer_sessions": {
        "components.customer_sheet.features.payment_method_remove_last": "disabled|enabled",
        "components.customer_sheet.features.payment_method_sync_default": "disabled|enabled",
        "components.mobile_payment_element.features.payment_method_remove_last": "disabled|enabled",
        "components.mobile_payment_element.features.payment_method_set_as_default": "disabled|enabled",
    },
    "POST /v1/customers": {
        **_PLAN,
        "account_balance": "integer",
        "bank_account": "any",
        "business_vat_id": "text",
        "card": "any",
        "description": "?",
        "email": "?email",
        "name": "?",
        "phone": "?",
        "promotion_code": "text",
        "tax_info": "?",
        "tax_info.tax_id": "?text",
        "tax_info.type": "vat",
        "trial_end": "time|now",
    },
    "POST /v1/customers/{}": {
        **_PLAN,
        "account_balance": "integer",
        "business_vat_id": "text",
        "description": "?",
        "email": "?email",
        "name": "?",
        "phone": "?",
        "promotion_code": "text",
        "tax_info": "?",
        "tax_info.tax_id": "?text",
        "tax_info.type": "vat",
        "trial_end": "time|now",
    },
    "POST /v1/customers/{}/subscriptions": _SUBSCRIPTION,
    "POST /v1/customers/{}/subscriptions/{}": _SUBSCRIPTION,
    "POST /v1/invoiceitems": {"plan": "text", "price": "text", "unit_amount": "integer"},
    "POST /v1/invoiceitems/{}": {"price": "text", "unit_amount": "integer"},
    "POST /v1/invoices": {
        "billing": "text",
        "coupon": "?text",
        "tax_percent": "?number",
        "application_fee": "integer",
        "rendering_options.amount_tax_display": "text",
    },
    "POST /v1/invoices/{}": {
        "rendering_options.amount_tax_display": "text",
        "billing": "text",
        "closed": "boolean",
        "forgiven": "boolean",
        "paid": "boolean",
        "tax_percent": "?number",
    },
    "POST /v1/payment_intents": {**_INTENT, "allowed_source_types": "[text]"},
    "POST /v1/payment_intents/{}": {**_INTENT, "allowed_source_types": "[text]", "payment_method": "?"},
    "POST /v1/payment_intents/{}/confirm": {**_INTENT, "set_as_default_payment_method": "boolean"},
    "POST /v1/plans": {"name": "text", "statement_descriptor": "text", "aggregate_usage": "text"},
    "POST /v1/plans/{}": {"name": "text", "statement_descriptor": "text"},
    "POST /v1/prices": {"recurring.aggregate_usage": "text", "recurring.trial_period_days": "natural"},
    "POST /v1/products": {**_PRODUCT, "type": "text"},
    "POST /v1/products/{}": _PRODUCT,
    "POST /v1/promotion_codes": {"coupon": "text", "?promotion": "any"},
    "POST /v1/subscription_items": {"plan": "text", "prorate": "boolean"},
    "POST /v1/subscription_items/{}": {"plan": "text", "prorate": "boolean"},
    "POST /v1/subscription_schedules": _SCHEDULE,
    "POST /v1/subscription_schedules/{}": _SCHEDULE,
    "POST /v1/subscriptions": _SUBSCRIPTION,
    "POST /v1/subscriptions/{}": _SUBSCRIPTION,
    "DELETE /v1/subscriptions/{}": {"at_period_end": "boolean"},
    "POST /v1/webhook_endpoints": {"connect": "boolean", "url": "url"},
    "POST /v1/webhook_endpoints/{}": {"url": "url"},
}

#: Operations that newer versions no longer have.
EXTRA_OPERATIONS: Final[Table] = {
    "GET /v1/invoices/upcoming": _UPCOMING,
    "GET /v1/invoices/upcoming/lines": {**_UPCOMING, **_PAGE},
    "GET /v1/subscription_items/{}/usage_record_summaries": _PAGE,
    "POST /v1/subscription_items/{}/usage_records": {
        "quantity": "integer",
        "timestamp": "now|time",
        "action": "increment|set",
    },
}

#: Parameters that are required though the document calls them optional.
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "POST /v1/charges": ("amount", "currency"),
    "POST /v1/transfers": ("amount",),
}

#: The order in which error messages list choices, where it is known and not alphabetical.
ENUM_ORDERS: Final[dict[frozenset[str], tuple[str, ...]]] = {
    frozenset(words): words
    for words in (
        ("none", "reverse", "exempt"),
        ("draft", "open", "void", "paid", "uncollectible"),
        (
            "active",
            "past_due",
            "unpaid",
            "canceled",
            "incomplete",
            "incomplete_expired",
            "trialing",
            "paused",
            "all",
            "ended",
        ),
    )
}
