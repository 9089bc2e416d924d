"""Page declarations, the answers of handlers, and the context that handlers get. ``app.py`` shows how to use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode

from tollkey.dashboard import roles
from tollkey.dashboard.address import UNKNOWN
from tollkey.dashboard.people import Membership, Person
from tollkey.dashboard.product import Product
from tollkey.dashboard.sessions import Session
from tollkey.db import Ids, Scope, Tx
from tollkey.db.edge import Edge
from tollkey.keys.actors import Actor
from tollkey.keys.authority import Authority
from tollkey.wire import Call
from tollkey.wire.call import Setup

if TYPE_CHECKING:
    from tollkey.dashboard.passwords import Passwords

T = TypeVar("T")


# -- declarations


class Nav(NamedTuple):
    """A page's entry in the sidebar.

    section, label: where and under which name it is listed. order: position within the section, lowest first.
    also: another path whose pages highlight this entry, "" for none.
    """

    section: Literal["", "Payments", "Developers", "Account", "Help"]
    label: str
    order: int = 50
    also: str = ""


class Confirmation(NamedTuple):
    """What a person confirms before an action that cannot be undone.

    label: title of the dialog and text of its button. text: what the action does.
    """

    label: str
    text: str


class RecentSignIn(NamedTuple):
    """Whether a page requires a recent sign-in (``sessions.CONFIRMED_SECONDS``).

    required: whether it does. reason: why or why not, for readers of the code.
    """

    required: bool
    reason: str

    def __bool__(self) -> bool:
        return self.required


def required(reason: str) -> RecentSignIn:
    """Require a recent sign-in, so that a session that was left open is not enough. reason: why."""
    return RecentSignIn(True, reason)


def not_required(reason: str) -> RecentSignIn:
    """Accept any valid session. reason: why that is safe."""
    return RecentSignIn(False, reason)


_READ_ONLY = not_required("it only shows what the role may see")


@dataclass(frozen=True)
class Page:
    """One method on one path. Raises ValueError for a POST without ``recent_sign_in``.

    path: may contain names in braces, ``/apikeys/{key}/roll``; their values are in the params.
    handler: ``(ctx, params) -> answer``. A plain function runs in a transaction, ``ctx.tx`` (for POST a writing one);
        an ``async`` function has no transaction and uses ``ctx.read`` and ``ctx.write``.
    action: what the role must be allowed to do (``roles.ACTIONS``). Required for the scopes ``mode`` and ``account``.
    scope: ``mode``: pages of an account and a mode, ``/acct_…/test/…`` or ``/acct_…/…``. ``account``: pages of an
        account in either mode. ``person``: any signed-in person. ``open``: everybody.
    recent_sign_in: ``required("why")`` or ``not_required("why not")``. Every POST declares one.
    confirmation: ``(ctx, params) -> Confirmation | None``, for actions that cannot be undone. Runs in a read
        transaction; the handler runs once the form contains ``sure=1``.
    redisplay: for POST: the GET handler that shows the form again, with errors beside the fields.
    nav: the entry in the sidebar, if any. writes: whether a GET needs a writing transaction.
    """

    path: str
    handler: Callable[[Any, Any], Any]
    method: Literal["GET", "POST"] = "GET"
    action: str = ""
    scope: Literal["mode", "account", "person", "open"] = "mode"
    recent_sign_in: RecentSignIn = _READ_ONLY
    confirmation: Callable[[Any, Any], Confirmation | None] | None = None
    redisplay: Callable[[Any, Any], Any] | None = None
    nav: Nav | None = None
    writes: bool = False

    def __post_init__(self) -> None:
        if self.method == "POST" and self.recent_sign_in is _READ_ONLY:
            raise ValueError(f"POST {self.path} does not declare whether it requires a recent sign-in")


# -- answers


@dataclass(frozen=True)
class Render:
    """An HTML page.

    template: its name below ``templates/``. context: variables of the template, besides ``ctx``. status: HTTP status.
    """

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Redirect:
    """A 303 redirect to another page of the Dashboard. Never put a secret into ``to`` or ``notice``.

    to: a path of this server. notice: a sentence that the next page shows once.
    session: the token of a new session for the cookie, "" to delete the cookie, None to leave it.
    """

    to: str
    notice: str = ""
    session: str | None = None


@dataclass(frozen=True)
class Data:
    """JSON for the Dashboard's scripts. session: the token of a new session for the cookie, None to leave it."""

    value: Any
    status: int = 200
    session: str | None = None


