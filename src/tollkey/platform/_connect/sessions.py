"""Embedded components of an account session: names and their features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.platform._connect.ownership import collects
from tollkey.wire import Json, invalid

_AUTHENTICATION, _COLLECTION = "disable_stripe_user_authentication", "external_account_collection"
_PAYMENT = (
    "capture_payments", "destination_on_behalf_of_charge_management", "dispute_management", "refund_management",
    "smart_disputes_management",
)  # fmt: skip
_PAYOUT = (_AUTHENTICATION, "edit_payout_schedule", _COLLECTION, "instant_payouts", "standard_payouts")
_COMPONENTS: dict[str, tuple[str, ...]] = {
    "account_management": (_AUTHENTICATION, _COLLECTION),
    "account_onboarding": (_AUTHENTICATION, _COLLECTION),
    "balance_report": (),
    "balances": _PAYOUT,
    "disputes_list": _PAYMENT,
    "documents": (),
    "financial_account": (_AUTHENTICATION, _COLLECTION, "send_money", "transfer_balance"),
    "financial_account_transactions": ("card_spend_dispute_management",),
    "instant_payouts_promotion": (_AUTHENTICATION, _COLLECTION, "instant_payouts"),
    "issuing_card": ("card_management", "card_spend_dispute_management", "cardholder_management",
    "spend_control_management"),
    "issuing_cards_list": (
        "card_management", "card_spend_dispute_management", "cardholder_management", _AUTHENTICATION,
        "spend_control_management",
    ),
    "notification_banner": (_AUTHENTICATION, _COLLECTION),
    "payment_details": _PAYMENT,
    "payment_disputes": _PAYMENT[1:],
    "payments": _PAYMENT,
    "payout_details": (),
    "payout_reconciliation_report": (),
    "payouts": _PAYOUT,
    "payouts_list": (),
    "tax_registrations": (),
    "tax_settings": (),
}  # fmt: skip
#: On unless switched off; the others are off unless switched on.
_ON = frozenset(
    {_COLLECTION, "capture_payments", "dispute_management", "refund_management", "card_spend_dispute_management"}
)


def check_components(account: Json, given: Mapping[str, Any]) -> None:
    """Check the components of a new session.

    Raises ApiError 400 for features that are for accounts whose requirements the platform collects.
    """
    if collects(account):
        return
    for name, asked in given.items():
        features = (asked or {}).get("features") or {}
        for feature, refused in ((_AUTHENTICATION, True), (_COLLECTION, False)):
            if features.get(feature) is refused:
                message = (
                    f"The feature `{feature}` can only be {str(refused).lower()} for accounts where"
                    " `controller.requirement_collection` is `application`."
                )
                raise invalid(message, f"components[{name}][features][{feature}]")


def components_of(given: Mapping[str, Any]) -> Json:
    """``components`` of a session: all of them, with the requested ones enabled."""
    made: Json = {}
    for name, features in _COMPONENTS.items():
        asked = given.get(name) or {}
        wanted = asked.get("features") or {}
        enabled = bool(asked.get("enabled"))
        values = {feature: bool(wanted.get(feature, enabled and feature in _ON)) for feature in features}
        made[name] = {"enabled": enabled, "features": values}
    return made
