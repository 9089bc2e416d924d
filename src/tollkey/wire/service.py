"""Process a request from authentication to response (ARCHITECTURE.md, "Life of a request")."""

from __future__ import annotations

import asyncio
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
from tollkey.db.read_limits import MAX_QUEUED, ConcurrencyLimits
from tollkey.keys import Denied, Key, Reason, usage
from tollkey.keys.header import read_authorization, without_keys
from tollkey.keys.store import take_use
from tollkey.keys.token import mask_unknown
from tollkey.keys.verifier import Verifier
from tollkey.wire import hosted, refusals
from tollkey.wire._admitted import admit
from tollkey.wire._answering import Answering
from tollkey.wire._body import browser_key, read_params, read_query
from tollkey.wire._clients import GONE, apply_form_headers, error_page, key_in_query
from tollkey.wire._execution import Execution, error_response, to_response
from tollkey.wire._headers import add_standard_headers, check_mode, version_headers
from tollkey.wire._permissions import needed_permissions
from tollkey.wire.admission import Admission, Recheck
from tollkey.wire.call import Call, Origin, Setup
from tollkey.wire.drawing import Drawing
from tollkey.wire.errors import ApiError
from tollkey.wire.guesses import too_many_guesses
from tollkey.wire.messages import Request, Response
from tollkey.wire.owners import Owners
from tollkey.wire.policy import Log, Logged, Policy
from tollkey.wire.render import Renderer
from tollkey.wire.resource import Reply
from tollkey.wire.router import Hit, Route, Router
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
        self._answering = Answering(
            setup, edge, self._execution, self._owners, policy.connected, policy.outside, policy.apart
        )
        self._request_ids = Ids(QuickBytes(), now)
        self.drawing = Drawing(self.admission)
        # Visitors of an account's pages wait for one another, and neither its keys nor other accounts wait for them.
        self._visitors = ConcurrencyLimits(MAX_QUEUED)
        self._tasks: set[asyncio.Future[Response]] = set()

    # -- a whole request

    def at_once(self, request: Request) -> Response | None:
        """Answer a GET of a secret or restricted key without awaiting; None when ``answer`` must be used.

        A read that turns out to be long counts twice for the rate limit.
        """
        started = self._now()
        hit, key = self._short(request, started)
        if hit is None or key is None or not read_query(request) or self._answering.waits(request, hit[0], key):
            return None
        request_id = self._request_ids.new("req")
        try:
            response = self._answering.at_once(admit(self.policy, request, key, hit, request_id, int(started)))
        except ApiError as error:
            response = self._refuse(error, request, key, request_id)
        if response is None or response.guess or response.rest is not None or response.drawn is not None:
            return None  # guesses are delayed
        self._record(request, response, key, hit, request_id, started)
        return response

    def soon(self, request: Request, give: Callable[[Response], None]) -> bool:
        """Answer a GET of one object, of a secret or restricted key, without a task: give the response later.

        Returns False, and does nothing, when ``answer`` must be used. One that turns out to need it counts twice for
        the rate limit.
        """
        started = self._now()
        hit, key = self._short(request, started)
        if hit is None or key is None or not self.admission.free:
            return False
        try:
            spoken = self.policy.read_version(request.headers.get("stripe-version"))
            if not self._answering.may_be_stored(request, hit[0], key, spoken):
                return False
            request_id = self._request_ids.new("req")
            asked = admit(self.policy, request, key, hit, request_id, int(started))
        except ApiError:
            return False
        recheck = Recheck(lambda tx: None)

        def found(response: Response | None) -> None:
            self.admission.running -= 1
            if response is None or recheck.due:
                task = asyncio.ensure_future(self.answer(request))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                task.add_done_callback(lambda task: give(task.result()))
                return
            self._record(request, response, key, hit, request_id, started)
            give(response)

        self.admission.running += 1
        asks = self._answering.ask(asked, found)
        self.admission.running -= not asks
        return asks

    def _short(self, request: Request, now: float) -> tuple[Hit, Key] | tuple[None, None]:
        """Return what the router found for a GET, and its secret or restricted key, if both are known at once."""
        hit = self.router.find(request.method, request.path) if request.method == "GET" and request.bodiless else None
        presented = read_authorization(request.headers.get("authorization"))
        if hit is None or isinstance(presented, Denied) or (self.policy.require_https and not request.secure):
            return None, None
        key = self.verifier.verify_cached(presented.text, int(now), request.ip)
        if not isinstance(key, Key) or key.kind not in ("secret", "restricted"):
            return None, None
        if self.policy.elsewhere is not None and self.policy.elsewhere.serves(key, request.path):
            return None, None
        return hit, key

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
                to_response(error_page(429, refused.message, request.headers.get("accept-language", "")), None)
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
            response = await self._elsewhere(request, key, request_id)
            if response is not None:
                return response, key
            if key.kind == "publishable" and hit is not None and hit[0].endpoint.publishable is not None:
                await read_params(request, hit[0].endpoint)
                apply_form_headers(request)
            asked = admit(self.policy, request, key, hit, request_id, int(started))
            response = await self._answering.answer(asked, recheck, self.admission)
            if response.drawn is not None:
                response = await self.drawing.finish(response, asked.scope)
                await self.edge.read(recheck)
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

    async def _elsewhere(self, request: Request, key: Key, request_id: str) -> Response | None:
        """Return the answer of another server, for accounts whose objects are there; else None. Raises ApiError."""
        elsewhere = self.policy.elsewhere
        if elsewhere is None or not elsewhere.serves(key, request.path):
            return None
        check_mode(request.headers, key)
        if self.policy.limit is not None and not self.policy.limit(key):
            raise refusals.too_many_requests(key.livemode)
        return await elsewhere.answer(request, key, request_id)

    # -- hosted pages

    async def _public(
        self, request: Request, route: Route, names: dict[str, str], request_id: str, started: float
    ) -> Response:
        """Answer an endpoint whose URL contains a token; a refusal is a page, for whoever reads pages."""
        reads, accepts = "text/html" in request.headers.get("accept", ""), request.headers.get("accept-language", "")
        try:
            response = await self._of_token(request, route, names, request_id, started)
        except ApiError as error:
            if not reads:
                raise
            page = error_page(error.status, error.message or "", accepts)
            return to_response(replace(page, guess=error.guess, headers={**page.headers, **error.headers}), request_id)
        if response.status >= 400 and response.content_type == "application/json" and reads:
            page = error_page(response.status, json.loads(response.body)["error"]["message"], accepts)
            return to_response(replace(page, guess=response.guess), request_id)
        return response

    async def _of_token(
        self, request: Request, route: Route, names: dict[str, str], request_id: str, started: float
    ) -> Response:
        """Answer an endpoint in the scope that the token in its URL determines (``wire.hosted``). Raises ApiError."""
        now, endpoint = int(started), route.endpoint
        authority, kind = self.setup.services.authority, hosted.kind_of(endpoint.path)

        def granted(tx: Tx) -> hosted.Grant | None:
            return hosted.valid_grant(tx, authority, self.policy.connected, kind, names["token"], int(self._now()))

        def gone() -> Reply:
            return error_page(404, GONE, request.headers.get("accept-language", ""))

        if (grant := await self.admission.run(lambda: self.edge.read(granted))) is None:
            return to_response(replace(gone(), guess=True), request_id)
        await read_params(request, endpoint)
        if request.method != "POST" and endpoint.params is not None:  # mails add marks of their own to links
            request.given = {name: one for name, one in request.given.items() if name in endpoint.params.fields}
        agent, path = request.headers.get("user-agent"), {**names, "id": grant.id}
        origin = Origin(request_id, None, LATEST[:10], request.ip, request.method, request.path, agent, request.headers)

        def callback(tx: Tx) -> Response:
            if granted(tx) is None:  # it ended while the body arrived, or while this waited
                return to_response(gone(), request_id)
            owner = self._owners.of(tx, grant.scope)
            call = Call(
                self.setup, tx, grant.scope, now, path=path, origin=origin, platform=grant.platform, owner=owner
            )
            with closing(call):
                return self._execution.run_in_savepoint(call, route, request)

        async def run() -> Response:
            if not endpoint.writes:
                caller = f"{grant.scope.account}:{int(grant.scope.livemode)}:pages"
                async with self._visitors.slot(caller):
                    return await self.edge.read(callback, caller=caller, kind=endpoint.path)
            return await self._owners.write(self.edge, grant.scope, callback)

        response = await self.admission.run(run, writes=endpoint.writes)
        if response.drawn is not None:
            response = await self.drawing.finish(response, grant.scope)
            if await self.edge.read(granted) is None:
                return to_response(gone(), request_id)
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
            request.verify_again = lambda tx: refusals.unless_narrowed(verdict, again(tx, now=int(self._now())))
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

    # -- responses

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
