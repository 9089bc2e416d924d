"""Permissions of operations that this server does not simulate, and passes on to an upstream account.

Names and labels are those of Stripe's editor where they are known (``issuing_network_token``); the others are named
after their resource, as Stripe names its own. A released name is never removed (``keys/permissions.py``).
"""

from __future__ import annotations

from typing import Final

from tollkey.keys import Permission

_READ = ("read",)
_WRITE = ("write",)

#: Path of an operation, or the beginning of it, without its names in braces -> the permission. The longest counts.
FURTHER: Final[dict[str, Permission]] = {
    "/v1/apps/installs": Permission("apps_install", "App installs", "Apps"),
    "/v1/billing/feedback_options": Permission("billing_feedback_option", "Feedback options", "Billing"),
    "/v1/financial_connections/accounts": Permission(
        "financial_connections_account", "Accounts", "Financial Connections"
    ),
    "/v1/financial_connections/sessions": Permission(
        "financial_connections_session", "Sessions", "Financial Connections"
    ),
    "/v1/financial_connections/transactions": Permission(
        "financial_connections_transaction", "Transactions", "Financial Connections", _READ
    ),
    "/v1/forwarding/requests": Permission("forwarding_request", "Forwarding requests", "Core"),
    "/v1/issuing/personalization_designs": Permission(
        "issuing_personalization_design", "Personalization designs", "Issuing"
    ),
    "/v1/issuing/physical_bundles": Permission("issuing_physical_bundle", "Physical bundles", "Issuing", _READ),
    "/v1/issuing/settlements": Permission("issuing_settlement", "Settlements", "Issuing"),
    "/v1/issuing/tokens": Permission("issuing_network_token", "Tokens", "Issuing"),
    "/v1/radar/payment_evaluations": Permission("radar_payment_evaluation", "Payment evaluations", "Radar", _WRITE),
    "/v1/sigma": Permission("scheduled_query_run", "Sigma queries", "Reporting"),
    "/v1/terminal/onboarding_links": Permission("terminal_onboarding_link", "Onboarding links", "Terminal", _WRITE),
    "/v1/three_d_secure/authentications": Permission(
        "three_d_secure_authentication", "3D Secure authentications", "Core"
    ),
    "/v1/treasury/credit_reversals": Permission("treasury_credit_reversal", "Credit reversals", "Treasury"),
    "/v1/treasury/debit_reversals": Permission("treasury_debit_reversal", "Debit reversals", "Treasury"),
    "/v1/treasury/financial_accounts": Permission("treasury_financial_account", "Financial accounts", "Treasury"),
    "/v1/treasury/inbound_transfers": Permission("treasury_inbound_transfer", "Inbound transfers", "Treasury"),
    "/v1/treasury/outbound_payments": Permission("treasury_outbound_payment", "Outbound payments", "Treasury"),
    "/v1/treasury/outbound_transfers": Permission("treasury_outbound_transfer", "Outbound transfers", "Treasury"),
    "/v1/treasury/received_credits": Permission("treasury_received_credit", "Received credits", "Treasury"),
    "/v1/treasury/received_debits": Permission("treasury_received_debit", "Received debits", "Treasury"),
    "/v1/treasury/transaction": Permission("treasury_transaction", "Transactions", "Treasury", _READ),
    "/v2/commerce/product_catalog": Permission("product_catalog_import", "Product catalog imports", "Commerce"),
    "/v2/core/vault": Permission("vault_bank_account", "Bank accounts", "Money management"),
    "/v2/money_management/adjustments": Permission(
        "money_management_adjustment", "Adjustments", "Money management", _READ
    ),
    "/v2/money_management/financial_accounts": Permission(
        "money_management_financial_account", "Financial accounts", "Money management"
    ),
    "/v2/money_management/financial_addresses": Permission(
        "money_management_financial_address", "Financial addresses", "Money management"
    ),
    "/v2/money_management/inbound_transfers": Permission(
        "money_management_inbound_transfer", "Inbound transfers", "Money management"
    ),
    "/v2/money_management/outbound_payments": Permission(
        "money_management_outbound_payment", "Outbound payments", "Money management"
    ),
    "/v2/money_management/outbound_setup_intents": Permission(
        "money_management_outbound_setup_intent", "Outbound setup intents", "Money management"
    ),
    "/v2/money_management/payout_intents": Permission(
        "money_management_payout_intent", "Payout intents", "Money management"
    ),
    "/v2/money_management/payout_methods": Permission(
        "money_management_payout_method", "Payout methods", "Money management"
    ),
    "/v2/money_management/received_credits": Permission(
        "money_management_received_credit", "Received credits", "Money management"
    ),
    "/v2/money_management/recipient_verifications": Permission(
        "money_management_recipient_verification", "Recipient verifications", "Money management"
    ),
    "/v2/money_management/transaction": Permission("money_management_transaction", "Transactions", "Money management"),
}

