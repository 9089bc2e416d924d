"""The test values that decide the result of checking a business: its site, names, descriptors and address.

Source: "Testing Stripe Connect" in Stripe's documentation, the sections on business information; the reasons are the
API reference's descriptions of the codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tollkey.wire import Json
from tollkey.wire.objects import value_at

_URL, _NAME = "business_profile.url", "business_profile.name"
_DESCRIPTOR, _PREFIX = (
    "settings.payments.statement_descriptor",
    "settings.card_payments.statement_descriptor_prefix",
)
_COMPANY, _LINE = "company.name", "company.address.line1"
_PLACE = tuple(f"company.address.{name}" for name in ("city", "line1", "postal_code", "state"))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of a business finds wrong.

    field: its dotted path in the account. value: the test value. code, reason: of ``requirements.errors``.
    asks: the requirements; empty for the field itself. payouts_only: charges stay enabled.
    """

    field: str
    value: str
    code: str
    reason: str
    asks: tuple[str, ...] = ()
    payouts_only: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The paths of what is asked for again."""
        return self.asks or (self.field,)


FINDINGS: tuple[Finding, ...] = (
    Finding(_URL, "disallowed.stripe.com", "invalid_url_denylisted", "Generic business URLs aren't supported."),
    Finding(_URL, "geoblocked.stripe.com", "invalid_url_website_inaccessible_geoblocked",
            "Your provided website appears to be geographically blocked."),
    Finding(_URL, "problem.stripe.com", "invalid_url_website_other",
            "We weren't able to verify your business using the URL you provided. Make sure it's entered correctly or"
            " provide another URL."),
    Finding(_URL, "missing.stripe.com", "invalid_url_website_incomplete",
            "Your website seems to be missing some required information."),
    Finding(_URL, "mismatch.stripe.com", "invalid_url_website_business_information_mismatch",
            "The business information on your website must match the details you provided to Stripe."),
    Finding(_URL, "passwordprotected.stripe.com", "invalid_url_website_inaccessible_password_protected",
            "Your provided website appears to be password protected."),
    Finding(_URL, "underconstruction.stripe.com", "invalid_url_website_incomplete_under_construction",
            "Your provided website appears to be incomplete or under construction."),
    Finding(_URL, "inaccessible.stripe.com", "invalid_url_website_inaccessible",
            "This URL couldn't be reached. Make sure it's available and entered correctly or provide another."),
    Finding("business_profile.product_description", "require_url", "invalid_url_web_presence_detected",
            "Because you use a website, app, social media page, or online profile to sell products or services, you"
            " must provide a URL for your business.", asks=(_URL,)),
    Finding(_NAME, "disallowed_dba", "invalid_business_profile_name_denylisted",
            "Generic or well-known business names aren't supported."),
    Finding(_NAME, "invalid_dba", "invalid_business_profile_name",
            "Business profile names must consist of recognizable words."),
    Finding(_DESCRIPTOR, "mismatch", "invalid_statement_descriptor_business_mismatch",
            "The statement descriptor must be similar to your business name, legal entity name, or URL."),
    Finding(_DESCRIPTOR, "disallowed", "invalid_statement_descriptor_denylisted",
            "Generic or well-known statement descriptors aren't supported."),
    Finding(_PREFIX, "mismatch", "invalid_statement_descriptor_prefix_mismatch",
            "The statement descriptor prefix must be similar to your statement descriptor, business name, legal entity"
            " name, or URL."),
    Finding(_PREFIX, "disallowed", "invalid_statement_descriptor_prefix_denylisted",
            "Generic or well-known statement descriptor prefixes aren't supported."),
    Finding(_COMPANY, "disallowed_name", "invalid_company_name_denylisted",
            "Generic or well-known business names aren't supported."),
    Finding(_COMPANY, "mismatch_business_name", "verification_failed_name_match",
            "The company name on the account could not be verified. Correct any errors in the company name field or"
            " upload a document that includes the company name."),
    Finding(_COMPANY, "match_name_only", "verification_failed_name_match",
            "The company name on the account could not be verified. Correct any errors in the company name field or"
            " upload a document that includes the company name."),
    Finding(_LINE, "address_no_match", "invalid_street_address",
            "The street name and/or number for the provided address could not be validated.", payouts_only=True),
    Finding(_LINE, "address_line1_no_match", "invalid_address_city_state_postal_code",
            "The combination of the city, state, and postal code in the provided address could not be validated.",
            asks=_PLACE),
)  # fmt: skip
#: The site of an account whose verifications are paused; why its inactive capabilities are disabled then.
INACTIVE_SITE, INACTIVE = "inactivity.stripe.com", "paused.inactivity"
TAX_ID_NOT_ISSUED = (
    "The tax ID on the account was not recognized by the IRS. Refer to the support article for newly-issued tax ID"
    " numbers."
)


def findings(account: Json) -> Iterator[Finding]:
    """Yield what is wrong with an account's business; that of a company only for companies."""
    for one in FINDINGS:
        is_company = account["business_type"] not in (None, "individual")
        if (is_company or not one.field.startswith("company.")) and _shown(account, one.field) == one.value:
            yield one


def paused(account: Json) -> bool:
    """Return whether the verifications of an account are paused because it is inactive."""
    return _shown(account, _URL) == INACTIVE_SITE


def errors_of(found: Finding) -> list[Json]:
    """Its entries in ``requirements.errors``."""
    return [{"code": found.code, "reason": found.reason, "requirement": path} for path in found.required]


def _shown(account: Json, field: str) -> str:
    """A field's text in the form of the table: of a site its host alone."""
    text = str(value_at(account, field) or "")
    return text.partition("://")[2].rstrip("/") or text if field == _URL else text
