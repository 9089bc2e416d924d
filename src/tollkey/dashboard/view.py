"""Templates: a Jinja2 environment with autoescape, its filters, and static files."""

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
    """Format a time for people: 24 Nov 2026, 18:05 UTC. seconds: UTC epoch; None gives "never"."""
    if seconds is None:
        return "never"
    moment = _moment(seconds)
    return str(seconds) if moment is None else moment.strftime("%-d %b %Y, %H:%M UTC")


def iso(seconds: int) -> str:
    """Format a time as RFC 3339. seconds: UTC epoch. A number outside the years 1 to 9999 is returned as text."""
    moment = _moment(seconds)
    return str(seconds) if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: int) -> datetime.datetime | None:
    """The time, or None outside the years 1 to 9999, such as that of a field in milliseconds."""
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def time_tag(seconds: int | None, missing: str = "never") -> Markup:
    """A ``<time>`` element, which a script converts to the reader's time zone.

    seconds: UTC epoch. missing: the text for None.
    """
    if seconds is None:
        return Markup('<span class="soft">{}</span>').format(missing)
    if _moment(seconds) is None:
        return Markup("<span>{}</span>").format(seconds)
    return Markup('<time datetime="{}">{}</time>').format(iso(seconds), utc(seconds))


def for_how_long(seconds: int) -> str:
    """Format a duration with its two largest units: 2 d 3 h, 59 min."""
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(max(0, seconds), size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def pretty(text: str) -> str:
    """Indent JSON; other text is returned unchanged."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply
        return text


def form_lines(text: str) -> str:
    """Format a form body or query: one parameter per line."""
    pairs = parse_qsl(text, keep_blank_values=True)
    return (
        "\n".join(f"{name}: {value}" for name, value in pairs)
        if pairs and not text.lstrip().startswith("{")
        else pretty(text)
    )


def option(word: str) -> tuple[str, str]:
    """Value and label of a <select> option, from a value of the API: ``("past_due", "Past due")``."""
    return word, word.replace("_", " ").capitalize()


class View:
    """Renders templates and serves static files, which are read once. folder: contains ``templates`` and ``static``."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.static = {
            file.relative_to(folder / "static").as_posix(): file.read_bytes() for file in _files(folder / "static")
        }
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False, cache_size=400,
        )  # fmt: skip
        self.environment.filters.update(
            time=time_tag, utc=utc, iso=iso, for_how_long=for_how_long, pretty=pretty, form_lines=form_lines,
            option=option,
        )  # fmt: skip
        self.environment.globals.update(static=self.static_url)
        self._edition = hashlib.sha256(
            b"".join(name.encode() + etag(body).encode() for name, body in self.static.items())
        ).hexdigest()[:12]

    def static_url(self, name: str) -> str:
        """The URL path of a static file, ``/static/<edition>/<name>``; it changes when any static file changes.

        The edition is a part of the path, so that a script imported as ``./other.js`` has the same URL that templates
        give it: browsers run a module once per URL.
        """
        assert name in self.static, name
        return f"/static/{self._edition}/{name}"

    def static_file(self, path: str) -> tuple[bytes | None, bool]:
        """The content of a static file, or None, and whether the URL is immutable.

        path: after ``/static/``. A URL with an older edition, from a page that was loaded before an update, serves the
        current content.
        """
        edition, slash, name = path.partition("/")
        if slash and _EDITION.fullmatch(edition):
            return self.static.get(name), edition == self._edition
        return self.static.get(path), False

    def render(self, template: str, context: dict[str, Any]) -> bytes:
        """Render a template. Returns HTML in UTF-8."""
        return self.environment.get_template(template).render(context).encode()


def etag(body: bytes) -> str:
    """A strong ETag (RFC 9110 section 8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]
