"""What the ASGI and the WSGI gate have in common: how a refused request is answered, unless the host says otherwise."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.service import KeyService

App = TypeVar("App")
Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A good key that may not do this. permission: what it lacks."""

    permission: str
    key: Key


Refused = Denied | Forbidden


class Refusal(NamedTuple):
    """A finished answer. headers: names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


OnDenied = Callable[[Refused], Refusal]

_SENTENCES = {
    Reason.missing: "No API key was given. Send it as 'Authorization: Bearer YOUR_KEY'.",
    Reason.unusable_header: "The Authorization header holds no API key. Send it as 'Authorization: Bearer YOUR_KEY'.",
    Reason.unknown: "The API key is not valid.",
    Reason.expired: "The API key has expired.",
    Reason.revoked: "The API key has expired.",
    Reason.ip_not_allowed: "The API key may not be used from this IP address.",
    Reason.rate_limited: "Too many requests with this API key.",
    Reason.unavailable: "API keys cannot be checked at the moment.",
}
_STATUS = {Reason.rate_limited: 429, Reason.unavailable: 503}


def rfc6750(refused: Refused) -> Refusal:
    """The default answer: JSON, with the challenge of RFC 6750 section 3. Holds nothing of what was presented."""
    if isinstance(refused, Forbidden):
        message = f"The API key lacks the permission {refused.permission}."
        challenge = f'Bearer realm="API", error="insufficient_scope", scope="{refused.permission}"'
        return _json(403, "insufficient_scope", message, (("www-authenticate", challenge),))
    status = _STATUS.get(refused.reason, 401)
    message = _SENTENCES[refused.reason]
    if status != 401:
        return _json(status, refused.reason.value, message, (("retry-after", "1"),))
    if refused.reason in (Reason.missing, Reason.unusable_header):  # no error code when there was nothing to judge
        return _json(401, "no_api_key", message, (("www-authenticate", 'Bearer realm="API"'),))
    challenge = f'Bearer realm="API", error="invalid_token", error_description="{message}"'
    return _json(401, "invalid_token", message, (("www-authenticate", challenge),))


def _json(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...]) -> Refusal:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    plain = (("content-type", "application/json"), ("content-length", str(len(body))), ("cache-control", "no-store"))
    return Refusal(status, plain + headers, body)


class Gate(ABC, Generic[App, Asked]):
    """What both gates are made of. App: the application behind it. Asked: a request as its protocol hands it over.

    keys: an open ``KeyService``. permission_for: which permission a request needs; None: any key will do.
    open_to: requests that need no key. on_denied: makes the answer to a refused request.
    client_ip: the caller's address, the other end of the connection unless given; behind a proxy, read what the proxy
        says, and only then.
    """

    def __init__(
        self,
        app: App,
        keys: KeyService,
        permission_for: Callable[[Asked], str | None] = lambda asked: None,
        *,
        on_denied: OnDenied = rfc6750,
        open_to: Callable[[Asked], bool] = lambda asked: False,
        client_ip: Callable[[Asked], str | None] | None = None,
    ) -> None:
        self._app = app
        self._keys = keys
        self._permission_for = permission_for
        self._on_denied = on_denied
        self._open_to = open_to
        self._client_ip = client_ip or self.client_of

    @staticmethod
    @abstractmethod
    def client_of(asked: Asked) -> str | None:
        """The address of the other end of the connection."""


def judge(answer: Key | Denied, permission: str | None) -> Key | Refused:
    """A verified key against the permission it needs; None needs no more than a key."""
    if isinstance(answer, Key) and permission is not None and not answer.allows(permission):
        return Forbidden(permission, answer)
    return answer
