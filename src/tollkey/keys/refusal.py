"""How a refused request is answered, unless the host says otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tollkey.keys.key import Denied, Key, Reason


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A good key that may not do this. False where a truth value is asked for.

    permission: what it lacks; None for a publishable key where none is accepted.
    """

    permission: str | None
    key: Key

    def __bool__(self) -> Literal[False]:
        """False, as a ``Denied`` is."""
        return False


Refused = Denied | Forbidden


class Refusal(NamedTuple):
    """A finished answer. status: of HTTP. headers: names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


OnDenied = Callable[[Refused], Refusal]

_SENTENCES = {
    Reason.missing: "No API key was given. Send it as '{how}'.",
    Reason.unusable_header: "The {header} header holds no API key. Send it as '{how}'.",
    Reason.unknown: "The API key is not valid.",
    Reason.expired: "The API key has expired.",
    Reason.revoked: "The API key has expired.",
    Reason.ip_not_allowed: "The API key may not be used from this IP address.",
    Reason.rate_limited: "Too many requests with this API key.",
    Reason.unavailable: "API keys cannot be checked at the moment.",
}
_STATUS = {Reason.rate_limited: 429, Reason.unavailable: 503}


def rfc6750(refused: Refused, *, header: str = "authorization") -> Refusal:
    """The default answer: JSON, with the challenge of RFC 6750 section 3. Holds nothing of what was presented.

    header: where the key is expected; in another header than ``authorization`` the challenge is of the scheme ApiKey.
    """
    bearer = header == "authorization"
    challenge = 'Bearer realm="API"' if bearer else 'ApiKey realm="API"'
    if isinstance(refused, Forbidden):
        return _forbidden(refused, challenge)
    status = _STATUS.get(refused.reason, 401)
    shown = header.title()
    message = _SENTENCES[refused.reason].format(header=shown, how=f"{shown}: {'Bearer ' if bearer else ''}YOUR_KEY")
    if status != 401:
        return _json(status, refused.reason.value, message, (("retry-after", "1"),))
    if refused.reason in (Reason.missing, Reason.unusable_header):  # no error code when there was nothing to judge
        return _json(401, "no_api_key", message, (("www-authenticate", challenge),))
    challenge += f', error="invalid_token", error_description="{message}"'
    return _json(401, "invalid_token", message, (("www-authenticate", challenge),))


def _forbidden(refused: Forbidden, challenge: str) -> Refusal:
    if refused.permission is None:
        message = "A publishable API key may not be used here. Use a secret or a restricted one, on a server."
        return _json(
            403, "publishable_key_refused", message, (("www-authenticate", f'{challenge}, error="insufficient_scope"'),)
        )
    message = f"The API key lacks the permission {refused.permission}."
    challenge += f', error="insufficient_scope", scope="{refused.permission}"'
    return _json(403, "insufficient_scope", message, (("www-authenticate", challenge),))


def for_auth_request(refused: Refused) -> Refusal:
    """The default answer as nginx's ``auth_request`` can take it: it passes on 401 and 403 and turns all else into 500.

    Whatever is not 401 is answered as 403; the true status, the body and the headers are in ``x-key-status``,
    ``x-key-body``, ``x-key-challenge`` and ``x-key-retry-after``, for the configuration to answer with. (nginx copies
    the challenge of a 401 by itself.) See ``examples/nginx.conf``.
    """
    status, headers, body = rfc6750(refused)
    told = [("x-key-status", str(status)), ("x-key-body", body.decode())]
    for name, value in headers:
        if name == "www-authenticate" and status != 401:
            told.append(("x-key-challenge", value))
        elif name == "retry-after":
            told.append(("x-key-retry-after", value))
        else:
            told.append((name, value))
    return Refusal(401 if status == 401 else 403, tuple(told), body)


def _json(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...]) -> Refusal:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    plain = (("content-type", "application/json"), ("content-length", str(len(body))), ("cache-control", "no-store"))
    return Refusal(status, plain + headers, body)


INTERNAL = _json(500, "internal_error", "This request could not be checked. The error is in the server's log.", ())
