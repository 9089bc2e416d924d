"""Every list, look-up, report and change of keys, as it is called, for ``many_keys``.

Left out is what reads as much as it tells of: ``usages``, ``keys unused``, ``verify_audit``, resealing, an import, and
the search of the command line for a key by its last four characters. Reports read the counts of the time they are
about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from tollkey.db import Scope, Tx
from tollkey.keys import Key, KeyService
from tollkey.keys.fingerprints import load_keyring, source_of
from tollkey.keys.http import listing
from tollkey.keys.http.changes import changes_after, last_position
from tollkey.keys.http.fields import read_query
from tollkey.keys.limiting import store as limits
from tollkey.keys.notices import gathering
from tollkey.keys.notices import store as notices
from tollkey.keys.portal.actions import list_keys
from tollkey.keys.portal.sessions import Rights
from tollkey.keys.scanning.leaks import Leaks
from tollkey.keys.store import exists_in_other_mode
from tollkey.keys.usage.store import delete_minutes

BIG, NEW = Scope("big", True), "mk_" + "0" * 24
Query = Callable[[KeyService], object]

#: Filters of ``GET /v1/keys``; each is asked alone and behind a key.
FILTERS = (
    "", "account=big", "account=cus_90", "kind=publishable", "account=big&kind=publishable", "prefix=pk_live_",
    "prefix=sk_test_", "prefix=rk_", "prefix=rk_live_&account=big", "prefix=", "account=big&prefix=sk_",
    "account=big&prefix=pk_live_", "status=revoked", "status=expired", "status=disabled",
    "status=active", "account=big&status=revoked", "account=big&status=expired", "account=big&status=disabled",
    "account=big&status=active",
)  # fmt: skip


def _in(work: Callable[[Tx, KeyService], object], service: KeyService) -> object:
    return service.database.read(lambda tx: work(tx, service))


def _change(work: Callable[[Tx, KeyService], object], service: KeyService) -> object:
    return service.database.write(lambda tx: work(tx, service))


def _read(work: Callable[[Tx, KeyService], object]) -> Query:
    return partial(_in, work)


def _write(work: Callable[[Tx, KeyService], object]) -> Query:
    return partial(_change, work)


def _key(service: KeyService) -> Key:
    found = service.get(NEW, account="big")
    assert found is not None
    return found


def filtered(service: KeyService, query: str) -> object:
    """Read a page of ``GET /v1/keys`` with filters."""

    class Server:
        keys = service
        now = int(service._clock())

    values = read_query(listing.FILTERS, query.encode())
    found = listing.selected(Server, values)  # type: ignore[arg-type]
    assert found is not None
    condition, params = found
    sql = f"SELECT id FROM api_keys {condition} LIMIT ?"
    return service.database.read(lambda tx: tx.execute(sql, (*params, 11)))


def _rights() -> Rights:
    return Rights("ps_1", "big", True, None, frozenset({"roll"}), frozenset(), 2**40)


def now_of(service: KeyService) -> int:
    """The time of a service's clock."""
    return int(service._clock())


#: What the library asks, with the tables of the core alone.
LIBRARY: Mapping[str, Query] = {
    "list": lambda s: s.list(account="big", limit=10),
    "list, a later page": lambda s: s.list(account="big", limit=10, after=NEW),
    "list of a kind": lambda s: s.list(account="big", kind="publishable", limit=10),
    "list of active keys": lambda s: s.list(account="big", active=True, limit=10),
    "list of active keys of a kind": lambda s: s.list(account="big", active=True, kind="publishable", limit=10),
    "list before a key": _read(lambda tx, s: s.authority.list(tx, BIG, limit=10, before=NEW)),
    "list of a small account": lambda s: s.list(account="cus_90000"),
    "get": lambda s: s.get(NEW, account="big"),
    "find by id": lambda s: s.find(NEW),
    "find by text": lambda s: s.find(s.authority.brand.prefix("secret", True) + "0" * 43),
    "verify an unknown key": lambda s: s.verify(s.create().secret[:-8] + "00000000"),
    "default keys": _read(lambda tx, s: s.authority.defaults(tx, BIG)),
    "mode of a key": _read(lambda tx, s: exists_in_other_mode(tx, BIG, NEW)),
    "last use of a key": lambda s: s.usage(_key(s)),
    "use of an old key": lambda s: s.old_key_use(_key(s)),
    "audit log": lambda s: s.audit(account="big", limit=10),
    "audit log, a later page": lambda s: s.audit(account="big", limit=10, before=500),
    "audit log of a key": lambda s: s.audit(account="big", key_id=NEW, limit=10),
    "audit log of a key, a later page": lambda s: s.audit(account="big", key_id=NEW, limit=10, before=500),
    "audit log of another account's key": lambda s: s.audit(account="cus_90000", key_id=NEW, limit=10),
    "refused attempts": lambda s: s.refusals(limit=10),
    "rotations due": lambda s: s.rotations_due(),
    "rotations due, and deliveries to repeat": lambda s: s.rotate_due(deliver=lambda rolled: None),
    "usage of a key": lambda s: s.usage_report(("day",), key=NEW),
    "usage of a small account": lambda s: s.usage_report(("key", "day"), account="cus_90000", livemode=True),
    "usage of a minute": lambda s: s.usage_report(("minute",), since=now_of(s), until=now_of(s) + 60),
    "least privilege of a key": lambda s: s.least_privilege(_key(s)),
    "create": lambda s: s.create(account="big"),
    "roll": lambda s: s.roll(s.create(account="big").key, 60),
    "revoke": lambda s: s.revoke(s.create(account="big").key),
    "plan of an account": lambda s: s.plan_of("cus_90000"),
    "limits: delete": _write(lambda tx, s: limits.delete_over(tx, now_of(s))),
    "usage: delete minutes": _write(lambda tx, s: delete_minutes(tx, 0)),
    "open": lambda s: load_keyring(s.database, source_of(s.authority.keyring)),
    "portal: list": lambda s: list_keys(s, _rights()),
}  # fmt: skip

#: What the rooms ask besides, with their tables and indexes.
ROOMS: Mapping[str, Query] = {
    "leaks of an account": lambda s: Leaks(s, s._clock).of_account("big", limit=10),
    "notices: gather": _write(lambda tx, s: list(gathering.Gatherer(s.authority, lambda: "evt").events(tx, now_of(s)))),
    "notices: due": _read(lambda tx, s: notices.any_due(tx, now_of(s))),
    "notices: claim": _write(lambda tx, s: notices.claim(tx, now_of(s), now_of(s) + 60, 10)),
    "notices: tidy": _write(lambda tx, s: notices.delete_settled(tx, 0)),
    "accounts": _read(lambda tx, s: tx.execute(listing.ACCOUNTS, ("", 12))),
    "changes: last": _read(lambda tx, s: last_position(tx)),
    "changes": _read(lambda tx, s: changes_after(tx, 500, 10)),
    **{f"GET /v1/keys?{query}": partial(filtered, query=query) for query in FILTERS},
    **{f"GET /v1/keys?{query}&starting_after": partial(filtered, query=f"{query}&starting_after={NEW}".strip("&"))
       for query in FILTERS},
}  # fmt: skip
