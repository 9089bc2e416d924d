"""``POST /v1/keys/uses``: how often a service has accepted keys from its own memory, without asking."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Tx
from tollkey.keys import store
from tollkey.keys.demands import demand_of
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.header import without_keys
from tollkey.keys.http.answer import Answer, JsonValue
from tollkey.keys.http.endpoint import Call, Endpoint, Server
from tollkey.keys.http.fields import LARGEST, Field, Values, read
from tollkey.keys.http.idempotency import change
from tollkey.keys.http.verifying import NEEDS
from tollkey.keys.key import SERVICE_ACCOUNT, Key

MOST_USES = 200  # of one report: less than a body's 64 KB
_OLDEST_SECONDS = 86_400  # an older use counts as one of this age
_ITEM = {
    "id": Field("string", "The id of the key.", required=True, most=100),
    "requests": Field("integer", "How many requests it was accepted for.", required=True, least=1, most=10**9),
    "at": Field("integer", "The last of them, UTC epoch seconds.", required=True, most=LARGEST),
    "cost": Field("integer", "What each would take from a limit: that of its route, or 1.", most=1_000_000),
    "ip": Field("string", "The address of the last one.", most=64),
    "endpoint": Field("string", "What the last one was for, kept as the key's last use.", most=500),
    "route": Field("string", "Method and path, or the name of a route.", most=2000),
    "permission": Field("string", "The permission that they needed.", most=500),
}


class _Use(NamedTuple):
    """Uses of one key. at: UTC epoch seconds. name: of the route, for usage. cost: of all of them."""

    key: Key
    requests: int
    at: int
    cost: int
    ip: str | None
    endpoint: str | None
    name: str | None
    permission: str | None


async def report(call: Call) -> Answer:
    """Count uses of keys. Keys that are not known, and service keys, are left out."""
    items = call.body.objects("uses") or []
    sent = [read(_ITEM, item, f"uses[{index}]") for index, item in enumerate(items)]
    server = call.server

    def work(tx: Tx) -> JsonValue:
        uses = [use for each in sent if (use := _use(server, tx, each)) is not None]
        together: dict[str, tuple[Key, store.Usage]] = {}
        for use in sorted(uses, key=lambda use: use.at):
            before = together[use.key.id][1].uses if use.key.id in together else 0
            last = store.Usage(use.key.id, use.at, use.ip, use.endpoint, before + use.requests)
            together[use.key.id] = (use.key, last)
        store.add_usages(tx, together.values())
        tx.on_commit(lambda: _count(server, uses))
        return {"object": "use_report", "counted": sum(use.requests for use in uses)}

    return await change(call, work)


def _use(server: Server, tx: Tx, sent: Values) -> _Use | None:
    id, now, requests = sent.text("id") or "", server.now, sent.number("requests") or 0
    key = server.keys.authority.find(tx, id) if id.startswith("mk_") else None
    if key is None or key.account == SERVICE_ACCOUNT:
        return None
    try:
        demand = demand_of(
            server.keys.config, server.keys.authority.catalogue, sent.text("permission"), sent.text("route"),
            sent.number("cost"),
        )  # fmt: skip
        name, cost, permission = demand.name, demand.cost, demand.permission
    except UnknownPermission:  # it was declared when the answer was given
        name, cost, permission = None, 1, None
    at = max(now - _OLDEST_SECONDS, min(now, sent.number("at") or now))
    ip, endpoint = sent.text("ip"), sent.text("endpoint")
    shown = None if ip is None or not ip.isprintable() else without_keys(ip)
    what = None if endpoint is None else without_keys(endpoint)
    return _Use(key, requests, at, cost * requests, shown, what, name, permission)


def _count(server: Server, uses: list[_Use]) -> None:
    """Count uses by route and day, and note addresses; both are written in the background."""
    for use in uses:
        server.keys.count_reported(
            use.key, use.requests, use.at, ip=use.ip, route=use.name, cost=use.cost, permission=use.permission
        )


ENDPOINT = Endpoint(
    "POST",
    "/v1/keys/uses",
    report,
    NEEDS,
    "Report uses of keys that were answered from memory",
    "use_report",
    body={
        "uses": Field(
            "objects", "Up to 200 keys, each with `id`, `requests` and `at`.", required=True, most=MOST_USES, least=1
        )
    },
    takes_idempotency_key=True,
)
