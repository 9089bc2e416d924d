"""Process a request from authentication to response (ARCHITECTURE.md, "Life of a request")."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

from tollkey.db import Ids, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.db.engine import Busy
from tollkey.db.ids import QuickBytes
from tollkey.keys import Denied, Key, Reason, usage
from tollkey.keys.header import read_authorization, without_keys
from tollkey.keys.store import take_use
from tollkey.keys.token import mask_unknown
from tollkey.keys.verifier import Verifier
from tollkey.wire import hosted, idempotency, refusals
from tollkey.wire._body import browser_key, mark_of, read_params
from tollkey.wire._clients import apply_form_headers, error_page, key_in_query
from tollkey.wire._execution import Execution, error_response, to_response
from tollkey.wire._headers import (
    add_standard_headers,
    check_mode,
    has_default_scope,
    requested_account,
    version_headers,
)
from tollkey.wire._owners import Owners
from tollkey.wire._permissions import check_permission, needed_permissions
from tollkey.wire._stored import body_now, body_of, shown_as_stored, stored_response
from tollkey.wire.admission import Admission, Recheck
from tollkey.wire.call import Call, Origin, Setup
from tollkey.wire.errors import ApiError, unknown_url
from tollkey.wire.expand import expands_many
from tollkey.wire.guesses import too_many_guesses
from tollkey.wire.messages import Request, Response
from tollkey.wire.policy import Log, Logged, Policy
from tollkey.wire.render import Renderer
from tollkey.wire.resource import Endpoint
from tollkey.wire.router import Hit, Route, Router
from tollkey.wire.staging import write_staged
from tollkey.wire.versions import LATEST

log = logging.getLogger("tollkey.wire")

#: Outcomes of requests that the key could not make, by status; all others count as accepted.
_OUTCOMES = {401: Reason.expired.value, 403: Reason.forbidden.value, 429: Reason.rate_limited.value}
_INTERNAL = "An unknown error occurred. It has been written to the server's log under this request's id."


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
        self._execution = Execution(self.renderer, policy.dashboard_url)
        self._now, self._log, self._owners = now, log, Owners(policy.platform_of)
        self.admission = Admission(policy.most_requests, policy.request_seconds)
        self._in_flight = idempotency.InFlight()
        self._request_ids = Ids(QuickBytes(), now)

    # -- a whole request

    def at_once(self, request: Request) -> Response | None:
        """Answer a GET of one object with its stored JSON without awaiting; None when ``answer`` must be used.

        It takes about a third of the time of ``answer``, and leaves to it what it cannot answer, errors among that.
        """
        headers = request.headers
        hit = (
            None if request.query or not has_default_scope(headers) else self.router.find(request.method, request.path)
        )
        presented = read_authorization(headers.get("authorization"))
        if hit is None or isinstance(presented, Denied) or (self.policy.require_https and not request.secure):
            return None
        route, names = hit
        spoken = self.policy.read_version(headers.get("stripe-version"))
        if not shown_as_stored(self.renderer, route, spoken.date):
            return None
        started = self._now()
        key = self.verifier.verify_cached(presented.text, int(started), request.ip)
        if not isinstance(key, Key) or key.kind not in ("secret", "restricted"):
            return None
        check_permission(key, route, None, self.policy.dashboard_url)
        body = body_now(self.edge, self.setup.tables, route, names, Scope(key.account, key.livemode))
        if body is None or not self._shows(route, spoken.date, key, body):
            return None
        if self.policy.limit is not None and not self.policy.limit(key):
            return None
        request_id = self._request_ids.new("req")
        response = stored_response(body, request_id, spoken)
        self._record(request, response, key, hit, request_id, started)
        return response

    async def answer(self, request: Request) -> Response:
        """Return the response to a request. Never raises."""
        started = self._now()
        request_id = self._request_ids.new("req")
        hit = self.router.find(request.method, request.path)
        response, key = await self._respond(request, hit, request_id, started)
        if (
            response.guess
            and self.policy.guess_limiter is not None
            and self.policy.guess_limiter.count(request.ip, started)
        ):
            await self.policy.guess_limiter.delay()
            refused, page = too_many_guesses(), response.content_type != "application/json"
            response = (
                to_response(error_page(429, refused.message), None)
                if page
                else self._refuse(refused, request, None, request_id)
            )
        if key is not None:
            self._record(request, response, key, hit, request_id, started)
        return response

    async def _respond(
        self, request: Request, hit: Hit | None, request_id: str, started: float
    ) -> tuple[Response, Key | None]:
        """Return the response, and the key if one was recognised."""
        key: Key | None = None
        try:
            if self.policy.require_https and not request.secure:
                raise refusals.https_only()
            if hit is not None and hit[0].endpoint.public:
                return await self._public(request, *hit, request_id, started), None
            recheck = Recheck(lambda tx: request.verify_again(tx))  # its time begins before a body is read
            verdict = await self._authenticate(request, hit, started)
            if isinstance(verdict, Denied):
                key = verdict.key
                if self.policy.refused is not None:
                    self.policy.refused(verdict, request.ip, int(started))
                raise refusals.denied(verdict)
            key = verdict
            if key.kind == "publishable" and hit is not None and hit[0].endpoint.publishable is not None:
                await read_params(request, hit[0].endpoint)
                apply_form_headers(request)
            response = await self._authenticated(request, key, hit, request_id, started, recheck)
        except ApiError as error:
            response = self._refuse(error, request, key, request_id)
        except Busy:
            response = self._refuse(
                refusals.too_many_requests(key is not None and key.livemode, "global-concurrency"),
                request,
                key,
                request_id,
            )
        except StorageError as error:
            log.error("%s storage: %s", request_id, error)
            response = self._refuse(refusals.storage_failed(error), request, key, request_id)
        except Exception:
            log.exception("%s %s %s", request_id, request.method, _loggable(request, hit))
            response = self._refuse(ApiError(500, "api_error", message=_INTERNAL), request, key, request_id)
        return response, key

    # -- hosted pages

    async def _public(
        self, request: Request, route: Route, names: dict[str, str], request_id: str, started: float
    ) -> Response:
        """Answer an endpoint whose URL contains a token that determines the scope (``wire.hosted``)."""
        now, endpoint, gone = int(started), route.endpoint, error_page(404, "This page does not exist any more.")
        authority, kind = self.setup.services.authority, hosted.kind_of(endpoint.path)

        def granted(tx: Tx) -> hosted.Grant | None:
            return hosted.valid_grant(tx, authority, self.policy.connected, kind, names["token"], int(self._now()))

        if (grant := await self.admission.run(lambda: self.edge.read(granted))) is None:
            return to_response(replace(gone, guess=True), request_id)
        await read_params(request, endpoint)
        agent, path = request.headers.get("user-agent"), {**names, "id": grant.id}
        origin = Origin(request_id, None, LATEST[:10], request.ip, request.method, request.path, agent, request.headers)

        def callback(tx: Tx) -> Response:
            if granted(tx) is None:  # it ended while the body arrived, or while this waited
                return to_response(gone, request_id)
            owner = self._owners.of(tx, grant.scope)
            call = Call(
                self.setup, tx, grant.scope, now, path=path, origin=origin, platform=grant.platform, owner=owner
            )
            with closing(call):
                return self._execution.run_in_savepoint(call, route, request)

        async def run() -> Response:
            if not endpoint.writes:
                return await self.edge.read(callback)
            return await self.edge.write(callback, lock=await self._owners.lock(self.edge, grant.scope))

        response = await self.admission.run(run, writes=endpoint.writes)
        if (
            response.status >= 400
            and response.content_type == "application/json"
            and "text/html" in request.headers.get("accept", "")
        ):
            page = error_page(response.status, json.loads(response.body)["error"]["message"])
            return to_response(replace(page, guess=response.guess), request_id)
        return response

    # -- authentication

    async def _authenticate(self, request: Request, hit: Hit | None, now: float) -> Key | Denied:
        presented = read_authorization(request.headers.get("authorization"))
        if isinstance(presented, Denied):
            if presented.reason is not Reason.missing:
                return presented
            text = key_in_query(request) or (await browser_key(request, hit[0].endpoint) if hit is not None else None)
            if text is None:
                return presented
        else:
            text = presented.text
        seconds = int(now)
        special = self.policy.special_keys.get(text.partition("_")[0])
        if special is not None:
            found = await self.admission.run(lambda: self.edge.read(lambda tx: special(tx, text, seconds)))
            if found is not None:
                request.verify_again = lambda tx: special(tx, text, int(self._now()))
                return found
        verdict = self.verifier.verify_cached(text, seconds, request.ip)
        if verdict is None:
            epoch = self.verifier.epoch  # read before the transaction, so that a key revoked meanwhile is not cached
            try:
                load = partial(self.verifier.load, text=text, now=seconds, ip=request.ip, epoch=epoch)
                verdict = await self.admission.run(lambda: self.edge.read(load))
            except StorageError:
                return Denied(Reason.unavailable, mask_unknown(text))
        if isinstance(verdict, Key):
            again = partial(self.verifier.verify_again, key=verdict, ip=request.ip)
            request.verify_again = lambda tx: again(tx, now=int(self._now()))
        if isinstance(verdict, Key) and verdict.max_uses is not None:
            return await self._take_use(verdict)
        return verdict

    async def _take_use(self, key: Key) -> Key | Denied:
        """Take one use of a key that counts them, before the request is answered."""
        try:
            left = await self.edge.write(lambda tx: take_use(tx, key.id))
        except StorageError:
            return Denied(Reason.unavailable, key.masked, key)
        return Denied(Reason.expired, key.masked, key) if left is None else key

    # -- authorization and transaction

    async def _authenticated(
        self, request: Request, key: Key, hit: Hit | None, request_id: str, now: float, recheck: Recheck
    ) -> Response:
        spoken = self.policy.read_version(request.headers.get("stripe-version"))
        if hit is None or hit[0].endpoint.ended(spoken.date):
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
            stored = body_of(self.setup.tables, route, names, scope)
            body = await self.admission.run(lambda: self.edge.read(stored, single=True))
            if body is not None and self._shows(route, spoken.date, key, body):
                if recheck.due:
                    await self.edge.read(recheck)
                return stored_response(body, request_id, spoken)
        idempotency_key = request.headers.get("idempotency-key") if request.method not in ("GET", "HEAD") else None
        if idempotency_key is not None:
            idempotency.check_key(idempotency_key)
        await read_params(request, endpoint)
        repeatable = idempotency_key if request.repeatable else None
        mark = await mark_of(request, key, scope.account) if repeatable is not None else b""
        agent = request.headers.get("user-agent")
        origin = Origin(
            request_id, idempotency_key, spoken.date, request.ip, request.method, request.path, agent, request.headers
        )
        elsewhere = account is not None and account != key.account

        def callback(tx: Tx) -> Response:
            recheck(tx)
            if elsewhere and not self.policy.connected(tx, key.scope, account or ""):
                raise refusals.account_invalid(key, account or "")
            request.acting_for = account
            owner = key.account if elsewhere else self._owners.of(tx, scope)
            call = Call(
                self.setup, tx, scope, int(now), key=key, path=names, origin=origin, platform=key.account, owner=owner
            )
            call.needed = request.needed
            with closing(call):
                return self._execution.run(call, route, request, mark)

        async def run() -> Response:
            if not endpoint.writes:
                caller, long = f"{key.account}:{int(key.livemode)}", endpoint.scans or expands_many(request.given)
                found = await self.edge.read(callback, long=long, caller=caller, kind=endpoint.path)
                if recheck.due:
                    await self.edge.read(recheck)
                return found
            writing = partial(self._write, callback, request, endpoint, key, scope, repeatable, int(now))
            space = idempotency.space_of(key)
            return await (writing() if repeatable is None else self._in_flight.run(writing, scope, repeatable, space))

        response = await self.admission.run(run, writes=endpoint.writes)
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
            return repeatable is None or not idempotency.is_used(tx, scope, repeatable, now, idempotency.space_of(key))

        if staged is None or not await self.edge.read(runs_handler):
            return await self.edge.write(callback, lock=lock)
        request.given = staged.given
        return await write_staged(self.edge, staged, callback, lock)

    # -- responses

    def _shows(self, route: Route, version: str, key: Key, body: bytes) -> bool:
        """Return whether the caller sees all of an object's stored JSON, in this form."""
        shows = self.renderer
        return not (shows.converts(route.resource.object, version, body) or shows.reveals.touches(key, False, body))

    def _refuse(self, error: ApiError, request: Request, key: Key | None, request_id: str) -> Response:
        scope = Scope(request.acting_for or key.account, key.livemode) if key is not None else None
        response = error_response(
            self.policy.dashboard_url, error, request.path, request_id, scope, "idempotency-key" in request.headers
        )
        if not error.bare:
            add_standard_headers(response, request, request_id, version_headers(request, self.policy))
        elif error.status == 400:
            response.headers["Request-Id"] = request_id
        return response

    def _record(
        self, request: Request, response: Response, key: Key, hit: Hit | None, request_id: str, started: float
    ) -> None:
        """Record the key's use and pass the request to the log."""
        self._count(request, response, key, hit, int(started))
        if self._log is None:
            return
        account = request.acting_for or key.account  # a refused request must not appear in another account's log
        try:
            self._log(Logged(request, response, key, account, request_id, started, self._now() - started))
        except Exception:
            log.exception("request log of %s", request_id)

    def _count(self, request: Request, response: Response, key: Key, hit: Hit | None, now: int) -> None:
        """Count the request, in memory, as a use of its key and by its route."""
        route = None if hit is None else hit[0].name
        needed = None if hit is None else needed_permissions(key, hit[0], request.acting_for, request.needed)
        outcome = _OUTCOMES.get(response.status, usage.ACCEPTED)
        endpoint = f"{request.method} {request.path}"
        self.verifier.record_use(key, now, request.ip, endpoint, route=route, outcome=outcome, permission=needed)


def _loggable(request: Request, hit: Hit | None) -> str:
    """Return the path for the log, without keys and page tokens."""
    return hit[0].endpoint.path if hit is not None and hit[0].endpoint.public else without_keys(request.path)
