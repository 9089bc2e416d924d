"""What responses contain where the published document leaves it open, counted in recorded responses of Stripe's API."""

from __future__ import annotations

from typing import Final

#: Nullable lists that are empty, never null, in every object.
EMPTY_LISTS: Final = frozenset(
    {
        "customer_tax_ids",
        "default_tax_rates",
        "discount_amounts",
        "discounts",
        "preferred_locales",
        "pretax_credit_amounts",
        "tax_rates",
        "taxes",
        "total_discount_amounts",
        "total_pretax_credit_amounts",
        "total_taxes",
    }
)

#: Nullable hashes that are empty, never null.
EMPTY_HASHES: Final = frozenset({"fraud_details", "metadata"})

#: Properties that the document calls optional and every response has.
ALWAYS: Final[dict[str, tuple[str, ...]]] = {
    "capability": ("future_requirements", "requirements"),
    "checkout.session": ("branding_settings", "phone_number_collection"),
    "customer": ("balance", "invoice_settings", "metadata", "next_invoice_sequence"),
    "dispute": ("payment_method_details",),
    "ephemeral_key": ("secret",),
    "file": ("links",),
    "payment_intent": (
        "amount",
        "amount_capturable",
        "amount_details",
        "amount_received",
        "capture_method",
        "confirmation_method",
        "currency",
        "metadata",
        "payment_method_types",
    ),
    "person": ("dob", "metadata", "relationship", "verification"),
    "subscription_schedule": ("pause_schedules",),
    "transfer": ("destination_payment", "source_type"),
}

#: Properties that the document calls nullable and that only some objects have.
SOMETIMES: Final[dict[str, frozenset[str]]] = {
    "account": frozenset({"groups"}),
    "billing_portal.session": frozenset({"after_expiration"}),
    "bank_account": frozenset({"account", "available_payout_methods", "customer", "default_for_currency"}),
    "confirmation_token": frozenset({"metadata"}),
    "card": frozenset({"account", "allow_redisplay", "available_payout_methods", "default_for_currency", "status"}),
    "invoice": frozenset({"status_details"}),
    "invoiceitem": frozenset({"frozen_fields", "invoicing_rules"}),
    "payment_method": frozenset({"paypay", "sequra"}),
    "payment_method_configuration": frozenset({"paypay", "sequra"}),
    "person": frozenset({"us_cfpb_data"}),
    "subscription": frozenset({"status_details"}),
    "topup": frozenset({"payment_method", "payment_method_options"}),
}

#: Properties, besides lists, that exist only when expanded.
WHEN_EXPANDED: Final[dict[str, frozenset[str]]] = {
    "account": frozenset({"groups"}),
    "balance": frozenset({"instant_available.net_available"}),
    "checkout.session": frozenset({"total_details.breakdown"}),
    "coupon": frozenset({"applies_to", "currency_options"}),
    "customer": frozenset({"cash_balance", "invoice_credit_balance", "tax"}),
    "financial_connections.account": frozenset({"ownership"}),
    "identity.verification_report": frozenset(
        {"document.dob", "document.expiration_date", "document.number", "id_number.dob", "id_number.id_number"}
    ),
    "identity.verification_session": frozenset(
        {"verified_outputs", "verified_outputs.dob", "verified_outputs.id_number", "verified_outputs.id_number_type"}
    ),
    "invoice": frozenset({"confirmation_secret"}),
    "issuing.card": frozenset({"cvc", "number"}),
    "plan": frozenset({"tiers"}),
    "price": frozenset({"currency_options", "tiers"}),
    "quote": frozenset({"computed.recurring.line_items", "computed.upfront.line_items"}),
    "shipping_rate": frozenset({"fixed_amount.currency_options"}),
    "tax.calculation": frozenset({"line_items"}),
}

#: What older versions could expand, by object: path and the names of its targets.
EXPANDED_BEFORE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "charge": {"dispute": ("dispute",), "invoice": ("invoice",), "order": ("order",), "destination": ("account",)},
    "customer": {"default_card": ("card",)},
    "invoice": {
        "charge": ("charge",),
        "payment_intent": ("payment_intent",),
        "quote": ("quote",),
        "subscription": ("subscription",),
        "discount": ("discount",),
        "discount.promotion_code": ("promotion_code",),
        "lines.data.price.product": ("product",),
        "lines.data.price": ("price",),
        "lines.data.plan.product": ("product",),
        "lines.data.invoice_item": ("invoiceitem",),
        "default_payment_method": ("payment_method",),
    },
    "invoiceitem": {
        "plan.product": ("product",),
        "plan.tiers": ("list",),
        "price.product": ("product",),
        "price.tiers": ("list",),
        "subscription": ("subscription",),
    },
    "line_item": {
        "invoice_item": ("invoiceitem",),
        "plan.product": ("product",),
        "plan.tiers": ("list",),
        "price.product": ("product",),
        "price.tiers": ("list",),
        "subscription": ("subscription",),
    },
    "payment_intent": {
        "charges": ("list",),
        "charges.data": ("charge",),
        "invoice": ("invoice",),
        "source": ("card", "source"),
    },
    "promotion_code": {"coupon": ("coupon",)},
    "subscription": {"plan.product": ("product",), "items.data.plan.product": ("product",), "discount": ("discount",)},
}

#: Of those, the ones that later versions refuse -> the first version that refuses them.
EXPANDED_UNTIL: Final[dict[str, dict[str, str]]] = {
    "charge": {"invoice": "2025-03-31"},
    "invoice": dict.fromkeys(("charge", "discount", "payment_intent", "quote", "subscription"), "2025-03-31"),
    "invoiceitem": dict.fromkeys(("plan", "price", "subscription"), "2025-03-31"),
    "line_item": dict.fromkeys(("plan", "price"), "2025-03-31"),
    "payment_intent": {"charges": "2022-11-15", "invoice": "2025-03-31"},
    "promotion_code": {"coupon": "2025-09-30"},
    "subscription": {"discount": "2025-03-31"},
}
