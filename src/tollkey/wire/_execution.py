"""Runs the handler of a request within its transaction, and builds the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tollkey.db import Scope
from tollkey.wire import idempotency
from tollkey.wire._clients import check_form_headers, limit_to_customer
from tollkey.wire.call import Call
from tollkey.wire.errors import ApiError, invalid
from tollkey.wire.messages import Later, Request, Response, is_v2
from tollkey.wire.objects import encode
from tollkey.wire.params import check
from tollkey.wire.removed import gone
from tollkey.wire.render import Renderer, take_included
from tollkey.wire.resource import Endpoint, Json, Reply
from tollkey.wire.reveals import without_field
from tollkey.wire.router import Route


class Execution:
    """Runs handlers, with idempotency and savepoints. dashboard_url: used in error messages."""

    def __init__(self, renderer: Renderer, dashboard_url: str) -> None:
        self.renderer, self.dashboard_url = renderer, dashboard_url

    def run(self, call: Call, route: Route, request: Request, mark: bytes) -> Response:
        """Return the response of an endpoint, or the stored one of an idempotency key used before.

        mark: fingerprint of the request, compared with that of the stored response.
        """
        endpoint = route.endpoint
        key = call.origin.idempotency_key if request.repeatable else None
        if key is None:
            if endpoint.writes:
                return self.run_in_savepoint(call, route, request)
            return self._handle(call, route, request)
        space = idempotency.space_of(call.key)
        stored = idempotency.stored_answer(call.tx, call.scope, key, request.path, mark, call.now, space)
        if stored is not None and stored.status == idempotency.IN_PROGRESS:
            return Response(stored.status, b"", request_id=call.origin.request_id, later=stored.waiting_for)
        if stored is not None:
            headers = _repeated(stored.request_id)
            if stored.retry:
                headers["Stripe-Should-Retry"] = stored.retry
            return Response(stored.status, stored.body, headers, request_id=call.origin.request_id)
        response = self.run_in_savepoint(call, route, request)
        kept = _kept(call, response)
        if kept is not None:
            idempotency.keep(call.tx, call.scope, key, request.path, mark, kept, call.now, space)
        return response

    def run_in_savepoint(self, call: Call, route: Route, request: Request) -> Response:
        """Run a handler that writes; an error rolls back what it wrote, unless ``ApiError.keep`` is set."""
        return self._in_savepoint(call, lambda: self._handle(call, route, request))

    def complete(self, call: Call, route: Route, request: Request, later: Later) -> Response:
        """Return the response that waited for something, and store it for repetitions: what was waited for has been
        done, or the request does not wait any longer.
        """
        response = self._in_savepoint(call, lambda: self._now(call, route, later))
        key = call.origin.idempotency_key if request.repeatable else None
        if key is not None:
            space = idempotency.space_of(call.key)
            idempotency.complete(call.tx, call.scope, key, _kept(call, response), space)
        if later.first is not None:
            response.headers.update(_repeated(later.first))
        return response

    def _now(self, call: Call, route: Route, later: Later) -> Response:
        """Return the object that a response shows, as it is now. Raises the error of what was refused."""
        value = call.objects.get(later.object, later.id)
        refusal = call.objects.resource(later.object).refusal
        for reference in later.references:
            error = refusal(call, value, reference) if refusal is not None else None
            if error is not None:
                raise error
        return self._shown(call, route.endpoint, value, list(later.paths))

    def _in_savepoint(self, call: Call, work: Callable[[], Response]) -> Response:
        failure: ApiError | None = None
        try:
            with call.tx.savepoint():
                try:
                    return work()
                except ApiError as error:
                    if not error.keep:
                        raise
                    failure = error
        except ApiError as error:
            failure = error
            call.outside.clear()  # it was rolled back
        assert failure is not None
        failure.__traceback__ = None  # it refers to this frame: only the garbage collector could free them
        failure.extra = {name: self._render_extra(call, value) for name, value in failure.extra.items()}
        return error_response(
            self.dashboard_url,
            failure,
            call.origin.path,
            call.origin.request_id,
            call.scope,
            bool(call.origin.idempotency_key),
        )

    def _render_extra(self, call: Call, value: Any) -> Any:
        """Return an object in an error's body, rendered for the caller."""
        return self.renderer.render(call, value, []) if isinstance(value, dict) and "object" in value else value

    def _handle(self, call: Call, route: Route, request: Request) -> Response:
        endpoint = route.endpoint
        given, included = take_included(call, request.given)
        params = self._params(call, endpoint, given)
        paths = [*(params.pop("expand", None) or []), *included]
        access = endpoint.access_of(call.key.kind) if call.key is not None else None
        if access is not None:
            access.check_expands(paths)
        if call.key is not None and call.key.kind == "ephemeral":
            limit_to_customer(call, call.key.subject, params)
        if endpoint.live is not None:
            endpoint.live.admit(call)
        answer = endpoint.handler(call, params)
        if call.outside and call.key is not None and isinstance(answer, dict):  # a page does not wait
            waits = Later(tuple(call.outside), answer["object"], answer["id"], tuple(paths))
            return Response(idempotency.IN_PROGRESS, b"", request_id=call.origin.request_id, later=waits)
        if isinstance(answer, Reply):
            if paths:
                raise invalid(f"This property cannot be expanded ({paths[0]}).")
            return to_response(answer, call.origin.request_id)
        return self._shown(call, endpoint, answer, paths)

    def _shown(self, call: Call, endpoint: Endpoint, answer: Any, paths: list[str]) -> Response:
        """Return the response with an object or a page."""
        stored = self.renderer.stored_page(call, answer, paths)
        if stored is not None:
            return Response(200, stored, request_id=call.origin.request_id)
        noticed = {"Stripe-Notice": " ".join(call.notices)} if call.notices else {}
        shown = self.renderer.render(call, answer, paths)
        storable = self.renderer.reveals.storable(shown) if paths and endpoint.writes else shown
        if endpoint.secret:
            storable = without_field(storable, endpoint.secret)
        kept = None if storable is shown else encode(storable)
        return Response(200, encode(shown), noticed, request_id=call.origin.request_id, kept=kept)

    def _params(self, call: Call, endpoint: Endpoint, given: Json) -> Json:
        if call.client:
            check_form_headers(call, given)
        access = endpoint.access_of(call.key.kind) if call.key is not None else None
        version = call.origin.version
        if access is None:
            return check(endpoint.schema_for(version), given)
        return access.read(endpoint.schema, given, gone(endpoint.removed, version))


