"""Hold recorded exchanges of the real API against our parameters and shapes.

    python tools/check_recorded.py RECORDED.jsonl.gz

A line of the file is a scenario with ``exchanges``: method, path, query, body, version, status, response, and key when
    it is "publishable". Each request that the real API answered well must pass ``check``, and each path of its
    ``expand[]`` must be known. Prints what is refused, most frequent first; the exit status is 1 when anything is.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.wire import ApiError
from tollkey.wire.access import Access
from tollkey.wire.params import check, decode_form, operation_name, operation_params
from tollkey.wire.resource import Catalogue
from tollkey.wire.shapes import expand_targets
from tollkey.wire.spec import operation_facts
from tollkey.wire.spec.legacy import EXTRA_OPERATIONS


def routes() -> list[tuple[str, re.Pattern[str], str]]:
    """Method, pattern and template of every operation, those with the fewest variables first."""
    names = sorted([*operation_facts().roots, *EXTRA_OPERATIONS], key=lambda name: name.count("{}"))
    split = (name.split() for name in names)
    return [(method, re.compile(re.escape(path).replace(r"\{\}", "[^/]+")), path) for method, path in split]


@cache
def client_access() -> dict[str, Access]:
    """What publishable keys may send, by operation."""
    endpoints = (
        e for resource in Catalogue(gather(tollkey.platform, tollkey.payments)).resources for e in resource.endpoints
    )
    return {operation_name(e.method, e.path): e.publishable for e in endpoints if e.publishable is not None}


def exchanges(path: str) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from json.loads(line)["exchanges"]


def answered(response: dict[str, Any]) -> str | None:
    """The name of the object that was answered, ``list:charge`` for a page; None for an empty page."""
    if response.get("object") != "list":
        return str(response.get("object"))
    data = response["data"]
    return f"list:{data[0]['object']}" if data else None


def faults(exchange: dict[str, Any], known: list[tuple[str, re.Pattern[str], str]]) -> Iterator[str]:
    """What our side refuses in one exchange that went well."""
    method, path = exchange["method"], exchange["path"]
    template = next((shape for verb, pattern, shape in known if verb == method and pattern.fullmatch(path)), None)
    if template is None:
        yield f"{method} {path}: no such operation"
        return
    raw = decode_form("&".join(filter(None, (exchange.get("query"), exchange.get("body")))).encode())
    try:
        schema, access = operation_params(method, template), client_access().get(f"{method} {template}")
        browser = access is not None and exchange.get("key") == "publishable"
        params = access.read(schema, raw) if access is not None and browser else check(schema, raw)
    except ApiError as error:
        yield f"{method} {template}: {error.message[:120]}"
        return
    name = answered(exchange["response"])
    for wanted in params.get("expand", []) if name else []:
        if expand_targets(str(name), wanted) is None:
            yield f"{method} {template}: {name} cannot expand {wanted}"


def main(path: str) -> int:
    known, found, count = routes(), Counter[str](), 0
    for exchange in exchanges(path):
        if exchange["status"] < 400 and exchange["path"].startswith("/v"):
            count += 1
            found.update(faults(exchange, known))
    for fault, times in found.most_common():
        print(f"{times:5} {fault}")
    print(f"{count} requests checked, {found.total()} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