@dataclass(frozen=True)
class File:
    """A download. name: the suggested file name."""

    name: str
    content_type: str
    body: bytes


Answer = Render | Redirect | Data | File


# -- exceptions that handlers raise


class NotFound(Exception):
    """404: the page or object does not exist in this account and mode."""


class PermissionDenied(Exception):
    """403: the role does not allow the action. Raised by ``access.py``, so handlers need not check."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class FormErrors(Exception):
    """422: show the form again with error messages. The transaction is rolled back.

    errors: messages by field name; "" is for the whole form. by_field: the same as keywords.
    """

    def __init__(self, errors: dict[str, str] | None = None, **by_field: str) -> None:
        super().__init__("the form has errors")
        self.errors = {**(errors or {}), **by_field}


# -- arguments of handlers


class Params:
    """The parameters of a request: names of the path, and the fields of the form (POST) or query (GET)."""

    def __init__(self, path: dict[str, str] | None = None, sent: list[tuple[str, str]] | None = None) -> None:
        self.path, self.sent = path or {}, sent or []

    @classmethod
    def of_text(cls, path: dict[str, str], text: str) -> Params:
        """Parse a query or a form body.

        NUL characters are replaced, because PostgreSQL cannot store them in text.
        path: values of the names in the path. Raises FormErrors for more than 4,000 fields.
        """
        try:
            sent = parse_qsl(text, keep_blank_values=True, max_num_fields=4_000)
        except ValueError:
            raise FormErrors({"": "The form has too many fields."}) from None
        if "%00" in text or "\0" in text:
            sent = [(name.replace("\0", "\ufffd"), value.replace("\0", "\ufffd")) for name, value in sent]
        return cls(path, sent)

    def __getitem__(self, name: str) -> str:
        """The value of a name in the path."""
        return self.path[name]

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, stripped of whitespace; ``default`` when the field is missing."""
        return next((value.strip() for key, value in self.sent if key == name), default)

    def raw(self, name: str) -> str:
        """The first value of a field exactly as typed, for passwords; "" when the field is missing."""
        return next((value for key, value in self.sent if key == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self.sent if key == name]

    def number(self, name: str, default: int, least: int = 0, most: int = 2**53) -> int:
        """A field as an integer, clamped to ``least`` and ``most``; ``default`` when it is missing or no integer."""
        text = self.get(name)
        return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 17 else default

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.sent)


