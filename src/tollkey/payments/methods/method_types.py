"""The types of payment methods, the types that an intent accepts, and its ``payment_method_options``.

Facts from the documentation's table of payment method support and the recorded intents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, overload

import orjson

from tollkey.wire import ApiError, invalid
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.wire import api

_UNACTIVATED = (
    "The payment method type provided: {type} is invalid. Please ensure the provided type is activated in your"
    " dashboard"
    " (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for any preview features"
    " that you are"
    " trying to use. See https://stripe.com/docs/payments/payment-methods/integration-options for supported payment"
    " method,"
    " currency, and country combinations."
)

_NOT_SET_UP = (
    'The payment method type "{type}" is invalid. See'
    " https://stripe.com/docs/api/setup_intents/create#create_setup_intent-payment_method_types for the full list of"
    " supported payment method types."
)
#: Set up without being reusable: a reader makes a card of what it reads; the keys of a Pix mandate are kept.
_SET_UP = frozenset({"card_present", "pix"})
_NONE_FITS = (
    "No valid payment method types for this payment: none of `allowed_payment_method_types` fits its currency and its"
    " other parameters."
)
#: Parameters that `allowed_payment_method_types` excludes (changelog of 2026-07-29).
_OTHER_CHOICES = (
    "automatic_payment_methods",
    "excluded_payment_method_types",
    "payment_method_configuration",
    "payment_method_types",
)


#: Not saved as what they are, or to this account alone: what was presented to a reader, and wallets of some countries.
_SAVED_ELSEWISE = frozenset({"alipay", "card_present", "interac_present", "pix", "sofort", "twint"})


@dataclass(frozen=True, slots=True)
class MethodType:
    """A type of payment method.

    currencies: supported currencies; empty for all. redirects: the customer authorizes on another page.
    captures: supports separate authorization and capture. reusable: can be saved for later payments.
    delayed: the result is known only days later. mandate: the customer must accept a mandate.
    default: enabled in the default payment method configuration. transient: a payment saves another type in its place.
    """

    name: str
    currencies: frozenset[str] = frozenset()
    redirects: bool = False
    captures: bool = False
    reusable: bool = False
    delayed: bool = False
    mandate: bool = False
    default: bool = False
    transient: bool = False

    def pays_in(self, currency: str) -> bool:
        """Return whether it supports a currency (lower-case code)."""
        return not self.currencies or currency in self.currencies

    @property
    def saves(self) -> bool:
        """Whether a payment with ``setup_future_usage`` takes it (values of its own option in the specification)."""
        return self.reusable or self.name in _SAVED_ELSEWISE

    @property
    def attaches(self) -> bool:
        """Whether a customer can have a PaymentMethod of this type."""
        return self.reusable and not self.transient


def _type(name: str, currencies: str = "", marks: str = "") -> MethodType:
    given = dict.fromkeys(marks.split(), True)
    return MethodType(name, frozenset(currencies.split()), **given)


_KLARNA = "aud cad chf czk dkk eur gbp nok nzd pln ron sek usd"
_AFTERPAY = "aud cad gbp nzd usd"
_AMAZON = "aud chf dkk eur gbp hkd jpy nok nzd sek usd zar"
_ALIPAY = "aud cad cny eur gbp hkd jpy myr nzd sgd usd"
_WECHAT = "aud cad chf cny dkk eur gbp hkd jpy nok sek sgd usd"

#: In the order in which intents list the types.
TYPES: Mapping[str, MethodType] = MappingProxyType({
    method.name: method
    for method in (
        _type("card", "", "captures reusable default"),
        _type("card_present", "", "captures"),
        _type("interac_present", "cad"),
        _type("bancontact", "eur", "redirects reusable transient default"),
        _type("eps", "eur", "redirects default"),
        _type("giropay", "eur", "redirects"),
        _type("ideal", "eur", "redirects reusable transient default"),
        _type("p24", "eur pln", "redirects"),
        _type("sofort", "eur", "redirects delayed"),
        _type("sepa_debit", "eur", "reusable delayed mandate default"),
        _type("acss_debit", "cad usd", "reusable delayed mandate default"),
        _type("affirm", "cad usd", "redirects captures"),
        _type("afterpay_clearpay", _AFTERPAY, "redirects captures default"),
        _type("alipay", _ALIPAY, "redirects default"),
        _type("alma", "eur", "redirects captures"),
        _type("amazon_pay", _AMAZON, "redirects captures reusable default"),
        _type("au_becs_debit", "aud", "reusable delayed mandate"),
        _type("bacs_debit", "gbp", "reusable delayed mandate"),
        _type("billie", "chf eur gbp", "redirects captures"),
        _type("bizum", "eur", "redirects"),
        _type("blik", "pln", "redirects"),
        _type("boleto", "brl", "reusable delayed"),
        _type("cashapp", "usd", "redirects captures reusable default"),
        _type("crypto", "usd", "redirects"),
        _type("customer_balance", "eur gbp jpy mxn usd"),
        _type("fpx", "myr", "redirects"),
        _type("grabpay", "myr sgd", "redirects"),
        _type("kakao_pay", "krw", "redirects reusable"),
        _type("klarna", _KLARNA, "redirects captures reusable default"),
        _type("konbini", "jpy", "delayed"),
        _type("kr_card", "krw", "redirects reusable"),
        _type("link", "", "captures reusable default"),
        _type("mb_way", "eur", "redirects"),
        _type("mobilepay", "dkk eur nok sek", "redirects captures"),
        _type("multibanco", "eur", "delayed"),
        _type("naver_pay", "krw", "redirects reusable"),
        _type("nz_bank_account", "nzd", "reusable delayed mandate"),
        _type("oxxo", "mxn", "delayed"),
        _type("pay_by_bank", "eur gbp", "redirects"),
        _type("payco", "krw", "redirects"),
        _type("paynow", "sgd"),
        _type("paypal", "aud cad chf czk dkk eur gbp hkd nok nzd pln sek sgd usd", "redirects captures reusable"),
        _type("paypay", "jpy", "redirects"),
        _type("payto", "aud", "redirects reusable mandate"),
        _type("pix", "brl"),
        _type("promptpay", "thb"),
        _type("revolut_pay", "eur gbp", "redirects captures reusable"),
        _type("samsung_pay", "krw", "redirects"),
        _type("satispay", "eur", "redirects captures"),
        _type("scalapay", "eur", "redirects captures"),
        _type("sequra", "eur", "redirects captures"),
        _type("sunbit", "usd", "redirects captures"),
        _type("swish", "sek", "redirects"),
        _type("twint", "chf", "redirects"),
        _type("upi", "inr", "redirects reusable"),
        _type("us_bank_account", "usd", "reusable delayed mandate default"),
        _type("wechat_pay", _WECHAT, "default"),
        _type("zip", "aud usd", "redirects"),
    )
})  # fmt: skip

_CARD = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
_PAYMENT_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "acss_debit": {
        "mandate_options": {"interval_description": None, "payment_schedule": None, "transaction_type": None},
        "verification_method": "automatic",
    },
    "affirm": {},
    "afterpay_clearpay": {"reference": None},
    "bancontact": {"preferred_language": "en"},
    "boleto": {"expires_after_days": 3},
    "card": _CARD,
    "card_present": {"request_extended_authorization": False, "request_incremental_authorization_support": False},
    "customer_balance": {"funding_type": None},
    "klarna": {"preferred_locale": None},
    "konbini": {
        "confirmation_number": None, "expires_after_days": None, "expires_at": None, "product_description": None,
    },
    "link": {"persistent_token": None},
    "oxxo": {"expires_after_days": 3},
    "paypal": {"preferred_locale": None, "reference": None},
    "pix": {"amount_includes_iof": "never", "expires_after_seconds": 86400, "expires_at": None},
    "sofort": {"preferred_language": None},
    "swish": {"reference": None},
    "us_bank_account": {
        "financial_connections": {"permissions": ["payment_method"], "prefetch": []},
        "mandate_options": {},
        "transaction_purpose": "unspecified",
        "verification_method": "automatic",
    },
    "wechat_pay": {"app_id": None, "client": None},
}  # fmt: skip
_SETUP_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "acss_debit": {"currency": None, "verification_method": "automatic"},
    "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"},
    "us_bank_account": {"mandate_options": {}, "verification_method": "automatic"},
}
_MANDATE = (
    "amount", "amount_type", "description", "end_date", "interval", "interval_count", "reference", "start_date",
    "supported_types",
)  # fmt: skip


def check_types(names: Iterable[str], param: str = "payment_method_types") -> list[str]:
    """Return the requested types without duplicates. Raises ApiError 400 for an unknown type."""
    for name in names:
        if name not in TYPES:
            raise not_activated(name, param)
    return list(dict.fromkeys(names))


def check_setup_types(names: Iterable[str], param: str = "payment_method_types") -> list[str]:
    """Return the requested types of a SetupIntent without duplicates.

    Raises ApiError 400 for an unknown type, and for one that is good for one payment only: SetupIntents list the types
    that they take (stripe-node issue 1472, which has the text).
    """
    for name in names:
        if name not in TYPES or not (TYPES[name].reusable or name in _SET_UP):
            raise invalid(_NOT_SET_UP.format(type=name), param, retry=False)
    return list(dict.fromkeys(names))


def not_activated(name: str, param: str = "payment_method_types") -> ApiError:
    """Return the 400 error for an unknown payment method type."""
    return invalid(_UNACTIVATED.format(type=name), param, "payment_intent_invalid_parameter")


def check_attaches(name: str) -> None:
    """Raise ApiError 400 for a type that is good for one payment only. Source: craftcms/commerce-stripe issue 298."""
    if name in TYPES and not TYPES[name].attaches:
        raise invalid(f"PaymentMethods of type '{name}' cannot be saved to customers.", retry=False)


def check_currency_of(names: Iterable[str], currency: str) -> None:
    """Raise ApiError 400 if one of the types does not support the currency."""
    for name in names:
        method = TYPES[name]
        if not method.pays_in(currency):
            allowed = ", ".join(sorted(method.currencies))
            raise invalid(
                f"The currency provided ({currency}) is invalid. Payments with {name} support the following"
                f" currencies: {allowed}.",
                "currency",
            )


def automatic_types(
    enabled: Iterable[str],
    *,
    currency: str | None,
    redirects: bool,
    manual_capture: bool = False,
    reusable: bool = False,
    excluded: Iterable[str] = (),
) -> list[str]:
    """Return the types of an intent with ``automatic_payment_methods``.

    enabled: those enabled in the payment method configuration. currency: of the payment; None for a SetupIntent.
    """
    left_out = set(excluded)
    wanted = set(enabled)
    return [
        method.name
        for method in TYPES.values()
        if method.name in wanted
        and method.name not in left_out
        and (currency is None or method.pays_in(currency))
        and (redirects or not method.redirects)
        and (method.captures or not manual_capture)
        and (method.reusable or not reusable or method.name == "card_present")
    ]


def allowed_types(
    allowed: Iterable[str],
    *,
    currency: str | None,
    manual_capture: bool = False,
    reusable: bool = False,
    saving: bool = False,
    excluded: Iterable[str] = (),
) -> list[str]:
    """Return those of ``allowed_payment_method_types`` that fit the payment; the others are passed over.

    currency: of the payment; None for a SetupIntent. saving: whether ``setup_future_usage`` is set. excluded: types
    that its merchant cannot accept.
    Raises ApiError 400 when none fits.
    """
    fitting = automatic_types(
        allowed,
        currency=currency,
        redirects=True,
        manual_capture=manual_capture,
        reusable=reusable,
        excluded=excluded,
    )
    fitting = [name for name in fitting if not saving or TYPES[name].saves]
    if not fitting:
        raise invalid(_NONE_FITS, "allowed_payment_method_types", "payment_intent_invalid_parameter")
    return fitting


def check_alone(params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for ``allowed_payment_method_types`` beside another choice of the types."""
    for other in _OTHER_CHOICES:
        if params.get("allowed_payment_method_types") and params.get(other) is not None:
            raise exclusive("allowed_payment_method_types", other, code="parameters_exclusive")


