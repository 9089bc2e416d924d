"""Answer an admitted request: with a stored object's JSON, or by its endpoint's handler in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

from tollkey.db import Scope, Tx
from tollkey.db.edge import Edge
from tollkey.db.engine import OutcomeUnknown
from tollkey.keys import Key
from tollkey.wire import idempotency, refusals
from tollkey.wire._admitted import Admitted
from tollkey.wire._body import mark_of, read_params
from tollkey.wire._execution import Execution
from tollkey.wire._headers import add_standard_headers, names_account
from tollkey.wire._stored import body_now, body_of, question_of, shown_as_stored, stored_response
from tollkey.wire.admission import Admission, Recheck
from tollkey.wire.call import Call, Origin, Setup
from tollkey.wire.expand import expands_many
from tollkey.wire.messages import Later, Request, Response
from tollkey.wire.owners import Owners
from tollkey.wire.policy import Apart, Outside
from tollkey.wire.render import Renderer
from tollkey.wire.router import Route
from tollkey.wire.staging import write_staged
from tollkey.wire.versions import Spoken


class Answering:
    """Runs what admitted requests ask for. connected, outside, apart: see ``Policy``."""

    def __init__(
        self,
        setup: Setup,
        edge: Edge,
        execution: Execution,
        owners: Owners,
        connected: Callable[[Tx, Scope, str], bool],
        outside: Outside | None,
        apart: Apart | None = None,
    ) -> None:
        self._setup, self._edge, self._execution = setup, edge, execution
        self._owners, self._connected, self._outside, self._apart = owners, connected, outside, apart
        self._renderer: Renderer = execution.renderer
        self._secret = setup.services.authority.keyring.stable_digest("marks of requests")
        self._in_flight = idempotency.InFlight()
        #: Whether an endpoint answers callers of a version, with a kind of key, with stored JSON.
        self._stored_cases: dict[tuple[str, str, str], bool] = {}

    # -- without waiting

    def waits(self, request: Request, route: Route, key: Key) -> bool:
        """Return whether a request with these decoded parameters is expected to wait, so that ``at_once`` must not be
        called.
        """
        endpoint = route.endpoint
        return (
            endpoint.writes
            or endpoint.scans
            or (bool(request.given) and expands_many(request.given))
            or (
                not (endpoint.raw and not request.query)  # one object, as it is stored
                and self._edge.waits(key.scope.name, endpoint.path)
            )
        )

    def at_once(self, asked: Admitted, recheck: Recheck | None = None) -> Response | None:
        """Answer a read without awaiting; None when it takes so long that ``answer`` must be used.

        It has no deadline, as it waits for nothing. asked: its parameters are decoded. recheck: of a request that has
        waited before. Raises ApiError, StorageError.
        """
        request = asked.request
        if self._is_stored(asked) and not (recheck and recheck.due):
            body = body_now(self._edge, self._setup.tables, asked.route, asked.names, asked.scope)
            if body is not None and self._shows(asked, body):
                return stored_response(body, asked.request_id, asked.spoken)
        response = self._edge.read_at_once(
            partial(self._run, asked, recheck, b""), caller=asked.caller, kind=asked.route.endpoint.path
        )
        if response is not None:
            add_standard_headers(response, request, asked.request_id, asked.spoken.headers)
        return response

    # -- with waiting, without a task

    def ask(self, asked: Admitted, found: Callable[[Response | None], None]) -> bool:
        """Ask the database for the stored object that the path names; return False, and do nothing, where it cannot.

        asked: ``may_be_stored`` said True of it. found: called later with the response; with None when there is no such
        object, the caller does not see all of it, or it could not be read: then ``answer`` must be used.
        """
        ask = self._edge.ask

        def shown(body: bytes | None, read: bool) -> None:
            stored = body is not None and read and self._shows(asked, body)
            found(stored_response(body, asked.request_id, asked.spoken) if stored and body is not None else None)

        return ask is not None and ask(question_of(self._setup.tables, asked.route, asked.names, asked.scope), shown)

    # -- with waiting

    async def answer(self, asked: Admitted, recheck: Recheck, admission: Admission) -> Response:
        """Return the response.

        recheck: verifies the key again; its time began with the request. admission: bounds the requests that wait.
        Raises ApiError, Busy, StorageError.
        """
        request, endpoint = asked.request, asked.route.endpoint
        stored = None if self._edge.reads_at_once else await self._stored(asked, recheck, admission)
        if stored is not None:
            return stored
        idempotency_key = _idempotency_key(request)
        if idempotency_key is not None:
            idempotency.check_key(idempotency_key)
        await read_params(request, endpoint)
        if not self.waits(request, asked.route, asked.key):
            response = self.at_once(asked, recheck)
            if response is not None:
                return response
        if not endpoint.writes:
            response = await admission.run(partial(self._read, asked, recheck))
        else:
            repeatable = idempotency_key if request.repeatable else None
            mark = await mark_of(request, asked.key, asked.scope.account, self._secret) if repeatable else b""
            writing = partial(self._write_and_wait, asked, recheck, mark, repeatable)
            if repeatable is not None:
                writing = partial(
                    self._in_flight.run, writing, asked.scope, repeatable, idempotency.space_of(asked.key)
                )
            response = await admission.run(writing, writes=True)
        add_standard_headers(response, request, asked.request_id, asked.spoken.headers)
        return response

    async def _stored(self, asked: Admitted, recheck: Recheck, admission: Admission) -> Response | None:
        """Answer with the stored JSON of the object that the path names, where this caller sees all of it."""
        if not self._is_stored(asked):
            return None
        read = body_of(self._setup.tables, asked.route, asked.names, asked.scope)
        body = await admission.run(partial(self._edge.read, read, single=True))
        if body is None or not self._shows(asked, body):
            return None
        if recheck.due:
            await self._edge.read(recheck)
        return stored_response(body, asked.request_id, asked.spoken)

    async def _read(self, asked: Admitted, recheck: Recheck) -> Response:
        endpoint = asked.route.endpoint
        long = endpoint.scans or expands_many(asked.request.given)
        work = partial(self._run, asked, recheck, b"")
        response = await self._edge.read(work, long=long, caller=asked.caller, kind=endpoint.path)
        if recheck.due:
            await self._edge.read(recheck)
        return response

    async def _write_and_wait(self, asked: Admitted, recheck: Recheck, mark: bytes, repeatable: str | None) -> Response:
        """Run the handler in a transaction; when it leaves something to be done outside, answer in a second one.

        mark: see ``Execution.run``. repeatable: the idempotency key, or None. Raises ApiError 409 for a repetition
        while that is not done.
        """
        response = await self._write(asked, partial(self._run, asked, recheck, mark), repeatable)
        later = response.later
        if later is None:
            return response
        assert self._outside is not None, "nothing is left to be done where nobody does it"
        if later.first is None:
            await self._outside.settle(later.references)
        elif await self._outside.is_open(later.references):
            raise idempotency.in_use(repeatable or "")
        complete = partial(self._complete, asked, recheck, later)
        return await self._owners.write(self._edge, asked.key.scope, complete)

    async def _write(self, asked: Admitted, work: Callable[[Tx], Response], repeatable: str | None) -> Response:
        """Run ``work`` in a transaction, after storing what the endpoint stores ahead of it (``Endpoint.stage``).

        Nothing is stored ahead when ``work`` will refuse the account or answer a repetition.
        repeatable: the idempotency key, or None.
        """
        request, endpoint, key, scope = asked.request, asked.route.endpoint, asked.key, asked.scope
        staged = None if endpoint.stage is None else endpoint.stage(request.given, scope, self._setup.ids, asked.now)
        apart = self._apart if key.livemode else None
        if apart is not None and apart.concerns(request.given) and await self._runs_handler(asked, repeatable):
            request.apart = await apart.keep(request.given, scope)
            return await self._write_apart(apart, asked, work)
        if staged is None or not await self._runs_handler(asked, repeatable):
            ahead = () if repeatable is None else (idempotency.question(scope, repeatable, idempotency.space_of(key)),)
            return await self._owners.write(self._edge, key.scope, work, ahead)
        request.given = staged.given
        return await write_staged(self._edge, staged, work, await self._owners.lock(self._edge, key.scope))

    async def _runs_handler(self, asked: Admitted, repeatable: str | None) -> bool:
        """Return whether a request's transaction will run the handler, as far as is known before it."""
        key, scope = asked.key, asked.scope

        def runs(tx: Tx) -> bool:
            if asked.elsewhere and not self._connected(tx, key.scope, scope.account):
                return False
            space = idempotency.space_of(key)
            return repeatable is None or not idempotency.is_used(tx, scope, repeatable, asked.now, space)

        return await self._edge.read(runs)

    async def _write_apart(self, apart: Apart, asked: Admitted, work: Callable[[Tx], Response]) -> Response:
        """Run ``work`` in a transaction, and release what was kept apart and that has not claimed."""
        kept = asked.request.apart
        try:
            response = await self._owners.write(self._edge, asked.key.scope, work)
        except OutcomeUnknown:
            raise  # an object may hold it
        except BaseException:  # also when the request's time is over, which cancels it
            await apart.release(kept)
            raise
        await apart.release(kept)
        return response

    # -- in a transaction

    def _run(self, asked: Admitted, recheck: Recheck | None, mark: bytes, tx: Tx) -> Response:
        """Run the endpoint's handler. mark: see ``Execution.run``. Raises ApiError, StorageError."""
        with closing(self._call(asked, recheck, tx)) as call:
            return self._execution.run(call, asked.route, asked.request, mark)

    def _complete(self, asked: Admitted, recheck: Recheck, later: Later, tx: Tx) -> Response:
        """Answer what waited for something. Raises ApiError, StorageError."""
        with closing(self._call(asked, recheck, tx)) as call:
            return self._execution.complete(call, asked.route, asked.request, later)

    def _call(self, asked: Admitted, recheck: Recheck | None, tx: Tx) -> Call:
        """Return the call of a request, whose key may still act. Raises ApiError, StorageError."""
        request, key, scope, elsewhere = asked.request, asked.key, asked.scope, asked.elsewhere
        if recheck is not None:
            recheck(tx)
        if elsewhere and not self._connected(tx, key.scope, scope.account):
            raise refusals.account_invalid(key, scope.account)
        request.acting_for = asked.account
        headers = request.headers
        origin = Origin(
            asked.request_id,
            _idempotency_key(request),
            asked.spoken.date,
            request.ip,
            request.method,
            request.path,
            headers.get("user-agent"),
            headers,
        )
        owner = key.account if elsewhere else self._owners.of(tx, scope)
        call = Call(
            self._setup, tx, scope, asked.now, key=key, path=asked.names, origin=origin, platform=key.account,
            owner=owner,
        )  # fmt: skip
        call.needed, call.apart = request.needed, request.apart
        return call

    # -- stored JSON

    def _is_stored(self, asked: Admitted) -> bool:
        return self.may_be_stored(asked.request, asked.route, asked.key, asked.spoken)

    def may_be_stored(self, request: Request, route: Route, key: Key, spoken: Spoken) -> bool:
        """Return whether the response may be the stored JSON of one object. spoken: the caller's version."""
        if not route.endpoint.raw or request.query or names_account(request.headers) or not request.bodiless:
            return False
        case = route.name, spoken.date, key.kind
        known = self._stored_cases.get(case)
        if known is None:
            whole = route.endpoint.access_of(key.kind) is None
            known = self._stored_cases[case] = whole and shown_as_stored(self._renderer, route, spoken.date)
        return known

    def _shows(self, asked: Admitted, body: bytes) -> bool:
        """Return whether the caller sees all of an object's stored JSON, in this form."""
        renderer, object = self._renderer, asked.route.resource.object
        return not (
            renderer.converts(object, asked.spoken.date, body) or renderer.reveals.touches(asked.key, False, body)
        )


def _idempotency_key(request: Request) -> str | None:
    """Return the ``Idempotency-Key`` of a request whose method can change something."""
    return request.headers.get("idempotency-key") if request.method not in ("GET", "HEAD") else None
