"""Error responses.

    ApiError                     any error with a JSON body
    ├── type api_error           the server failed: 500, 503
    ├── type card_error          the card was refused: 402
    ├── type idempotency_error   an Idempotency-Key reused for another request, or in use: 400, 409
    └── type invalid_request_error
        ├── 400  a parameter is wrong            401  no valid key
        ├── 403  the key lacks a permission      404  no such object, no such URL
        └── 409, 413, 414, 429

``message`` and the stable ``code`` are for the caller.
Source of the texts: recorded exchanges and the list of errors in Stripe's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.keys.header import without_secret_keys

DOCS = "https://stripe.com/docs/error-codes/"
#: Codes the real system answers without a ``doc_url``.
_UNDOCUMENTED = frozenset({"india_recurring_payment_mandate_canceled", "more_permissions_required"})
#: Codes whose error begins with the message (recorded).
_UNSORTED = frozenset({"account_invalid"})
#: The ``code`` of a v2 error whose v1 form has none.
_V2_CODES = {400: "invalid_request", 404: "not_found", 503: "service_unavailable"}


class ApiError(Exception):
    """An error response.

    status: the HTTP status code.
    type: one of api_error, card_error, idempotency_error, invalid_request_error.
    code: the stable code that programs may branch on, or None.
    message: the text for the caller.
    param: the refused parameter in bracket form, or None.
    keep: commit what the handler wrote before it raised (a declined charge is stored, with its events).
    retry: the value of ``Stripe-Should-Retry`` when the request has an idempotency key; None omits the header.
    headers: further response headers.
    bare: send none of the headers of authenticated requests and no ``request_log_url``.
    guess: a wrong secret or code was sent; it counts against the client's address (``wire/guesses.py``).
    documented: whether the real system's documentation has a page for the code, so that ``doc_url`` may name it.
    extra: further fields of the error body (decline_code, charge, payment_intent, …).
    """

    def __init__(
        self,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        message: str = "",
        param: str | None = None,
        *,
        keep: bool = False,
        retry: bool | None = None,
        headers: dict[str, str] | None = None,
        bare: bool = False,
        documented: bool = True,
        guess: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.type, self.code, self.message, self.param = status, type, code, message, param
        self.keep, self.retry, self.headers, self.bare = keep, retry, headers or {}, bare
        self.guess = guess
        self.documented = documented and code not in _UNDOCUMENTED
        self.extra = {name: value for name, value in extra.items() if value is not None}

    def body(self, request_log_url: str | None = None) -> dict[str, Any]:
        """Return the body of a v1 error, keys in alphabetical order as recorded, except for codes in ``_UNSORTED``.

        request_log_url: where the Dashboard shows the request, or None.
        """
        fields: dict[str, Any] = {"message": without_secret_keys(self.message), "type": self.type, **self.extra}
        if self.code is not None:
            fields["code"] = self.code
            if self.documented:
                fields["doc_url"] = DOCS + self.code.replace("_", "-")
        if self.param is not None:
            fields["param"] = without_secret_keys(self.param)
        if request_log_url is not None and not self.bare:
            fields["request_log_url"] = request_log_url
        return {"error": fields if self.code in _UNSORTED else dict(sorted(fields.items()))}

    def body_v2(self) -> dict[str, Any]:
        """Return the body of a v2 error: ``code``, ``message`` and, except for invalid fields, ``type``.

        It has no ``param``, ``doc_url`` or ``request_log_url``; the official SDKs distinguish v2 errors by ``type``,
        then by ``code``.
        """
        message = without_secret_keys(self.message)
        if self.status == 400 and self.param is not None:
            return {"error": {"code": "invalid_fields", "message": message}}
        code = "not_found" if self.status == 404 else self.code or _V2_CODES.get(self.status)
        if self.type == "idempotency_error":
            code = self.code or self.type
        return {"error": {**({"code": code} if code else {}), "message": message, "type": self.type}}


def invalid(message: str, param: str | None = None, code: str | None = None, **more: Any) -> ApiError:
    """Return a 400: a parameter is invalid, or the state of an object does not allow the request.

    param: the parameter in bracket form. more: further arguments of ``ApiError``.
    """
    return ApiError(400, "invalid_request_error", code, message, param, **more)


def exclusive(*names: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the 400 for parameters of which a request may have only one.

    param: the one that is blamed, in bracket form. code: Stripe's errors have none or ``parameters_exclusive``.
    """
    return invalid(f"You may only specify one of these parameters: {', '.join(names)}.", param, code)


