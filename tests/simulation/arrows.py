"""How the status of each kind of object may move. The drawn arrows of the resources' docstrings, as one table."""

from __future__ import annotations

_INTENT = {
    "requires_payment_method": {
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "succeeded",
        "canceled",
    },
    "requires_confirmation": {
        "requires_payment_method",
        "requires_action",
        "processing",
        "requires_capture",
        "succeeded",
        "canceled",
    },
    "requires_action": {
        "requires_payment_method",
        "requires_confirmation",
        "processing",
        "requires_capture",
        "succeeded",
        "canceled",
    },
    "processing": {"requires_payment_method", "requires_capture", "succeeded", "canceled"},
    "requires_capture": {"succeeded", "canceled", "requires_payment_method"},
    "succeeded": set(),
    "canceled": set(),
}

#: Kind of object -> status -> the statuses it may become. A status that is not named is one nothing may have.
ARROWS: dict[str, dict[str, set[str]]] = {
    "payment_intent": _INTENT,
    "setup_intent": {
        state: after - {"requires_capture"} for state, after in _INTENT.items() if state != "requires_capture"
    },
    "charge": {"pending": {"succeeded", "failed"}, "succeeded": set(), "failed": set()},
    "refund": {
        "requires_action": {"pending", "succeeded", "failed", "canceled"},
        "pending": {"succeeded", "failed", "canceled", "requires_action"},
        "succeeded": {"failed"},  # a bank may send a refund back
        "failed": set(),
        "canceled": set(),
    },
    "payout": {
        "pending": {"in_transit", "paid", "failed", "canceled"},
        "in_transit": {"paid", "failed", "canceled"},
        "paid": {"failed"},  # a bank may return it days later
        "failed": set(),
        "canceled": set(),
    },
    "topup": {
        "pending": {"succeeded", "failed", "canceled"},
        "succeeded": {"reversed"},
        "failed": set(),
        "canceled": set(),
        "reversed": set(),
    },
    "dispute": {
        "warning_needs_response": {"warning_under_review", "warning_closed", "needs_response"},
        "warning_under_review": {"warning_closed", "needs_response"},
        "warning_closed": set(),
        "needs_response": {"under_review", "won", "lost"},
        "under_review": {"won", "lost"},
        "won": set(),
        "lost": set(),
    },
    "invoice": {
        "draft": {"open", "paid"},
        "open": {"paid", "void", "uncollectible"},
        "uncollectible": {"paid", "void"},
        "paid": set(),
        "void": set(),
    },
    "subscription": {
        "incomplete": {"active", "trialing", "incomplete_expired", "canceled"},
        "trialing": {"active", "past_due", "paused", "canceled", "unpaid", "incomplete"},
        "active": {"past_due", "unpaid", "trialing", "paused", "canceled"},
        "past_due": {"active", "trialing", "unpaid", "paused", "canceled"},
        "unpaid": {"active", "trialing", "canceled"},
        "paused": {"active", "trialing", "past_due", "canceled"},
        "incomplete_expired": set(),
        "canceled": set(),
    },
    "subscription_schedule": {
        "not_started": {"active", "canceled", "released", "completed"},
        "active": {"completed", "released", "canceled"},
        "completed": set(),
        "released": set(),
        "canceled": set(),
    },
    "quote": {"draft": {"open", "canceled"}, "open": {"accepted", "canceled"}, "accepted": set(), "canceled": set()},
    "credit_note": {"issued": {"void"}, "void": set()},
    "checkout.session": {"open": {"complete", "expired"}, "complete": set(), "expired": set()},
    "identity.verification_session": {
        "requires_input": {"processing", "verified", "canceled"},
        "processing": {"verified", "requires_input", "canceled"},
        "verified": {"canceled"},
        "canceled": set(),
    },
    "source": {
        "pending": {"chargeable", "failed", "canceled"},
        "chargeable": {"consumed", "failed", "canceled"},
        "consumed": {"chargeable"},
        "failed": set(),
        "canceled": set(),
    },
    "test_helpers.test_clock": {
        "ready": {"advancing"},
        "advancing": {"ready", "internal_failure"},
        "internal_failure": set(),
    },
    "issuing.authorization": {
        "pending": {"closed", "reversed", "expired"},
        "closed": {"pending"},
        "reversed": set(),
        "expired": set(),
    },
    "issuing.dispute": {
        "unsubmitted": {"submitted", "expired"},
        "submitted": {"won", "lost"},
        "expired": set(),
        "won": set(),
        "lost": set(),
    },
}

#: Moves that the real system makes without an event.
SILENT: dict[str, set[str]] = {
    "payment_intent": {"requires_payment_method", "requires_confirmation"},
    "setup_intent": {"requires_payment_method", "requires_confirmation"},
    "source": {"consumed", "pending"},
    "checkout.session": {"open"},
}
