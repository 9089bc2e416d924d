"""Error responses to refused keys, with the texts of reference section 1.2."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tollkey.db import StorageError
from tollkey.db.engine import LockTimeout, OutcomeUnknown
from tollkey.keys import Denied, Key, Permission, Reason
from tollkey.wire.errors import ApiError

_SEE = "See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
_CHALLENGE = {"Www-Authenticate": 'Bearer realm="Stripe"'}
_PLATFORMS_ONLY = (
    "Only Stripe Connect platforms can work with other accounts. If you specified a client_id parameter,"
    " make sure it's correct."
    " If you need to setup a Stripe Connect platform, you can do so at"
    " https://dashboard.stripe.com/account/applications/settings."
)


def _unauthorized(message: str, code: str | None = None, **more: Any) -> ApiError:
    return ApiError(401, "invalid_request_error", code, message, headers=_CHALLENGE, bare=True, **more)


def denied(denial: Denied) -> ApiError:
    """Return the error for a key that was not accepted; it has no Request-Id (reference section 1.3)."""
    shown = denial.masked or ""
    if denial.reason is Reason.missing:
        return _unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header,"
            " using Bearer auth"
            f" (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). {_SEE}"
        )
    if denial.reason is Reason.unusable_header:
        return _unauthorized(
            f'You did not provide an API key, though you did set your Authorization header to "{shown}".'
            f" Using Bearer auth, your"
            f" Authorization header should look something like 'Authorization: Bearer YOUR_SECRET_KEY'. {_SEE}"
        )
    if denial.reason in (Reason.expired, Reason.revoked):
        return _unauthorized(f"Expired API Key provided: {shown}", "api_key_expired")
    if denial.reason is Reason.disabled:
        return _unauthorized(f"The API key provided is disabled: {shown}", guess=True)
    if denial.reason is Reason.ip_not_allowed:
        return _unauthorized(f"The API key provided does not allow requests from your IP address ({denial.ip}).")
    if denial.reason is Reason.unavailable:
        return ApiError(
            503,
            "api_error",
            message="Your API key cannot be verified right now. Please try again later.",
            bare=True,
        )
    return _unauthorized(f"Invalid API Key provided: {shown}", guess=True)


def secret_key_required() -> ApiError:
    """Return the 403 for a publishable key on an endpoint for secret keys."""
    return ApiError(
        403,
        code="secret_key_required",
        message="This API call cannot be made with a publishable API key. Please use a secret API key."
        " You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
    )


def lacks_permission(key: Key, permissions: list[tuple[Permission, str]], dashboard: str) -> ApiError:
    """Return the 403 for a restricted key without the needed permissions (newest text, reference section 1.5).

    permissions: each with the level that the key lacks, ``read`` or ``write``. dashboard: the Dashboard's base URL.
    """
    named = ", ".join(f"{p.label} {level.capitalize()} ('{p.name}_{level}')" for p, level in permissions)
    edit = f"{dashboard}/b/{key.account}?destination={quote(f'/apikeys/{key.id}/edit', safe='')}"
    return ApiError(
        403,
        code="more_permissions_required",
        message=f"Permission denied. The provided key '{key.redacted}' does not have the required permissions for this"
        f" endpoint on"
        f" account '{key.account}'. Enabling {named} permissions on this key would allow this request to continue."
        f" You can edit permissions at {edit}",
    )


def unless_narrowed(before: Key, verdict: Key | Denied) -> Key | Denied:
    """Return the verdict on a key that was verified before.

    before: the key as it was then. Raises ApiError 403 when it may do less now, or its metadata, which may bound it, is
    another: what the request was admitted with holds no more.
    """
    if isinstance(verdict, Key) and (
        before.effective - verdict.effective
        or before.effective_connect - verdict.effective_connect
        or before.metadata != verdict.metadata
    ):
        raise ApiError(
            403,
            code="more_permissions_required",
            message=f"The key '{verdict.redacted}' was changed while this request was under way. Nothing was done; send"
            " it again.",
            retry=True,
        )
    return verdict


def not_for_ephemeral(key: Key) -> ApiError:
    """Return the 403 for an endpoint that ephemeral keys may not call (text: stripe-android issue 7747)."""
    return ApiError(
        403,
        message=f"The provided key '{key.redacted}' does not have the required permissions for this endpoint on"
        f" account '{key.account}'."
        " Having more permissions would allow this request to continue.",
    )


def not_for_sessions(key: Key) -> ApiError:
    """Return the 403 for the token of a session on an endpoint for API keys."""
    return ApiError(
        403,
        message=f"The provided token '{key.redacted}' only authenticates the meter event stream. Use an API key for"
        " this endpoint.",
    )


def session_required() -> ApiError:
    """Return the 403 for an API key on an endpoint that only the token of a session may call.

    Source: Stripe's API reference, "Create a billing meter event via stream": it requires a meter event session for
    authentication. The text is ours.
    """
    return ApiError(
        403,
        message="The meter event stream is authenticated by the token of a meter event session, not by an API key."
        " Create a session with POST /v2/billing/meter_event_session and send its `authentication_token`.",
    )


def unrestricted_only(key: Key) -> ApiError:
    """Return the 403 for an endpoint that restricted keys may not call, whatever their permissions."""
    return ApiError(
        403,
        code="more_permissions_required",
        message=f"The provided key '{key.redacted}' does not have the required permissions for this endpoint on account"
        f" '{key.account}'. This is a restricted API key, but the required permissions are not available for use by"
        f" restricted keys.",
    )


def account_invalid(key: Key, account: str) -> ApiError:
    """Return the 403 for an account, in ``Stripe-Account`` or the path, that the key cannot act for; no Request-Id."""
    return ApiError(
        403,
        code="account_invalid",
        message=f"The provided key '{key.masked}' does not have access to account '{account}'"
        " (or that account does not exist). Application access may have been revoked.",
        bare=True,
    )


def platforms_only() -> ApiError:
    """Return the 403 for an empty ``Stripe-Account`` header."""
    return ApiError(403, code="platform_account_required", message=_PLATFORMS_ONLY)


def https_only() -> ApiError:
    """Return the 403 for unencrypted HTTP on a server that requires HTTPS (reference section 1.1)."""
    return ApiError(
        403,
        message="The Stripe API is only accessible over HTTPS.  Please see <https://stripe.com/docs> for more"
        " information.",
        bare=True,
    )


def too_many_requests(livemode: bool, reason: str = "global-rate") -> ApiError:
    """Return the 429 for an account that has exceeded its rate limit (reference section 1.7).

    reason: of ``Stripe-Rate-Limited-Reason``: ``global-rate``, ``global-concurrency``, ``endpoint-rate``,
        ``endpoint-concurrency`` or ``resource-specific`` (Stripe's documentation, "Rate limits").
    """
    message = (
        "Request rate limit exceeded"
        if livemode
        else (
            "Testmode request rate limit exceeded, the rate limits in testmode are lower than livemode."
            " You can learn more about rate"
            " limits here https://stripe.com/docs/rate-limits."
        )
    )
    headers = {"Stripe-Rate-Limited-Reason": reason}
    return ApiError(429, code="rate_limit", message=message, retry=True, headers=headers)


def overloaded() -> ApiError:
    """Return the 503 for a request that is not begun, since too many are waiting. It is answered at once."""
    message = "The server is handling as many requests as it can. Nothing was changed; try again shortly."
    return ApiError(503, "api_error", message=message, retry=True, headers={"Retry-After": "1"})


def took_too_long(seconds: float, writes: bool) -> ApiError:
    """Return the 503 for a request whose time is over. writes: whether it may have changed something."""
    message = f"The request took longer than {seconds:g} seconds. " + (
        "Whether the change was kept is not known; send it again with the same idempotency key."
        if writes
        else "Nothing was changed."
    )
    return ApiError(503, "api_error", message=message, retry=True, headers={"Retry-After": "1"})


def storage_failed(error: StorageError) -> ApiError:
    """Return the 429 for a lock that another request holds (Stripe's documentation, "Object lock timeouts"), or the 503
    for another failure of the database.
    """
    if isinstance(error, LockTimeout):
        message = (
            "This object cannot be accessed right now because another API request or Stripe process is currently"
            " accessing it. If you see this error intermittently, retry the request. If you see this error frequently"
            " and are making multiple concurrent requests to a single object, make your requests serially or at a lower"
            " rate."
        )
        return ApiError(429, code="lock_timeout", message=message, retry=True)
    message = "Storage is not available; nothing was changed."
    if isinstance(error, OutcomeUnknown):
        message = (
            "Storage failed. Whether the change was kept is not known; send it again with the same idempotency key."
        )
    return ApiError(503, "api_error", message=message, retry=True, headers={"Retry-After": "1"})
