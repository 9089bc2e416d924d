"""``GET /v1/keys``, ``/v1/keys/{id}``, ``/v1/accounts``, ``POST /v1/keys/lookup``: keys of all accounts are found."""

from __future__ import annotations

from tollkey.db import Migration, Tx
from tollkey.keys import store
from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint, Server
from tollkey.keys.http.errors import invalid, missing
from tollkey.keys.http.fields import Field, Values
from tollkey.keys.http.objects import STATUSES, by_id, found, shown, usages
from tollkey.keys.key import SERVICE_ACCOUNT, Key
from tollkey.keys.token import KINDS, Brand

NEEDS = "key_read"
_USABLE = "revoked_at IS NULL AND (uses_left IS NULL OR uses_left > 0)"
_ACTIVE = f"{_USABLE} AND disabled_at IS NULL"
_DISABLED = f"{_USABLE} AND disabled_at IS NOT NULL"
_ENDING = "revoked_at IS NULL AND (expires_at IS NOT NULL OR uses_left = 0)"
_ENDED_AT = f"CASE WHEN uses_left = 0 THEN 0 ELSE {store.ENDS} END"  # in one expression, to be compared in the index
#: An index for each filter, alone and within an account, in the order of lists. Keys that have expired are passed over
#: in the index alone. Name, columns in front of the order, and the rest.
_INDEXES = (
    ("any_mode", "account, ", ")"),
    ("kind", "kind, ", ")"),
    ("prefix", "kind, livemode, ", ")"),
    ("account_kind", "account, kind, ", ")"),
    *(
        (f"{owner}{status}", column, f", {end}) WHERE {which}")
        for status, which, end in (
            ("active", _ACTIVE, store.ENDS),
            ("disabled", _DISABLED, store.ENDS),
            ("ending", _ENDING, f"({_ENDED_AT})"),
            ("revoked", "revoked_at IS NOT NULL", store.ENDS),
        )
        for owner, column in (("", ""), ("account_", "account, "))
    ),
)  # fmt: skip
MIGRATION = Migration(
    "keys_http_indexes",
    tuple(
        statement
        for name, columns, rest in _INDEXES
        for statement in (
            f"DROP INDEX IF EXISTS api_keys_{name}",
            f"CREATE INDEX api_keys_{name} ON api_keys ({columns}({store.ORDER}){rest}",
        )
    ),
)
_STATUS = {
    "active": f"{_ACTIVE} AND {store.ENDS} > ?",
    "disabled": f"{_DISABLED} AND {store.ENDS} > ?",
    "expired": f"{_ENDING} AND {_ENDED_AT} <= ?",
    "revoked": "revoked_at IS NOT NULL AND ? > 0",
}
#: The names of accounts behind one. Each step is one look into the index, whatever the number of keys between.
ACCOUNTS = (
    "WITH RECURSIVE steps(account) AS (SELECT min(account) FROM api_keys WHERE account > ? UNION ALL"
    " SELECT (SELECT min(account) FROM api_keys WHERE account > steps.account) FROM steps"
    " WHERE steps.account IS NOT NULL) SELECT account FROM steps WHERE account IS NOT NULL LIMIT ?"
)
_LIMIT = Field("integer", "How many, 10 by default.", least=1, most=100)
FILTERS = {
    "account": Field("string", "Only keys of this account.", most=200),
    "status": Field("string", "Only keys with this status.", choices=STATUSES),
    "kind": Field("string", "Only keys of this kind.", choices=KINDS),
    "prefix": Field("string", "Only keys whose text begins so, up to the environment: `sk_live_`.", most=50),
    "limit": _LIMIT,
    "starting_after": Field("string", "The id of the last key of the page before.", most=100),
}


async def list_keys(call: Call) -> Answer:
    """List keys, newest first."""
    limit = call.query.number("limit") or 10

    def read(tx: Tx) -> list[dict[str, JsonValue]]:
        keys = _page(call, tx, limit + 1)
        used = usages(tx, keys)
        return [shown(call.server, key, None, used) for key in keys]

    return _listed(await call.read(read), limit, "/v1/keys")


def _listed(found: list[dict[str, JsonValue]], limit: int, url: str) -> Answer:
    return json_answer({"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": url})


def _page(call: Call, tx: Tx, most: int) -> tuple[Key, ...]:
    after, account = call.query.text("starting_after"), call.query.text("account")
    if after is not None:
        by_id(call.server, tx, after, "starting_after")
    found = selected(call.server, call.query)
    if found is None:
        return ()
    keys = call.server.callers.keys if account == SERVICE_ACCOUNT else call.server.keys
    condition, values = found
    return store.select(tx, keys.authority.catalogue, f"{condition} LIMIT ?", [*values, most])