@overload
def options_for(
    types: Iterable[str], given: Mapping[str, Any] | None, *, setup: Literal[False] = False
) -> api.PaymentIntentPaymentMethodOptions: ...
@overload
def options_for(
    types: Iterable[str], given: Mapping[str, Any] | None, *, setup: Literal[True]
) -> api.SetupIntentPaymentMethodOptions: ...
def options_for(types: Iterable[str], given: Mapping[str, Any] | None, *, setup: bool = False) -> Any:
    """Return ``payment_method_options`` of an intent: each of its types with the defaults and what was given.

    given: as the parameter arrived; options of other types are dropped, as recorded. setup: of a SetupIntent.
    """
    return _options(types, given or {}, setup)


def _options(types: Iterable[str], given: Mapping[str, Any], setup: bool) -> dict[str, Mapping[str, Any]]:
    defaults = _SETUP_OPTIONS if setup else _PAYMENT_OPTIONS
    options: dict[str, Mapping[str, Any]] = {}
    for name in types:
        if setup and name not in defaults:
            continue
        extra = given.get(name)
        added = _completed(name, extra, setup) if isinstance(extra, dict) else {}
        options[name] = {**orjson.loads(orjson.dumps(defaults.get(name, {}))), **added}
    return {name: options[name] for name in sorted(options)}


