"""Asks an upstream API who a key belongs to, before it is stored and when somebody wants to know whether it works."""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

import orjson

from tollkey.outbox.connections import Poster, usual
from tollkey.upstream.calls import own_headers
from tollkey.upstream.store import Hosts, Upstream

_SECONDS = 20.0
_MOST = 1024 * 1024
_ID = re.compile(r"[A-Za-z0-9_]{1,80}")
_SECRET = re.compile(r"[sr]k_(live|test)_[A-Za-z0-9_]{4,250}")


class ProbeFailed(Exception):
    """The upstream API does not answer, or refuses the key. The message may be shown; it contains no key."""


class KeyNotTaken(ProbeFailed):
    """The upstream API refuses the key."""


class Probed(NamedTuple):
    """What an upstream API says of a key. account: its id, None if the key may not read it."""

    account: str | None


def mode_of(key: str) -> bool:
    """Return whether a key is for live mode. Raises ProbeFailed for a text that is no secret or restricted key."""
    found = _SECRET.fullmatch(key)
    if found is None:
        raise ProbeFailed("the text is not a secret or restricted key (sk_live_…, rk_live_…, sk_test_…, rk_test_…)")
    return found[1] == "live"


async def probe(http: Poster, hosts: Hosts, key: str) -> Probed:
    """Ask ``GET /v1/account`` with a key. Raises ProbeFailed; KeyNotTaken where the key is refused."""
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await http.exchange("GET", hosts.api, b"/v1/account", b"", own_headers(key), _MOST)
    except OSError:
        raise ProbeFailed(f"{hosts.api} does not answer") from None
    if answer.status == 401:
        raise KeyNotTaken(f"{hosts.api} refuses the key")
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise ProbeFailed(f"{hosts.api} is no API of this kind: its answer is not JSON") from None
    if not isinstance(found, dict):
        raise ProbeFailed(f"{hosts.api} is no API of this kind")
    if answer.status == 403 and "error" in found:  # a restricted key that may not read its account
        return Probed(None)
    id = found.get("id")
    if answer.status != 200 or found.get("object") != "account" or not isinstance(id, str) or not _ID.fullmatch(id):
        raise ProbeFailed(f"{hosts.api} answers with the status {answer.status}, and not with an account")
    return Probed(id)


async def probe_once(hosts: Hosts, key: str) -> Probed:
    """Ask with a connection of its own. Raises what ``probe`` raises."""
    http = usual()
    try:
        return await probe(http, hosts, key)
    finally:
        await http.aclose()


async def probe_stored(upstream: Upstream) -> Probed:
    """Ask with the stored key. Raises what ``probe`` raises, and ProbeFailed where the key is of another account."""
    said = await probe_once(upstream.hosts, upstream.key)
    if said.account and upstream.id and said.account != upstream.id:
        raise ProbeFailed(f"the key is of {said.account}, and not of {upstream.id}")
    return said
