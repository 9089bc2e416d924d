"""Templates: one Jinja2 environment with autoescape, and the few words that templates use."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from markupsafe import Markup

FOLDER = Path(__file__).parent
_EDITION = re.compile(r"[0-9a-f]{12}")


def utc(seconds: int | None) -> str:
    """A time as people read it: 24 Nov 2026, 18:05 UTC."""
    if seconds is None:
        return "never"
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%-d %b %Y, %H:%M UTC")


def iso(seconds: int) -> str:
    """A time as machines read it (RFC 3339)."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_tag(seconds: int | None, missing: str = "never") -> Markup:
    """A ``<time>``; a script rewrites it in the reader's own time zone."""
    if seconds is None:
        return Markup('<span class="soft">{}</span>').format(missing)
    return Markup('<time datetime="{}">{}</time>').format(iso(seconds), utc(seconds))


def for_how_long(seconds: int) -> str:
    """A length of time in its two largest units: 2 d 3 h, 59 min."""
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(max(0, seconds), size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def pretty(text: str) -> str:
    """JSON laid out for reading; other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # no JSON, or nested too deep to be laid out
        return text


def sent(text: str) -> str:
    """A form body or query as people read it: one parameter a line."""
    pairs = parse_qsl(text, keep_blank_values=True)
    return (
        "\n".join(f"{name}: {value}" for name, value in pairs)
        if pairs and not text.lstrip().startswith("{")
        else pretty(text)
    )


def option(word: str) -> tuple[str, str]:
    """A word of the API and how a choice shows it."""
    return word, word.replace("_", " ").capitalize()


class View:
    """Renders templates. The folder is read once; templates are compiled at first use."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.static = {
            file.relative_to(folder / "static").as_posix(): file.read_bytes() for file in _files(folder / "static")
        }
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False, cache_size=400,
        )  # fmt: skip
        self.environment.filters.update(
            time=time_tag, utc=utc, iso=iso, for_how_long=for_how_long, pretty=pretty, sent=sent, option=option,
        )  # fmt: skip
        self.environment.globals.update(static=self.static_url)
        self._edition = hashlib.sha256(
            b"".join(name.encode() + etag(body).encode() for name, body in self.static.items())
        ).hexdigest()[:12]

    def static_url(self, name: str) -> str:
        """The address of a file in ``static/``, ``/static/<edition>/<name>``: another one whenever any of these files
        changes.

        The edition stands in the path, so that what a script imports as ``./other.js`` has the one address that
        templates give it too: a module under two addresses runs twice.
        """
        assert name in self.static, name
        return f"/static/{self._edition}/{name}"

    def static_file(self, path: str) -> tuple[bytes | None, bool]:
        """The file behind an address below ``/static/``, or None, and whether that address stands for this content for
        ever.

        An address of another edition, from a page that was loaded before the server was renewed, leads to what is there
        now.
        """
        edition, slash, name = path.partition("/")
        if slash and _EDITION.fullmatch(edition):
            return self.static.get(name), edition == self._edition
        return self.static.get(path), False

    def render(self, template: str, context: dict[str, Any]) -> bytes:
        """A whole page."""
        return self.environment.get_template(template).render(context).encode()


def etag(body: bytes) -> str:
    """A strong validator (RFC 9110 section 8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]
