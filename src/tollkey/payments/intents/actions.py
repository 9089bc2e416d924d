"""The customer's next step: ``next_action`` of an intent, and the URL of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tollkey.payments.intents import directory_server
from tollkey.payments.processors import cards, protocol
from tollkey.wire import Call, invalid
from tollkey.wire.hosted import hosted_url
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent, Instrument

#: The hosted page (``wire.hosted``) of each kind of intent.
PAGES = {"payment_intent": "3ds", "setup_intent": "3ds-setup"}
DEPOSIT_PAGES = {"payment_intent": "microdeposit", "setup_intent": "microdeposit-setup"}
DAY = 86_400
#: Types whose accounts are verified with micro-deposits.
DEPOSITED = ("us_bank_account", "acss_debit")
_RETURN_URL = (
    "This {kind} is configured to accept payment methods enabled in your Dashboard."
    " Because some of these payment methods might"
    " redirect your customer off of your page, you must provide a `return_url`."
    " If you don't want to accept redirect-based payment"
    " methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to"
    " `never` when"
    " creating Setup Intents and Payment Intents."
)


def card_challenge(method: Instrument, *, off_session: bool, requested: bool, client: bool = False) -> str | None:
    """Return the 3-D Secure step of a card before a payment or set-up: ``challenge``, ``error``, or None.

    requested: the integration requested it (``request_three_d_secure``). client: a browser or an app asks,
        which is when the CAPTCHA cards show one.
    Off-session payments are never challenged.
    """
    card = protocol.card_of_instrument(method)
    if card is None or off_session or protocol.kind_of(method) != "card":
        return None
    if card.captcha and client:
        return "challenge"
    if not card.needs_authentication(off_session=False, set_up=bool(method.get("_set_up")), requested=requested):
        return None
    if card.authentication_fails():
        return "error" if card.three_d_secure is cards.ThreeDSecure.REQUIRED_ERROR else None
    return "challenge"


def first_action(
    call: Call, intent: AnyIntent, method: Instrument | None = None, *, return_url: str | None, use_stripe_sdk: bool
) -> Any:
    """Return ``next_action`` for 3-D Secure: a redirect if there is a return URL, else one for the client library.

    method: the payment method. ``stripe_js`` contains the page's URL in both cases, so that tests can complete it.
    """
    url = hosted_url(call, PAGES[intent["object"]], intent["id"])
    intent["_return_url"] = return_url
    if return_url and not use_stripe_sdk:
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    card = protocol.card_of_instrument(method) if method is not None else None
    if card is not None and card.fingerprinted:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": _fingerprint(call, card, url, intent["id"])}
    inner = {"source": call.ids.new("src"), "stripe_js": url, "type": "three_d_secure_redirect"}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": inner}


#: Kinds of intents -> the beginning of the ids of their attempts to authenticate.
_ATTEMPTS = {"pi": "payatt", "seti": "setatt"}
_RANDOM = 24  # characters at the end of such an id, so that who knows the intent does not know its attempt


def _attempt(call: Call, intent_id: str) -> str:
    """Return the id of a new attempt to authenticate an intent; it holds the intent's own."""
    kind, _, rest = intent_id.partition("_")
    return f"{_ATTEMPTS[kind]}_{rest}{call.ids.text(_RANDOM)}"


def intent_of_attempt(id: str) -> str | None:
    """Return the id of the intent that the id of an attempt was made for; None when it is no such id."""
    begins, _, rest = id.partition("_")
    kinds = [kind for kind, attempt in _ATTEMPTS.items() if attempt == begins]
    return f"{kinds[0]}_{rest[:-_RANDOM]}" if kinds and len(rest) > _RANDOM else None


