"""From a URL to a page: /acct_…/test/path taken apart, and the pages that the folder holds."""

from __future__ import annotations

import importlib
import pkgutil
from typing import NamedTuple

import tollkey.dashboard.pages
from tollkey.dashboard import roles
from tollkey.dashboard.page import Page

SECTIONS = ("", "Payments", "Developers", "Account", "Help")


def gather_pages() -> tuple[Page, ...]:
    """Every page that the modules of ``dashboard/pages/`` declare. Raises ValueError for two pages at one place."""
    found: dict[tuple[str, str], Page] = {}
    package = tollkey.dashboard.pages
    for module in sorted(pkgutil.walk_packages(package.__path__, package.__name__ + "."), key=lambda m: m.name):
        for page in getattr(importlib.import_module(module.name), "PAGES", ()):
            if page.scope in ("mode", "account") and page.action not in roles.ACTIONS:
                raise ValueError(f"{page.method} {page.path} names no action of the matrix: {page.action!r}")
            if found.setdefault((page.method, page.path), page) is not page:
                raise ValueError(f"two pages answer {page.method} {page.path}")
    return tuple(found.values())


class Place(NamedTuple):
    """Where a URL leads, taken apart: /acct_…/test/path."""

    account: str
    livemode: bool
    path: str


def place_of(path: str) -> Place:
    """The account, the mode and the rest of a path."""
    account = ""
    if path.startswith("/acct_"):
        account, _, rest = path[1:].partition("/")
        path = "/" + rest
    live = not (path == "/test" or path.startswith("/test/"))
    return Place(account, live, path if live else path[5:] or "/")


class Asked(NamedTuple):
    """An HTTP request. arrived: the local address of the connection."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    ip: str | None
    secure: bool
    form: str
    arrived: str = ""


class Sent(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Routes:
    """Which page answers what. sidebar: the pages with an entry there, in order."""

    def __init__(self, pages: tuple[Page, ...]) -> None:
        self.pages = pages
        self._literal: dict[tuple[str, str], Page] = {
            (page.method, page.path): page for page in pages if "{" not in page.path
        }
        self._named = [(page.method, page.path.split("/"), page) for page in pages if "{" in page.path]
        self.sidebar = [page for *_, page in sorted(
            (SECTIONS.index(page.nav.section), page.nav.order, page.nav.label, number, page)
            for number, page in enumerate(pages) if page.nav is not None
        )]  # fmt: skip

    def find(self, method: str, path: str) -> tuple[Page | None, dict[str, str]]:
        """The page and the values of the names in its path."""
        page = self._literal.get((method, path))
        if page is not None:
            return page, {}
        parts = path.split("/")
        for declared, pattern, named in self._named:
            if declared != method or len(parts) != len(pattern):
                continue
            pairs = list(zip(pattern, parts, strict=True))
            if all(part if name.startswith("{") else name == part for name, part in pairs):
                return named, {name[1:-1]: part for name, part in pairs if name.startswith("{")}
        return None, {}
