"""Which calls may be passed on: the operation, the key's permission for it and for what it expands, card data."""

from __future__ import annotations

import re

from tollkey.keys import Key, Permission
from tollkey.upstream import expanding, parameters
from tollkey.upstream import refusals as upstream_refusals
from tollkey.upstream.calls import Asked, forwarded_key, named_account, own_headers, passed_headers
from tollkey.upstream.operations import Operation, Operations
from tollkey.upstream.store import Upstream
from tollkey.wire import ApiError, idempotency, refusals
from tollkey.wire.messages import Request, is_v2

_FILES = re.compile(r"/v1/files(/[^/]+/contents)?")
_LARGEST_FORM = 512 * 1024  # bytes
_LARGEST_FILE = 20 * 1024 * 1024  # bytes


async def admit(
    operations: Operations, dashboard_url: str, request: Request, key: Key, upstream: Upstream, request_id: str
) -> Asked:
    """Return a call that its key may make. Raises ApiError."""
    if key.kind not in ("secret", "restricted"):
        raise upstream_refusals.publishable(key)
    operation = operations.find(request.method, request.path)
    connected = named_account(request.headers, upstream) is not None
    restricted = key.kind == "restricted"
    if restricted:
        _check_permission(key, operation, connected, dashboard_url)
    await _read_body(request)
    if restricted and not is_v2(request.path):
        parameters.check_media_type(request)
    reads = request.method in ("GET", "HEAD")
    given = list(parameters.pairs(request)) if restricted or request.body or not reads else []
    if restricted and operation is not None:
        _check_expanded(operations, key, operation, connected, request, given, dashboard_url)
    parameters.refuse_card_data(given)
    headers = passed_headers(request.headers) | own_headers(upstream)
    said = None if reads else request.headers.get("idempotency-key")
    repeats = said is None and request.method == "POST"
    if said is not None:
        idempotency.check_key(said)
    name = forwarded_key(key, said if said is not None else f"own_{request_id}")
    if said is not None or repeats:
        headers["Idempotency-Key"] = name
    base = _host(request, upstream)
    return Asked(request, key, upstream, operation, given, headers, base, request_id, name, repeats)


def _check_permission(key: Key, operation: Operation | None, connected: bool, dashboard_url: str) -> None:
    if operation is None or operation.permission is None:
        raise refusals.unrestricted_only(key)
    if not key.allows(operation.grant, connected=connected):
        raise refusals.lacks_permission(key, [(operation.permission, operation.level)], dashboard_url)


def _check_expanded(
    operations: Operations, key: Key, operation: Operation, connected: bool, request: Request,
    given: list[tuple[str, str]], dashboard_url: str,
) -> None:  # fmt: skip
    if parameters.media_type(request) == parameters.MULTIPART and b'name="expand' in request.body:
        raise ApiError(400, message="A form with files cannot be expanded.", param="expand")
    permissions = expanding.needed(operations, operation, parameters.expanded(given))
    lacking: list[tuple[Permission, str]] = [
        (one, "read") for one in permissions if not key.allows(one.grant("read"), connected=connected)
    ]
    if lacking:
        raise refusals.lacks_permission(key, lacking, dashboard_url)
    request.needed |= {one.grant("read") for one in permissions}


async def _read_body(request: Request) -> None:
    if request.incoming is not None:
        most = _LARGEST_FILE if parameters.media_type(request) == parameters.MULTIPART else _LARGEST_FORM
        request.body = await request.incoming.whole(most)
        request.incoming = None


def _host(request: Request, upstream: Upstream) -> str:
    if _FILES.fullmatch(request.path) and (request.method == "POST" or request.path.endswith("/contents")):
        return upstream.files
    return upstream.connect if request.path.startswith("/oauth/") else upstream.api
