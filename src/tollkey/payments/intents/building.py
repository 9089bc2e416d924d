"""Creating and updating a PaymentIntent from its parameters."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.charges import splitting
from tollkey.payments.intents import kinds, option_rules, payment_states, states
from tollkey.payments.intents.client_secrets import client_secret
from tollkey.payments.intents.method_choice import resolve_method, usable_by
from tollkey.payments.methods import method_capabilities, method_types, payment_method_configurations
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.payments.tax import linking
from tollkey.wire import ApiError, Call, invalid, new_object
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.wire import api, operations

    IntentParams = operations.PostPaymentIntents | operations.PostPaymentIntentsIntent
    _Described = (
        IntentParams
        | operations.PostPaymentIntentsIntentCapture
        | operations.PostPaymentIntentsIntentIncrementAuthorization
    )

#: From this version on an intent uses the Dashboard's payment methods by default.
AUTOMATIC_SINCE = "2023-08-16"
#: From this version on Interac payments cannot be captured later.
INTERAC_AT_ONCE_SINCE = "2025-03-31"
#: From this version on captures are asynchronous by default.
ASYNC_CAPTURE_SINCE = "2024-04-10"
#: From this version on the error for an amount of 0 names the currency's minimum (recorded both ways).
MINIMUM_SINCE = "2023-10-16"
_PLAIN = (
    "application_fee_amount", "description", "receipt_email", "setup_future_usage", "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)  # fmt: skip


def new_intent(call: Call, params: operations.PostPaymentIntents) -> StoredPaymentIntent:
    """Return a PaymentIntent made from its parameters, in ``requires_payment_method``. The caller stores it."""
    _exclusive(params)
    option_rules.check_details(params)
    currency = shared_currency.check_currency(params["currency"])
    _amount(call, params["amount"], currency)
    option_rules.check_total(params["amount"], params)
    _off_session(params)
    id = call.ids.new("pi")
    intent = new_object(
        kinds.PAYMENT_INTENT,
        id=id,
        amount=params["amount"],
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        application=None if call.account == call.platform else "ca_" + call.platform.removeprefix("acct_"),
        capture_method=params.get("capture_method")
        or ("automatic_async" if call.version >= ASYNC_CAPTURE_SINCE else "automatic"),
        client_secret=client_secret(call, id),
        confirmation_method=params.get("confirmation_method") or "automatic",
        created=call.now,
        currency=currency,
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        status=states.PAYMENT_INTENT.start("requires_payment_method"),
    )
    intent.update({"source": None, "managed_payments": {"enabled": False}})
    cast("MutableMapping[str, Any]", intent)["shared_payment_granted_token"] = None  # not in the specification
    _customer(call, intent, params)
    _types(call, intent, params)
    if params.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, params["on_behalf_of"])
        intent["on_behalf_of"] = params["on_behalf_of"]
    _describe(call, intent, params)
    if params.get("radar_options"):
        intent["_radar_options"] = params["radar_options"]
    return intent


def _exclusive(params: operations.PostPaymentIntents) -> None:
    method_types.check_alone(params)
    automatic = params.get("automatic_payment_methods")
    for other in ("confirmation_method", "payment_method_types"):
        if automatic and automatic["enabled"] and params.get(other) is not None:
            raise exclusive("automatic_payment_methods", other)
    if params.get("payment_method") is not None and params.get("payment_method_data") is not None:
        raise exclusive("payment_method", "payment_method_data", code="parameters_exclusive")


def _amount(call: Call, amount: int, currency: str) -> None:
    if amount == 0 and call.version >= MINIMUM_SINCE and shared_currency.minimum(currency) > 1:
        amount = 1
    shared_currency.check_amount(amount, currency)


def _interac(call: Call, intent: StoredPaymentIntent) -> None:
    """Refuse to capture later what ``interac_present`` may pay, since 2025-03-31."""
    if (
        "interac_present" in intent["payment_method_types"]
        and intent["capture_method"] == "manual"
        and call.version >= INTERAC_AT_ONCE_SINCE
    ):
        raise invalid(
            "`capture_method` cannot be `manual` when `payment_method_types` includes `interac_present`.",
            "capture_method",
            "payment_intent_invalid_parameter",
        )


def _off_session(params: operations.PostPaymentIntents) -> None:
    if params.get("off_session") and not params.get("confirm"):
        raise invalid(
            "`off_session` can only be set to true if `confirm` is also set to true.",
            "off_session",
            "payment_intent_invalid_parameter",
        )


def _customer(call: Call, intent: StoredPaymentIntent, params: IntentParams) -> None:
    if params.get("customer") is not None:
        customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
        if intent["customer"] not in (None, customer["id"]):
            raise invalid(
                "You cannot modify `customer` on a PaymentIntent once it already has been set."
                " To fulfill a payment with a different"
                " Customer, cancel this PaymentIntent and create a new one.",
                "customer",
                payment_states.CODE,
            )
        intent["customer"] = customer["id"]


def _types(call: Call, intent: StoredPaymentIntent, params: Mapping[str, Any]) -> None:
    """Set the payment method types of the intent, and their options."""
    automatic = params.get("automatic_payment_methods") or {}
    if "excluded_payment_method_types" in params:
        intent["excluded_payment_method_types"] = params["excluded_payment_method_types"]
    excluded = intent["excluded_payment_method_types"] or []
    named, allowed = params.get("payment_method_types"), params.get("allowed_payment_method_types")
    merchant = params.get("on_behalf_of") or intent["on_behalf_of"]
    refused = splitting.refused_types(call, merchant, intent["currency"])
    if allowed:
        intent["payment_method_types"] = method_types.allowed_types(
            allowed,
            currency=intent["currency"],
            manual_capture=intent["capture_method"] == "manual",
            saving=bool(params.get("setup_future_usage", intent["setup_future_usage"])),
            excluded=refused,
        )
        intent["allowed_payment_method_types"] = allowed
        intent["automatic_payment_methods"] = intent["payment_method_configuration_details"] = None
    elif named:
        intent["payment_method_types"] = method_types.check_types(named)
        method_capabilities.check_accepted(named, refused)
        intent.pop("allowed_payment_method_types", None)
        _interac(call, intent)
        method_types.check_currency_of(intent["payment_method_types"], intent["currency"])
        intent["automatic_payment_methods"] = None
        intent["payment_method_configuration_details"] = None
    elif automatic.get("enabled") or (automatic == {} and call.version >= AUTOMATIC_SINCE):
        redirects = automatic.get("allow_redirects") or "always"
        configuration = payment_method_configurations.used_configuration(
            call, params.get("payment_method_configuration")
        )
        intent["payment_method_configuration_details"] = {
            "id": configuration["id"],
            "parent": configuration.get("parent"),
        }
        intent["payment_method_types"] = method_types.automatic_types(
            payment_method_configurations.enabled_types(configuration),
            currency=intent["currency"],
            redirects=redirects != "never",
            manual_capture=intent["capture_method"] == "manual",
            excluded=[*excluded, *refused],
        )
        if intent["confirmation_method"] == "automatic":
            intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
        intent["_implicit"] = not automatic
    else:
        intent["payment_method_types"] = ["card"]
    intent["payment_method_options"] = method_types.options_for(
        intent["payment_method_types"], params.get("payment_method_options")
    )


def describe_goods(call: Call, intent: StoredPaymentIntent, params: _Described) -> None:
    """Set what is paid for: the parts of the amount, references, and the calculation of its tax."""
    if "amount_details" in params:
        _detail_amount(intent, params["amount_details"])
    if "payment_details" in params:
        details = {"customer_reference": None, "order_reference": None, **(params["payment_details"] or {})}
        intent["payment_details"] = cast("api.PaymentFlowsPaymentDetails", details)
    if "hooks" in params:
        linking.link(call, intent, params["hooks"])


def _describe(call: Call, intent: StoredPaymentIntent, params: IntentParams) -> None:
    """Set the fields that do not affect how the payment is made."""
    fields.assign(intent, params, _PLAIN)
    if "shipping" in params:
        _deliver(call, intent, params["shipping"])
    describe_goods(call, intent, params)
    if "save_payment_method" in params:
        intent["_save"] = bool(params["save_payment_method"])
    _connect(call, intent, params)


def _detail_amount(intent: StoredPaymentIntent, given: operations.AmountDetails | None) -> None:
    """Set ``amount_details``, whose lines are listed at an address of their own. given: None takes all away."""
    details = given or {}
    intent["_line_items"] = cast("list[api.PaymentIntentAmountDetailsLineItem]", details.get("line_items") or [])
    apart = ("line_items", "enforce_arithmetic_validation")
    shown = {name: value for name, value in details.items() if value is not None and name not in apart}
    intent["amount_details"] = cast("api.PaymentFlowsAmountDetails", {"tip": {}, **shown})


def _deliver(call: Call, intent: StoredPaymentIntent, given: Mapping[str, Any] | None) -> None:
    """Set the shipping address. A browser cannot change an address that the server set.

    Source of the error's text: react-stripe-js issue 504.
    """
    if call.client and intent.get("_shipping_by_server"):
        raise invalid(
            "The shipping information on this PaymentIntent was last set with a secret key and therefore cannot be"
            " changed with a"
            " publishable key. Please use your secret key instead.",
            "shipping",
            "payment_intent_invalid_parameter",
        )
    made = fields.shipping(given)
    if made is not None:
        made = {**made, "carrier": made.get("carrier"), "tracking_number": made.get("tracking_number")}
    intent["shipping"], intent["_shipping_by_server"] = made, not call.client and made is not None


def _connect(call: Call, intent: StoredPaymentIntent, params: IntentParams) -> None:
    """Set ``transfer_data`` and check the application fee. The transfer is created with the charge."""
    if params.get("transfer_data"):
        given = params["transfer_data"]
        if "destination" in given:
            splitting.check_destination(call, given["destination"], intent["on_behalf_of"])
        if given.get("amount") is not None and params.get("application_fee_amount"):
            raise exclusive("application_fee_amount", "transfer_data[amount]")
        parts = {name: value for name, value in given.items() if value is not None}
        intent["transfer_data"] = cast("api.TransferData", {**(intent["transfer_data"] or {}), **parts})
    check_parts(call, intent, params)


def check_parts(
    call: Call,
    intent: StoredPaymentIntent,
    params: IntentParams | operations.PostPaymentIntentsIntentIncrementAuthorization,
) -> None:
    """Raise ApiError 400 for an application fee of nobody, or if more is to go to others than is paid.

    intent: with what the parameters change of the parts and of the amount.
    """
    if params.get("application_fee_amount") is not None:
        destination = intent["transfer_data"]["destination"] if intent["transfer_data"] is not None else None
        splitting.check_fee_country(call, destination, "application_fee_amount")
        if call.account == call.platform and intent["transfer_data"] is None:
            raise invalid(
                "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using"
                " an OAuth key or"
                " Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
                "application_fee_amount",
                "parameter_missing",
            )
    transfer = intent["transfer_data"]
    share = (transfer.get("amount") if transfer is not None else None) or 0
    if ("amount" in params or params.get("transfer_data")) and share > intent["amount"]:
        raise too_much_transferred()
    fee = intent["application_fee_amount"] or 0
    if ("amount" in params or "application_fee_amount" in params) and fee > intent["amount"]:
        raise too_large_fee()


def too_much_transferred() -> ApiError:
    """Return the 400 for a transfer of more than is paid."""
    return invalid(
        "The transfer_data[amount] cannot be greater than the PaymentIntent's amount.",
        "transfer_data[amount]",
        "parameter_invalid_integer",
    )


def too_large_fee() -> ApiError:
    """Return the 400 for an application fee of more than is paid."""
    return invalid("The application_fee_amount cannot be greater than the amount.", "application_fee_amount")


def apply(call: Call, intent: StoredPaymentIntent, params: operations.PostPaymentIntentsIntent) -> None:
    """Apply update parameters to a PaymentIntent. Raises ApiError if its status does not allow the change."""
    for name in params:
        payment_states.check_updatable(call, intent, name)
    method_types.check_alone(params)
    option_rules.check_configurable(intent, params)
    if params.get("currency"):
        intent["currency"] = shared_currency.check_currency(params["currency"])
    if params.get("amount") is not None or params.get("currency"):
        intent["amount"] = params.get("amount", intent["amount"])
        _amount(call, intent["amount"], intent["currency"])
    if params.get("capture_method"):
        intent["capture_method"] = params["capture_method"]
    option_rules.check_details(params)
    option_rules.check_total(intent["amount"], params)
    if params.get("return_url"):
        intent["_returns_to"] = params["return_url"]
    _check_group(intent, params)
    _customer(call, intent, params)
    fields.merge_metadata(intent, params)
    if params.get("payment_method_configuration"):
        payment_method_configurations.used_configuration(call, params["payment_method_configuration"])
    chosen = params.get("payment_method_types") or params.get("allowed_payment_method_types")
    excluding = "excluded_payment_method_types" in params
    if chosen or excluding or params.get("payment_method_configuration") or params.get("currency"):
        again = dict(params)
        if intent["automatic_payment_methods"] and not chosen:
            again["automatic_payment_methods"] = intent["automatic_payment_methods"]
        elif intent.get("allowed_payment_method_types") and not chosen:
            again["allowed_payment_method_types"] = intent["allowed_payment_method_types"]
        elif not chosen:
            again["payment_method_types"] = intent["payment_method_types"]
        before, implicit = intent["payment_method_options"], intent.get("_implicit", False)
        details = intent["payment_method_configuration_details"]
        if details and not again.get("payment_method_configuration"):
            again["payment_method_configuration"] = details["id"]
        _types(call, intent, again)
        intent["_implicit"] = implicit
        intent["payment_method_options"] = method_types.merge_options(
            before, intent["payment_method_types"], params.get("payment_method_options")
        )
    elif params.get("payment_method_options"):
        intent["payment_method_options"] = method_types.merge_options(
            intent["payment_method_options"], intent["payment_method_types"], params["payment_method_options"]
        )
    _describe(call, intent, params)


def _check_group(intent: StoredPaymentIntent, params: IntentParams) -> None:
    """Raise ApiError 400 for another ``transfer_group`` than the one that was set: it is set once."""
    group = params.get("transfer_group")
    if group is not None and intent["transfer_group"] not in (None, group):
        raise invalid(
            "You cannot modify `transfer_group` on a PaymentIntent once it already has been set.",
            "transfer_group",
            "payment_intent_invalid_parameter",
        )


def choose_method(call: Call, intent: StoredPaymentIntent, params: Mapping[str, Any]) -> None:
    """Set the payment method of the intent from the parameters; an empty value removes it."""
    emptied = params.get("payment_method", "") is None and not params.get("payment_method_data")
    method = None if emptied else resolve_method(call, params)
    if method is not None:
        usable_by(call, intent, method)
        intent["payment_method"] = method["id"]
        intent["source"] = method["id"] if "source" in params and method["object"] != "payment_method" else None
        intent["_authenticated"] = None
        payment_states.move(intent, "requires_confirmation")
    elif emptied:
        intent["payment_method"] = intent["source"] = None
        if intent["status"] != "requires_payment_method":
            payment_states.move(intent, "requires_payment_method")
