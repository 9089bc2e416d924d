"""Extends MkDocs: the pages at the root of the repository, the navigation, and the notation of the guides.

The same Markdown is read in the repository, in the Dashboard and on the site. So links are rewritten here, from the
path of a file in the repository to the path of its page; a link to a file that is not on the site becomes plain text.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.dashboard.reference.guides import GUIDES, KeyPair, request_of
from tollkey.dashboard.reference.languages import LANGUAGES
from tollkey.dashboard.reference.tables import tables_for
from tollkey.wire.resource import Catalogue

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "BENCHMARKS.md", "CHANGELOG.md")
BASE = "http://127.0.0.1:8420"
SAMPLE = KeyPair("pk" + "_test_…", "sk" + "_test_…", own=False)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"```(table|example) ([^\n]+)\n(.*?)```", re.S)


@cache
def catalogue() -> Catalogue:
    """All resources of this version."""
    return Catalogue(gather(tollkey.platform, tollkey.payments))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The navigation: guides in the Dashboard's order, everything else by the files that are there."""

    def pages(pattern: str) -> list[str]:
        return sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").glob(pattern))

    config.nav = [
        {"Home": "index.md"},
        {"Guides": [f"guides/{name}.md" for name in GUIDES]},
        {"Frameworks": pages("guides/frameworks/*.md")},
        {"Proxies": pages("guides/proxies/*.md")},
        {"Reference": pages("*.md")},
        {"Python": pages("python/*.md")},
        {"Decisions": pages("decisions/*.md")},
        {"Project": [*PROJECT]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add README.md as the first page, and the others at the root."""
    for name in ("README.md", *PROJECT):
        files.append(File.generated(config, site_name(name), content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite a page's links, and in guides their tables, examples and placeholders."""
    uri = page.file.src_uri
    if uri.startswith("guides/"):
        markdown = _FENCE.sub(
            lambda found: _table(found[2]) if found[1] == "table" else _example(*found.groups()), markdown
        )
        for name, value in (("base", BASE), ("secret", SAMPLE.secret), ("publishable", SAMPLE.publishable)):
            markdown = markdown.replace("{{" + name + "}}", value)
    return _LINK.sub(lambda found: _link(uri, found[1], found[2], found[3], files), markdown)


def site_name(path: str) -> str:
    """Where a Markdown file of the repository lies on the site."""
    return "index.md" if path == "README.md" else path.removeprefix("docs/")


def _link(uri: str, image: str, text: str, target: str, files: Files) -> str:
    if re.match(r"[a-z]+:|#", target):
        return f"{image}[{text}]({target})"
    path, mark, anchor = target.partition("#")
    own = "README.md" if uri == "index.md" else uri if uri in PROJECT else f"docs/{uri}"
    if path.startswith("/docs/"):  # the Dashboard's address of a guide
        found = f"guides/{path.removeprefix('/docs/')}.md"
    else:
        found = site_name(posixpath.normpath(posixpath.join(posixpath.dirname(own), path)))
    if files.get_file_from_path(found) is None:
        return text
    return f"{image}[{text}]({posixpath.relpath(found, posixpath.dirname(uri) or '.')}{mark}{anchor})"


def _table(name: str) -> str:
    titles, rows = tables_for(catalogue())[name.strip()]()
    lines = [[*titles], ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _example(_: str, endpoint: str, body: str) -> str:
    request = request_of(catalogue(), endpoint, body)
    tabs = []
    for language in LANGUAGES:
        code = language.write(request, SAMPLE.secret, BASE).strip().replace("\n", "\n    ")
        lexer = "shell" if language.id == "curl" else language.id
        tabs.append(f'=== "{language.name}"\n\n    ```{lexer}\n    {code}\n    ```\n')
    return f"`{request.method} {request.path}`\n\n" + "\n".join(tabs)
