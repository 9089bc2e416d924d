"""Payment methods, tokens and sources."""

from tollkey.payments.methods import (
    claims,
    customer_sources,
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
    "claims",
    "customer_sources",
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
