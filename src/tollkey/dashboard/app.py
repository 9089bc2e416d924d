"""The Dashboard as an ASGI application, and how to write a page.

**A page is declared in a module.** Every module of ``dashboard/pages/`` may define ``PAGES = (Page(...), …)``; they are
gathered from the folder, there is no central list. The Dashboard of the payments API also has the pages of
``pages/payments/``, that of a library's keys those of ``pages/keys/`` (``product.py``). A page declares
its path, its handler and the *action* that the person's role must allow (``roles.py``)::

    def show(ctx: Context, params: Params) -> Answer:
        log = one(ctx.tx, ctx.scope, params["request"])
        if log is None:
            raise NotFound
        return Render("logs/one.html", {"log": log})

    PAGES = (
        Page("/logs/{request}", show, action="logs.see"),
        Page("/logs", index, action="logs.see", nav=Nav("Developers", "Logs", 30)),
        Page("/webhooks/new", create, method="POST", action="webhooks.change", redisplay=new,
             recent_sign_in=required("it sends data elsewhere")),
    )

- A plain handler runs in a transaction (``ctx.tx``; for POST a writing one) in the scope ``ctx.scope``, the account and
  mode of the URL. The person is a member of the account, the role allows the action, and the form token is valid: this
  is asked in the same transaction. An ``async`` handler has no transaction and uses ``await ctx.read(callback)`` and
  ``ctx.write(callback)``, which ask again each time.
- A handler returns ``Render(template, context)``, ``Redirect(to, notice)``, ``Data(json)`` or ``File(…)``. It may raise
  ``NotFound`` or ``FormErrors({"field": "message"})``: then ``redisplay`` shows the form again with the messages beside
  the fields and the typed values. ``keys.KeyRefused`` and ``wire.ApiError`` become form errors.
- Every POST declares whether it requires a recent sign-in: ``required("why")`` or ``not_required("why not")``. An
  action that cannot be undone and has no page of its own for it declares ``confirmation``. The confirmation is a dialog
  where scripts run (for forms with ``data-ask``), otherwise a page.
- ``ctx.url("/logs")`` is the path of a page in the same account and mode, ``ctx.may("keys.roll")`` says whether to show
  a button, ``ctx.call()`` is a Call for handlers of the API.
- Tests are generated from the declarations: each page must refuse requests without role, without form token, from
  another account and from the other mode. A path with a new ``{name}`` needs a sample id in
  ``tests/dashboard/samples.py``.

**Templates** extend ``base.html`` (blocks ``title``, ``actions``, ``content``) and
``{% import "parts.html" as parts with context %}`` for: ``form(action)`` (a call block: a POST with its form token),
``field(name, label, …)``, ``textarea``, ``select``, ``checkbox``, ``button``, ``copy(text, label)``,
``badge(text, tone)``, ``empty(title, text)``, ``pages(newer, older)``, ``table(caption)``; filters ``time``,
``for_how_long``, ``pretty``. The Content-Security-Policy forbids inline scripts and styles; scripts find their elements
by ``data-`` attributes (static/app.js).

**URLs** are ``/acct_…/test/path`` (test mode) and ``/acct_…/path`` (live mode). Pages that are the same in both modes
have both URLs, so that opening them does not switch the mode. A path without account redirects to the person's first
account, so that a link to ``/test/apikeys`` works for everybody.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from tollkey.dashboard import guard, people, roles
from tollkey.dashboard.access import Access, AccessEnded
from tollkey.dashboard.address import Address
from tollkey.dashboard.page import (
    Answer,
    Context,
    Data,
    FormErrors,
    NotFound,
    Page,
    Params,
    PermissionDenied,
    Render,
)
from tollkey.dashboard.passwords import Passwords
from tollkey.dashboard.people import PeopleRefused
from tollkey.dashboard.product import Product
from tollkey.dashboard.responses import Responses, error_page
from tollkey.dashboard.routing import PageRequest, PageResponse, Routes, gather_pages, parse_path
from tollkey.dashboard.view import View
from tollkey.db import Duplicate, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.keys import KeyRefused
from tollkey.keys.authority import Authority
from tollkey.wire import ApiError
from tollkey.wire.app import forwarded, header_value, headers_of
from tollkey.wire.messages import Incoming

log = logging.getLogger("tollkey.dashboard")

Message = MutableMapping[str, Any]
_LARGEST_FORM = 128 * 1024  # bytes
_LARGEST_FORM_SIGNED_OUT = 16 * 1024  # bytes, for requests without a session cookie
_VISITOR_TOKEN = 43  # characters


class App:
    """The ASGI application. Created for the first request (``dashboard.Dashboard``).

    product: what the Dashboard is for. now: returns UTC epoch seconds.
    trust_proxy: take the client's IP address and TLS from a proxy's headers.
    address: the server's own URL. require_https: refuse plain HTTP.
    """

    def __init__(
        self, product: Product, edge: Edge, authority: Authority, now: Callable[[], float], passwords: Passwords,
        trust_proxy: bool = False,
        address: Address | None = None, require_https: bool = False,
    ) -> None:  # fmt: skip
        self.product, self.edge, self.authority, self.now = product, edge, authority, now
        self.passwords, self.trust_proxy = passwords, trust_proxy
        self.address, self.require_https = address or Address(fallback=product.base_url), require_https
        self.routes = Routes(gather_pages(product.pages))
        self._access = Access(edge, authority.keyring, self.routes)
        self._responses = Responses(View(), self.routes)

    # -- ASGI

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Handle one HTTP request."""
        if scope["type"] != "http":
            return
        incoming = Incoming(receive, headers_of(scope["headers"]))
        request = await self._read_request(scope, incoming)
        if request is None:
            response = PageResponse(413, [("content-type", "text/plain")], b"Too large.\n")
        else:
            response = await self.respond(request)
        pairs = [
            (name.lower().encode(), header_value(value).encode("latin-1", "replace"))
            for name, value in response.headers
        ]
        pairs.append((b"content-length", b"%d" % len(response.body)))
        if not incoming.ends_soon:
            pairs.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})

    async def _read_request(self, scope: Message, incoming: Incoming) -> PageRequest | None:
        """The request with its body; None when the body is too large."""
        headers = headers_of(scope["headers"])
        client = scope.get("client")
        ip, secure = (client[0] if client else None), scope.get("scheme") == "https"
        if self.trust_proxy:
            ip, secure = forwarded(scope["headers"], ip, secure)
        body = b""
        if scope["method"] == "POST":
            signed_out = guard.cookie_name("session", secure) not in headers.get("cookie", "")
            try:
                body = await incoming.whole(_LARGEST_FORM_SIGNED_OUT if signed_out else _LARGEST_FORM)
            except ApiError:
                return None
        return PageRequest(
            "GET" if scope["method"] == "HEAD" else scope["method"],
            scope["path"].replace("\0", "\ufffd"),
            scope["query_string"].decode("latin-1"),
            headers,
            ip,
            secure,
            body.decode("utf-8", "replace"),
            str((scope.get("server") or ("",))[0]),
        )

    # -- one request

    async def respond(self, request: PageRequest) -> PageResponse:
        """The response to a request. Never raises."""
        if self.require_https and not request.secure:
            return self._refuse_plain_http(request)
        if request.path.startswith("/static/"):
            return self._responses.static_file(request, request.path.removeprefix("/static/"))
        if request.path == "/favicon.ico":  # requested for pages without an icon, such as those of payments
            return self._responses.static_file(request, "icon.svg")
        path = parse_path(request.path)
        page, names = self.routes.find(request.method, path.path)
        ctx = self._context(request, page)
        cookies = guard.read_cookies(request.headers.get("cookie", ""), request.secure)
        token = cookies.get("session", "")
        extra: list[tuple[str, str]] = []
        if not token and not cookies.get("visitor"):
            cookies["visitor"] = self.product.ids.text(_VISITOR_TOKEN)
            extra.append(("Set-Cookie", guard.set_cookie("visitor", cookies["visitor"], request.secure)))
        ctx.visitor = token or cookies["visitor"]
        ctx.csrf = guard.csrf_token(self.authority.keyring, ctx.visitor)
        # Only the declared path is logged: the actual one may contain the token of a link, or line breaks.
        logged = f"{request.method} {page.path if page is not None else '(no page)'}"
        try:
            await self._access.identify(ctx, token, path)
            if page is None:
                raise NotFound
            sent = request.form if request.method == "POST" else request.query
            refusal = self._access.check(ctx, request, path, page, self.address)
            ctx.ask_again = partial(self._access.ask_again, ctx=ctx, token=token, request=request, path=path, page=page)
            answer = refusal or await self._handle(ctx, page, Params.of_text(names, sent))
        except AccessEnded as ended:
            answer = ended.answer
        except PermissionDenied as denied:
            answer = await self._permission_denied(ctx, denied.action)
        except NotFound:
            text = "This page does not exist, or it belongs to another account or mode."
            answer = error_page(ctx, 404, "Page not found", text)
        except FormErrors as problem:  # raised before a handler ran: the form cannot be parsed
            answer = error_page(ctx, 400, "Invalid request", " ".join(problem.errors.values()))
        except Duplicate as error:
            log.warning("%s at the same moment as another request: %s", logged, error)
            text = "Somebody did the same at the same moment. Nothing was changed by you. Go back and reload the page."
            answer = error_page(ctx, 409, "Changed meanwhile", text)
        except StorageError as error:
            log.error("%s storage: %s", logged, error)
            answer = error_page(ctx, 503, "Database unavailable", "Nothing was changed. Try again in a moment.")
        except Exception:
            log.exception("%s", logged)
            text = "Nothing was changed. Details are in the server log."
            answer = error_page(ctx, 500, "Something went wrong", text)
        return self._responses.respond(ctx, await self._slow_down_guesses(ctx, page, answer), cookies, extra)

    async def _slow_down_guesses(self, ctx: Context, page: Page | None, answer: Answer) -> Answer:
        """Delay the answer and replace it by 429 when an IP address opened too many invalid one-time links."""
        guess_limiter = self.product.guess_limiter
        is_guess = (
            page is not None
            and page.scope == "open"
            and "{token}" in page.path
            and getattr(answer, "status", 200) == 404
        )
        if guess_limiter is None or not is_guess or not guess_limiter.count(ctx.ip, ctx.now):
            return answer
        await guess_limiter.delay()
        text = "Too many invalid links were opened from your IP address. Wait a minute, then try again."
        return error_page(ctx, 429, "Too many attempts", text)

    def _refuse_plain_http(self, request: PageRequest) -> PageResponse:
        """Redirect GET requests to the configured HTTPS URL, if there is one; refuse everything else."""
        common, configured = list(guard.headers(False).items()), self.address.configured.rstrip("/")
        if request.method == "GET" and configured.startswith("https://"):
            tail = "/" + quote(request.path.lstrip("/")) + (f"?{request.query}" if request.query else "")
            headers = [*common, ("Location", f"{configured}{tail}"), ("Content-Type", "text/plain")]
            return PageResponse(308, headers, b"")
        return PageResponse(403, [*common, ("Content-Type", "text/plain")], b"This server answers over HTTPS only.\n")

    def _context(self, request: PageRequest, page: Page | None) -> Context:
        public = self.address.public(request.headers.get("host", ""), request.secure, request.arrived)
        return Context(
            self.product, self.edge, self.authority, self.passwords, int(self.now()), request.method, request.path,
            request.query, request.ip,
            request.headers.get("user-agent", ""), "", public or self.address.fallback, public is not None,
            request.secure, "application/json" in request.headers.get("accept", ""), page,
        )  # fmt: skip

    # -- handlers

    async def _handle(self, ctx: Context, page: Page, params: Params) -> Answer:
        """Ask for confirmation or run the handler; show the form again when it raises form errors."""
        try:
            question = await self._confirmation(ctx, page, params)
            if question is not None:
                return question
            return await self._run(ctx, page.handler, params, page.method == "POST" or page.writes)
        except FormErrors as problem:
            errors = problem.errors
        except PeopleRefused as refused:
            errors = {refused.field: refused.message}
        except KeyRefused as refused_key:
            if refused_key.code == "resource_missing":
                raise NotFound from None
            errors = {(refused_key.param or "") if refused_key.param != "id" else "": refused_key.message}
        except ApiError as problem_api:
            errors = {problem_api.param or "": str(problem_api.message)}
        if ctx.wants_json:
            return Data({"error": "refused", "errors": errors, "message": next(iter(errors.values()))}, 422)
        if page.redisplay is None:
            return error_page(ctx, 422, "Request failed", " ".join(errors.values()))
        ctx.errors, ctx.values = errors, params
        form = await self._run(ctx, page.redisplay, params, False)
        return replace(form, status=422) if isinstance(form, Render) else form

    async def _confirmation(self, ctx: Context, page: Page, params: Params) -> Answer | None:
        """The page's confirmation as HTML or JSON; None when it was given or none is needed."""
        if page.confirmation is None or params.get("sure") == "1":
            return None
        declared = page.confirmation
        question = await self.edge.read(lambda tx: ctx.call_handler(tx, declared, params))
        if question is None:
            return None
        if ctx.wants_json:
            return Data({"ask": question.text, "label": question.label})
        fields = [(name, value) for name, value in params.sent if name not in ("csrf", "sure")]
        back = self.routes.nearest_page(page, ctx.path)
        return Render("confirmation.html", {"question": question, "kept": fields, "action": ctx.path, "back": back})

    async def _run(self, ctx: Context, handler: Callable[[Any, Any], Any], params: Params, writes: bool) -> Answer:
        """Call a handler; a plain one in a transaction. writes: whether that is a writing transaction."""
        if inspect.iscoroutinefunction(handler):
            answer: Answer = await handler(ctx, params)
            return answer

        def call_handler(tx: Tx) -> Answer:
            result: Answer = ctx.call_handler(tx, handler, params)
            return result

        if not writes:  # costly reads of one account wait for each other, not for those of other accounts
            caller = f"people of {ctx.account}" if ctx.member is not None else "people"
            return await self.edge.read(call_handler, caller=caller)
        lock = Scope(ctx.member.account, ctx.livemode).name if ctx.member is not None else None
        return await self.edge.write(call_handler, lock=lock)

    async def _permission_denied(self, ctx: Context, action: str) -> Answer:
        """A 403 page that names the roles that may, and the owner who can change the person's role."""
        if ctx.wants_json:
            return Data({"error": "role", "message": "Your role does not allow this."}, 403)
        team = ctx.team
        context = {
            "owner": await self.edge.read(lambda tx: people.owner(tx, team)),
            "action": roles.ACTIONS[action],
            "roles": roles.who_may(action, ctx.livemode, self.product.roles),
            "role": roles.LABELS[ctx.member.role] if ctx.member is not None else "",
        }
        return Render("permission_denied.html", context, 403)
