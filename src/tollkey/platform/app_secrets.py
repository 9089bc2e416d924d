"""The secret store: secrets that an app stores for an account or one of its users.

stored ──create with the same name and scope──▶ stored (replaced)
   └──delete, or ``expires_at`` comes──▶ gone

The payload is stored sealed, only returned with ``expand[]=payload``, and never logged. There are no events about
secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.platform._sealed import sealed, unsealed
from tollkey.wire import ApiError, Call, Endpoint, Json, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.expand import NotAnId
from tollkey.wire.kinds import Job
from tollkey.wire.live import records
from tollkey.wire.objects import public
from tollkey.wire.pages import list_page

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("secret", "Secrets", "Core")
_EXPIRE = Job("apps.secret.expire")


def _scope(
    params: operations.PostAppsSecrets
    | operations.PostAppsSecretsDelete
    | operations.GetAppsSecrets
    | operations.GetAppsSecretsFind,
) -> tuple[Json, str]:
    """The scope in parameters, and its lookup key. Raises ApiError 400 for a missing or superfluous user."""
    given = params["scope"]
    user = given.get("user")
    if given["type"] == "user":
        if not user:
            raise missing_param("scope[user]")
        return {"type": "user", "user": user}, f"user {user}"
    if user:
        raise invalid("You may only provide `scope[user]` when `scope[type]` is `user`.", "scope[user]")
    return {"type": "account"}, "account"


def _stored(
    call: Call, params: operations.PostAppsSecrets | operations.PostAppsSecretsDelete | operations.GetAppsSecretsFind
) -> Json | None:
    found = call.objects.query("apps.secret", {"name": params["name"], "_scope": _scope(params)[1]}, limit=1)
    return found[0] if found and _is_valid(call, found[0]) else None


def _is_valid(call: Call, secret: Json) -> bool:
    return secret["expires_at"] is None or secret["expires_at"] > call.now


def _named(call: Call, params: operations.GetAppsSecretsFind | operations.PostAppsSecretsDelete) -> Json:
    """The secret with a name and scope. Raises ApiError 404."""
    found = _stored(call, params)
    if found is None:
        raise ApiError(404, code="resource_missing", message=f"No such secret: '{params['name']}'", param="name")
    return found


def create(call: Call, params: operations.PostAppsSecrets) -> Json:
    """Store a secret, or replace the one with that name and scope."""
    scope, key = _scope(params)
    expires = params.get("expires_at")
    if expires is not None and expires <= call.now:
        raise invalid("`expires_at` must be in the future.", "expires_at")
    old = _stored(call, params)
    secret = old or new_object(
        "apps.secret", id=call.ids.new("appsecret"), livemode=call.livemode, name=params["name"], scope=scope
    )
    secret.pop("payload", None)
    secret.update(
        created=call.now, expires_at=expires, _payload=sealed(call, secret["id"], params["payload"]), _scope=key
    )
    call.schedule.cancel(_EXPIRE, secret["id"])
    if expires is not None:
        call.schedule.add(expires, _EXPIRE, secret["id"])
    return call.objects.save(secret) if old else call.objects.insert(secret)


def list_secrets(call: Call, params: operations.GetAppsSecrets) -> Page:
    """List the secrets of a scope, without payloads."""
    equal = {"_scope": _scope(params)[1]}
    return list_page(
        call, "apps.secret", params, equal, url="/v1/apps/secrets", keep=lambda secret: _is_valid(call, secret)
    )


def find(call: Call, params: operations.GetAppsSecretsFind) -> Json:
    """The secret of a name in a scope."""
    return _named(call, params)


def delete(call: Call, params: operations.PostAppsSecretsDelete) -> Json:
    """Delete the secret of a name in a scope."""
    secret = _named(call, params)
    call.schedule.cancel(_EXPIRE, secret["id"])
    call.objects.delete(secret)
    return {**public(secret), "deleted": True}


def _expire(call: Call, id: str) -> None:
    secret = call.objects.find("apps.secret", id)
    if secret is not None and not _is_valid(call, secret):
        call.objects.delete(secret)


def _payload(call: Call, secret: Json) -> NotAnId:
    return NotAnId(unsealed(call.services.authority.keyring, call.scope, secret["id"], secret["_payload"]))


SECRET = Resource(
    object="apps.secret",
    prefix="appsecret",
    permission=PERMISSION,
    live=records(),
    label="secret",
    indexed=("name", "_scope"),
    sealed=("_payload",),
    expands={"payload": _payload},
    endpoints=(
        Endpoint("GET", "/v1/apps/secrets", list_secrets),
        Endpoint("POST", "/v1/apps/secrets", create),
        Endpoint("GET", "/v1/apps/secrets/find", find),
        Endpoint("POST", "/v1/apps/secrets/delete", delete),
    ),
    on_due={_EXPIRE: _expire},
    title="Secrets",
    columns=("name", "id", "expires_at", "created"),
)
