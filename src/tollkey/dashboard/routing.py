"""Routing: taking URL paths apart (``/acct_…/test/path``) and finding the page that is declared for them."""

from __future__ import annotations

import importlib
import pkgutil
from typing import NamedTuple

import tollkey.dashboard.pages
from tollkey.dashboard import roles
from tollkey.dashboard.page import Page

SECTIONS = ("", "Payments", "Developers", "Account", "Help")


def gather_pages(product: str = "payments") -> tuple[Page, ...]:
    """Every page that a module of ``dashboard/pages/``, or of its folder for a product, declares.

    product: the name of the folder.
    Raises ValueError when two pages have the same method and path, or a page names an unknown action.
    """
    found: dict[tuple[str, str], Page] = {}
    package = tollkey.dashboard.pages
    own = importlib.import_module(f"{package.__name__}.{product}")
    modules = [
        module
        for folder in (package, own)
        for module in pkgutil.iter_modules(folder.__path__, folder.__name__ + ".")
        if not module.ispkg
    ]
    for module in sorted(modules, key=lambda m: m.name):
        for page in getattr(importlib.import_module(module.name), "PAGES", ()):
            if page.scope in ("mode", "account") and page.action not in roles.ACTIONS:
                raise ValueError(f"{page.method} {page.path} names an unknown action: {page.action!r}")
            if found.setdefault((page.method, page.path), page) is not page:
                raise ValueError(f"two pages are declared for {page.method} {page.path}")
    return tuple(found.values())


class PagePath(NamedTuple):
    """A URL path taken apart: account ("" when it names none), mode, and the rest."""

    account: str
    livemode: bool
    path: str


def parse_path(path: str) -> PagePath:
    """Take a URL path apart: ``/acct_1/test/apikeys`` into account, mode and ``/apikeys``."""
    account = ""
    if path.startswith("/acct_"):
        account, _, rest = path[1:].partition("/")
        path = "/" + rest
    live = not (path == "/test" or path.startswith("/test/"))
    return PagePath(account, live, path if live else path[5:] or "/")


class PageRequest(NamedTuple):
    """An HTTP request.

    ip: of the client. secure: whether it came over TLS. arrived: local address of the connection.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    ip: str | None
    secure: bool
    form: str
    arrived: str = ""


class PageResponse(NamedTuple):
    """An HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Routes:
    """The declared pages by method and path. sidebar: the pages with a sidebar entry, in order."""

    def __init__(self, pages: tuple[Page, ...]) -> None:
        self.pages = pages
        self._literal: dict[tuple[str, str], Page] = {
            (page.method, page.path): page for page in pages if "{" not in page.path
        }
        self._patterns = [(page.method, page.path.split("/"), page) for page in pages if "{" in page.path]
        self.sidebar = [page for *_, page in sorted(
            (SECTIONS.index(page.nav.section), page.nav.order, page.nav.label, number, page)
            for number, page in enumerate(pages) if page.nav is not None
        )]  # fmt: skip

    def find(self, method: str, path: str) -> tuple[Page | None, dict[str, str]]:
        """The page for a method and path, and the values of the names in its path; (None, {}) when there is none."""
        page = self._literal.get((method, path))
        if page is not None:
            return page, {}
        parts = path.split("/")
        for declared, pattern, found in self._patterns:
            if declared != method or len(parts) != len(pattern):
                continue
            pairs = list(zip(pattern, parts, strict=True))
            if all(part if name.startswith("{") else name == part for name, part in pairs):
                return found, {name[1:-1]: part for name, part in pairs if name.startswith("{")}
        return None, {}

    def nearest_page(self, page: Page, path: str) -> str:
        """The closest GET page at or above the path of a form, to return to it. path: the form's URL path."""
        declared, pages = page.path, {one.path for one in self.pages if one.method == "GET"}
        while declared and declared not in pages:
            declared, path = declared.rpartition("/")[0], path.rpartition("/")[0]
        return path if declared else "/"