#: Operations that this server does not simulate, below a path that has a permission already -> the name of it.
KNOWN: Final[dict[str, str]] = {
    "/v1/accounts": "connected_account",
    "/v1/external_accounts": "connected_account",
    "/v1/link_account_sessions": "financial_connections_session",
    "/v1/linked_accounts": "financial_connections_account",
    "/v1/payment_records": "payment_records",
    "/v1/product_catalog": "product",
    "/v1/sources": "source",
    "/v1/subscriptions": "subscription",
    "/v1/tax/locations": "tax_settings",
    "/v1/terminal/readers": "terminal_reader",
    "/v1/terminal/refunds": "refund",
    "/v1/test_helpers/issuing/authorizations": "issuing_authorization",
    "/v1/test_helpers/issuing/cards": "issuing_card",
    "/v1/test_helpers/issuing/personalization_designs": "issuing_personalization_design",
    "/v1/test_helpers/issuing/settlements": "issuing_settlement",
    "/v1/test_helpers/issuing/transactions": "issuing_transaction",
    "/v1/test_helpers/refunds": "refund",
    "/v1/test_helpers/terminal": "terminal_reader",
    "/v1/test_helpers/treasury/inbound_transfers": "treasury_inbound_transfer",
    "/v1/test_helpers/treasury/outbound_payments": "treasury_outbound_payment",
    "/v1/test_helpers/treasury/outbound_transfers": "treasury_outbound_transfer",
    "/v1/test_helpers/treasury/received_credits": "treasury_received_credit",
    "/v1/test_helpers/treasury/received_debits": "treasury_received_debit",
    "/v2/money_management/test_helpers": "money_management_financial_address",
    "/v2/test_helpers/money_management": "money_management_recipient_verification",
}

#: Objects that no operation answers with, but others show when they are expanded -> the permission to read them.
READERS: Final[dict[str, str]] = {
    "connect_collection_transfer": "balance_transaction_source",
    "financial_connections.account_owner": "financial_connections_account",
    "financial_connections.account_ownership": "financial_connections_account",
    "reserve_transaction": "balance_transaction_source",
    "rule": "review",
    "tax.calculation_line_item": "tax_transaction",
    "tax.transaction_line_item": "tax_transaction",
    "tax_deducted_at_source": "balance_transaction_source",
}

#: ``(path, parameter)`` of an operation -> the object that the parameter copies, makes or changes, and the level of its
#: permission that a restricted key needs besides that of the operation; as this server's own endpoints ask for it.
ALSO: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("/v1/customers", "plan"): ("subscription", "write"),
    ("/v1/customers/{customer}", "plan"): ("subscription", "write"),
    ("/v1/payment_methods", "payment_method"): ("payment_method", "read"),
    ("/v1/sources", "original_source"): ("source", "read"),
    ("/v1/sources", "three_d_secure"): ("customer", "read"),
    ("/v1/subscriptions", "card"): ("customer", "write"),
    ("/v1/subscriptions", "source"): ("customer", "write"),
    ("/v1/test_helpers/confirmation_tokens", "payment_method"): ("payment_method", "read"),
    ("/v1/tokens", "customer"): ("customer", "read"),
}


def named_for(path: str) -> str | None:
    """Return the name of the permission for an operation that no resource of this server has; None if there is none.

    path: of the operation, its names in braces or not.
    """
    found = max((start for start in (*FURTHER, *KNOWN) if path.startswith(start)), key=len, default=None)
    if found is None:
        return None
    return FURTHER[found].name if found in FURTHER else KNOWN[found]
