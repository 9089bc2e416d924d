"""The guides: Markdown files with examples in seven languages, and tables generated from the code.

A fence ``example METHOD /path`` contains the parameters of a request as JSON and becomes a tabbed example.
A fence ``table NAME`` becomes that table. ``{{secret}}``, ``{{publishable}}`` and ``{{base}}`` stand for the
reader's own test keys and this server's address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tollkey.dashboard.reference.languages import LANGUAGES
from tollkey.dashboard.reference.naming import Request, named
from tollkey.dashboard.reference.samples import Samples
from tollkey.dashboard.reference.search import Section
from tollkey.wire import Endpoint
from tollkey.wire.resource import Catalogue

GUIDES = (
    "quickstart",
    "keys",
    "restricted-keys",
    "rolling",
    "lost-key",
    "leaks",
    "importing",
    "secret-managers",
    "live",
    "testing",
    "client-side",
    "webhooks",
    "idempotency",
    "errors",
    "library",
    "config",
    "limits",
    "keys-service",
    "remote-verification",
    "production",
)

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
Tables = Mapping[str, Callable[[], Table]]


class KeyPair(NamedTuple):
    """The test keys shown in examples. own: they are the reader's, so the page must not be cached."""

    publishable: str
    secret: str
    own: bool

    def __repr__(self) -> str:
        return f"KeyPair(own={self.own})"


class Guide(NamedTuple):
    """A rendered guide. headings: (anchor, text) of its sections."""

    slug: str
    title: str
    lead: str
    html: str
    headings: list[tuple[str, str]]


@cache
def source(slug: str) -> str:
    """Return the Markdown of a guide. Raises KeyError for an unknown guide."""
    if slug not in GUIDES:
        raise KeyError(slug)
    return files("tollkey.dashboard").joinpath("guides", f"{slug}.md").read_text("utf-8")


def title_of(slug: str) -> str:
    """Return a guide's first heading."""
    return source(slug).partition("\n")[0].removeprefix("# ")


def lead_of(slug: str) -> str:
    """Return a guide's first paragraph as plain text."""
    return re.sub(r"[*`]|\[([^]]*)]\([^)]*\)", r"\1", source(slug).split("\n\n")[1]).replace("\n", " ")


def anchor(text: str) -> str:
    """Return the URL fragment of a heading."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def table_html(table: Table) -> str:
    """Return an HTML table of plain texts; identifiers are formatted as code."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in table[0])
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in table[1])
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str) -> str:
    return (
        f"<code>{escape(text)}</code>"
        if re.fullmatch(r"[a-z0-9]+(_[a-z0-9*]+)+|\d{12,}|TOLLKEY_\w+", text, re.IGNORECASE)
        else escape(text)
    )


def example_html(request: Request, keys: KeyPair, base: str, id: str) -> str:
    """Return a request in seven languages, one tab for each; without scripts all of them are shown.

    id: of the tab group, unique on the page.
    """
    tabs, panels = [], []
    for language in LANGUAGES:
        code = escape(language.write(request, keys.secret, base))
        tabs.append(f'<button type="button" role="tab" id="{id}-{language.id}-tab" data-language="{language.id}"'
                    f' aria-controls="{id}-{language.id}">{language.name}</button>')  # fmt: skip
        panels.append(f'<div class="tab-panel" id="{id}-{language.id}" data-language="{language.id}" role="tabpanel"'
                      f' aria-labelledby="{id}-{language.id}-tab"><p class="tab-name">{language.name}</p>'
                      f'<pre tabindex="0"><code>{code}</code></pre></div>')  # fmt: skip
    label = escape(f"{request.method} {request.path}")
    return (
        f'<div class="example" data-tabs><p class="example-title"><code>{label}</code></p>'
        f'<div role="tablist" aria-label="Language" hidden>{"".join(tabs)}</div>{"".join(panels)}</div>'
    )


def request_of(catalogue: Catalogue, info: str, body: str) -> Request:
    """Return the request of an ``example`` fence. Raises ValueError for an unknown endpoint."""
    method, path = info.split()
    endpoint, resource = next(
        ((e, r) for r in catalogue.resources for e in r.endpoints if e.method == method and _same(e, path)),
        (None, None),
    )
    if endpoint is None or resource is None:
        raise ValueError(f"no such endpoint: {info}")
    listed = frozenset(e.path for r in catalogue.resources for e in r.endpoints if e.method == "GET")
    filled = Samples(catalogue).path(resource, endpoint) if "{" in path else path
    return named(endpoint, filled, json.loads(body) if body.strip() else {}, listed)


def _same(endpoint: Endpoint, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", endpoint.path), path) is not None


def render(catalogue: Catalogue, tables: Tables, slug: str, keys: KeyPair, base: str) -> Guide:
    """Render a guide as HTML, with these keys in its examples. Raises KeyError for an unknown guide."""
    text = source(slug)
    for name, value in (("secret", keys.secret), ("publishable", keys.publishable), ("base", base)):
        text = text.replace("{{" + name + "}}", value)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    headings: list[tuple[str, str]] = []
    _name_headings(tokens, headings)
    count = 0

    def fence(self: object, tokens: Sequence[Token], place: int, options: object, env: object) -> str:
        nonlocal count
        kind, _, rest = tokens[place].info.partition(" ")
        if kind == "table":
            return table_html(tables[rest.strip()]())
        if kind == "example":
            count += 1
            return example_html(request_of(catalogue, rest, tokens[place].content), keys, base, f"example-{count}")
        return f'<pre tabindex="0"><code class="language-{escape(kind)}">{escape(tokens[place].content)}</code></pre>'

    markdown.add_render_rule("fence", fence)
    html = markdown.renderer.render(tokens[3:], markdown.options, {})
    return Guide(slug, title_of(slug), lead_of(slug), _scroll(html), headings)


def _scroll(html: str) -> str:
    """Make the tables of the Markdown scroll horizontally, since they may be wide."""
    return re.sub(
        r'(?<!tabindex="0">)<table>(.*?)</table>',
        r'<div class="scroll" tabindex="0"><table>\1</table></div>',
        html,
        flags=re.DOTALL,
    )


def _name_headings(tokens: list[Token], headings: list[tuple[str, str]]) -> None:
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            text = tokens[place + 1].content
            token.attrSet("id", anchor(text))
            headings.append((anchor(text), text))


def sections() -> list[Section]:
    """Return every section of every guide, for the search."""
    found = []
    for slug in GUIDES:
        page = title_of(slug)
        parts = re.split(r"^## (.+)$", source(slug).partition("\n")[2], flags=re.MULTILINE)
        found.append(Section(f"/docs/{slug}", page, "Guides", _plain(parts[0])))
        for title, text in zip(parts[1::2], parts[2::2], strict=True):
            found.append(Section(f"/docs/{slug}#{anchor(title)}", title, page, _plain(text)))
    return found


def _plain(markdown: str) -> str:
    text = re.sub(r"```.*?```", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[`*#|]|---+|\{\{\w+\}\}", " ", text).split())
