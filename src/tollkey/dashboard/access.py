"""Access control of the Dashboard: who sends a request, and whether they may open the page.

The order of the checks: form token and origin, sign-in, membership, role, recent sign-in.

A request waits: for a password to be hashed, for a lock, for other writes. What was found before that may have ended
meanwhile, so every transaction of a page asks again, within itself (``Access.ask_again``).
"""

from __future__ import annotations

from urllib.parse import quote

from tollkey.dashboard import guard, people, roles, sessions
from tollkey.dashboard.address import Address
from tollkey.dashboard.page import Answer, Context, Data, NotFound, Page, Params, PermissionDenied, Redirect
from tollkey.dashboard.responses import error_page
from tollkey.dashboard.routing import PagePath, PageRequest, Routes
from tollkey.db import Tx
from tollkey.db.edge import Edge
from tollkey.keys.keyring import Keyring


class AccessEnded(Exception):
    """The person signed out, or has to prove again who they are, after the request arrived. answer: what to send."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("the session has ended")
        self.answer = answer


class Access:
    """Identifies the person behind a request and checks their access."""

    def __init__(self, edge: Edge, keyring: Keyring, routes: Routes) -> None:
        self._edge, self._keyring, self._routes = edge, keyring, routes

    async def identify(self, ctx: Context, token: str, path: PagePath) -> None:
        """Set session, person, accounts, membership and mode of a context. token: of the session cookie, or ""."""

        def load(tx: Tx) -> None:
            self._load(tx, ctx, token, path)
            ctx.mode_note = ctx.product.mode_note(tx, ctx.scope) if ctx.member is not None else ""

        await self._edge.read(load)
        if ctx.session is not None and ctx.person is not None and sessions.needs_touch(ctx.session, ctx.now):
            session = ctx.session
            await self._edge.write(lambda tx: sessions.touch(tx, session.id, ctx.now, ctx.ip))

    def _load(self, tx: Tx, ctx: Context, token: str, path: PagePath) -> None:
        account = ctx.product.account_in(path.account)
        ctx.livemode, ctx.person, ctx.accounts = path.livemode, None, []
        ctx.session = sessions.find(tx, self._keyring, token, ctx.now) if token else None
        if ctx.session is not None and ctx.session.stage == "full":
            ctx.person = people.by_id(tx, ctx.session.person)
            ctx.accounts = ctx.product.memberships(tx, ctx.session.person, account)
        ctx.member = next((m for m in ctx.accounts if m.account == account), None)
        if not path.account and ctx.accounts and ctx.page is not None and ctx.page.scope in ("open", "person"):
            # pages without an account show the first one's sidebar
            ctx.member, ctx.livemode = ctx.accounts[0], ctx.product.starts_live

    def ask_again(self, tx: Tx, ctx: Context, token: str, request: PageRequest, path: PagePath, page: Page) -> None:
        """Repeat what was asked of a person who was identified, in the transaction that acts for them.

        Raises AccessEnded, NotFound and PermissionDenied.
        """
        before = ctx.session
        if before is None:
            return
        self._load(tx, ctx, token, path)
        same = ctx.session is not None and ctx.session.stage == before.stage
        refusal = self._check_person(ctx, request, path, page) if same else _sign_in_first(ctx, request)
        if refusal is not None:
            raise AccessEnded(refusal)

    def check(self, ctx: Context, request: PageRequest, path: PagePath, page: Page, address: Address) -> Answer | None:
        """Check whether the person may open the page. Returns an answer to send instead of it, or None.

        address: the server's own URL, which forms must come from. Raises NotFound and PermissionDenied.
        """
        if request.method == "POST" and not self._is_own_form(ctx, request, address):
            return error_page(ctx, 403, "This form has expired", "Go back, reload the page and submit the form again.")
        return self._check_person(ctx, request, path, page)

    def _check_person(self, ctx: Context, request: PageRequest, path: PagePath, page: Page) -> Answer | None:
        if page.scope != "open":
            if ctx.person is None:
                return _sign_in_first(ctx, request)
            if page.scope in ("mode", "account"):
                if not path.account and ctx.accounts and request.method == "GET":
                    return Redirect(f"/{ctx.product.segment(ctx.accounts[0].account)}{_quoted(request)}")
                if ctx.member is None:
                    raise NotFound
                if not roles.allows(ctx.member.role, page.action, ctx.livemode):
                    raise PermissionDenied(page.action)
        if page.recent_sign_in and (ctx.session is None or not ctx.session.confirmed(ctx.now)):
            return self._confirm_identity_first(ctx, request, page)
        return None

    def _is_own_form(self, ctx: Context, request: PageRequest, address: Address) -> bool:
        """Whether a POST was sent by a page of this server, with the form token of this browser."""
        token = Params.of_text({}, request.form).raw("csrf") or request.headers.get("x-csrf-token", "")
        same_origin = guard.same_origin(request.headers, address, request.secure)
        return same_origin and guard.csrf_valid(self._keyring, ctx.visitor, token)

    def _confirm_identity_first(self, ctx: Context, request: PageRequest, page: Page) -> Answer:
        back = self._routes.nearest_page(page, request.path) if request.method == "POST" else _with_query(request)
        to = f"/confirm?to={quote(back)}"
        return Data({"error": "confirm", "to": to}, 403) if ctx.wants_json else Redirect(to)


def _sign_in_first(ctx: Context, request: PageRequest) -> Redirect:
    login = "/login/second" if ctx.session is not None else "/login"
    return Redirect(f"{login}?to={quote(_with_query(request) if request.method == 'GET' else '/')}")


def _with_query(request: PageRequest) -> str:
    return request.path + (f"?{request.query}" if request.query else "")


def _quoted(request: PageRequest) -> str:
    return quote(request.path) + (f"?{request.query}" if request.query else "")