def selected(server: Server, query: Values) -> tuple[str, list[object]] | None:
    """Return condition and order for the filters of a list, and their values; None if no key can meet them."""
    account, status, kind = query.text("account"), query.text("status"), query.text("kind")
    where: list[str] = [] if account is None else ["account = ?"]
    values: list[object] = [] if account is None else [account]
    if status is not None:
        where.append(_STATUS[status])
        values.append(server.now)
    if kind is not None:
        where.append("kind = ?")
        values.append(kind)
    prefix = query.text("prefix")
    if prefix is not None:
        condition = _of_prefix(server.keys.authority.brand, prefix)
        if condition is None:
            return None
        where += condition[:1]
        values += condition[1:]
    order = store.ORDER if any(" = ?" in each for each in where) or status is not None else "seq"
    after = query.text("starting_after")
    if after is not None:
        where.append(f"{order} < (SELECT {order} FROM api_keys WHERE id = ?)")
        values.append(after)
    if account is None:  # service keys are listed by their account only; at the end, as it is in no index
        where.append("account <> ?")
        values.append(SERVICE_ACCOUNT)
    return f"WHERE {' AND '.join(where)} ORDER BY {order} DESC", values


def _of_prefix(brand: Brand, prefix: str) -> list[str] | None:
    """Return the condition for keys whose text begins so, and its values; empty if all do, None if none can.

    It is made for the indexes of a kind, and of a kind and mode. A list of several kinds passes over the others.
    """
    found = [(kind, live) for kind in KINDS for live in (0, 1) if brand.prefix(kind, bool(live)).startswith(prefix)]
    kinds = {kind for kind, _ in found}
    if not found:
        return None
    if len(found) == 2 * len(KINDS):
        return []
    if len(kinds) == 1:
        mode = "" if len(found) == 2 else f" AND livemode = {found[0][1]}"
        return [f"kind = ?{mode}", *kinds]
    return [f"kind || '' || livemode IN ({', '.join('?' * len(found))})", *(f"{kind}{live}" for kind, live in found)]


async def retrieve(call: Call) -> Answer:
    """Return a key."""

    def read(tx: Tx) -> dict[str, JsonValue]:
        key = found(call, tx)
        return shown(call.server, key, None, usages(tx, [key]))

    return json_answer(await call.read(read))


async def look_up(call: Call) -> Answer:
    """Find a key by its text or id, whatever its account. It does not verify, and is no use of the key."""
    text, id = call.body.text("key"), call.body.text("id")
    if (text is None) == (id is None):
        raise invalid("Send either key or id.", "key")

    def read(tx: Tx) -> dict[str, JsonValue]:
        key = None if text is None else call.server.keys.authority.find(tx, text)
        if text is not None and key is None:
            raise missing("api_key", text, "key")
        key = by_id(call.server, tx, key.id if key is not None else id or "", "id")
        return shown(call.server, key, None, usages(tx, [key]))

    return json_answer(await call.read(read))


async def list_accounts(call: Call) -> Answer:
    """List the accounts that have keys, by name."""
    limit, after = call.query.number("limit") or 10, call.query.text("starting_after") or ""

    def read(tx: Tx) -> list[dict[str, JsonValue]]:
        rows = tx.execute(ACCOUNTS, (after, limit + 2))
        names = [name for (name,) in rows if name != SERVICE_ACCOUNT]
        return [{"id": name, "object": "account"} for name in names[: limit + 1]]

    return _listed(await call.read(read), limit, "/v1/accounts")


ENDPOINTS = (
    Endpoint("GET", "/v1/keys", list_keys, NEEDS, "List keys", "api_key_list", query=FILTERS),
    Endpoint("GET", "/v1/keys/{id}", retrieve, NEEDS, "Retrieve a key", "api_key"),
    Endpoint(
        "POST",
        "/v1/keys/lookup",
        look_up,
        NEEDS,
        "Find a key by its text or id",
        "api_key",
        body={
            "key": Field("string", "The text of the key.", most=1000),
            "id": Field("string", "Its id.", most=100),
        },
    ),
    Endpoint(
        "GET",
        "/v1/accounts",
        list_accounts,
        NEEDS,
        "List the accounts that have keys",
        "account_list",
        query={
            "limit": _LIMIT,
            "starting_after": Field("string", "The last account of the page before.", most=200),
        },
    ),
)
