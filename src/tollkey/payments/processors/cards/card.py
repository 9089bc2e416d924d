"""The properties of a test card: frozen values, with three methods that decide its outcome.

Facts from reference sections 6.3 to 6.9 and the connect testing page.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GENERIC_MESSAGE = "Your card was declined."


@dataclass(frozen=True, slots=True)
class Decline:
    """A decline by the bank or by Radar, in the terms of the API (reference section 6.5).

    param: None for a declined charge; saving a card uses ``""``.
    advice_code, network_decline_code, network_advice_code: None if the API leaves them out.
    needs: ``cvc`` or ``zip`` if the card is declined only when that was given; otherwise None.
    """

    code: str
    decline_code: str | None
    message: str = GENERIC_MESSAGE
    param: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    needs: str | None = None

    def extra(self) -> dict[str, str | None]:
        """Return the further fields of the error; missing ones are None."""
        return {
            "advice_code": self.advice_code,
            "network_decline_code": self.network_decline_code,
            "network_advice_code": self.network_advice_code,
        }


class ThreeDSecure(StrEnum):
    """What a card requires for 3-D Secure, and the result of authentication (reference section 6.8)."""

    NOT_SUPPORTED = "not_supported"
    UNENROLLED = "unenrolled"  # supported, but the cardholder is not enrolled: result attempt_acknowledged
    OPTIONAL = "optional"  # optional; the charge succeeds without it
    OPTIONAL_ERROR = "optional_processing_error"  # optional, and then fails with processing_error
    REQUIRED = "required"  # on-session payments must authenticate
    REQUIRED_ERROR = "required_processing_error"  # must authenticate, and that fails with processing_error
    ALWAYS = "always"  # every payment must authenticate, off-session ones too
    UNLESS_SET_UP = "unless_set_up"  # off-session payments must authenticate unless the card was set up
    ALREADY_SET_UP = "already_set_up"  # set up elsewhere: off-session passes, on-session must authenticate


class Dispute(StrEnum):
    """The dispute or warning that follows a successful charge (reference section 6.7)."""

    FRAUDULENT = "fraudulent"
    PRODUCT_NOT_RECEIVED = "product_not_received"
    INQUIRY = "inquiry"
    MULTIPLE = "multiple"
    CE3_ELIGIBLE = "ce3_eligible"
    COMPLIANCE = "compliance"


class RefundOutcome(StrEnum):
    """The outcome of a refund: success at once or later, or failure after success."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILS_LATER = "fails_later"


class AccountEffect(StrEnum):
    """The effect of a charge on its connected account."""

    NEXT_REQUIREMENTS = "next_requirements"
    CHARGE_BLOCK = "charge_block"
    PAYOUT_BLOCK = "payout_block"


class CardPayout(StrEnum):
    """The outcome of a payout to this debit card."""

    SUCCEEDS = "succeeds"
    FAILS = "could_not_process"
    NO_INSTANT = "instant_unsupported"
    CARD_UNSUPPORTED = "invalid_card_type"


