"""What is served: the script, made of its parts, and the pages of the frames with their scripts and style."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

STATIC = Path(__file__).parent / "static"
#: The release trains of Stripe.js. The newest ``@stripe/stripe-js`` warns when the name that it expects is not loaded.
TRAINS = ("acacia", "basil", "clover", "dahlia", "endive")
SCRIPTS = frozenset({"/v3", "/v3/", "/v3/stripe.js", *(f"/{train}/stripe.js" for train in TRAINS)})
#: Where legacy Checkout is.
LEGACY = "/checkout.js"
_JS, _CSS, _HTML = "text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/html; charset=utf-8"
_API = "https://api.stripe.com"
#: What every frame runs first.
_COMMON = ("texts", "channel", "language")
#: Pages of frames: the title of each, and the scripts that it runs after those.
FRAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "controller": ("Payment controller", ("mandates", "checkout", "controller")),
    "elements-inner-card": ("Card", ("looks", "fields", "card")),
    "elements-inner-address": ("Address", ("looks", "form", "methods", "address")),
    "elements-inner-express-checkout": ("Wallets", ("looks", "form", "wallets")),
    "elements-inner-line": ("Bank account", ("looks", "line")),
    "elements-inner-payment": (
        "Payment",
        ("looks", "fields", "form", "mandates", "methods", "card_part", "saved_part", "payment"),
    ),
    "checkout-popup": ("Checkout", ("looks", "fields", "form", "methods", "card_part", "popup")),
    "embedded-checkout": ("Checkout", ("embedded",)),
    "three-ds-2-challenge": ("3D Secure authentication", ("challenge",)),
}
#: Scripts and styles of this origin alone, the API as the only address to call, and whoever likes as the page around.
_POLICY = (
    f"default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'self'; style-src 'self';"
    f" connect-src 'self' {_API}; frame-src 'self'; img-src 'self' data:"
)


class File(NamedTuple):
    """A file as it is served. policy: its Content-Security-Policy, if it is a page."""

    kind: str
    body: bytes
    etag: str
    policy: str | None = None


def _file(kind: str, body: bytes, policy: str | None = None) -> File:
    return File(kind, body, f'"{hashlib.sha256(body).hexdigest()[:20]}"', policy)


@cache
def script() -> bytes:
    """Return the script: its parts in the order of their names, in a scope of their own, with what frames share."""
    return _scoped(STATIC / "frames" / "mandates.js", *sorted((STATIC / "page").glob("*.js")))


@cache
def legacy() -> bytes:
    """Return the script of legacy Checkout, which has nothing of Stripe.js but its frames."""
    return _scoped(STATIC / "page" / "10-frames.js", STATIC / "legacy" / "checkout.js")


def _scoped(*paths: Path) -> bytes:
    parts = [path.read_text(encoding="utf-8") for path in paths]
    return "\n".join(["(() => {", "'use strict';", *parts, "})();", ""]).encode()


def _page(title: str, scripts: tuple[str, ...]) -> bytes:
    tags = "".join(f'<script src="/v3/frames/{name}.js"></script>\n' for name in (*_COMMON, *scripts))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f'<link rel="stylesheet" href="/v3/frames/frames.css">\n</head>\n<body>\n<div id="root"></div>\n{tags}</body>\n'
        "</html>\n"
    ).encode()


def _texts() -> bytes:
    """Return the script with the texts in every language but English."""
    tables = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((STATIC / "words").iterdir())}
    return f"'use strict';\nconst WORDS = {json.dumps(tables, ensure_ascii=False, indent=1)};\n".encode()


@cache
def files() -> dict[str, File]:
    """Return everything that is served, by path."""
    found = {path: _file(_JS, script()) for path in SCRIPTS} | {LEGACY: _file(_JS, legacy())}
    for path in sorted((STATIC / "frames").iterdir()):
        found[f"/v3/frames/{path.name}"] = _file(_JS if path.suffix == ".js" else _CSS, path.read_bytes())
    found["/v3/frames/texts.js"] = _file(_JS, _texts())
    for name, (title, scripts) in FRAMES.items():
        found[f"/v3/{name}.html"] = _file(_HTML, _page(title, scripts), _POLICY)
    return found
