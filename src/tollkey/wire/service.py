"""Process a request from authentication to response (ARCHITECTURE.md, "Life of a request")."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from tollkey.db import Busy, Edge, Ids, OutcomeUnknown, Scope, StorageError, Tx
from tollkey.keys import Denied, Key, Reason, Verifier, mask_unknown, read_authorization, without_keys
from tollkey.wire import hosted, idempotency, refusals
from tollkey.wire._body import browser_key, mark_of, read_params
from tollkey.wire._clients import apply_form_headers, check_form_headers, error_page, key_in_query, limit_to_customer
from tollkey.wire._guesses import GuessLimiter, too_many_guesses
from tollkey.wire._headers import (
    add_standard_headers,
    check_mode,
    has_default_scope,
    requested_account,
    version_headers,
)
from tollkey.wire._owners import Owners
from tollkey.wire._permissions import check_permission
from tollkey.wire._stored import body_of, shown_as_stored, stored_response
from tollkey.wire.call import Call, Origin, Setup
from tollkey.wire.errors import ApiError, invalid, unknown_url
from tollkey.wire.messages import Request, Response
from tollkey.wire.objects import encode
from tollkey.wire.params import check
from tollkey.wire.render import Renderer
from tollkey.wire.resource import Endpoint, Json, Reply
from tollkey.wire.router import Route, Router
from tollkey.wire.staging import write_staged
from tollkey.wire.versions import LATEST, read_version

log = logging.getLogger("tollkey.wire")

_UNKNOWN = "Storage failed. Whether the change was kept is not known; send it again with the same idempotency key."
_INTERNAL = "An unknown error occurred. It has been written to the server's log under this request's id."


class Logged(NamedTuple):
    """A request and its response for the request log, which removes secrets before it stores them.

    account: the account acted for. started: UTC epoch seconds. seconds: the duration.
    """

    request: Request
    response: Response
    key: Key
    account: str
    request_id: str
    started: float
    seconds: float


class Log(Protocol):
    """Stores request logs. It must not block; exceptions are logged and do not fail the request."""

    def __call__(self, entry: Logged) -> None:
        """Store one entry."""


@dataclass
class Policy:
    """A server's rules for requests.

    connected: ``(tx, platform's scope, account)`` -> whether the platform may act for the account.
    platform_of: see ``Owners``. require_https: refuse unencrypted HTTP. dashboard_url: used in error messages.
    limit: ``(key)`` -> whether the rate limit lets the key make a request now; None for no limit.
    special_keys: ``(tx, key's text, now)`` -> authenticates ephemeral keys; None where they do not exist.
    guess_limiter: counts wrong secrets by address and delays answers; None for no limit.
    refused: ``(denied, ip, now)``, called for each refused key; must not block (``keys.Attempts``).
    later_versions: further API versions to accept, published since this program was written.
    """

    connected: Callable[[Tx, Scope, str], bool]
    platform_of: Callable[[Tx, Scope], str | None] = lambda tx, scope: None
    require_https: bool = False
    dashboard_url: str = "https://dashboard.stripe.com"
    limit: Callable[[Key], bool] | None = None
    special_keys: Callable[[Tx, str, int], Key | Denied | None] | None = None
    refused: Callable[[Denied, str | None, int], None] | None = None
    guess_limiter: GuessLimiter | None = None
    later_versions: frozenset[str] = frozenset()


class Service:
    """Processes requests of the payments API.

    now: returns UTC epoch seconds; tests pass a clock of their own. log: stores request logs, or None.
    """

    def __init__(
        self,
        setup: Setup,
        edge: Edge,
        verifier: Verifier,
        policy: Policy,
        now: Callable[[], float] = time.time,
        log: Log | None = None,
    ) -> None:
        self.setup, self.edge, self.verifier, self.policy = setup, edge, verifier, policy
        self.router = Router(setup.tables.catalogue)
        self.renderer = Renderer(setup.tables.catalogue, policy.dashboard_url)
        self._now, self._log, self._owners = now, log, Owners(policy.platform_of)
        self._in_flight: set[tuple[Scope, str]] = set()
        self._request_ids = Ids(
            random.Random(secrets.randbits(256)).randbytes, now
        )  # not secret, so no system call for each

    # -- a whole request

    def at_once(self, request: Request) -> Response | None:
        """Answer a GET of one object with its stored JSON without awaiting; None when ``answer`` must be used.

        This fast path takes about a third of the time of ``answer``. It returns no errors: a request that it cannot
        answer is left to ``answer``.
        """
        headers = request.headers
        hit = (
            None if request.query or not has_default_scope(headers) else self.router.find(request.method, request.path)
        )
        presented = read_authorization(headers.get("authorization"))
        if hit is None or isinstance(presented, Denied) or (self.policy.require_https and not request.secure):
            return None
        route, names = hit
        spoken = read_version(headers.get("stripe-version"), self.policy.later_versions)
        if not shown_as_stored(self.renderer, route, spoken.date):
            return None
        started = self._now()
        key = self.verifier.verify_cached(presented.text, int(started), request.ip)
        if not isinstance(key, Key) or key.kind not in ("secret", "restricted"):
            return None
        check_permission(key, route, None, self.policy.dashboard_url)
        body = self.edge.read_now(body_of(self.setup.tables, route, names, Scope(key.account, key.livemode)))
        if body is None or self.renderer.reveals.touches(key, False, body):
            return None
        if self.policy.limit is not None and not self.policy.limit(key):
            return None
        request_id = self._request_ids.new("req")
        response = stored_response(body, request_id, spoken)
        self._record(request, response, key, request_id, started)
        return response

    async def answer(self, request: Request) -> Response:
        """Return the response to a request. Never raises."""
        started = self._now()
        request_id = self._request_ids.new("req")
        response, key = await self._respond(request, request_id, started)
        if (
            response.guess
            and self.policy.guess_limiter is not None
            and self.policy.guess_limiter.count(request.ip, started)
        ):
            await self.policy.guess_limiter.delay()
            refused, page = too_many_guesses(), response.content_type != "application/json"
            response = (
                self._to_response(error_page(429, refused.message), None)
                if page
                else self._refuse(refused, request, None, request_id)
            )
        if key is not None:
            self._record(request, response, key, request_id, started)
        return response

    async def _respond(self, request: Request, request_id: str, started: float) -> tuple[Response, Key | None]:
        """Return the response, and the key if one was recognised."""
        key: Key | None = None
        try:
            if self.policy.require_https and not request.secure:
                raise refusals.https_only()
            hit = self.router.find(request.method, request.path)
            if hit is not None and hit[0].endpoint.public:
                return await self._public(request, *hit, request_id, started), None
            verdict = await self._authenticate(request, started)
            if isinstance(verdict, Denied):
                key = verdict.key
                if self.policy.refused is not None:
                    self.policy.refused(verdict, request.ip, int(started))
                raise refusals.denied(verdict)
            key = verdict
            if key.kind == "publishable" and hit is not None and hit[0].endpoint.publishable is not None:
                await read_params(request, hit[0].endpoint)
                apply_form_headers(request)
            response = await self._authenticated(request, key, request_id, started)
        except ApiError as error:
            response = self._refuse(error, request, key, request_id)
        except Busy:
            response = self._refuse(
                refusals.too_many_requests(key is not None and key.livemode), request, key, request_id
            )
        except StorageError as error:
            log.error("%s storage: %s", request_id, error)
            message = (
                _UNKNOWN if isinstance(error, OutcomeUnknown) else "Storage is not available; nothing was changed."
            )
            response = self._refuse(ApiError(503, "api_error", message=message, retry=True), request, key, request_id)
        except Exception:
            log.exception("%s %s %s", request_id, request.method, self._loggable(request))
            response = self._refuse(ApiError(500, "api_error", message=_INTERNAL), request, key, request_id)
        return response, key

    def _loggable(self, request: Request) -> str:
        """Return the path for the log, without keys and page tokens."""
        hit = self.router.find(request.method, request.path)
        return hit[0].endpoint.path if hit is not None and hit[0].endpoint.public else without_keys(request.path)

    # -- hosted pages

    async def _public(
        self, request: Request, route: Route, names: dict[str, str], request_id: str, started: float
    ) -> Response:
        """Answer an endpoint whose URL contains a token that determines the scope (``wire.hosted``)."""
        now, endpoint = int(started), route.endpoint
        kind = hosted.kind_of(endpoint.path)
        authority, connected = self.setup.services.authority, self.policy.connected
        grant = await self.edge.read(lambda tx: hosted.valid_grant(tx, authority, connected, kind, names["token"], now))
        if grant is None:
            return self._to_response(
                replace(error_page(404, "This page does not exist any more."), guess=True), request_id
            )
        await read_params(request, endpoint)
        agent, path = request.headers.get("user-agent"), {**names, "id": grant.id}
        origin = Origin(request_id, None, LATEST[:10], request.ip, request.method, request.path, agent, request.headers)

        def callback(tx: Tx) -> Response:
            owner = self._owners.of(tx, grant.scope)
            call = Call(
                self.setup, tx, grant.scope, now, path=path, origin=origin, platform=grant.platform, owner=owner
            )
            return self._run_in_savepoint(call, route, request)

        if not endpoint.writes:
            response = await self.edge.read(callback)
        else:
            response = await self.edge.write(callback, lock=await self._owners.lock(self.edge, grant.scope))
        if (
            response.status >= 400
            and response.content_type == "application/json"
            and "text/html" in request.headers.get("accept", "")
        ):
            page = error_page(response.status, json.loads(response.body)["error"]["message"])
            return self._to_response(replace(page, guess=response.guess), request_id)
        return response

    def _to_response(self, reply: Reply, request_id: str | None) -> Response:
        return Response(
            reply.status,
            reply.body,
            dict(reply.headers),
            reply.content_type,
            request_id,
            guess=reply.guess,
            rest=reply.rest,
        )

    # -- authentication

    async def _authenticate(self, request: Request, now: float) -> Key | Denied:
        presented = read_authorization(request.headers.get("authorization"))
        if isinstance(presented, Denied):
            if presented.reason is not Reason.missing:
                return presented
            hit = self.router.find(request.method, request.path)
            text = key_in_query(request) or (await browser_key(request, hit[0].endpoint) if hit is not None else None)
            if text is None:
                return presented
        else:
            text = presented.text
        seconds = int(now)
        if text.startswith("ek_") and (special := self.policy.special_keys) is not None:
            found = await self.edge.read(lambda tx: special(tx, text, seconds))
            if found is not None:
                return found
        verdict = self.verifier.verify_cached(text, seconds, request.ip)
        if verdict is None:
            epoch = self.verifier.epoch  # read before the transaction, so that a key revoked meanwhile is not cached
            try:
                verdict = await self.edge.read(lambda tx: self.verifier.load(tx, text, seconds, request.ip, epoch))
            except StorageError:
                return Denied(Reason.unavailable, mask_unknown(text))
        return verdict

    # -- authorization and transaction

    async def _authenticated(self, request: Request, key: Key, request_id: str, now: float) -> Response:
        spoken = read_version(request.headers.get("stripe-version"), self.policy.later_versions)
        hit = self.router.find(request.method, request.path)
        if hit is None:
            raise unknown_url(request.method, request.path)
        route, names = hit
        account = requested_account(request.headers, key)
        check_permission(key, route, account, self.policy.dashboard_url)
        if self.policy.limit is not None and not self.policy.limit(key):
            raise refusals.too_many_requests(key.livemode)
        check_mode(request.headers, key)
        scope = Scope(account or key.account, key.livemode)
        endpoint = route.endpoint
        whole = endpoint.access_of(key.kind) is None
        if (
            account is None
            and not request.query
            and request.bodiless
            and whole
            and shown_as_stored(self.renderer, route, spoken.date)
        ):
            body = await self.edge.read(body_of(self.setup.tables, route, names, scope), single=True)
            if body is not None and not self.renderer.reveals.touches(key, False, body):
                return stored_response(body, request_id, spoken)
        idempotency_key = request.headers.get("idempotency-key") if request.method != "GET" else None
        if idempotency_key is not None:
            idempotency.check_key(idempotency_key)
        await read_params(request, endpoint)
        repeatable = idempotency_key if request.method == "POST" else None
        mark = await mark_of(request, key, scope.account) if repeatable is not None else b""
        agent = request.headers.get("user-agent")
        origin = Origin(
            request_id, idempotency_key, spoken.date, request.ip, request.method, request.path, agent, request.headers
        )
        elsewhere = account is not None and account != key.account

        def callback(tx: Tx) -> Response:
            if elsewhere and not self.policy.connected(tx, key.scope, account or ""):
                raise refusals.account_invalid(key, account or "")
            request.acting_for = account
            owner = key.account if elsewhere else self._owners.of(tx, scope)
            call = Call(
                self.setup, tx, scope, int(now), key=key, path=names, origin=origin, platform=key.account, owner=owner
            )
            return self._run(call, route, request, mark)

        if not endpoint.writes:
            response = await self.edge.read(
                callback, long=endpoint.scans, caller=f"{key.account}:{int(key.livemode)}", kind=endpoint.path
            )
        else:
            writing = partial(self._write, callback, request, endpoint, key, scope, repeatable, int(now))
            response = await (writing() if repeatable is None else self._once(writing, scope, repeatable))
        add_standard_headers(response, request, request_id, spoken.headers)
        return response

    async def _write(
        self,
        callback: Callable[[Tx], Response],
        request: Request,
        endpoint: Endpoint,
        key: Key,
        scope: Scope,
        repeatable: str | None,
        now: int,
    ) -> Response:
        """Run ``callback`` in a transaction, after storing what the endpoint stores ahead of it (``Endpoint.stage``).

        Nothing is stored ahead when ``callback`` will refuse the account or answer a repetition.
        """
        lock = await self._owners.lock(self.edge, key.scope)
        staged = None if endpoint.stage is None else endpoint.stage(request.given, scope, self.setup.ids, now)

        def runs_handler(tx: Tx) -> bool:
            elsewhere = scope.account != key.account
            if elsewhere and not self.policy.connected(tx, key.scope, scope.account):
                return False
            return repeatable is None or not idempotency.is_used(tx, scope, repeatable, now)

        if staged is None or not await self.edge.read(runs_handler):
            return await self.edge.write(callback, lock=lock)
        request.given = staged.given
        return await write_staged(self.edge, staged, callback, lock)

    async def _once(self, write: Callable[[], Awaitable[Response]], scope: Scope, idempotency_key: str) -> Response:
        claim = (scope, idempotency_key)
        if claim in self._in_flight:
            raise idempotency.in_use(idempotency_key)
        self._in_flight.add(claim)
        try:
            return await asyncio.shield(write())
        finally:
            self._in_flight.discard(claim)

    # -- within the transaction

    def _run(self, call: Call, route: Route, request: Request, mark: bytes) -> Response:
        endpoint = route.endpoint
        key = call.origin.idempotency_key if request.method == "POST" else None
        if key is None:
            if endpoint.writes:
                return self._run_in_savepoint(call, route, request)
            return self._handle(call, route, request)
        stored = idempotency.stored_answer(call.tx, call.scope, key, request.path, mark, call.now)
        if stored is not None:
            headers = {"Idempotent-Replayed": "true", "Original-Request": stored.request_id}
            if stored.retry:
                headers["Stripe-Should-Retry"] = stored.retry
            return Response(stored.status, stored.body, headers, request_id=call.origin.request_id)
        response = self._run_in_savepoint(call, route, request)
        if response.status < 400 or "Stripe-Should-Retry" in response.headers:
            retry = response.headers.setdefault("Stripe-Should-Retry", "false")
            kept = idempotency.Stored(call.origin.request_id or "", response.status, retry, response.storable)
            idempotency.keep(call.tx, call.scope, key, request.path, mark, kept, call.now)
        return response

    def _run_in_savepoint(self, call: Call, route: Route, request: Request) -> Response:
        """Run a handler that writes; an error rolls back what it wrote, unless ``ApiError.keep`` is set."""
        failure: ApiError | None = None
        try:
            with call.tx.savepoint():
                try:
                    return self._handle(call, route, request)
                except ApiError as error:
                    if not error.keep:
                        raise
                    failure = error
        except ApiError as error:
            failure = error
        assert failure is not None
        failure.extra = {name: self._render_extra(call, value) for name, value in failure.extra.items()}
        return self._error_response(
            failure, call.origin.path, call.origin.request_id, call.scope, bool(call.origin.idempotency_key)
        )

    def _render_extra(self, call: Call, value: Any) -> Any:
        """Return an object in an error's body, rendered for the caller."""
        return self.renderer.render(call, value, []) if isinstance(value, dict) and "object" in value else value

    def _handle(self, call: Call, route: Route, request: Request) -> Response:
        endpoint = route.endpoint
        params = self._params(call, endpoint, request)
        paths = params.pop("expand", None) or []
        access = endpoint.access_of(call.key.kind) if call.key is not None else None
        if access is not None:
            access.check_expands(paths)
        if call.key is not None and call.key.kind == "ephemeral":
            limit_to_customer(call, call.key.subject, params)
        if endpoint.live is not None:
            endpoint.live.admit(call)
        answer = endpoint.handler(call, params)
        if isinstance(answer, Reply):
            if paths:
                raise invalid(f"This property cannot be expanded ({paths[0]}).")
            return self._to_response(answer, call.origin.request_id)
        stored = self.renderer.stored_page(call, answer, paths)
        if stored is not None:
            return Response(200, stored, request_id=call.origin.request_id)
        noticed = {"Stripe-Notice": " ".join(call.notices)} if call.notices else {}
        shown = self.renderer.render(call, answer, paths)
        storable = self.renderer.reveals.storable(shown) if paths and endpoint.writes else shown
        if endpoint.secret:
            storable = {**storable, "secret": None}
        kept = None if storable is shown else encode(storable)
        return Response(200, encode(shown), noticed, request_id=call.origin.request_id, kept=kept)

    def _params(self, call: Call, endpoint: Endpoint, request: Request) -> Json:
        if call.client:
            check_form_headers(call, request.given)
        access = endpoint.access_of(call.key.kind) if call.key is not None else None
        return check(endpoint.schema, request.given) if access is None else access.read(endpoint.schema, request.given)

    # -- responses

    def _error_response(
        self, error: ApiError, path: str, request_id: str | None, scope: Scope | None, idempotent: bool
    ) -> Response:
        url = None
        if request_id is not None and scope is not None:
            mode = "" if scope.livemode else "test/"
            url = f"{self.policy.dashboard_url}/{scope.account}/{mode}workbench/logs?object={request_id}"
        headers = dict(error.headers)
        if error.retry is not None and idempotent:
            headers["Stripe-Should-Retry"] = "true" if error.retry else "false"
        body = error.body_v2() if path.startswith("/v2/") else error.body(url)
        return Response(
            error.status, encode(body) + b"\n", headers, request_id=request_id, code=error.code, guess=error.guess
        )

    def _refuse(self, error: ApiError, request: Request, key: Key | None, request_id: str) -> Response:
        scope = Scope(request.acting_for or key.account, key.livemode) if key is not None else None
        response = self._error_response(error, request.path, request_id, scope, "idempotency-key" in request.headers)
        if not error.bare:
            add_standard_headers(response, request, request_id, version_headers(request, self.policy.later_versions))
        elif error.status == 400:
            response.headers["Request-Id"] = request_id
        return response

    def _record(self, request: Request, response: Response, key: Key, request_id: str, started: float) -> None:
        """Record the key's use and pass the request to the log."""
        self.verifier.record_use(key, int(started), request.ip, f"{request.method} {request.path}")
        if self._log is None:
            return
        account = request.acting_for or key.account  # a refused request must not appear in another account's log
        try:
            self._log(Logged(request, response, key, account, request_id, started, self._now() - started))
        except Exception:
            log.exception("request log of %s", request_id)
