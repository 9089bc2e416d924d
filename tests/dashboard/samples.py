"""A real value for each name in the path of a page, in a given account and mode.

A page with a new name needs an entry here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.support.dashboard import Site
from tollkey.dashboard import acting, people, sessions
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM
from tollkey.platform import webhook_endpoints
from tollkey.upstream import spending
from tollkey.upstream.spending import Approval
from tollkey.wire import Resource, new_object
from tollkey.wire.shapes import properties

Maker = Callable[[Site, str, bool], str]


def _key(site: Site, account: str, livemode: bool) -> str:
    made = site.core.database.write(
        lambda tx: site.core.authority.create(
            tx, Scope(account, livemode), "restricted", actor=SYSTEM, now=site.now, permissions=["dispute_read"]
        )
    )
    return made[0].id


def _person(site: Site, account: str, livemode: bool) -> str:
    return site.person("support", account).id


def _invitation(site: Site, account: str, livemode: bool) -> str:
    email, inviter = f"{site.core.setup.ids.text(8).lower()}@example.com", site.person("administrator", account).id

    def work(tx: Any) -> str:
        keyring, ids = site.core.authority.keyring, site.core.setup.ids
        return people.invite(tx, keyring, ids, account=account, role="support", email=email, by=inviter, now=site.now)[
            0
        ].id

    return site.core.database.write(work)


def _session(site: Site, account: str, livemode: bool) -> str:
    other = site.person(None)

    def work(tx: Any) -> str:
        keyring, ids = site.core.authority.keyring, site.core.setup.ids
        sessions.start(tx, keyring, ids, person=other.id, stage="full", now=site.now, ip=None, agent="")
        return sessions.of_person(tx, other.id, site.now)[0].id

    return site.core.database.write(work)


def _event(site: Site, account: str, livemode: bool) -> str:
    def work(tx: Any) -> str:
        call = site.core.call(tx, Scope(account, livemode))
        call.objects.insert(
            new_object("customer", id=call.ids.new("cus"), created=call.now, livemode=livemode),
            event="customer.created",
        )
        return str(call.objects.page("event", 1)[0]["id"])

    return site.core.database.write(work)


def _endpoint(site: Site, account: str, livemode: bool) -> str:
    params = {"url": "https://example.com/hook", "enabled_events": ["*"]}
    made = site.core.database.write(
        lambda tx: webhook_endpoints.create(site.core.call(tx, Scope(account, livemode)), dict(params))
    )
    return str(made["id"])


def _request(site: Site, account: str, livemode: bool) -> str:
    id = site.core.setup.ids.new("req")
    names = "id, account, livemode, at, milliseconds, method, path, query, status, version, request_body, response_body"
    values = (id, account, int(livemode), site.now, 5, "GET", "/v1/customers", "", 200, "2026-01-01", "", "")
    site.core.logs.write(
        lambda tx: tx.execute(f"INSERT INTO request_logs ({names}) VALUES ({', '.join('?' * len(values))})", values)
    )
    return id


def _approval(site: Site, account: str, livemode: bool) -> str:
    id = site.core.setup.ids.new("apr")
    wanted = Approval(
        id, "mk_none", id, b"mark", "POST", "/v1/refunds", "refund", 9_000, "usd", "cap_amount", "pending", site.now
    )
    site.core.database.write(lambda tx: spending.ask(tx, Scope(account, livemode), wanted))
    return id


def stored(site: Site, account: str, livemode: bool, resource: Resource, status: str | None = None) -> str:
    def work(tx: Any) -> str:
        call = site.core.call(tx, Scope(account, livemode))
        state = {} if status is None else {"status": status}
        known = {
            name: value
            for name, value in (("created", call.now), ("livemode", livemode))
            if name in properties(resource.object)
        }
        made = new_object(resource.object, id=call.ids.new(resource.prefix), **known, **state)
        return str(call.objects.insert(made)["id"])

    return site.core.database.write(work)


def values(site: Site, path: str, account: str, livemode: bool) -> dict[str, str]:
    """A value for each name in a page's path, which belong together."""
    catalogue = site.core.catalogue
    made: dict[str, str] = {}
    if "{number}" in path:
        group = path.split("/")[4].replace("-", ".")
        resource, number, action = next(
            (resource, number, action)
            for resource in catalogue.resources if resource.stored and resource.title and resource.prefix
            for number, action in enumerate(resource.actions) if acting.group_of(resource, action) == group
        )  # fmt: skip
        status = action.when[0] if action.when else None
        made = {
            "object": resource.object,
            "id": stored(site, account, livemode, resource, status),
            "number": str(number),
        }
    elif "{object}" in path:
        made = {"object": "customer", "id": stored(site, account, livemode, catalogue.by_object["customer"])}
    elif "{account}" in path:
        made = {"account": account}
    return {
        name: made[name] if name in made else SAMPLES[name](site, account, livemode)
        for name in re.findall(r"\{(\w+)\}", path)
    }


def _nothing(site: Site, account: str, livemode: bool) -> str:
    return "nothing"


SAMPLES: dict[str, Maker] = {
    "key": _key,
    "person": _person,
    "invitation": _invitation,
    "session": _session,
    "passkey": _nothing,
    "token": _nothing,
    "guide": _nothing,
    "event": _event,
    "endpoint": _endpoint,
    "request": _request,
    "approval": _approval,
    "delivery": lambda site, account, livemode: "999999",
}

#: Names whose values belong to an account, and (True) to one of its modes.
OWNED: dict[str, bool] = {
    "key": True, "person": False, "invitation": False, "id": True, "event": True, "endpoint": True, "request": True,
    "approval": True,
}  # fmt: skip
