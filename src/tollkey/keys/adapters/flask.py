"""API keys in Flask: a decorator that checks the key, its permission and its limits before the view runs.

api = ApiKeys(KeyService.open("keys.db", [Permission("report", "Reports")]))

@app.get("/reports")
@api.needs("report_read")
def reports(): return {"account": api.key.account}
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from flask import Flask, Request, Response, abort, after_this_request, current_app, request

from tollkey.keys.accepted import Accepted
from tollkey.keys.carried import carried, carried_key, carry, variable_of
from tollkey.keys.checks import Checks
from tollkey.keys.guard import AUTHORIZATION, Asked, Guard, target_of
from tollkey.keys.key import Key
from tollkey.keys.needs import Need
from tollkey.keys.once import one_request
from tollkey.keys.refusal import OnDenied, Refused

P = ParamSpec("P")
R = TypeVar("R")


class ApiKeys:
    """The keys of a Flask application.

    keys: an open ``KeyService``, or ``RemoteKeys``. app: calls ``init_app``.
    header: the header with the key. ``authorization``: a bearer token or the user name of Basic; any other: the key.
    keep_header: leave the header in an accepted request, visible to the view.
    on_denied: returns the response to a refused request; ``rfc6750`` by default.
    client_ip: returns the caller's address; by default that of the connection.
    """

    def __init__(
        self,
        keys: Checks,
        app: Flask | None = None,
        *,
        header: str = AUTHORIZATION,
        keep_header: bool = False,
        on_denied: OnDenied | None = None,
        client_ip: Callable[[Request], str | None] | None = None,
    ) -> None:
        self.keys = keys
        self.guard = Guard(keys, header=header, on_denied=on_denied)
        self._variable = variable_of(self.guard.header)
        self._keep_header = keep_header
        self._client_ip = client_ip or (lambda asked: asked.remote_addr)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register with an application, as ``app.extensions["tollkey"]``."""
        app.extensions["tollkey"] = self

    @property
    def key(self) -> Key:
        """The key of the current request. Raises RuntimeError if none was checked or sent."""
        found = self.key_or_none
        if found is None:
            raise RuntimeError("this request has no API key: its view needs @api.needs(…), and not optional=True")
        return found

    @property
    def key_or_none(self) -> Key | None:
        """The key of the current request, or None if none was checked or an optional one was not sent."""
        return carried_key(request.environ, self.keys)

    def needs(
        self,
        permission: str | None = None,
        *,
        cost: int | Callable[[Request], int] | None = None,
        route: str | None = None,
        optional: bool = False,
        publishable: bool = False,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Return a decorator of a view, which stands below the route. The view finds the key in ``ApiKeys.key``.

        permission: the permission that the key must have; ``project:{id}:write`` takes ``id`` from the path.
            None: any key.
        cost: how much the request takes from the key's limits, or a function of the request; by default that of the
            declared route (``tollkey.toml``), or 1.
        route: the name of the route for limits and usage; by default the declared route, or the rule of the route.
        optional: accept requests without a key. A key that is not valid is still refused.
        publishable: accept publishable keys too. They are public.
        Raises ValueError for a permission that is not declared, or a cost below 0.
        """
        need: Need[Request] = self.guard.need(
            permission, cost=cost, route=route, optional=optional, publishable=publishable
        )

        def decorate(view: Callable[P, R]) -> Callable[P, R]:
            @functools.wraps(view)
            def checked(*args: P.args, **kwargs: P.kwargs) -> R:
                with one_request():
                    self._check(need)
                    result: R = current_app.ensure_sync(view)(*args, **kwargs)
                    return result

            return checked

        return decorate

    def check(self, permission: str | None = None, *, optional: bool = False, publishable: bool = False) -> None:
        """Check the current request, for ``before_request`` of an application or a blueprint.

        The arguments are those of ``needs``. Ends the request with the refusal, and raises ValueError for a permission
        that is not declared.
        """
        self._check(self.guard.need(permission, optional=optional, publishable=publishable))

    def _check(self, need: Need[Request]) -> None:
        asked = request
        if asked.method == "OPTIONS" and asked.origin and asked.access_control_request_method:
            return  # a CORS preflight request cannot carry a key
        answer = self._answer(asked, need)
        if answer is None:
            return
        if not isinstance(answer, Accepted):
            status, headers, body = self.guard.refusal(answer)
            abort(Response(b"" if asked.method == "HEAD" else body, status, dict(headers)))
        carry(asked.environ, self.keys, answer)
        if answer.limits:
            after_this_request(partial(_with_headers, answer))
        if not self._keep_header:
            asked.environ.pop(self._variable, None)

    def _answer(self, asked: Request, need: Need[Request]) -> Accepted | Refused | None:
        value, rule = asked.environ.get(self._variable), asked.url_rule
        about = Asked(
            asked, [] if value is None else [value], asked.view_args or {}, self._client_ip(asked),
            f"{asked.method} {asked.path}", target_of(asked.method, asked.path),
            f"{asked.method} {rule.rule}" if rule else None,
        )  # fmt: skip
        earlier = carried(asked.environ, self.keys)  # for the blueprint or by a KeyGate
        return self.guard.check(about, need) if earlier is None else self.guard.check_again(earlier, about, need)


def _with_headers(accepted: Accepted, response: Response) -> Response:
    """Add the header fields about limits; those of the last check stay."""
    for name, value in accepted.headers:
        response.headers.setdefault(name, value)
    return response
