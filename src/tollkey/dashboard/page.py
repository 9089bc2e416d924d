"""What a page is, what its handler gets and what it may answer. ``app.py`` explains how they go together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode

from tollkey.dashboard import roles
from tollkey.dashboard.address import UNKNOWN
from tollkey.dashboard.people import Member, Person
from tollkey.dashboard.sessions import Session
from tollkey.db import Edge, Scope, Tx
from tollkey.keys import Actor, Authority
from tollkey.wire import Call, Setup

if TYPE_CHECKING:
    from tollkey.dashboard.passwords import Passwords

T = TypeVar("T")


# -- declarations


class Nav(NamedTuple):
    """A page's entry in the sidebar. order: within its section, lowest first.

    also: pages below this path belong to it too.
    """

    section: Literal["", "Payments", "Developers", "Account", "Help"]
    label: str
    order: int = 50
    also: str = ""


class Question(NamedTuple):
    """What a person is asked before something that cannot be taken back. label: of the button that does it.

    text: what it does.
    """

    label: str
    text: str


class Proof(NamedTuple):
    """Whether a page asks for a recent proof of who one is (``sessions.CONFIRMED_SECONDS``), and why, in words for who
    reads the code.
    """

    needed: bool
    why: str

    def __bool__(self) -> bool:
        return self.needed


def recent(why: str) -> Proof:
    """Only shortly after the person has signed in, or proved again who they are: whoever finds a session left open
    cannot do it.
    """
    return Proof(True, why)


def any_time(why: str) -> Proof:
    """Whenever somebody is signed in."""
    return Proof(False, why)


_LOOKING = any_time("it only shows what the role may see")


@dataclass(frozen=True)
class Page:
    """One method on one path. Raises ValueError for a POST that does not say whether it asks for a recent proof.

    path: with names in braces, ``/apikeys/{key}/roll``; they arrive in the params.
    handler: ``(ctx, params) -> answer``. A plain function runs in a transaction, ``ctx.tx`` (writing for POST);
        an ``async`` one has no transaction and uses ``ctx.read`` and ``ctx.write``.
    action: what a role must be allowed to do (``roles.ACTIONS``). Needed where scope is ``mode`` or ``account``.
    scope: ``mode``: in an account and a mode, ``/acct_…/test/…`` or ``/acct_…/…``. ``account``: in an account; the mode
        does not matter.
        ``person``: whoever is signed in. ``open``: everybody.
    recent: whether it asks for a recent proof of who one is, and why: ``recent("…")`` or ``any_time("…")``. Every POST
        has to say.
    ask: what the person is asked first, when it cannot be taken back; None from it when there is nothing to ask. Called
        in a reading
        transaction; the handler runs once the form says ``sure``.
    again: for POST: the GET handler that shows the form again, with the errors beside the fields.
    nav: the entry in the sidebar, if it has one. writes: a GET that has to write.
    """

    path: str
    handler: Callable[[Any, Any], Any]
    method: Literal["GET", "POST"] = "GET"
    action: str = ""
    scope: Literal["mode", "account", "person", "open"] = "mode"
    recent: Proof = _LOOKING
    ask: Callable[[Any, Any], Question | None] | None = None
    again: Callable[[Any, Any], Any] | None = None
    nav: Nav | None = None
    writes: bool = False

    def __post_init__(self) -> None:
        if self.method == "POST" and self.recent is _LOOKING:
            raise ValueError(f"POST {self.path} does not say whether it asks for a recent proof of who one is")


# -- answers


@dataclass(frozen=True)
class Render:
    """An HTML page from ``templates/``. tokens: new cookies, by name."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Redirect:
    """303 to another page of the Dashboard. notice: a sentence shown there once. Never put a secret in either.

    session: a new session's token for the cookie; "" ends the one there is.
    """

    to: str
    notice: str = ""
    session: str | None = None


@dataclass(frozen=True)
class Data:
    """JSON for a script of ours. session: a new session's token for the cookie."""

    value: Any
    status: int = 200
    session: str | None = None


@dataclass(frozen=True)
class File:
    """Something to download."""

    name: str
    content_type: str
    body: bytes


Answer = Render | Redirect | Data | File


# -- refusals, raised by handlers


class NotHere(Exception):
    """404: there is no such thing in this account and mode."""


