"""``POST /v1/leaks/github`` and ``POST /v1/leaks/revoke``, as routes of Starlette.

Neither needs a key of the service: GitHub signs what it sends, and whoever sends the text of a key may end it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Literal

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tollkey.db import StorageError
from tollkey.keys.actors import Actor
from tollkey.keys.brake import Brake
from tollkey.keys.config import Config
from tollkey.keys.scanning.github import (
    IDENTIFIER_HEADER,
    KEYS_URL,
    SIGNATURE_HEADER,
    GithubKeys,
    InvalidMessage,
    KeysUnavailable,
    feedback,
    read_matches,
)
from tollkey.keys.scanning.leaks import Leaks
from tollkey.keys.scanning.section import Section
from tollkey.keys.service import KeyService
from tollkey.keys.token import mask_unknown

LARGEST_MESSAGE = 4 * 1024 * 1024  # bytes: GitHub sends many matches at once
LARGEST_REVOCATION = 64 * 1024
MOST_KEYS = 100
_TOO_MANY = (
    "Too many texts that are no key were sent from this address. Wait a minute, or send the text of one key a request."
)
_FETCH_SECONDS = 10.0
_RETRY_AFTER = {429: "60", 503: "30"}  # seconds
_BODY_SECONDS = 10.0  # how long a body may take to arrive
Handler = Callable[[Request], Awaitable[Response]]
_Type = Literal["invalid_request_error", "api_error"]


class _Problem(Exception):
    def __init__(
        self, status: int, code: str, message: str, param: str | None = None, type: _Type = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.type = status, code, message, param, type

    def answer(self) -> Response:
        fields = {"type": self.type, "code": self.code, "message": self.message}
        if self.param is not None:
            fields["param"] = self.param
        retry = {"Retry-After": _RETRY_AFTER[self.status]} if self.status in _RETRY_AFTER else {}
        return JSONResponse({"error": fields}, self.status, headers=retry)


def fetch_github_keys(url: str = KEYS_URL, token: str | None = None) -> bytes:
    """Return GitHub's public keys as its API answers them. token: for a higher rate limit. Raises OSError."""
    headers = {"accept": "application/json"} | ({} if token is None else {"authorization": f"Bearer {token}"})
    try:
        answer = httpx.get(url, headers=headers, timeout=_FETCH_SECONDS, follow_redirects=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise OSError(f"GitHub's keys could not be fetched: {type(error).__name__}") from None
    return answer.content


def routes(
    leaks: Leaks, github: GithubKeys | None, new_id: Callable[[str], str], brake: Brake, *, possession: bool = True
) -> list[Route]:
    """Return the routes.

    brake: counts the texts that are no key, sent to ``/v1/leaks/revoke``. An address with too many gets 429 for further
    ones and may send one text a request; a key that it sends is still ended.

    github: None leaves out ``/v1/leaks/github``. new_id: returns a new id with a prefix. possession: False leaves out
    ``/v1/leaks/revoke``.
    """

    async def handle_github(request: Request) -> Response:
        identifier, signature = (request.headers.get(name) for name in (IDENTIFIER_HEADER, SIGNATURE_HEADER))
        if github is None or not identifier or not signature:
            raise _Problem(401, "signature_missing", "The message has no signature of GitHub.")
        body = await _body(request, LARGEST_MESSAGE)
        if not await run_in_threadpool(github.signed, body, identifier, signature):
            raise _Problem(401, "signature_invalid", "The signature does not fit the message.")
        return JSONResponse(await run_in_threadpool(feedback, leaks, read_matches(body)))

    async def handle_revoke(request: Request) -> Response:
        keys = _keys(await _body(request, LARGEST_REVOCATION))
        address = request.client.host if request.client else None
        actor, blocked = Actor("leak_report", "holder", address), brake.blocked(address)
        if blocked and len(keys) > 1:
            raise _Problem(429, "rate_limited", _TOO_MANY)
        guesses = 0

        def revoke() -> list[dict[str, object]]:
            nonlocal guesses
            done: list[dict[str, object]] = []
            for text in keys:
                leak = leaks.report(text, source="holder", policy="revoke", actor=actor)
                guesses += leak is None
                ended = leak is not None and leak.outcome in ("revoked", "expired", "none")
                done.append({"object": "leak_report", "key": mask_unknown(text[:512]), "revoked": ended})
            return done

        done = await run_in_threadpool(revoke)
        if guesses:
            brake.count(address, guesses)
            if blocked:
                raise _Problem(429, "rate_limited", _TOO_MANY)
        return JSONResponse({"object": "list", "data": done})

    def route(path: str, handler: Handler) -> Route:
        return Route(path, _answering(handler, new_id), methods=["POST"])

    made = [route("/v1/leaks/revoke", handle_revoke)] if possession else []
    return made if github is None else [route("/v1/leaks/github", handle_github), *made]


def declared_routes(
    service: KeyService, config: Config, clock: Callable[[], float], monotonic: Callable[[], float],
    new_id: Callable[[str], str], guess_limit: int = 60,
) -> list[Route]:  # fmt: skip
    """Return the routes that the table ``[scanning]`` of a configuration asks for. Raises StorageError.

    guess_limit: texts a minute that one address may send to ``/v1/leaks/revoke`` and that are no key; 0 for no limit.
    clock: returns UTC epoch seconds. monotonic: returns seconds of a monotonic clock.
    """
    declared = config.section(Section) or Section()
    leaks = Leaks(service, clock, policy=declared.on_leak, grace_seconds=declared.grace_seconds)
    url = declared.github_keys_url or KEYS_URL
    github = GithubKeys(lambda: fetch_github_keys(url), monotonic) if declared.github else None
    return routes(leaks, github, new_id, Brake(monotonic, guess_limit), possession=declared.possession)


def _answering(handler: Handler, new_id: Callable[[str], str]) -> Handler:
    """A handler that answers errors in the envelope, with a Request-Id."""

    async def answer(request: Request) -> Response:
        try:
            response = await handler(request)
        except _Problem as problem:
            response = problem.answer()
        except InvalidMessage as invalid:
            response = _Problem(400, "parameter_invalid", str(invalid)).answer()
        except (KeysUnavailable, StorageError):
            message = "The report cannot be checked at the moment. Send it again."
            response = _Problem(503, "unavailable", message, type="api_error").answer()
        response.headers["Request-Id"] = new_id("req")
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


async def _body(request: Request, most: int) -> bytes:
    """The body, up to ``most`` bytes, of a request with JSON. Raises _Problem."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Problem(400, "content_type_unsupported", "Send the body as application/json.")
    body = bytearray()  # joining bytes would copy all of them for each part, however small
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise _Problem(413, "body_too_large", f"The body is too large: {most} bytes are allowed.")
    except TimeoutError:
        raise _Problem(408, "request_timeout", "The body did not arrive in time.") from None
    except ClientDisconnect:
        raise _Problem(400, "client_disconnected", "The client disconnected before the body was complete.") from None
    return bytes(body)


def _keys(body: bytes) -> list[str]:
    """The keys to revoke: ``{"key": "…"}`` or ``{"keys": ["…"]}``. Raises _Problem."""
    try:
        sent = json.loads(body)
        json.dumps(sent, ensure_ascii=False).encode()  # refuses half a surrogate pair, which no answer can repeat
    except (ValueError, RecursionError):
        raise _Problem(400, "body_invalid", "The body must be JSON.") from None
    if not isinstance(sent, dict) or sent.keys() not in ({"key"}, {"keys"}):
        raise _Problem(400, "parameter_missing", "Send the key to revoke as key, or several as keys.", "key")
    keys = [sent["key"]] if "key" in sent else sent["keys"]
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS or not all(isinstance(k, str) for k in keys):
        message = f"Send the text of a key as key, or 1 to {MOST_KEYS} texts as keys."
        raise _Problem(400, "parameter_invalid", message, next(iter(sent)))
    return keys