@dataclass(frozen=True, slots=True)
class TestCard:
    """A test number and its behavior.

    names: its ``pm_card_…`` and ``tok_…`` names.
    networks: ``networks.available``, first the one used for charges.
    decline: declines charges; decline_at_attach: also declines being saved to a customer.
    decline_off_session: declines off-session payments only.
    authenticated_decline: declines after successful 3-D Secure.
    cvc_check, zip_check, line1_check: results if that was given: pass, fail or unavailable.
    risk_level: normal, elevated or highest; blocked: Radar always refuses the card.
    early_fraud_warning: the issuer reports fraud after the charge.
    bypass_pending: the money is available at once.
    fingerprinted: 3-D Secure begins with a device fingerprint (version 2), not with a redirect.
    captcha: a CAPTCHA is shown first.
    pin: name of the in-person variant (``offline_pin_cvm``…), or None.
    """

    number: str
    brand: str
    country: str | None = "US"
    funding: str = "credit"
    names: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    decline: Decline | None = None
    decline_at_attach: bool = True
    decline_off_session: Decline | None = None
    authenticated_decline: Decline | None = None
    cvc_check: str = "pass"
    zip_check: str = "pass"
    line1_check: str = "pass"
    risk_level: str = "normal"
    blocked: bool = False
    dispute: Dispute | None = None
    dispute_protected_by_3ds: bool = False
    early_fraud_warning: bool = False
    refund: RefundOutcome = RefundOutcome.SUCCEEDED
    bypass_pending: bool = False
    three_d_secure: ThreeDSecure = ThreeDSecure.UNENROLLED
    fingerprinted: bool = False
    captcha: bool = False
    pin: str | None = None
    account_effect: AccountEffect | None = None
    payout: CardPayout | None = None

    @property
    def key(self) -> str:
        """The key stored instead of the number; ``by_key`` finds the card."""
        return self.names[0] if self.names else f"{self.number[:6]}_{self.number[-4:]}"

    @property
    def last4(self) -> str:
        """The last four digits, which the API shows."""
        return self.number[-4:]

    @property
    def available_networks(self) -> tuple[str, ...]:
        """The networks that it can be charged on."""
        return self.networks or (self.brand,)

    @property
    def network(self) -> str:
        """The network used for charges."""
        return self.available_networks[0]

    def refuses_saving(self, *, cvc: bool, postal_code: bool = False) -> Decline | None:
        """Return why the bank refuses to save the card, or None. A failed check refuses it, as it declines a charge.

        cvc, postal_code: whether one was given.
        """
        decline = self.decline if self.decline_at_attach else None
        if decline is None and self.blocked:
            decline = Decline("card_declined", "fraudulent")
        if decline is not None:
            return None if decline.needs == "cvc" and not cvc else decline
        return self.failed_check(cvc=cvc, postal_code=postal_code)

    def failed_check(self, *, cvc: bool, postal_code: bool) -> Decline | None:
        """Return the decline of a failed check of what was given, or None (recorded; Radar's default rules)."""
        if self.risk_level != "normal":
            return None
        if self.cvc_check == "fail" and cvc:
            return INCORRECT_CVC
        if self.zip_check == "fail" and postal_code and self.line1_check == "pass":
            return INCORRECT_ZIP
        return None

    def needs_authentication(self, *, off_session: bool, set_up: bool, requested: bool = False) -> bool:
        """Return whether a payment requires 3-D Secure first (reference section 6.8).

        off_session: the customer is not present. set_up: a SetupIntent or an on-session payment prepared the card for
            off-session payments.
        requested: the integration or a rule requested 3-D Secure where the card supports it.
        """
        kind = self.three_d_secure
        if kind is ThreeDSecure.ALWAYS:
            return True
        if kind is ThreeDSecure.UNLESS_SET_UP:
            return not set_up
        if kind in (ThreeDSecure.REQUIRED, ThreeDSecure.REQUIRED_ERROR, ThreeDSecure.ALREADY_SET_UP):
            return not off_session
        optional = kind in (ThreeDSecure.OPTIONAL, ThreeDSecure.OPTIONAL_ERROR)
        return optional and requested and not off_session

    def authentication_fails(self) -> bool:
        """Return whether 3-D Secure always ends in a processing error."""
        return self.three_d_secure in (ThreeDSecure.OPTIONAL_ERROR, ThreeDSecure.REQUIRED_ERROR)


_LATER = "try_again_later"
_NEVER = "do_not_try_again"
_DATA = "confirm_card_data"

GENERIC = Decline("card_declined", "generic_decline", advice_code=_LATER, network_decline_code="01")
INSUFFICIENT_FUNDS = Decline(
    "card_declined", "insufficient_funds", "Your card has insufficient funds.", None, _LATER, "51", "02"
)
LOST = Decline("card_declined", "lost_card", GENERIC_MESSAGE, None, _NEVER, "41", "01")
STOLEN = Decline("card_declined", "stolen_card", GENERIC_MESSAGE, None, _NEVER, "43", "01")
FRAUDULENT = Decline("card_declined", "fraudulent")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "exp_month", _DATA, "54", "03")
INCORRECT_CVC = Decline(
    "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "cvc", _DATA, "N7", "03", needs="cvc"
)
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    None,
    _LATER,
    "06",
)
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    None,
    _LATER,
    "61",
    "02",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
INCORRECT_ZIP = Decline(
    "incorrect_zip",
    "incorrect_zip",
    "Your card could not be authorized using the postal code provided. Please update the postal code,"
    " or contact your card issuer for further details.",
    "address_zip",
    needs="zip",
)
MANDATE_CANCELED = Decline(
    "india_recurring_payment_mandate_canceled", None, "The provided mandate has been canceled by the card holder."
)
