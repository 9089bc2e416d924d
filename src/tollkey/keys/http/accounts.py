"""``/v1/accounts/{id}``: the plan of an account, which limits the requests of its keys."""

from __future__ import annotations

from tollkey.db import Scope, Tx
from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint, Server
from tollkey.keys.http.errors import missing
from tollkey.keys.http.fields import Field
from tollkey.keys.http.idempotency import change
from tollkey.keys.http.objects import livemode_of
from tollkey.keys.key import SERVICE_ACCOUNT

_ENVIRONMENT = Field("string", "Of its keys; the live one by default.", most=50)
_PLAN = Field("string", "The name of a declared plan; empty for the default one.", required=True, most=64)


async def retrieve(call: Call) -> Answer:
    """Return an account with the plan of its keys in one environment. An account needs no key yet."""
    scope = _scope(call, call.query.text("environment"))
    return json_answer(await call.read(lambda tx: _shown(call.server, tx, scope)))


async def update(call: Call) -> Answer:
    """Set the plan of an account. It counts on all nodes within a second; what was used of a quota stays used."""
    scope, plan = _scope(call, call.body.text("environment")), call.body.text("plan") or None

    def work(tx: Tx) -> JsonValue:
        call.server.keys.set_plan_in(tx, scope, plan, call.server.now, call.actor)
        return _shown(call.server, tx, scope)

    return await change(call, work)


def _scope(call: Call, environment: str | None) -> Scope:
    account = call.path["id"]
    if account == SERVICE_ACCOUNT:  # service keys have no plan
        raise missing("account", account)
    return Scope(account, livemode_of(call.server, environment))


def _shown(server: Server, tx: Tx, scope: Scope) -> dict[str, JsonValue]:
    return {
        "id": scope.account,
        "object": "account",
        "environment": server.keys.config.environment(scope.livemode),
        "plan": server.keys.plan_in(tx, scope),
    }


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/accounts/{id}",
        retrieve,
        "key_read",
        "Retrieve an account",
        "account",
        query={"environment": _ENVIRONMENT},
    ),
    Endpoint(
        "POST",
        "/v1/accounts/{id}",
        update,
        "key_write",
        "Set the plan of an account",
        "account",
        body={"plan": _PLAN, "environment": _ENVIRONMENT},
        takes_idempotency_key=True,
    ),
)
