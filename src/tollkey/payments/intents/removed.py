"""What API versions no longer take of intents."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tollkey.wire import Call
from tollkey.wire.errors import exclusive
from tollkey.wire.removed import Removed

if TYPE_CHECKING:
    from tollkey.wire import operations

#: Since 2026-09-30 the types of an intent follow from the Dashboard's settings, and a list only narrows them.
TYPES = Removed(
    "2026-09-30",
    "payment_method_types",
    message="The `payment_method_types` parameter is no longer supported in this API version."
    " Leave it out to use the payment methods that are enabled in your Dashboard, or narrow them with"
    " `allowed_payment_method_types` or `excluded_payment_method_types`.",
    code="payment_method_types_no_longer_supported",
    link="endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents",
)

#: Since 2019-02-11 the types are named ``payment_method_types``.
SOURCE_TYPES = Removed("2019-02-11", "allowed_source_types")


_Given = TypeVar("_Given", "operations.PostPaymentIntents", "operations.PostPaymentIntentsIntent")


def modern(call: Call, params: _Given) -> _Given:
    """Return the parameters of an intent with ``payment_method_types`` for ``allowed_source_types``.

    Raises ApiError 400 when both are sent.
    """
    if "allowed_source_types" not in params:
        return params
    if "payment_method_types" in params:
        raise exclusive("allowed_source_types", "payment_method_types")
    made = params.copy()
    made["payment_method_types"] = made.pop("allowed_source_types")
    return made
