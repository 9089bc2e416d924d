"""Payment methods, tokens and sources."""

from tollkey.payments.methods import (
    customer_sources,
    ephemeral_keys,
    external_accounts,
    instruments,
    kinds,
    mandates,
    method_capabilities,
    method_types,
    new_cards,
    payment_method_configurations,
    payment_methods,
    source_limits,
)

__all__ = [
    "customer_sources",
    "ephemeral_keys",
    "external_accounts",
    "instruments",
    "kinds",
    "mandates",
    "method_capabilities",
    "method_types",
    "new_cards",
    "payment_method_configurations",
    "payment_methods",
    "source_limits",
]
