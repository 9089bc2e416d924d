"""Which capabilities and service agreements an account may have, by its country and its platform's.

agreement    capabilities                            countries
full         ``card_payments`` with ``transfers``    all
full         ``transfers`` alone                     all but those of ``_WITH_CARDS``
recipient    ``transfers`` alone                     others than the United States and Brazil, for platforms in the US

The v2 API asks for no agreement, and its configurations ``merchant`` and ``recipient`` stand alone: an account that is
charged directly is a merchant only (docs.stripe.com/connect/saas/tasks/create).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tollkey.wire import ApiError, Json, invalid
from tollkey.wire.shapes import properties

#: Where a platform can only have ``transfers`` together with ``card_payments``.
_WITH_CARDS = frozenset({"US", "BR"})
#: Cross-border payouts are for platforms there ("Cross-border payouts" in Stripe's documentation).
_CROSS_BORDER_FROM = "US"
_FIRST_TERMS = 1_230_768_000  # 2009-01-01


def check_agreement(account: Json, platform: Json, given: str | None) -> None:
    """Check the service agreement that parameters ask for.

    account: as it is now. platform: the account of its platform. given: ``full``, ``recipient`` or None.
    Raises ApiError 400 for countries between which there is none, and for an agreement that was accepted already.
    Source of the text: icommercestripe and others, who quote it in their sources.
    """
    if given is None:
        return
    home, country = platform["country"], account["country"]
    if given == "recipient" and (home != _CROSS_BORDER_FROM or country in _WITH_CARDS):
        message = (
            f"The recipient ToS agreement is not supported for platforms in {home} creating accounts in {country}."
        )
        raise invalid(message, "tos_acceptance[service_agreement]")
    terms = account.get("tos_acceptance") or {}
    if terms.get("date") and given != (terms.get("service_agreement") or "full"):
        message = "The service agreement of an account cannot be changed after it was accepted."
        raise invalid(message, "tos_acceptance[service_agreement]")


def check_terms(terms: Mapping[str, Any], now: int) -> None:
    """Check when terms of service were accepted.

    terms: ``tos_acceptance`` as it was sent. now: UTC epoch seconds.
    Raises ApiError 400 for a date in the future or before 2009. Source of the text: stripe-ruby-mock.
    """
    date = terms.get("date")
    if date is not None and not _FIRST_TERMS <= date <= now:
        message = (
            "ToS acceptance date is not valid. Dates are expected to be integers, measured in seconds, not in the"
            " future, and after 2009"
        )
        raise invalid(message, "tos_acceptance[date]")


@cache
def known_capabilities() -> frozenset[str]:
    """Return the names of all capabilities, also of one that earlier versions had."""
    return frozenset((*properties("account_capabilities"), "platform_payments"))


def check_requested(account: Json, requested: set[str], new: set[str]) -> None:
    """Check capabilities that are about to be requested.

    requested: all that are requested then. new: those among them that were not before.
    Raises ApiError 400 for combinations that the account's country or agreement does not allow.
    Sources of the texts: Trac-Systems/openmayhem issue 8, Automattic/woocommerce-payments issue 5403.
    """
    recipient = (account.get("tos_acceptance") or {}).get("service_agreement") == "recipient"
    if recipient and "card_payments" in new:
        raise _refused(
            "You cannot request the `card_payments` capability for accounts under the recipient ToS agreement."
        )
    if "card_payments" in new and "transfers" not in requested:
        raise _refused(
            "Accounts do not currently support `card_payments` without `transfers`. Please visit"
            " https://stripe.com/docs/connect/account-capabilities#card-payments for more details."
        )
    alone = "transfers" in new and "card_payments" not in requested
    if alone and not recipient and account["country"] in _WITH_CARDS:
        raise _refused(
            "You cannot request the `transfers` capability without the `card_payments` capability for accounts in"
            f" {account['country']}."
        )


def _refused(message: str) -> ApiError:
    return invalid(message, "capabilities")
