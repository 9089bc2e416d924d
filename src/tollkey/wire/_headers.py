"""Request headers that select account, mode and version, and the response headers that report them."""

from __future__ import annotations

from tollkey.keys import Key
from tollkey.wire import refusals
from tollkey.wire.errors import ApiError
from tollkey.wire.messages import Request, Response, is_v2
from tollkey.wire.policy import Policy

_FORM = "application/x-www-form-urlencoded"
_ACCOUNT, _CONTEXT, _MODE = "stripe-account", "stripe-context", "stripe-livemode"


def has_default_scope(headers: dict[str, str]) -> bool:
    """Return whether no header selects another account or a mode, so that the key's own apply."""
    return not (_ACCOUNT in headers or _CONTEXT in headers or _MODE in headers)


def names_account(headers: dict[str, str]) -> bool:
    """Return whether a request says which account it is for."""
    return _ACCOUNT in headers or _CONTEXT in headers


def requested_account(headers: dict[str, str], key: Key) -> str | None:
    """Return the account that ``Stripe-Account`` or ``Stripe-Context`` names, or None.

    A value may be a path that begins with the key's own account (Stripe's docs, "Stripe-Context header";
    stripe-cli#1871).
    Raises ApiError 403 for an empty header or a path below a connected account, 400 when the headers differ.
    """
    if not names_account(headers):
        return None
    named = {name: _end_of(headers[name], key) for name in (_ACCOUNT, _CONTEXT) if name in headers}
    if len(set(named.values())) > 1:
        raise ApiError(
            400,
            message="Stripe-Account and Stripe-Context name different accounts."
            " Please send only one of the two headers.",
        )
    return next(iter(named.values()), None)


def _end_of(path: str, key: Key) -> str:
    """Return the last account of a path. A platform reaches its connected accounts, but not accounts below those."""
    own, _, below = path.strip().partition("/")
    account = below if below and own == key.account else path.strip()
    if not account:
        raise refusals.platforms_only()
    if "/" in account:
        raise refusals.account_invalid(key, account)
    return account


def check_mode(headers: dict[str, str], key: Key) -> None:
    """Raise ApiError 400 when ``Stripe-Livemode``, which the Stripe CLI sends, contradicts the key."""
    said = headers.get(_MODE)
    if said is not None and said.strip().lower() != ("true" if key.livemode else "false"):
        mode = "live" if key.livemode else "test"
        message = f"The header Stripe-Livemode is '{said}', but a {mode} mode key was used to make this request."
        raise ApiError(400, code="livemode_mismatch", message=message)


def check_content_type(request: Request) -> None:
    """Raise ApiError for an unsupported body: v1 accepts urlencoded and multipart forms, v2 accepts JSON.

    The status is 400 for the content type and 415 for a content encoding. Source of the texts: public reports
    (MarcinusX/flutter_stripe_demo#9, vapor-community/stripe#39) and, for JSON, the real system's hint.
    """
    if not request.body:
        return
    coding = request.headers.get("content-encoding", "identity")
    if coding.strip().lower() != "identity":
        raise ApiError(415, message=f"Invalid request: unsupported Content-Encoding {coding}. Send the body as it is.")
    said = request.headers.get("content-type", "")
    kind = request.media_type
    if is_v2(request.path):
        if kind != "application/json":
            raise ApiError(
                400,
                message=f"Invalid request: unsupported Content-Type {said}."
                f" The body of a v2 request is application/json.",
            )
    elif kind == "application/json":
        raise ApiError(
            400,
            message=f"Invalid request (check that your POST content type is {_FORM})."
            " If you have any questions, we can help at https://support.stripe.com/.",
        )
    elif kind not in (_FORM, "multipart/form-data"):
        message = f"Invalid request: unsupported Content-Type {said}."
        raise ApiError(
            400, message=f"{message} If error persists and you need assistance, please contact support@stripe.com."
        )


def version_headers(request: Request, policy: Policy) -> dict[str, str]:
    """Return the version headers of an error response; an invalid version falls back to the default one."""
    try:
        return policy.read_version(request.headers.get("stripe-version")).headers
    except ApiError:
        return policy.read_version(None).headers


def add_standard_headers(response: Response, request: Request, request_id: str, version: dict[str, str]) -> None:
    """Add the headers that every response to an authenticated key has (reference section 1.9).

    version: the version headers, ``Spoken.headers``.
    """
    headers = response.headers
    headers["Request-Id"] = request_id
    notices = [text for text in (headers.get("Stripe-Notice"), version.get("Stripe-Notice")) if text]
    headers.update(version)
    if notices:
        headers["Stripe-Notice"] = " ".join(dict.fromkeys(notices))
    if request.acting_for is not None:
        headers["Stripe-Account"] = _without_line_breaks(request.acting_for)
    sent = request.headers.get("idempotency-key")
    if sent is not None and request.method in ("POST", "DELETE"):
        headers["Idempotency-Key"] = _without_line_breaks(sent)
        if request.repeatable:
            headers.setdefault("Original-Request", request_id)


def _without_line_breaks(text: str) -> str:
    """Return a header's value that is echoed, with line breaks replaced by spaces.

    An HTTP server refuses line breaks in headers; callers in the same process may send them.
    """
    return text.replace("\r", " ").replace("\n", " ")
