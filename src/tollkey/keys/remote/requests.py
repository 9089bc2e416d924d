"""What is sent to the key server, and what its answers mean, whatever way they came."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from tollkey import USER_AGENT
from tollkey.keys.errors import KeyRefused, UnknownPermission
from tollkey.keys.header import mask_keys
from tollkey.keys.hiding import repr_without
from tollkey.keys.remote.errors import RemoteRefused, RemoteUnavailable
from tollkey.keys.remote.fields import Json, Value
from tollkey.keys.token import mask_unknown

LARGEST_ANSWER = 4 * 1024 * 1024  # bytes; a page of 100 keys with all their metadata has less
VERIFY = "key_verify_write"
_SCOPE = re.compile(r'scope="([^"]{1,2000})"')


@dataclass(frozen=True, slots=True)
class Address:
    """Where the key server is, and who asks. url: ``https://keys.example.com``, also with a path. token: service key.

    Raises ValueError for a URL that is not one of HTTP, has a user name or a query, and for a token that no header
    can hold.
    """

    url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the URL of a key server begins with https:// or http:// and has a host")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ValueError("the URL of a key server has no user name, password, query or fragment")
        if not re.fullmatch(r"[!-~]+", self.token):
            raise ValueError("the service key is empty, or has characters that a header cannot hold")
        object.__setattr__(self, "url", self.url.rstrip("/"))

    def __repr__(self) -> str:
        return f"Address({self.url!r}, {mask_unknown(self.token)!r})"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request. Compressed answers are not asked for: a small one can become huge."""
        return {
            "authorization": f"Bearer {self.token}",
            "user-agent": USER_AGENT,
            "accept": "application/json",
            "accept-encoding": "identity",
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the key server.

    path: begins with a slash. query: without the entries that are None. body: sent as JSON.
    repeatable: it may be sent again if it is unknown whether it arrived. needs: the permission of the service key.
    idempotency_key: by which the server knows that it is the same change.
    """

    method: Literal["GET", "POST"]
    path: str
    needs: str
    query: Mapping[str, Value] | None = field(default=None, repr=False)
    body: Mapping[str, Json] | None = field(default=None, repr=False)
    repeatable: bool = False
    idempotency_key: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The query as texts."""
        given = (self.query or {}).items()
        return {name: str(value).lower() if value is True else str(value) for name, value in given if value is not None}

    @property
    def content(self) -> bytes | None:
        """The body, without the entries that are None."""
        if self.body is None:
            return None
        return json.dumps({name: value for name, value in self.body.items() if value is not None}).encode()


class Reply(NamedTuple):
    """An answer. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return repr_without(self, "headers", "body")


def understood(reply: Reply, request: Request) -> dict[str, Json]:
    """Return the object that the server answered.

    Raises RemoteRefused, for 401 and for a 403 about the service key; KeyRefused for what the server refused to do;
    RemoteUnavailable for everything else, such as redirects, which are not followed.
    """
    if 200 <= reply.status < 300:
        return decoded(reply.body)
    if reply.status >= 500 or reply.status < 400 or reply.status in (408, 429):
        raise RemoteUnavailable(f"the key server answered with status {reply.status}", sent=reply.status != 429)
    try:
        error = decoded(reply.body).get("error")
    except RemoteUnavailable:
        error = None
    fields = error if isinstance(error, dict) else {}
    code, message, param = (_text(fields.get(name)) for name in ("code", "message", "param"))
    if reply.status == 401:
        raise RemoteRefused("the key server does not accept the service key (status 401)", 401)
    if reply.status == 403 and code in ("insufficient_scope", ""):
        named = _SCOPE.search(reply.headers.get("www-authenticate", ""))
        permission = _text(named[1]) if named else request.needs
        text = f"the service key may not do this: it lacks the permission {permission} (status 403)"
        raise RemoteRefused(text, 403, permission)
    if not code:
        raise RemoteUnavailable(f"there is no key server at this address (status {reply.status})", sent=False)
    raise _refusal(code, message, param)


def _refusal(code: str, message: str, param: str) -> KeyRefused:
    if code == "permission_unknown":
        found = re.match(r"Unknown permission: (.*)\.$", message)
        return UnknownPermission(found[1] if found else message)
    return KeyRefused(code, message, param or None)


def decoded(body: bytes) -> dict[str, Json]:
    """Return the JSON object of an answer. Raises RemoteUnavailable if it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RemoteUnavailable("the answer of the key server is not a JSON object")
    return found


def _text(value: Json) -> str:
    """Return a text of the server for an exception: what repeats a key, as a proxy's answer may, is masked."""
    return mask_keys(value[:2000])[:500] if isinstance(value, str) else ""