class NotAllowed(Exception):
    """403: the role does not allow the action. ``app.py`` raises it; handlers need not."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class FormErrors(Exception):
    """422: the form is shown again with these messages, by field; "" is for the whole form.

    What was written is undone.
    """

    def __init__(self, errors: dict[str, str] | None = None, **by_field: str) -> None:
        super().__init__("the form has errors")
        self.errors = {**(errors or {}), **by_field}


# -- what a handler gets


class Params:
    """What was sent: names of the path, then the form (POST) or the query (GET)."""

    def __init__(self, path: dict[str, str] | None = None, sent: list[tuple[str, str]] | None = None) -> None:
        self.path, self.sent = path or {}, sent or []

    @classmethod
    def of_text(cls, path: dict[str, str], text: str) -> Params:
        """From a query or a form body. Raises FormErrors for more than 4,000 fields.

        NUL is replaced: it is the one character that PostgreSQL's text cannot hold, and nobody types it.
        """
        try:
            sent = parse_qsl(text, keep_blank_values=True, max_num_fields=4_000)
        except ValueError:
            raise FormErrors({"": "The form has too many fields."}) from None
        if "%00" in text or "\0" in text:
            sent = [(name.replace("\0", "\ufffd"), value.replace("\0", "\ufffd")) for name, value in sent]
        return cls(path, sent)

    def __getitem__(self, name: str) -> str:
        """A name of the path."""
        return self.path[name]

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, without spaces around it."""
        return next((value.strip() for key, value in self.sent if key == name), default)

    def raw(self, name: str) -> str:
        """The first value of a field as it was typed: for passwords."""
        return next((value for key, value in self.sent if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.sent if key == name]

    def number(self, name: str, default: int, least: int = 0, most: int = 2**53) -> int:
        """A whole number within bounds; the default when there is none."""
        text = self.get(name)
        return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 17 else default

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.sent)


@dataclass
class Visit:
    """One request, as handlers and templates see it.

    now: UTC epoch seconds. person, session: None when nobody is signed in. accounts: where the person is a member.
    member: the place in the account of the URL, on pages with one. livemode: of the URL.
    base_url: the server's address, for examples. base_known: whether it may stand in links: see ``public_url``.
    tx: the transaction of a plain handler. errors, values: of a form that is shown again.
    """

    setup: Setup
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
    accounts: list[Member] = field(default_factory=list)
    member: Member | None = None
    livemode: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    values: Params | None = None
    visitor: str = field(default="", repr=False)
    _tx: Tx | None = field(default=None, repr=False)

    @property
    def tx(self) -> Tx:
        """The transaction of a plain handler."""
        assert self._tx is not None, "an async handler has no transaction: use ctx.read or ctx.write"
        return self._tx

    @property
    def account(self) -> str:
        """The account of the URL, ``acct_…``."""
        assert self.member is not None
        return self.member.account

    @property
    def scope(self) -> Scope:
        """The account and mode of the URL."""
        return Scope(self.account, self.livemode)

    @property
    def me(self) -> Person:
        """Who is signed in."""
        assert self.person is not None
        return self.person

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit logs."""
        return Actor("user", self.me.id, self.ip)

    def within(self, tx: Tx, work: Callable[[Any, Any], T], params: Params) -> T:
        """What a plain handler gives in that transaction."""
        self._tx = tx
        try:
            return work(self, params)
        finally:
            self._tx = None

    def public_url(self) -> str:
        """The server's address for what outlives this page: links for others, passkeys.

        Raises FormErrors when it is not known.
        """
        if not self.base_known:
            raise FormErrors({"": UNKNOWN})
        return self.base_url

    def may(self, action: str) -> bool:
        """Whether the person's role allows that here, for templates that show or leave out a button."""
        return self.member is not None and roles.allows(self.member.role, action, self.livemode)

    def url(self, path: str, /, livemode: bool | None = None, account: str | None = None, **query: Any) -> str:
        """The address of a page of this account and mode. account, livemode: of another one.

        query: parameters that are not None.
        """
        given = [(name, str(value)) for name, value in query.items() if value is not None]
        tail = f"?{urlencode(given)}" if given else ""
        account = account or (self.member.account if self.member is not None else "")
        live = self.livemode if livemode is None else livemode
        return f"{f'/{account}' if account else ''}{'' if live else '/test'}{path}{tail}"

    def call(self) -> Call:
        """A call of the payments API in this account, mode and transaction, without a key."""
        return Call(self.setup, self.tx, self.scope, self.now)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run on a consistent view; for async handlers."""
        return await self.edge.read(work)

    async def write(self, work: Callable[[Tx], T], lock: str | None = None) -> T:
        """Run in a transaction; for async handlers. lock: works with the same text take turns."""
        return await self.edge.write(work, lock=lock)


Handler = Callable[[Visit, Params], Answer] | Callable[[Visit, Params], Awaitable[Answer]]
