"""Which calls may be passed on: the operation, the key's permission for it and for what it expands, card data."""

from __future__ import annotations

import re

from tollkey.keys import Key, Permission
from tollkey.upstream import expanding, parameters
from tollkey.upstream import refusals as upstream_refusals
from tollkey.upstream.calls import (
    HOPS,
    Asked,
    check_accounts,
    forwarded_key,
    named_account,
    own_headers,
    passed_headers,
)
from tollkey.upstream.operations import Operation, Operations
from tollkey.upstream.permissions import ALSO
from tollkey.upstream.store import Upstream
from tollkey.wire import idempotency, refusals
from tollkey.wire.messages import Request, is_v2

_FILES = re.compile(r"/v1/files(/[^/]+/contents)?")
_MOST_HOPS = 3
_LARGEST_FORM = 512 * 1024  # bytes
_LARGEST_FILE = 20 * 1024 * 1024  # bytes


async def admit(
    operations: Operations, dashboard_url: str, request: Request, key: Key, upstream: Upstream, request_id: str,
    *, capped: bool,
) -> Asked:  # fmt: skip
    """Return a call that its key may make. capped: whether the key has caps. Raises ApiError."""
    if key.kind not in ("secret", "restricted"):
        raise upstream_refusals.publishable(key)
    operation = operations.find(request.method, request.path)
    check_accounts(request.headers)
    connected = named_account(request.headers, upstream) is not None
    restricted = key.kind == "restricted"
    if restricted:
        _check_permission(key, operation, connected, dashboard_url)
    await _read_body(request)
    if is_v2(request.path):
        parameters.check_json(request)
    else:
        parameters.check_media_type(request)
    reads = request.method in ("GET", "HEAD")
    given = list(parameters.pairs(request)) if restricted or request.body or not reads else []
    if restricted or capped:
        parameters.check_names(given)
    if capped and not reads:
        parameters.check_one_reading(request)
    if restricted and operation is not None:
        _check_parameters(operations, key, operation, connected, request, given, dashboard_url)
    parameters.refuse_card_data(given)
    headers = passed_headers(request.headers) | own_headers(upstream.key) | {HOPS: str(_hops(request) + 1)}
    said = None if reads else request.headers.get("idempotency-key")
    repeats = said is None and request.method == "POST"
    if said is not None:
        idempotency.check_key(said)
    name = forwarded_key(key, said if said is not None else f"own_{request_id}")
    if said is not None or repeats:
        headers["Idempotency-Key"] = name
    base = _host(request, upstream)
    return Asked(request, key, upstream, operation, given, headers, base, request_id, name, repeats)


def _hops(request: Request) -> int:
    """Return through how many gateways a call has come. Raises ApiError 508 for a call that goes round in a circle."""
    said = request.headers.get(HOPS.lower(), "0")
    hops = int(said) if said.isdecimal() and len(said) == 1 else _MOST_HOPS
    if hops >= _MOST_HOPS:
        raise upstream_refusals.loop()
    return hops


def _check_permission(key: Key, operation: Operation | None, connected: bool, dashboard_url: str) -> None:
    if operation is None or operation.permission is None:
        raise refusals.unrestricted_only(key)
    if not key.allows(operation.grant, connected=connected):
        raise refusals.lacks_permission(key, [(operation.permission, operation.level)], dashboard_url)


def _check_parameters(
    operations: Operations, key: Key, operation: Operation, connected: bool, request: Request,
    given: list[tuple[str, str]], dashboard_url: str,
) -> None:  # fmt: skip
    if parameters.uploads(request):
        parameters.check_upload(request)
    permissions = expanding.needed(operations, operation, parameters.expanded(given))
    needed: list[tuple[Permission, str]] = [(one, "read") for one in permissions]
    lacking = [(one, level) for one, level in needed if not key.allows(one.grant(level), connected=connected)]
    sent = {name.partition("[")[0] for name, _ in given}
    for object, level in (ALSO[operation.path, name] for name in sorted(sent) if (operation.path, name) in ALSO):
        one = operations.readers[object]
        needed.append((one, level))
        # what is copied to a connected account is read on one's own
        if not key.allows(one.grant(level), connected=connected and level == "write"):
            lacking.append((one, level))
    if lacking:
        raise refusals.lacks_permission(key, lacking, dashboard_url)
    request.needed |= {one.grant(level) for one, level in needed}


async def _read_body(request: Request) -> None:
    if request.incoming is not None:
        most = _LARGEST_FILE if parameters.uploads(request) else _LARGEST_FORM
        request.body = await request.incoming.whole(most)
        request.incoming = None


def _host(request: Request, upstream: Upstream) -> str:
    if _FILES.fullmatch(request.path) and (request.method == "POST" or request.path.endswith("/contents")):
        return upstream.hosts.files
    return upstream.hosts.connect if request.path.startswith("/oauth/") else upstream.hosts.api