@dataclass
class Context:
    """One request, as handlers and templates see it.

    product: what the Dashboard is for. now: UTC epoch seconds. csrf: the form token.
    person, session: None when nobody is signed in.
    accounts: the memberships of the person. member: the membership in the account of the URL, None without one.
    livemode: the mode of the URL. mode_note: see ``Product.mode_note``.
    base_url: the server's URL, for examples. base_known: whether links may use it, see
        ``public_url``. secure: whether the request came over TLS. wants_json: whether a script sent it.
    errors, values: error messages and typed values of a form that is shown again.
    visitor: the token of the session cookie or, when signed out, of the visitor cookie.
    ask_again: asks in a transaction whether the person still may (``access.py``); None when nobody is signed in.
    """

    product: Product
    edge: Edge
    authority: Authority
    passwords: Passwords
    now: int
    method: str
    path: str
    query: str
    ip: str | None
    agent: str
    csrf: str
    base_url: str
    base_known: bool = True
    secure: bool = False
    wants_json: bool = False
    page: Page | None = None
    person: Person | None = None
    session: Session | None = None
    accounts: list[Membership] = field(default_factory=list)
    member: Membership | None = None
    livemode: bool = False
    mode_note: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    values: Params | None = None
    visitor: str = field(default="", repr=False)
    ask_again: Callable[[Tx], None] | None = field(default=None, repr=False)
    _tx: Tx | None = field(default=None, repr=False)

    @property
    def tx(self) -> Tx:
        """The transaction of a plain handler."""
        assert self._tx is not None, "an async handler has no transaction: use ctx.read or ctx.write"
        return self._tx

    @property
    def setup(self) -> Setup:
        """The resources of the payments API, for its own pages."""
        assert self.product.setup is not None, "this Dashboard has no payments API"
        return self.product.setup

    @property
    def for_payments(self) -> bool:
        """Whether this is the Dashboard of the payments API."""
        return self.product.setup is not None

    @property
    def ids(self) -> Ids:
        """Makes ids and tokens."""
        return self.product.ids

    @property
    def account(self) -> str:
        """The account of the URL."""
        assert self.member is not None
        return self.member.account

    @property
    def team(self) -> str:
        """The team that works on the account of the URL."""
        return self.product.team_of(self.account)

    @property
    def scope(self) -> Scope:
        """The account and mode of the URL."""
        return Scope(self.account, self.livemode)

    @property
    def me(self) -> Person:
        """The person who is signed in."""
        assert self.person is not None
        return self.person

    @property
    def actor(self) -> Actor:
        """The signed-in person as the actor of audit log entries."""
        return Actor("user", self.me.id, self.ip)

    def call_handler(self, tx: Tx, handler: Callable[[Any, Any], T], params: Params) -> T:
        """Call a plain handler with ``tx`` as its transaction, and return its result, if the person still may."""
        self._ask(tx)
        self._tx = tx
        try:
            return handler(self, params)
        finally:
            self._tx = None

    def _ask(self, tx: Tx) -> None:
        if self.ask_again is not None:
            self.ask_again(tx)

    def _asking(self, callback: Callable[[Tx], T]) -> Callable[[Tx], T]:
        def asked(tx: Tx) -> T:
            self._ask(tx)
            return callback(tx)

        return asked

    def public_url(self) -> str:
        """The server's URL for links that are sent to others and for passkeys.

        Raises FormErrors when it is not known.
        """
        if not self.base_known:
            raise FormErrors({"": UNKNOWN})
        return self.base_url

    def may(self, action: str) -> bool:
        """Whether the person's role allows an action (``roles.ACTIONS``) in this account and mode."""
        return self.member is not None and roles.allows(self.member.role, action, self.livemode)

    def url(self, path: str, /, livemode: bool | None = None, account: str | None = None, **query: Any) -> str:
        """The URL path of a page.

        path: without account and mode. livemode, account: instead of those of this request.
        query: query parameters; those that are None are left out.
        """
        given = [(name, str(value)) for name, value in query.items() if value is not None]
        tail = f"?{urlencode(given)}" if given else ""
        account = account or (self.member.account if self.member is not None else "")
        live = self.livemode if livemode is None else livemode
        named = f"/{self.product.segment(account)}" if account else ""
        return f"{named}{'' if live else '/test'}{path}{tail}"

    def call(self) -> Call:
        """A call of the API in this account, mode and transaction, without a key."""
        return Call(self.setup, self.tx, self.scope, self.now)

    async def read(self, callback: Callable[[Tx], T]) -> T:
        """Run a callback in a read transaction and return its result. For async handlers."""
        return await self.edge.read(self._asking(callback))

    async def write(self, callback: Callable[[Tx], T], lock: str | None = None) -> T:
        """Run a callback in a writing transaction and return its result. For async handlers.

        lock: the name of an advisory lock; callbacks with the same name run one after the other.
        """
        return await self.edge.write(self._asking(callback), lock=lock)


Handler = Callable[[Context, Params], Answer] | Callable[[Context, Params], Awaitable[Answer]]
