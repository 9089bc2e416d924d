"""The Dashboard as an ASGI application, and how to write a page.

**A page is a file.** Every module of ``dashboard/pages/`` may define ``PAGES = (Page(...), …)``; they are
gathered by looking into the folder, there is no central list. A page says its path, its handler and the
*action* that the person's role must allow (``roles.py``, the one matrix)::

    def show(ctx: Visit, params: Params) -> Answer:
        log = one(ctx.tx, ctx.scope, params["request"])
        if log is None:
            raise NotHere
        return Render("logs/one.html", {"log": log})

    PAGES = (
        Page("/logs/{request}", show, action="logs.see"),
        Page("/logs", index, action="logs.see", nav=Nav("Developers", "Logs", 30)),
        Page("/webhooks/new", create, method="POST", action="webhooks.change", again=new, recent=recent("it sends data
        elsewhere")),
    )

- A plain handler runs in a transaction (``ctx.tx``; a writing one for POST) in the scope ``ctx.scope``, which
  is the account and mode of the URL; the person is a member there, their role allows the action, the form
  carried its token. An ``async`` handler has no transaction and uses ``await ctx.read(fn)``, ``ctx.write(fn)``.
- It answers ``Render(template, context)``, ``Redirect(to, notice)``, ``Data(json)`` or ``File(…)``; it raises
  ``NotHere``, or ``FormErrors({"field": "message"})``: then ``again`` shows the form with the message beside the
  field and what was typed still in it. ``keys.KeyRefused`` and ``wire.ApiError`` become form errors by themselves.
- Every POST says whether it asks for a recent proof of who one is, ``recent("why")`` or ``any_time("why not")``. What
cannot be taken
  back and has no page of its own that asks has ``ask=``, which gives the ``Question``: a dialog where scripts run (the
  form carries ``data-ask``), else a page.
- ``ctx.url("/logs")`` is an address in the same account and mode, ``ctx.may("keys.roll")`` says whether to show a
button,
  ``ctx.call()`` is a Call for handlers of the payments API.
- Tests are made from the declarations: each page must refuse without role, without token, from another account
  and in the other mode. A path with a new ``{name}`` needs a sample id in ``tests/dashboard/samples.py``.

**Templates** extend ``base.html`` (blocks ``title``, ``actions``, ``content``) and
``{% import "parts.html" as parts with context %}`` for: ``form(action)`` (a call block: POST with its token),
``field(name, label, …)``, ``textarea``, ``select``, ``checkbox``, ``button``, ``copy(text, label)``, ``badge(text,
tone)``, ``empty(title, text)``, ``pages(newer, older)``, ``table(caption)``; filters ``time``, ``for_how_long``,
``pretty``. No inline script or style: the Content-Security-Policy refuses both. Behaviour hangs on ``data-`` attributes
(see static/app.js).

**URLs** are ``/acct_…/test/path`` (test mode), ``/acct_…/path`` (live mode); pages without a mode have both, so that
going through them does not change it. Without the account they
lead to the one last used, so a link to ``/test/apikeys`` works for everybody.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from tollkey.dashboard import guard, people, roles, sessions
from tollkey.dashboard.address import Address
from tollkey.dashboard.page import (
    Answer,
    Data,
    File,
    FormErrors,
    NotAllowed,
    NotHere,
    Page,
    Params,
    Redirect,
    Render,
    Visit,
)
from tollkey.dashboard.passwords import Passwords
from tollkey.dashboard.people import PeopleRefused
from tollkey.dashboard.routing import Asked, Place, Routes, Sent, gather_pages, place_of
from tollkey.dashboard.view import View, etag
from tollkey.db import Edge, StorageError, Tx
from tollkey.keys import Authority, KeyRefused
from tollkey.wire import ApiError, Brake, Setup
from tollkey.wire.app import forwarded, headers_of, one_line
from tollkey.wire.messages import Incoming

log = logging.getLogger("tollkey.dashboard")

Message = MutableMapping[str, Any]
_LARGEST_FORM = 128 * 1024  # bytes
_STRANGERS_FORM = 16 * 1024  # of whoever shows no session: signing in, joining
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class App:
    """Answers requests for pages. Built at the first of them (``dashboard.Dashboard``)."""

    def __init__(
        self, setup: Setup, edge: Edge, authority: Authority, now: Callable[[], float], passwords: Passwords,
        trust_proxy: bool = False,
        address: Address | None = None, require_https: bool = False,
    ) -> None:  # fmt: skip
        self.setup, self.edge, self.authority, self.now = setup, edge, authority, now
        self.passwords, self.trust_proxy = passwords, trust_proxy
        self.address, self.require_https = address or Address(fallback=setup.base_url), require_https
        self.view = View()
        self.routes = Routes(gather_pages())

    # -- ASGI

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        incoming = Incoming(receive, headers_of(scope["headers"]))
        asked = await self._asked(scope, incoming)
        sent = (
            await self.answer(asked)
            if asked is not None
            else Sent(413, [("content-type", "text/plain")], b"Too large.\n")
        )
        pairs = [(name.lower().encode(), one_line(value).encode("latin-1", "replace")) for name, value in sent.headers]
        pairs.append((b"content-length", b"%d" % len(sent.body)))
        if not incoming.ends_soon:
            pairs.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": sent.status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else sent.body})

    async def _asked(self, scope: Message, incoming: Incoming) -> Asked | None:
        headers = headers_of(scope["headers"])
        client = scope.get("client")
        ip, secure = (client[0] if client else None), scope.get("scheme") == "https"
        if self.trust_proxy:
            ip, secure = forwarded(scope["headers"], ip, secure)
        body = b""
        if scope["method"] == "POST":
            stranger = guard.cookie_name("session", secure) not in headers.get("cookie", "")
            try:
                body = await incoming.whole(_STRANGERS_FORM if stranger else _LARGEST_FORM)
            except ApiError:
                return None
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        query = scope["query_string"].decode("latin-1")
        arrived = str((scope.get("server") or ("",))[0])
        return Asked(
            method,
            scope["path"].replace("\0", "\ufffd"),
            query,
            headers,
            ip,
            secure,
            body.decode("utf-8", "replace"),
            arrived,
        )

    # -- one request

    async def answer(self, asked: Asked) -> Sent:
        """The answer to a request. Never raises."""
        if self.require_https and not asked.secure:
            return self._https_only(asked)
        if asked.path.startswith("/static/"):
            return self._static(asked, asked.path.removeprefix("/static/"))
        if (
            asked.path == "/favicon.ico"
        ):  # what browsers ask for on pages that name no icon: those for people without an account
            return self._static(asked, "icon.svg")
        place = place_of(asked.path)
        page, names = self.routes.find(asked.method, place.path)
        visit, cookies = self._visit(asked, page), guard.read_cookies(asked.headers.get("cookie", ""), asked.secure)
        token = cookies.get("session", "")
        named = (
            page.path if page is not None else "(no page)"
        )  # for the log: a path itself may hold the token of a link, or line breaks
        extra: list[tuple[str, str]] = []
        if not token and not cookies.get("visitor"):
            cookies["visitor"] = self.setup.ids.text(43)
            extra.append(("Set-Cookie", guard.set_cookie("visitor", cookies["visitor"], asked.secure)))
        visit.visitor = token or cookies["visitor"]
        visit.csrf = guard.csrf_token(self.authority.keyring, visit.visitor)
        try:
            await self._recognise(visit, token, place)
            given = await self._admitted(visit, asked, place, page, names)
        except NotAllowed as refusal:
            given = await self._refused(visit, refusal.action)
        except NotHere:
            given = self._sorry(
                visit,
                404,
                "Page not found",
                "This page does not exist, or it belongs to another account or mode.",
            )
        except FormErrors as problem:  # what was sent cannot be read
            given = self._sorry(visit, 400, "Invalid request", " ".join(problem.errors.values()))
        except StorageError as error:
            log.error("%s %s storage: %s", asked.method, named, error)
            given = self._sorry(visit, 503, "Database unavailable", "Nothing was changed. Try again in a moment.")
        except Exception:
            log.exception("%s %s", asked.method, named)
            given = self._sorry(
                visit, 500, "Something went wrong", "Nothing was changed. Details are in the server log."
            )
        return self._give(visit, await self._slowed(visit, page, given), cookies, extra)

    async def _slowed(self, visit: Visit, page: Page | None, given: Answer) -> Answer:
        """The answer, later and without a reason when an address has tried too many links that do not exist
        (``wire.Brake``).
        """
        brake: Brake | None = self.setup.services.brake
        guessed = (
            page is not None
            and page.scope == "open"
            and "{token}" in page.path
            and getattr(given, "status", 200) == 404
        )
        if brake is None or not guessed or not brake.wrong(visit.ip, visit.now):
            return given
        await brake.hold()
        return self._sorry(
            visit,
            429,
            "Too many attempts",
            "Too many invalid links were opened from your IP address. Wait a minute, then try again.",
        )

    def _https_only(self, asked: Asked) -> Sent:
        """No page, no form and no cookie over plain HTTP; who looks is led to the configured address, if it is one of
        HTTPS.
        """
        common, configured = list(guard.headers(False).items()), self.address.configured.rstrip("/")
        if asked.method == "GET" and configured.startswith("https://"):
            tail = "/" + quote(asked.path.lstrip("/")) + (f"?{asked.query}" if asked.query else "")
            return Sent(308, [*common, ("Location", f"{configured}{tail}"), ("Content-Type", "text/plain")], b"")
        return Sent(403, [*common, ("Content-Type", "text/plain")], b"This server answers over HTTPS only.\n")

    def _visit(self, asked: Asked, page: Page | None) -> Visit:
        public = self.address.public(asked.headers.get("host", ""), asked.secure, asked.arrived)
        return Visit(
            self.setup, self.edge, self.authority, self.passwords, int(self.now()), asked.method, asked.path,
            asked.query, asked.ip,
            asked.headers.get("user-agent", ""), "", public or self.address.fallback, public is not None, asked.secure,
            "application/json" in asked.headers.get("accept", ""), page,
        )  # fmt: skip

    async def _recognise(self, visit: Visit, token: str, place: Place) -> None:
        """Who is it, and where are they a member?"""
        visit.livemode = place.livemode

        def work(tx: Tx) -> None:
            visit.session = sessions.find(tx, self.authority.keyring, token, visit.now) if token else None
            if visit.session is not None and visit.session.stage == "full":
                visit.person = people.by_id(tx, visit.session.person)
                visit.accounts = people.memberships(tx, visit.session.person)

        await self.edge.read(work)
        visit.member = next((m for m in visit.accounts if m.account == place.account), None)
        if not place.account and visit.accounts and visit.page is not None and visit.page.scope in ("open", "person"):
            visit.member, visit.livemode = visit.accounts[0], False  # the sidebar leads on from there
        if visit.session is not None and visit.person is not None and sessions.touched_late(visit.session, visit.now):
            session = visit.session
            await self.edge.write(lambda tx: sessions.touch(tx, session.id, visit.now, visit.ip))

    async def _admitted(
        self, visit: Visit, asked: Asked, place: Place, page: Page | None, names: dict[str, str]
    ) -> Answer:
        """Every check there is, in one place; then the handler."""
        if page is None:
            raise NotHere
        if asked.method == "POST":
            given = Params.of_text({}, asked.form).raw("csrf") or asked.headers.get("x-csrf-token", "")
            ours = guard.same_origin(asked.headers, self.address, asked.secure)
            if not ours or not guard.csrf_right(self.authority.keyring, visit.visitor, given):
                return self._sorry(
                    visit, 403, "This form has expired", "Go back, reload the page and submit the form again."
                )
        if page.scope != "open":
            if visit.person is None:
                second = visit.session is not None
                here = asked.path + (f"?{asked.query}" if asked.query else "") if asked.method == "GET" else "/"
                return Redirect(f"{'/login/second' if second else '/login'}?to={quote(here)}")
            if page.scope in ("mode", "account"):
                if not place.account and visit.accounts and asked.method == "GET":
                    return Redirect(
                        f"/{visit.accounts[0].account}{quote(asked.path)}{f'?{asked.query}' if asked.query else ''}"
                    )
                if visit.member is None:
                    raise NotHere
                if not roles.allows(visit.member.role, page.action, visit.livemode):
                    raise NotAllowed(page.action)
        if page.recent and (visit.session is None or not visit.session.confirmed(visit.now)):
            return self._confirm_first(visit, page, asked)
        return await self._handled(
            visit, page, Params.of_text(names, asked.form if asked.method == "POST" else asked.query)
        )

    def _confirm_first(self, visit: Visit, page: Page, asked: Asked) -> Answer:
        back = (
            self._nearest(page, asked.path)
            if asked.method == "POST"
            else asked.path + (f"?{asked.query}" if asked.query else "")
        )
        to = f"/confirm?to={quote(back)}"
        return Data({"error": "confirm", "to": to}, 403) if visit.wants_json else Redirect(to)

    def _nearest(self, page: Page, path: str) -> str:
        """The nearest page at or above a form's address: the form is sent again from there. path: the address."""
        declared, pages = page.path, {one.path for one in self.routes.pages if one.method == "GET"}
        while declared and declared not in pages:
            declared, path = declared.rpartition("/")[0], path.rpartition("/")[0]
        return path if declared else "/"

    async def _asked_first(self, visit: Visit, page: Page, params: Params) -> Answer | None:
        """What a person is asked before something that cannot be taken back; None when they have said yes, or nothing
        is asked.
        """
        if page.ask is None or params.get("sure") == "1":
            return None
        ask = page.ask
        question = await self.edge.read(lambda tx: visit.within(tx, ask, params))
        if question is None:
            return None
        if visit.wants_json:
            return Data({"ask": question.text, "label": question.label})
        kept = [(name, value) for name, value in params.sent if name not in ("csrf", "sure")]
        about = {"question": question, "kept": kept, "action": visit.path, "back": self._nearest(page, visit.path)}
        return Render("sure.html", about)

    async def _handled(self, visit: Visit, page: Page, params: Params) -> Answer:
        try:
            asking = await self._asked_first(visit, page, params)
            if asking is not None:
                return asking
            return await self._run(visit, page.handler, params, page.method == "POST" or page.writes)
        except FormErrors as problem:
            errors = problem.errors
        except PeopleRefused as refused:
            errors = {refused.field: refused.message}
        except KeyRefused as refused_key:
            if refused_key.code == "resource_missing":
                raise NotHere from None
            errors = {(refused_key.param or "") if refused_key.param != "id" else "": refused_key.message}
        except ApiError as problem_api:
            errors = {problem_api.param or "": str(problem_api.message)}
        if visit.wants_json:
            return Data({"error": "refused", "errors": errors, "message": next(iter(errors.values()))}, 422)
        if page.again is None:
            return self._sorry(visit, 422, "Request failed", " ".join(errors.values()))
        visit.errors, visit.values = errors, params
        shown = await self._run(visit, page.again, params, False)
        return replace(shown, status=422) if isinstance(shown, Render) else shown

    async def _run(self, visit: Visit, handler: Callable[[Any, Any], Any], params: Params, writes: bool) -> Answer:
        if inspect.iscoroutinefunction(handler):
            answer: Answer = await handler(visit, params)
            return answer

        def work(tx: Tx) -> Answer:
            made: Answer = visit.within(tx, handler, params)
            return made

        if not writes:  # one that takes long waits for the same account's only
            return await self.edge.read(
                work, caller=f"people of {visit.account}" if visit.member is not None else "people"
            )
        lock = f"{visit.member.account}:{int(visit.livemode)}" if visit.member is not None else None
        return await self.edge.write(work, lock=lock)

    # -- answers

    async def _refused(self, visit: Visit, action: str) -> Answer:
        """403, saying what is missing and whom to ask."""
        if visit.wants_json:
            return Data({"error": "role", "message": "Your role does not allow this."}, 403)
        account = visit.account
        owner = await self.edge.read(lambda tx: people.owner(tx, account))
        role = roles.LABELS[visit.member.role] if visit.member is not None else ""
        about = {
            "owner": owner,
            "action": roles.ACTIONS[action],
            "roles": roles.who_may(action, visit.livemode),
            "role": role,
        }
        return Render("refused.html", about, 403)

    def _sorry(self, visit: Visit, status: int, title: str, text: str) -> Answer:
        if visit.wants_json:
            return Data({"error": str(status), "message": f"{title}. {text}"}, status)
        return Render("sorry.html", {"title": title, "text": text}, status)

    def _static(self, asked: Asked, name: str) -> Sent:
        body, lasting = self.view.static_file(name)
        common = list(guard.headers(asked.secure).items())
        if body is None or asked.method != "GET":
            return Sent(404, [*common, ("Content-Type", "text/plain")], b"No such file.\n")
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        held = "max-age=31536000, immutable" if lasting else "no-cache"
        headers = [*common, ("Content-Type", kind), ("ETag", etag(body)), ("Cache-Control", held)]
        return Sent(304, headers, b"") if asked.headers.get("if-none-match") == etag(body) else Sent(200, headers, body)

    def _give(self, visit: Visit, given: Answer, cookies: dict[str, str], extra: list[tuple[str, str]]) -> Sent:
        headers = [*guard.headers(visit.secure).items(), ("Cache-Control", "no-store"), *extra]
        if isinstance(given, Redirect | Data) and given.session is not None:
            life = sessions.LIFE_SECONDS if given.session else 0
            headers.append(("Set-Cookie", guard.set_cookie("session", given.session, visit.secure, life)))
        if isinstance(given, Redirect):
            headers += [("Location", given.to), ("Content-Type", "text/plain")]
            if given.notice:
                headers.append(("Set-Cookie", guard.set_cookie("notice", given.notice, visit.secure, 60)))
            return Sent(303, headers, b"")
        if isinstance(given, Data):
            return Sent(given.status, [*headers, ("Content-Type", "application/json")], orjson.dumps(given.value))
        if isinstance(given, File):
            attachment = f'attachment; filename="{given.name}"'
            return Sent(
                200, [*headers, ("Content-Type", given.content_type), ("Content-Disposition", attachment)], given.body
            )
        if cookies.get("notice"):
            headers.append(("Set-Cookie", guard.set_cookie("notice", "", visit.secure, 0)))
        context = {"ctx": visit, "notice": cookies.get("notice", ""), "nav": self._sidebar(visit), **given.context}
        try:
            body, status = self.view.render(given.template, context), given.status
        except Exception:
            log.exception("template %s", given.template)
            sorry = {"title": "Something went wrong", "text": "Details are in the server log."}
            body, status = self.view.render("sorry.html", {"ctx": visit, "notice": "", "nav": [], **sorry}), 500
        return Sent(status, [*headers, ("Content-Type", "text/html; charset=utf-8")], body)

    def _sidebar(self, visit: Visit) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Section -> entries (label, address, whether it is this page), from the pages' declarations.

        The API keys are there for everybody: who may not see them is told whom to ask.
        """
        if visit.person is None:
            return []
        sections: dict[str, list[tuple[str, str, bool]]] = {}
        here = place_of(visit.path).path
        nearest = max(self.routes.sidebar, key=lambda page: _nearness(page, here), default=None)
        if nearest is not None and not _nearness(nearest, here):
            nearest = None
        for page in self.routes.sidebar:
            assert page.nav is not None
            inside = page.scope in ("mode", "account")
            if inside and not (visit.may(page.action) or (visit.member is not None and page.path == "/apikeys")):
                continue
            address = visit.url(page.path)
            current = page is nearest
            sections.setdefault(page.nav.section, []).append((page.nav.label, address, current))
        return list(sections.items())


def _nearness(page: Page, here: str) -> int:
    """How much of the place's path the entry of the sidebar stands for; 0 when the place is not below it."""
    paths = (page.path, page.nav.also if page.nav else "")
    return max(len(path) if path and (here == path or here.startswith(path + "/")) else 0 for path in paths)
