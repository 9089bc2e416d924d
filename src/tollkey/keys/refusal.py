"""The default responses to refused requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tollkey.keys.key import Checked, Denied, Key, Reason
from tollkey.keys.limiting import rate_limit_headers, retry_after_headers

__all__ = ["Forbidden", "Refusal", "Refused", "for_auth_request", "rfc6750"]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A valid key without the required permission. Its truth value is False.

    permission: the missing permission; None for a publishable key where none is accepted, and for a request that no
    declared route matches. key: the key.
    """

    permission: str | None
    key: Key

    def __bool__(self) -> Literal[False]:
        """Return False, like ``Denied``."""
        return False


Refused = Denied | Forbidden


def refused_of(checked: Checked, ip: str | None = None) -> Refused:
    """Return a result of ``KeyService.check`` that refuses a request as a value for ``rfc6750``.

    ip: the caller's address. Raises ValueError for an accepted request.
    """
    if checked.reason is None:
        raise ValueError("the request was accepted")
    if checked.reason is Reason.forbidden and checked.known is not None:
        return Forbidden(checked.permission, checked.known)
    return Denied(
        checked.reason,
        checked.masked,
        checked.known,
        ip if checked.reason is Reason.ip_not_allowed else None,
        checked.limit,
        checked.retry_after,
        checked.limits or (() if checked.limit is None else (checked.limit,)),
    )


class Refusal(NamedTuple):
    """An HTTP response. status: its code. headers: pairs of name, in lower case, and value. body: bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


OnDenied = Callable[[Refused], Refusal]

_SENTENCES = {
    Reason.missing: "No API key was sent. Send it as '{how}'.",
    Reason.unusable_header: "The {header} header contains no API key. Send it as '{how}'.",
    Reason.unknown: "The API key is not valid.",
    Reason.expired: "The API key has expired.",
    Reason.revoked: "The API key has expired.",
    Reason.disabled: "The API key is disabled.",
    Reason.ip_not_allowed: "The API key may not be used from this IP address.",
    Reason.forbidden: "The API key lacks a permission.",
    Reason.rate_limited: "Too many requests with this API key.",
    Reason.quota_exceeded: "The quota of this API key is used up.",
    Reason.unavailable: "API keys cannot be checked at the moment.",
}
_STATUS = {Reason.forbidden: 403, Reason.rate_limited: 429, Reason.quota_exceeded: 429, Reason.unavailable: 503}


def rfc6750(refused: Refused, *, header: str = "authorization") -> Refusal:
    """Return the default response: JSON, with the challenge of RFC 6750 section 3. It does not repeat the key sent.

    header: the expected header; if it is not ``authorization``, the scheme of the challenge is ApiKey.
    Status: 401, 403 without the permission, 429 if rate-limited, 503 if unavailable.
    """
    bearer = header == "authorization"
    challenge = 'Bearer realm="API"' if bearer else 'ApiKey realm="API"'
    if isinstance(refused, Forbidden):
        return _forbidden(refused, challenge)
    status = _STATUS.get(refused.reason, 401)
    shown = header.title()
    message = _SENTENCES[refused.reason].format(header=shown, how=f"{shown}: {'Bearer ' if bearer else ''}YOUR_KEY")
    if status != 401:
        return _json(status, refused.reason.value, message, _limit_headers(refused))
    # RFC 6750 section 3.1: no error code without credentials
    if refused.reason in (Reason.missing, Reason.unusable_header):
        return _json(401, "no_api_key", message, (("www-authenticate", challenge),))
    challenge += f', error="invalid_token", error_description="{message}"'
    return _json(401, "invalid_token", message, (("www-authenticate", challenge),))


def _limit_headers(refused: Denied) -> tuple[tuple[str, str], ...]:
    """Return ``Retry-After`` and the state of the limits."""
    if refused.reason in (Reason.rate_limited, Reason.quota_exceeded):
        unknown = refused.limit is None and refused.retry_after is None
        return (*retry_after_headers(1.0 if unknown else refused.retry_after), *rate_limit_headers(refused.limits))
    return retry_after_headers(1.0) if refused.reason is Reason.unavailable else ()


def _forbidden(refused: Forbidden, challenge: str) -> Refusal:
    if refused.permission is None and refused.key.kind != "publishable":
        return _json(403, "route_unknown", "This request matches no declared route.", ())
    if refused.permission is None:
        message = "A publishable API key may not be used here. Use a secret or a restricted one, on a server."
        return _json(
            403, "publishable_key_refused", message, (("www-authenticate", f'{challenge}, error="insufficient_scope"'),)
        )
    message = f"The API key lacks the permission {refused.permission}."
    challenge += f', error="insufficient_scope", scope="{refused.permission}"'
    return _json(403, "insufficient_scope", message, (("www-authenticate", challenge),))


def for_auth_request(refused: Refused) -> Refusal:
    """Return the default response in a form for nginx's ``auth_request``, which accepts only 401 and 403.

    Any status but 401 becomes 403. The real status, the body and the headers are in ``x-key-status``, ``x-key-body``,
    ``x-key-challenge`` and ``x-key-retry-after``, so that the configuration can build the response from them (nginx
    copies the challenge of a 401 itself). See ``examples/proxies/nginx``.
    """
    status, headers, body = rfc6750(refused)
    renamed = [("x-key-status", str(status)), ("x-key-body", body.decode())]
    for name, value in headers:
        if name == "www-authenticate" and status != 401:
            renamed.append(("x-key-challenge", value))
        elif name == "retry-after":
            renamed.append(("x-key-retry-after", value))
        else:
            renamed.append((name, value))
    return Refusal(401 if status == 401 else 403, tuple(renamed), body)


def _json(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...]) -> Refusal:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    plain = (("content-type", "application/json"), ("content-length", str(len(body))), ("cache-control", "no-store"))
    return Refusal(status, plain + headers, body)


INTERNAL = _json(500, "internal_error", "This request could not be checked. The error is in the server's log.", ())
