"""The URL of a charge's receipt, and the merchant's name on it."""

from __future__ import annotations

from tollkey.payments.shared.fields import acting_account
from tollkey.wire import Call
from tollkey.wire.hosted import hosted_url

RECEIPT = "receipts"


def receipt_url(call: Call, charge: str) -> str:
    """Return a new URL of a charge's receipt; everyone who has the URL can see the receipt."""
    return hosted_url(call, RECEIPT, charge)


def business_name(call: Call) -> str:
    """Return the merchant's name as customers see it."""
    account = acting_account(call) or {}
    profile = account.get("business_profile") or {}
    dashboard = (account.get("settings") or {}).get("dashboard") or {}
    return str(profile.get("name") or dashboard.get("display_name") or "this business")