def card_error(
    code: str, message: str, param: str | None = None, decline_code: str | None = None, **extra: Any
) -> ApiError:
    """Return a 402: the card was declined. What the handler wrote (the failed charge, its events) is committed."""
    extra.setdefault("keep", True)
    extra.setdefault("retry", False)
    return ApiError(402, "card_error", code, message, param, decline_code=decline_code, **extra)


def missing_object(label: str, id: str, param: str, *, in_path: bool, other_mode: str | None = None) -> ApiError:
    """Return the resource_missing error: 404 when the id is in the path, 400 when it is a parameter.

    label: the name of the object's type in messages, for example ``customer`` or ``PaymentMethod``.
    other_mode: ``live`` or ``test`` when the same account has the id in that mode (reference section 1.6).
    """
    message = f"No such {label}: '{id}'"
    if other_mode is not None:
        mine = "test" if other_mode == "live" else "live"
        message += (
            f"; a similar object exists in {other_mode} mode, but a {mine} mode key was used to make this request."
        )
    return ApiError(404 if in_path else 400, "invalid_request_error", "resource_missing", message, param)


def in_brackets(first: str, *rest: str) -> str:
    """Return a parameter's path as errors name it: ``line_items[0][price]``."""
    return first + "".join(f"[{name}]" for name in rest)


def missing_param(name: str) -> ApiError:
    """Return the 400 for a required parameter that was not sent."""
    return invalid(f"Missing required param: {name}.", name, "parameter_missing")


def amount_too_large(message: str = "", param: str | None = None) -> ApiError:
    """Return the 400 for an amount above every maximum, such as a price times a quantity.

    Source of the text: Stripe's list of error codes.
    """
    text = message or "The specified amount is greater than the maximum amount allowed. Use a lower amount."
    return invalid(text, param, "amount_too_large")


def in_the_past(param: str, timestamp: int) -> ApiError:
    """Return the 400 for a time that has passed. timestamp: what was given, in UTC epoch seconds."""
    return invalid(
        f"The parameter `{param}` expects a unix timestamp representing a date and time in the future."
        f" You specified the value `{timestamp}` which is in the past.",
        param,
    )


def too_small(param: str, lowest: int = 1) -> ApiError:
    """Return the 400 for an integer below ``lowest``."""
    return invalid(f"This value must be greater than or equal to {lowest}.", param, "parameter_invalid_integer")


def too_large(param: str, highest: int) -> ApiError:
    """Return the 400 for an integer above ``highest``."""
    return invalid(f"This value must be less than or equal to {highest}.", param, "parameter_invalid_integer")


def wrong_purpose(file: Mapping[str, Any], purpose: str, param: str) -> ApiError:
    """Return the 400 for a file that was uploaded for another purpose. purpose: the one that it needs."""
    message = f"The file `{file['id']}` has the purpose `{file['purpose']}`; its purpose must be `{purpose}`."
    return invalid(message, param)


_LONGEST_PATH = 1_000  # characters that the message repeats


def unknown_url(method: str, path: str) -> ApiError:
    """Return the 404 for a method and path that no endpoint has (reference section 1.10)."""
    shown = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."
    hint = ""
    if path.endswith("/"):
        hint = (
            " If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object,"
            " make sure you passed a valid (non-empty) identifier in your code."
        )
    return ApiError(
        404,
        message=f"Unrecognized request URL ({method}: {shown}).{hint} Please see https://stripe.com/docs"
        " or we can help at https://support.stripe.com/.",
    )
