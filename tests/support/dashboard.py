"""The Dashboard in process: browsers without a screen, which keep cookies and fill in forms."""

from __future__ import annotations

import html
import re
from collections.abc import Coroutine
from http.cookies import SimpleCookie
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from tests.support.api import Api, World
from tollkey.dashboard import ForPayments, guard, people
from tollkey.dashboard.address import Address
from tollkey.dashboard.app import App
from tollkey.dashboard.passwords import Passwords
from tollkey.dashboard.people import Person
from tollkey.dashboard.routing import PageRequest
from tollkey.keys.keyring import Keyring

T = TypeVar("T")
PASSWORD = "correct horse battery staple 9"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Shown:
    """An answer. text: its body."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.body = status, body
        self.all_headers = headers
        self.headers = {name.lower(): value for name, value in headers}
        self.text = html.unescape(body.decode("utf-8", "replace"))

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


class AnySite(Protocol):
    """What a browser needs of a Dashboard."""

    app: Any

    @property
    def keyring(self) -> Keyring: ...

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...


class Browser:
    """One person's browser. secure: over TLS."""

    def __init__(self, site: AnySite, secure: bool = False) -> None:
        self.site, self.secure = site, secure
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def asked(
        self,
        method: str,
        path: str,
        form: list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        ip: str = "192.0.2.1",
    ) -> PageRequest:
        """A request as this browser would send it."""
        parts = urlsplit(path)
        sent = {
            "host": "dashboard.test",
            "cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
            **(headers or {}),
        }
        return PageRequest(method, parts.path, parts.query, sent, ip, self.secure, urlencode(form or []))

    def send(
        self,
        method: str,
        path: str,
        form: list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        ip: str = "192.0.2.1",
    ) -> Shown:
        asked = self.asked(method, path, form, headers, ip)
        answer = self.site.run(self.site.app.respond(asked))
        shown = Shown(answer.status, answer.headers, answer.body)
        for name, value in answer.headers:
            if name == "Set-Cookie":
                for key, morsel in SimpleCookie(value).items():
                    if morsel["max-age"] == "0":
                        self.cookies.pop(key, None)
                    else:
                        self.cookies[key] = morsel.value
        token = _CSRF.search(answer.body.decode("utf-8", "replace"))
        self.csrf = token[1] if token else self.csrf
        return shown

    def get(self, path: str, **headers: str) -> Shown:
        """GET; header names with _ for -."""
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(
        self, path: str, fields: dict[str, Any] | None = None, *, csrf: str | None = None, **headers: str
    ) -> Shown:
        """POST a form with its token. fields: lists become repeated fields. csrf: another token, or "" for none."""
        form = [("csrf", self.csrf if csrf is None else csrf)]
        for name, value in (fields or {}).items():
            form += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
        return self.send("POST", path, form, {name.replace("_", "-"): value for name, value in headers.items()})

    def sure(self, path: str, fields: dict[str, Any] | None = None) -> Shown:
        """POST what asks first, and say yes."""
        asked = self.post(path, fields)
        assert asked.status == 200, asked.text
        assert 'name="sure"' in asked.text, asked.text
        return self.post(path, {**(fields or {}), "sure": "1"})

    def sign_in(self, email: str, password: str = PASSWORD) -> Browser:
        self.get("/login")
        shown = self.post("/login", {"email": email, "password": password})
        assert shown.status == 303, shown.text
        token = self.cookies[guard.cookie_name("session", self.secure)]
        self.csrf = guard.csrf_token(self.site.keyring, token)
        return self


class Site:
    """A Dashboard over one merchant of a world."""

    def __init__(self, api: Api) -> None:
        self.api, self.world, self.core = api, api.world, api.core
        self.app = app_of(api.world)
        self._count = 0

    @property
    def account(self) -> str:
        return self.api.account

    @property
    def now(self) -> int:
        return self.api.now

    @property
    def keyring(self) -> Keyring:
        return self.core.authority.keyring

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.world.runner.run(work)

    def person(self, role: str | None, account: str | None = None, name: str = "Ada Example") -> Person:
        """A new person, member of the merchant in that role (None: of nothing)."""
        email = f"{self.core.setup.ids.text(8).lower()}@example.com"
        if self.app.passwords_for_tests == "":
            self.app.passwords_for_tests = self.world.runner.run(self.app.passwords.hash(PASSWORD))
        hash = self.app.passwords_for_tests

        def work(tx: Any) -> Person:
            made = people.add_person(tx, self.core.setup.ids, email=email, name=name, password=hash, now=self.now)
            if role is not None:
                people.join(tx, account or self.account, made.id, role, self.now)
            return made

        return self.core.database.write(work)

    def browser(self, role: str | None = None, *, secure: bool = False, **about: Any) -> Browser:
        """A browser; with a role, signed in as a new person of that role."""
        browser = Browser(self, secure)
        return browser if role is None else browser.sign_in(self.person(role, **about).email)


def url(site: Site, path: str) -> str:
    """A page of the merchant's test mode."""
    return f"/{site.account}/test{path}"


class TestedApp(App):
    """An App that remembers one password's hash."""

    passwords_for_tests = ""


_APPS: dict[int, TestedApp] = {}


def app_of(world: World) -> TestedApp:
    """One App a world: building it compiles templates."""
    if id(world) not in _APPS:
        core = world.core
        address = Address("http://dashboard.test", "127.0.0.1", core.setup.base_url)
        _APPS[id(world)] = TestedApp(
            ForPayments(core.setup), world.server.edge, core.authority, core.now, Passwords(1, 8), address=address
        )
    return _APPS[id(world)]