@overload
def merge_options(
    current: api.PaymentIntentPaymentMethodOptions | None,
    types: Iterable[str],
    given: Mapping[str, Any] | None,
    *,
    setup: Literal[False] = False,
) -> api.PaymentIntentPaymentMethodOptions: ...
@overload
def merge_options(
    current: api.SetupIntentPaymentMethodOptions | None,
    types: Iterable[str],
    given: Mapping[str, Any] | None,
    *,
    setup: Literal[True],
) -> api.SetupIntentPaymentMethodOptions: ...
def merge_options(
    current: Mapping[str, Any] | None,
    types: Iterable[str],
    given: Mapping[str, Any] | None,
    *,
    setup: bool = False,
) -> Any:
    """Return the options of an updated intent: the stored ones, merged with the given ones."""
    merged = _options(types, given or {}, setup)
    for name, value in (current or {}).items():
        if name in merged:
            merged[name] = {**merged[name], **value, **_completed(name, (given or {}).get(name) or {}, setup)}
    return merged


def _completed(name: str, given: Mapping[str, Any], setup: bool) -> Mapping[str, Any]:
    kept = {key: value for key, value in given.items() if key not in ("cvc_token", "moto", "three_d_secure")}
    if name == "card" and kept.get("mandate_options"):
        names = sorted((*_MANDATE, "currency")) if setup else _MANDATE
        kept["mandate_options"] = {key: kept["mandate_options"].get(key) for key in names}
    return {key: value for key, value in kept.items() if key != "capture_method" or value is not None}
