"""Evidence for which Visa has rules of its own: what is checked of it, and what it still lacks.

Source: docs.stripe.com/disputes/api/visa-ce3 and docs.stripe.com/disputes/api/visa-compliance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.charges import kinds
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.wire import api

#: Fewest characters of what identifies a device (the object's description in Stripe's document).
_LEAST_OF_DEVICES = {"customer_device_fingerprint": 20, "customer_device_id": 15}
#: Earlier payments that nobody disputed, and how many of them show who the customer is.
_PRIOR = 2
#: What identifies the customer: one of the first two and any other one have the same value in each transaction.
_MAIN = (("customer_purchase_ip",), ("customer_device_fingerprint", "customer_device_id"))
_OTHER = (("shipping_address",), ("customer_email_address",), ("customer_account_id",))


def check_devices(enhanced: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for an identifier of a device that is too short for Visa's compelling evidence.

    enhanced: ``evidence[enhanced_evidence]``.
    """
    given = enhanced.get("visa_compelling_evidence_3") or {}
    parts = {"disputed_transaction": given.get("disputed_transaction") or {}}
    for place, prior in enumerate(given.get("prior_undisputed_transactions") or []):
        parts[f"prior_undisputed_transactions][{place}"] = prior
    for part, transaction in parts.items():
        for name, least in _LEAST_OF_DEVICES.items():
            value = transaction.get(name)
            if value and len(value) < least:
                raise invalid(
                    f"Invalid {name}: must be at least {least} characters.",
                    f"evidence[enhanced_evidence][visa_compelling_evidence_3][{part}][{name}]",
                )


def check_prior(call: Call, enhanced: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a prior payment that is not the account's. enhanced: ``evidence[enhanced_evidence]``."""
    given = enhanced.get("visa_compelling_evidence_3") or {}
    for place, prior in enumerate(given.get("prior_undisputed_transactions") or []):
        if prior.get("charge"):
            where = f"visa_compelling_evidence_3][prior_undisputed_transactions][{place}][charge"
            call.objects.get(kinds.CHARGE, prior["charge"], f"evidence[enhanced_evidence][{where}]")


def eligibility(types: Iterable[str], enhanced: Mapping[str, Any]) -> api.DisputeEnhancedEligibility:
    """Return ``evidence_details.enhanced_eligibility`` of a dispute.

    types: its ``enhanced_eligibility_types``. enhanced: its ``evidence.enhanced_evidence``.
    """
    found: api.DisputeEnhancedEligibility = {}
    if "visa_compelling_evidence_3" in types:
        missing = _missing(enhanced.get("visa_compelling_evidence_3") or {})
        status: api.DisputeEnhancedEligibilityVisaCompellingEvidence3 = {
            "required_actions": missing,
            "status": "requires_action" if missing else "qualified",
        }
        found["visa_compelling_evidence_3"] = status
    if "visa_compliance" in types:
        agreed = (enhanced.get("visa_compliance") or {}).get("fee_acknowledged")
        found["visa_compliance"] = {"status": "fee_acknowledged" if agreed else "requires_fee_acknowledgement"}
    return found


def _missing(given: Mapping[str, Any]) -> list[str]:
    """Return the ``required_actions`` of compelling evidence."""
    disputed: Mapping[str, Any] = given.get("disputed_transaction") or {}
    prior: Sequence[Mapping[str, Any]] = given.get("prior_undisputed_transactions") or []
    lacks = {
        "missing_customer_identifiers": not _identified([disputed, *prior]),
        "missing_disputed_transaction_description": not disputed.get("product_description"),
        "missing_merchandise_or_services": not disputed.get("merchandise_or_services"),
        "missing_prior_undisputed_transaction_description": not all(one.get("product_description") for one in prior),
        "missing_prior_undisputed_transactions": len(prior) < _PRIOR,
    }
    return [name for name, lacking in lacks.items() if lacking]


def _identified(transactions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a main identifier and another one are the same in every transaction."""
    main = sum(_same(transactions, names) for names in _MAIN)
    return main >= 1 and main + sum(_same(transactions, names) for names in _OTHER) >= 2


def _same(transactions: Sequence[Mapping[str, Any]], names: Iterable[str]) -> bool:
    """Whether one of the identifiers has one value in every transaction."""
    first = transactions[0]
    return any(first.get(name) and all(one.get(name) == first[name] for one in transactions) for name in names)
