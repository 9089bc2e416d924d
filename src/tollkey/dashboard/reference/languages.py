"""One request in seven languages, in the style of the official client libraries.

The text of a key is an argument and is not stored; the caller decides whose key an example contains.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from tollkey.dashboard.reference import typed
from tollkey.dashboard.reference.naming import Request, camel


class Language(NamedTuple):
    """A tab: its id, its name, and the function that writes a request for a key and a base URL."""

    id: str
    name: str
    write: Callable[[Request, str, str], str]


def pairs(params: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Flatten nested parameters into pairs with bracketed names."""
    for name, value in params.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict):
            yield from pairs(value, key)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, dict):
                    yield from pairs(item, f"{key}[{place}]")
                else:
                    yield f"{key}[]", text(item)
        else:
            yield key, text(value)


def text(value: Any) -> str:
    """Return a value in the form in which a form-encoded body contains it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def curl(request: Request, key: str, base: str) -> str:
    """Write a request for curl."""
    lines = [f"curl {base}{request.path}", f'-u "{key}:"']
    if request.method == "DELETE":
        lines.insert(1, "-X DELETE")
    sent = list(pairs(request.params))
    if request.method == "GET" and sent:
        lines.insert(1, "-G")
    elif request.method == "POST" and not sent:
        lines.insert(1, "-X POST")
    lines += [
        f"-d {shlex.quote(f'{name}={value}')}"
        if _plain(value)
        else f"--data-urlencode {shlex.quote(f'{name}={value}')}"
        for name, value in sent
    ]
    return " \\\n  ".join(lines)


def _plain(value: str) -> bool:
    return not set(value) & set("&%+=#@") and value.isascii()


def _literal(
    value: Any, depth: int, open: str, close: str, entry: str, quote: Callable[[str], str], words: tuple[str, str]
) -> str:
    """Write a nested value in a language with map literals. entry: the format of a pair, with {name} and {value}."""
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        inner = [
            pad + entry.format(name=name, value=_literal(v, depth + 1, open, close, entry, quote, words))
            for name, v in value.items()
        ]
        return f"{open}\n" + "\n".join(f"{line}," for line in inner) + f"\n{end}{close}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item, depth, open, close, entry, quote, words) for item in value) + "]"
    if isinstance(value, bool):
        return words[0] if value else words[1]
    return quote(value) if isinstance(value, str) else str(value)


def _arguments(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _single(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def python(request: Request, key: str, base: str) -> str:
    """Write a request for ``stripe`` for Python."""
    head = f'import stripe\n\nclient = stripe.StripeClient(\n  "{key}",\n  base_addresses={{"api": "{base}"}},\n)\n'
    params = (
        _literal(request.params, 0, "{", "}", '"{name}": {value}', json.dumps, ("True", "False"))
        if request.params
        else ""
    )
    if not request.services:
        spread = f"**{params}" if params else ""
        return (
            head
            + f"client.raw_request({_arguments(json.dumps(request.method.lower()), json.dumps(request.path), spread)})"
        )
    call = ".".join(["client", "v1", *request.services, request.verb])
    return head + f"{call}({_arguments(*map(json.dumps, request.ids), f'params={params}' if params else '')})"


def node(request: Request, key: str, base: str) -> str:
    """Write a request for ``stripe`` for Node."""
    url = urlsplit(base)
    port = f", port: {url.port}" if url.port else ""
    head = (f"import Stripe from 'stripe';\n\nconst stripe = new Stripe('{key}', {{\n"
            f"  host: '{url.hostname}'{port}, protocol: '{url.scheme}',\n}});\n")  # fmt: skip
    params = (
        _literal(request.params, 0, "{", "}", "{name}: {value}", _single, ("true", "false")) if request.params else ""
    )
    if not request.services:
        return head + f"await stripe.rawRequest({_arguments(_single(request.method), _single(request.path), params)});"
    verb = {"delete": "del"}.get(request.verb, camel(request.verb))
    call = ".".join(["stripe", *map(camel, request.services), verb])
    return head + f"await {call}({_arguments(*map(_single, request.ids), params)});"


def ruby(request: Request, key: str, base: str) -> str:
    """Write a request for ``stripe`` for Ruby."""
    head = f"require 'stripe'\n\nclient = Stripe::StripeClient.new(\n  '{key}',\n  api_base: '{base}',\n)\n"
    params = (
        _literal(request.params, 0, "{", "}", "{name}: {value}", _single, ("true", "false")) if request.params else ""
    )
    if not request.services:
        named = f"params: {params}" if params else ""
        return head + f"client.raw_request({_arguments(':' + request.method.lower(), _single(request.path), named)})"
    call = ".".join(["client", "v1", *request.services, request.verb])
    return head + f"{call}({_arguments(*map(_single, request.ids), params)})"


def php(request: Request, key: str, base: str) -> str:
    """Write a request for ``stripe/stripe-php``."""
    head = f"<?php\n\n$stripe = new \\Stripe\\StripeClient([\n  'api_key' => '{key}',\n  'api_base' => '{base}',\n]);\n"
    params = (
        _literal(request.params, 0, "[", "]", "'{name}' => {value}", _single, ("true", "false"))
        if request.params
        else ""
    )
    if not request.services:
        return (
            head + f"$stripe->rawRequest({_arguments(_single(request.method.lower()), _single(request.path), params)});"
        )
    verb = {"list": "all"}.get(request.verb, camel(request.verb))
    call = "->".join(["$stripe", *map(camel, request.services), verb])
    return head + f"{call}({_arguments(*map(_single, request.ids), params)});"


LANGUAGES = (
    Language("curl", "curl", curl),
    Language("python", "Python", python),
    Language("node", "Node.js", node),
    Language("go", "Go", typed.go),
    Language("java", "Java", typed.java),
    Language("ruby", "Ruby", ruby),
    Language("php", "PHP", php),
)


def query(params: dict[str, Any]) -> str:
    """Return parameters form-encoded."""
    return urlencode(list(pairs(params)))
