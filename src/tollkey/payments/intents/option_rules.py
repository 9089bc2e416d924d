"""What the parameters of an intent may say together: rules of the specification's descriptions.

Options of payment method types, what only a confirmation takes, and the details of the amount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import orjson

from tollkey.payments.methods import method_types
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent, StoredPaymentIntent

Options = Mapping[str, Any]
#: Only a confirmation takes these parameters.
_OF_CONFIRMATION = MappingProxyType({
    "PaymentIntent": ("mandate", "mandate_data", "error_on_requires_action", "confirmation_token", "return_url"),
    "SetupIntent": ("mandate_data", "return_url", "single_use", "confirmation_token"),
})  # fmt: skip
#: Types that a mandate for one debit is for.
_SINGLE_USE = (
    "acss_debit", "alipay", "au_becs_debit", "bacs_debit", "bancontact", "boleto", "ideal", "link", "sepa_debit",
    "us_bank_account",
)  # fmt: skip
#: How often an interval fits into a year.
_A_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}


def check_creation(params: Options, name: str) -> None:
    """Raise ApiError 400 if a new intent that is not confirmed is told what only a confirmation takes.

    name: ``PaymentIntent`` or ``SetupIntent``. The text was seen for ``return_url`` of a PaymentIntent and
    ``mandate_data`` of a SetupIntent, with the code.
    """
    code = "payment_intent_invalid_parameter" if name == "PaymentIntent" else "setup_intent_invalid_parameter"
    for param in _OF_CONFIRMATION[name]:
        if not params.get("confirm") and params.get(param) not in (None, False):
            message = (
                f"The parameter `{param}` cannot be passed when creating a {name} unless `confirm` is set to true."
            )
            raise invalid(message, param, code)


def check_types(intent: StoredPaymentIntent) -> None:
    """Raise ApiError 400 for named types of a PaymentIntent that cannot be saved or captured later as it says."""
    if intent["payment_method_configuration_details"] is None and not intent.get("allowed_payment_method_types"):
        refuse_types(intent["payment_method_types"], cast("Options", intent["payment_method_options"] or {}), intent)


def refuse_types(types: Sequence[str], options: Options, payment: Options, within: str = "{}") -> None:
    """Raise ApiError 400 for named types of which one cannot be saved, or none can be captured later.

    options: ``payment_method_options``; a type's own option counts before that of the payment. payment: what has
    ``setup_future_usage`` and ``capture_method``. within: how errors name these two. Sources of the texts: public
    reports. That only a list without any type that can be captured later is refused is inferred: others can pay.
    """
    known = [method_types.TYPES[name] for name in types if name in method_types.TYPES]
    single = [kind.name for kind in known if not kind.saves]
    usage, capture = (
        {kind.name: (options.get(kind.name) or {}).get(option) or payment.get(option) for kind in known}
        for option in ("setup_future_usage", "capture_method")
    )
    refused = [name for name in single if usage[name] not in (None, "none")]
    if refused:
        raise invalid(
            "`setup_future_usage` cannot be used with one or more of the values you specified in"
            " `payment_method_types`. Please remove `setup_future_usage` or remove these types from"
            f" `payment_method_types`: {orjson.dumps(refused).decode().replace(',', ', ')}.",
            within.format("setup_future_usage"),
            "payment_intent_invalid_parameter",
        )
    if known and not any(kind.captures for kind in known) and capture[known[0].name] == "manual":
        raise invalid(
            f"`capture_method=manual` is not supported by payment method type `{known[0].name}`",
            within.format("capture_method"),
            "payment_intent_invalid_parameter",
        )


def check_single_use(params: Options, types: list[str]) -> None:
    """Raise ApiError 400 for ``single_use`` of an intent none of whose types has mandates for one debit."""
    if params.get("single_use") and not set(types) & set(_SINGLE_USE):
        raise invalid(
            f"`single_use` is only valid for the following payment method types: {', '.join(_SINGLE_USE)}.",
            "single_use",
            "setup_intent_invalid_parameter",
        )


def check_details(params: Options) -> None:
    """Raise ApiError 400 if ``amount_details`` tells a discount or a tax for the lines and for the whole."""
    details = params.get("amount_details") or {}
    lines = details.get("line_items") or []
    for name in ("discount_amount", "tax"):
        if details.get(name) and any(item.get(name) for item in lines):
            raise exclusive(
                f"amount_details[{name}]", f"amount_details[line_items][0][{name}]", code="parameters_exclusive"
            )
    for number, item in enumerate(lines):
        unit = item.get("unit_of_measure")
        if unit and not re.fullmatch(r"[A-Za-z0-9]{1,12}", unit):
            raise invalid(
                "The unit of measure must have 1 to 12 alphanumeric characters.",
                f"amount_details[line_items][{number}][unit_of_measure]",
            )


def check_total(amount: int, params: Options) -> None:
    """Raise ApiError 400 if the lines of ``amount_details`` do not add up to the amount of the intent.

    amount: minor units. The caller may switch this check off. Source: docs.stripe.com/payments/payment-line-items.
    """
    details = params.get("amount_details") or {}
    lines = details.get("line_items") or []
    if not lines or details.get("enforce_arithmetic_validation") is False:
        return
    total = int(value_at(details, "shipping.amount") or 0)
    for part in (details, *lines):
        total += int(part.get("unit_cost") or 0) * int(part.get("quantity") or 0)
        total += int(value_at(part, "tax.total_tax_amount") or 0) - int(part.get("discount_amount") or 0)
    if total != amount:
        raise invalid(
            f"The total value of `amount_details` ({total}) does not match the `amount` ({amount}). Make sure that the"
            " total value of `line_items` matches the amount to charge, taking into account any discounts, tax, and"
            " shipping. See https://docs.stripe.com/payments/payment-line-items",
            "amount_details",
        )


def check_options(call: Call, params: Options, *, confirming: bool, usage: str | None = None) -> None:
    """Raise ApiError 400 if ``payment_method_options`` break a rule of their type.

    usage: ``setup_future_usage`` of the intent, unless the parameters set it.
    """
    options = params.get("payment_method_options") or {}
    for kind, name in (("card", "network"), ("card", "cvc_token"), ("blik", "code")):
        if not confirming and value_at(options, f"{kind}.{name}"):
            raise invalid(
                f"`payment_method_options[{kind}][{name}]` can only be set when confirming.",
                f"payment_method_options[{kind}][{name}]",
                "payment_intent_invalid_parameter",
            )
    for kind, check in _RULES.items():
        if options.get(kind):
            check(call, f"payment_method_options[{kind}]", options[kind])
    wanted = value_at(options, "pix.setup_future_usage") or params.get("setup_future_usage") or usage
    if value_at(options, "pix.mandate_options") and wanted != "off_session":
        raise invalid(
            "`mandate_options` of pix are only for `setup_future_usage=off_session`.",
            "payment_method_options[pix][mandate_options]",
            "payment_intent_invalid_parameter",
        )
    for kind in ("acss_debit", "au_becs_debit", "bacs_debit", "nz_bank_account", "sepa_debit", "us_bank_account"):
        target = value_at(options, f"{kind}.target_date")
        if target:
            _check_date(call, f"payment_method_options[{kind}][target_date]", target)


def _acss(call: Call, name: str, given: Options) -> None:
    mandate = given.get("mandate_options") or {}
    if mandate.get("payment_schedule") in ("interval", "combined") and not mandate.get("interval_description"):
        param = f"{name}[mandate_options][interval_description]"
        raise missing_param(param)


def _afterpay(call: Call, name: str, given: Options) -> None:
    if given.get("reference") and not re.fullmatch(r"[A-Za-z0-9_\\-]{1,128}", given["reference"]):
        raise invalid(
            "The reference must have at most 128 characters: letters, numbers, underscores, backslashes and dashes.",
            f"{name}[reference]",
        )


def _bacs(call: Call, name: str, given: Options) -> None:
    prefix = value_at(given, "mandate_options.reference_prefix")
    param = f"{name}[mandate_options][reference_prefix]"
    if prefix and not re.fullmatch(r"[A-Z0-9 /_\-&.]{1,12}", prefix):
        raise invalid(
            "The reference prefix must have at most 12 characters: uppercase letters, numbers, spaces, and any of"
            " '/', '_', '-', '&', '.'.",
            param,
        )
    if prefix and prefix.startswith(("DDIC", "STRIPE")):
        raise invalid("The reference prefix cannot begin with 'DDIC' or 'STRIPE'.", param)


def _card(call: Call, name: str, given: Options) -> None:
    mandate = given.get("mandate_options") or {}
    if (mandate.get("interval_count") or 1) > _A_YEAR.get(mandate.get("interval") or "day", 365):
        raise invalid(
            "The interval of a mandate is at most one year (1 year, 12 months, 52 weeks or 365 days).",
            f"{name}[mandate_options][interval_count]",
            "parameter_invalid_integer",
        )


def _konbini(call: Call, name: str, given: Options) -> None:
    number = given.get("confirmation_number")
    if number and (not re.fullmatch(r"[0-9]{10,11}", number) or not number.strip("0")):
        raise invalid(
            "The confirmation number must have 10 or 11 digits, and must not consist of only zeroes.",
            f"{name}[confirmation_number]",
        )
    if given.get("expires_at") is not None and given.get("expires_after_days") is not None:
        raise exclusive(f"{name}[expires_at]", f"{name}[expires_after_days]", code="parameters_exclusive")


def _pix(call: Call, name: str, given: Options) -> None:
    if given.get("expires_at") is not None and given.get("expires_after_seconds") is not None:
        raise exclusive(f"{name}[expires_at]", f"{name}[expires_after_seconds]", code="parameters_exclusive")


def _us_bank_account(call: Call, name: str, given: Options) -> None:
    permissions = value_at(given, "financial_connections.permissions")
    if permissions and "payment_method" not in permissions:
        raise invalid(
            "The permissions must include `payment_method`.",
            f"{name}[financial_connections][permissions]",
            "parameter_missing",
        )


def _wechat(call: Call, name: str, given: Options) -> None:
    if given.get("client") in ("ios", "android") and not given.get("app_id"):
        param = f"{name}[app_id]"
        raise missing_param(param)


def _check_date(call: Call, param: str, text: str) -> None:
    try:
        target = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        target = None
    if target is None:
        raise invalid("The target date must have the form YYYY-MM-DD.", param)
    days = (target - datetime.fromtimestamp(call.now, UTC).date()).days
    if not 3 <= days <= 15:
        raise invalid("The target date must be 3 to 15 days in the future.", param, "payment_intent_invalid_parameter")


_RULES: Mapping[str, Callable[[Call, str, Options], None]] = MappingProxyType({
    "acss_debit": _acss,
    "afterpay_clearpay": _afterpay,
    "bacs_debit": _bacs,
    "card": _card,
    "konbini": _konbini,
    "pix": _pix,
    "us_bank_account": _us_bank_account,
    "wechat_pay": _wechat,
})  # fmt: skip


def check_configurable(intent: AnyIntent, params: Mapping[str, object]) -> None:
    """Raise ApiError 400 for an update that gives a configuration to an intent whose types it does not decide.

    Inferred: nothing recorded; the configuration would have no effect.
    """
    named = intent["payment_method_configuration_details"] is None or params.get("payment_method_types")
    if params.get("payment_method_configuration") and named:
        raise invalid(
            "You can only specify `payment_method_configuration` for an intent with `automatic_payment_methods`.",
            "payment_method_configuration",
        )