def _fingerprint(call: Call, card: cards.TestCard, url: str, intent_id: str) -> Mapping[str, Any]:
    """Return the data a client library needs to begin 3-D Secure 2 (recorded)."""
    server = "A000000004" if card.brand == "mastercard" else "A000000003"
    encryption = {
        "algorithm": "RSA",
        "certificate": directory_server.CERTIFICATE,
        "directory_server_id": server,
        "root_certificate_authorities": [directory_server.CERTIFICATE],
    }
    return {
        "directory_server_encryption": encryption,
        "directory_server_name": card.brand,
        "merchant": call.account,
        "one_click_authn": None,
        "server_transaction_id": str(UUID(int=call.ids.number(1 << 128), version=4)),
        "stripe_js": url,
        "three_d_secure_2_source": _attempt(call, intent_id),
        "three_ds_frontend_optimizations": None,
        "three_ds_method_url": "",
        "three_ds_optimizations": "kf",
        "type": "stripe_3ds2_fingerprint",
    }


def redirect_action(call: Call, intent: AnyIntent, kind: str, return_url: str | None) -> Any:
    """Return ``next_action`` for a method whose provider the customer has to visit."""
    url = hosted_url(call, PAGES[intent["object"]], intent["id"])
    intent["_return_url"] = return_url
    # The URL of the page takes the place of the image of the code.
    code: Mapping[str, Any] = {"data": url, "image_url_png": url, "image_url_svg": url}
    if kind == "alipay":
        inner: Mapping[str, Any] = {"native_data": None, "native_url": None, "return_url": return_url, "url": url}
        return {"alipay_handle_redirect": inner, "type": "alipay_handle_redirect"}
    if kind in ("cashapp", "upi"):
        name = f"{kind}_handle_redirect_or_display_qr_code"
        qr_code: Mapping[str, Any] = {
            "expires_at": call.now + DAY,
            "image_url_png": code["image_url_png"],
            "image_url_svg": code["image_url_svg"],
        }
        app = {"mobile_auth_url": url} if kind == "cashapp" else {}
        return {name: {"hosted_instructions_url": url, **app, "qr_code": qr_code}, "type": name}
    if kind == "swish":
        name = "swish_handle_redirect_or_display_qr_code"
        return {name: {"hosted_instructions_url": url, "qr_code": code}, "type": name}
    if kind == "wechat_pay":
        inner = {**code, "hosted_instructions_url": url, "image_data_url": f"data:text/plain,{url}"}
        return {"type": "wechat_pay_display_qr_code", "wechat_pay_display_qr_code": inner}
    if kind in ("paynow", "promptpay"):
        name = f"{kind}_display_qr_code"
        return {name: {**code, "hosted_instructions_url": url}, "type": name}
    return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}


def check_return_url(call: Call, intent: AnyIntent, return_url: str | None, off_session: bool = False) -> None:
    """Raise ApiError 400 if the customer may be redirected and no return URL was given.

    For an intent that uses the Dashboard's payment methods by default, only callers that send an API version are
    checked.
    """
    automatic = intent["automatic_payment_methods"]
    needless = (
        automatic is None
        or automatic.get("allow_redirects") == "never"
        or intent.get("confirmation_method") == "manual"
        or off_session  # nobody is there to be sent anywhere
        or (intent.get("_implicit") and "stripe-version" not in call.origin.headers)
    )
    if not return_url and not needless:
        kind = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        refusal = invalid(_RETURN_URL.format(kind=kind))
        refusal.extra[intent["object"]] = call.objects.copy(intent)
        raise refusal


def unverified(intent: AnyIntent, method: Instrument) -> bool:
    """Return whether a US or Canadian bank account must be verified with micro-deposits first.

    It must if its numbers were entered by the customer, or if verification was requested.
    """
    kind = protocol.kind_of(method)
    if kind not in DEPOSITED or method.get("_verified"):
        return False
    wanted = value_at(intent, f"payment_method_options.{kind}.verification_method")
    return bool(method.get("_typed")) or wanted == "microdeposits"


def deposits_action(call: Call, intent: AnyIntent, kind: str) -> Any:
    """Return ``next_action`` while the micro-deposits are on their way. kind: the type of the payment method."""
    inner = {
        "arrival_date": call.now + 2 * 86_400,
        "hosted_verification_url": hosted_url(call, DEPOSIT_PAGES[intent["object"]], intent["id"]),
        "microdeposit_type": "descriptor_code" if kind == "us_bank_account" else "amounts",
    }
    return {"type": "verify_with_microdeposits", "verify_with_microdeposits": inner}
