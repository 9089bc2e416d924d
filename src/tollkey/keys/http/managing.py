"""``/v1/keys``: create, update, roll, reveal, disable, enable, revoke. The actor of each change is the service key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tollkey.db import Scope, Tx
from tollkey.keys.http.answer import Answer, JsonValue
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.errors import invalid
from tollkey.keys.http.fields import LARGEST, Field
from tollkey.keys.http.idempotency import change
from tollkey.keys.http.objects import authority_of, found, granter_of, livemode_of, shown
from tollkey.keys.key import SERVICE_ACCOUNT, Key
from tollkey.keys.limits import LONGEST_ROLL_SECONDS
from tollkey.keys.token import Kind

NEEDS = "key_write"
_KINDS: Mapping[str, Kind] = {"restricted": "restricted", "secret": "secret", "publishable": "publishable"}
_ABOUT = {
    "name": Field("string", "Who uses it.", most=200),
    "note": Field("string", "For example where it is stored.", most=2000),
    "permissions": Field("strings", "Grants of a restricted key, for example `report_read`.", most=500),
    "ip_allowlist": Field("strings", "Addresses and networks it may be used from; empty allows all.", most=200),
    "metadata": Field("metadata", "Up to 50 names and values of your own, without secrets.", most=50),
}
_CREATE = {
    "account": Field("string", "Your name for the customer that it belongs to.", required=True, most=200),
    "kind": Field("string", "`restricted` by default.", choices=tuple(_KINDS)),
    "environment": Field("string", "Its environment; the live one by default.", most=50),
    **_ABOUT,
    "expires_at": Field("integer", "When it ends, UTC epoch seconds.", most=LARGEST),
    "max_uses": Field("integer", "How many requests it is for. Each is then counted in the database.", most=LARGEST),
    "rotate_every": Field("integer", "Seconds between its rotations.", most=LARGEST),
}


async def create(call: Call) -> Answer:
    """Create a key. The answer has its text, which is not stored for a live key."""
    body, server = call.body, call.server
    account = body.text("account") or ""
    if not account.strip():
        raise invalid("account may not be empty.", "account")
    livemode = livemode_of(server, body.text("environment"))
    if account == SERVICE_ACCOUNT and not livemode:
        raise invalid("Service keys are live keys.", "environment")

    def work(tx: Tx) -> JsonValue:
        key, text = authority_of(server, account).create(
            tx,
            Scope(account, livemode),
            _KINDS[body.text("kind") or "restricted"],
            actor=call.actor,
            now=server.now,
            name=body.text("name") or "",
            note=body.text("note") or "",
            permissions=body.texts("permissions") or (),
            ip_allowlist=body.texts("ip_allowlist") or (),
            expires_at=body.number("expires_at"),
            metadata=body.mapping("metadata") or {},
            max_uses=body.number("max_uses"),
            rotate_every=body.number("rotate_every"),
            granter=granter_of(call, tx, account),
        )
        return shown(server, key, text)

    return await change(call, work)


async def update(call: Call) -> Answer:
    """Change a key. What is not sent stays; an empty list clears; an empty metadata value removes its entry."""
    body = call.body

    def work(tx: Tx) -> JsonValue:
        key = found(call, tx)
        changed = authority_of(call.server, key.account).update(
            tx,
            key.scope,
            key.id,
            actor=call.actor,
            now=call.server.now,
            name=body.text("name"),
            note=body.text("note"),
            permissions=body.texts("permissions"),
            ip_allowlist=body.texts("ip_allowlist"),
            metadata=body.mapping("metadata"),
            granter=granter_of(call, tx, key.account),
        )
        return shown(call.server, changed)

    return await change(call, work)


async def roll(call: Call) -> Answer:
    """Create a key's successor, valid at once; the old key ends now or after a delay."""
    seconds, show = call.body.number("expires_in") or 0, call.body.flag("show_secret", True)

    def work(tx: Tx) -> JsonValue:
        key = found(call, tx)
        old, new, text = authority_of(call.server, key.account).roll(
            tx,
            key.scope,
            key.id,
            seconds,
            actor=call.actor,
            now=call.server.now,
            granter=granter_of(call, tx, key.account),
            show=show,
        )
        return {**shown(call.server, new, text), "rolled": shown(call.server, old)}

    return await change(call, work)


async def reveal(call: Call) -> Answer:
    """Show the text of a key that is still sealed. That of a live key can be shown once."""

    def work(tx: Tx) -> JsonValue:
        key = found(call, tx)
        authority, granter = authority_of(call.server, key.account), granter_of(call, tx, key.account)
        changed, text = authority.reveal(tx, key.scope, key.id, actor=call.actor, now=call.server.now, granter=granter)
        return shown(call.server, changed, text)

    return await change(call, work)


def _verb(name: str) -> Callable[[Call], Callable[[Tx], JsonValue]]:
    """Return the work of a verb of the authority that takes no parameters and returns the key."""

    def of_call(call: Call) -> Callable[[Tx], JsonValue]:
        def work(tx: Tx) -> JsonValue:
            key = found(call, tx)
            authority = authority_of(call.server, key.account)
            verbs: dict[str, Callable[..., Key]] = {
                "cancel_expiry": authority.cancel_expiry,
                "disable": authority.disable,
                "enable": authority.enable,
                "revoke": authority.revoke,
            }
            granter = granter_of(call, tx, key.account)
            changed = verbs[name](tx, key.scope, key.id, actor=call.actor, now=call.server.now, granter=granter)
            return shown(call.server, changed)

        return work

    return of_call


def _simple(name: str, summary: str) -> Endpoint:
    work = _verb(name)

    async def handle(call: Call) -> Answer:
        return await change(call, work(call))

    return Endpoint(
        "POST", f"/v1/keys/{{id}}/{name}", handle, NEEDS, summary, "api_key", body={}, takes_idempotency_key=True
    )


_EXPIRES_IN = Field("integer", "Seconds for which the old key stays valid; 0 by default.", most=LONGEST_ROLL_SECONDS)
_SHOW = Field("boolean", "Show the new text now (the default), or seal it for one `reveal` where the old key stays.")
ENDPOINTS = (
    Endpoint("POST", "/v1/keys", create, NEEDS, "Create a key", "api_key", body=_CREATE, takes_idempotency_key=True),
    Endpoint(
        "POST", "/v1/keys/{id}", update, NEEDS, "Change a key", "api_key", body=_ABOUT, takes_idempotency_key=True
    ),
    Endpoint(
        "POST",
        "/v1/keys/{id}/roll",
        roll,
        NEEDS,
        "Roll a key",
        "rolled_api_key",
        body={"expires_in": _EXPIRES_IN, "show_secret": _SHOW},
        takes_idempotency_key=True,
    ),
    Endpoint(
        "POST", "/v1/keys/{id}/reveal", reveal, NEEDS, "Reveal a key", "api_key", body={}, takes_idempotency_key=True
    ),
    _simple("cancel_expiry", "Cancel a pending expiry"),
    _simple("disable", "Disable a key until it is enabled"),
    _simple("enable", "Enable a disabled key"),
    _simple("revoke", "Revoke a key for good"),
)
