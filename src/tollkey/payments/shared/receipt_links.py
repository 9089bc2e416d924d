"""Where a charge's receipt is, and how the merchant is named on it."""

from __future__ import annotations

from tollkey.payments.shared.fields import acting_account
from tollkey.wire import Call, hosted_url

RECEIPT = "receipts"


def receipt_url(call: Call, charge: str) -> str:
    """A new address of the receipt of the charge with that id; whoever has it may look at the receipt."""
    return hosted_url(call, RECEIPT, charge)


def business_name(call: Call) -> str:
    """How the merchant is called in front of customers."""
    account = acting_account(call) or {}
    profile = account.get("business_profile") or {}
    dashboard = (account.get("settings") or {}).get("dashboard") or {}
    return str(profile.get("name") or dashboard.get("display_name") or "this business")