def _repeated(first: str) -> dict[str, str]:
    """Return the headers of a repeated response. first: the id of the first request."""
    return {"Idempotent-Replayed": "true", "Original-Request": first}


def _kept(call: Call, response: Response) -> idempotency.Stored | None:
    """Return what is stored of a response for repetitions; None for one that is not kept."""
    request_id = call.origin.request_id or ""
    if response.later is not None:
        return idempotency.in_progress(request_id, response.later)
    if response.status >= 400 and "Stripe-Should-Retry" not in response.headers:
        return None
    retry = response.headers.setdefault("Stripe-Should-Retry", "false")
    return idempotency.Stored(request_id, response.status, retry, response.storable)


def to_response(reply: Reply, request_id: str | None) -> Response:
    """Return the response that a handler's ``Reply`` describes."""
    return Response(
        reply.status,
        reply.body,
        dict(reply.headers),
        reply.content_type,
        request_id,
        guess=reply.guess,
        rest=reply.rest,
        drawn=reply.drawn,
    )


def error_response(
    dashboard_url: str, error: ApiError, path: str, request_id: str | None, scope: Scope | None, idempotent: bool
) -> Response:
    """Return the response to a refused request. scope: None if the caller is unknown; errors then have no log URL."""
    url = None
    if request_id is not None and scope is not None:
        mode = "" if scope.livemode else "test/"
        url = f"{dashboard_url}/{scope.account}/{mode}workbench/logs?object={request_id}"
    headers = dict(error.headers)
    if error.retry is not None and idempotent:
        headers["Stripe-Should-Retry"] = "true" if error.retry else "false"
    body = error.body_v2() if is_v2(path) else error.body(url)
    return Response(
        error.status, encode(body) + b"\n", headers, request_id=request_id, code=error.code, guess=error.guess
    )
