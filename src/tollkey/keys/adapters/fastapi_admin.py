"""A router with which an application's own administrators manage its keys."""

# FastAPI reads annotations at run time: no ``from __future__ import annotations`` here.
import logging
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.requests import Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from tollkey.db import StorageError
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyNotFound, KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.limits import LONGEST_ROLL_SECONDS
from tollkey.keys.service import KeyService

Admin = Callable[..., Any]
_MOST = 100
_log = logging.getLogger(__name__)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")  # a parameter that would not act is refused


class NewKey(_Body):
    """The parameters of a new key; see ``KeyService.create``. Times are UTC epoch seconds."""

    name: str = ""
    account: str = "main"
    livemode: bool = True
    kind: Literal["restricted", "secret", "publishable"] = "restricted"
    permissions: list[str] = []
    note: str = ""
    ip_allowlist: list[str] = []
    expires_at: int | None = None
    metadata: dict[str, str] = {}


class KeyChanges(_Body):
    """What to change; a field that is left out stays."""

    name: str | None = None
    permissions: list[str] | None = None
    note: str | None = None
    ip_allowlist: list[str] | None = None
    metadata: dict[str, str | None] | None = None


class Roll(_Body):
    """How long the old key stays valid, in seconds."""

    expires_in_seconds: int = Field(default=0, ge=0, le=LONGEST_ROLL_SECONDS)


class KeyObject(BaseModel):
    """A key without its text. Times are UTC epoch seconds."""

    object: Literal["api_key"] = "api_key"
    id: str
    account: str
    livemode: bool
    kind: str
    name: str
    note: str
    permissions: list[str]
    ip_allowlist: list[str]
    created: int
    expires_at: int | None
    revoked_at: int | None
    disabled_at: int | None
    metadata: dict[str, str]
    redacted: str
    rolled_from: str | None
    replaced_by: str | None

    @classmethod
    def of(cls, key: Key) -> "KeyObject":
        """Return the object of a key."""
        return cls(**_fields(key))


class KeyWithSecret(KeyObject):
    """A new key with its text, which is shown once."""

    secret: str

    @classmethod
    def of_new(cls, key: Key, text: str) -> "KeyWithSecret":
        """Return the object of a new key with its text."""
        return cls(**_fields(key), secret=text)


def _fields(key: Key) -> dict[str, Any]:
    names = KeyObject.model_fields.keys() - {"object", "permissions", "metadata"}
    fields = {name: getattr(key, name) for name in names}
    return {**fields, "permissions": sorted(key.permissions), "metadata": dict(key.metadata)}


class KeyList(BaseModel):
    """A page of keys, newest first. has_more: whether there is another page, after the last id of this one."""

    object: Literal["list"] = "list"
    data: list[KeyObject]
    has_more: bool


class _Route(APIRoute):
    """Answers what the key service refuses in the form of Stripe's errors."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                answer = await original(request)
                answer.headers["cache-control"] = "no-store"
                return answer
            except KeyRefused as problem:
                if problem.param == "after":  # what to begin after is a parameter, not what was asked for
                    return _error(400, "invalid_request_error", problem.code, problem.message, "starting_after")
                return _error(problem.status, "invalid_request_error", problem.code, problem.message, problem.param)
            except StorageError:
                _log.exception("a request to manage keys failed")
                message = "Keys cannot be read or changed at the moment."
                return _error(503, "api_error", "unavailable", message, None)

        return handle


def admin_router(keys: KeyService, admin: Admin, *, prefix: str, tags: list[str]) -> APIRouter:
    """Return the router of ``ApiKeys.admin_router``."""
    router = APIRouter(prefix=prefix, tags=list(tags), dependencies=[Depends(admin)], route_class=_Route)
    _add_reading(router, keys)
    _add_writing(router, keys, admin)
    return router


def _add_reading(router: APIRouter, keys: KeyService) -> None:
    @router.get("")
    def list_keys(
        account: str = "main",
        livemode: bool = True,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 10,
        starting_after: str | None = None,
    ) -> KeyList:
        """List the keys of an account, newest first."""
        page = keys.list(account=account, livemode=livemode, limit=limit, after=starting_after)
        return KeyList(data=[KeyObject.of(key) for key in page], has_more=page.has_more)

    @router.get("/{id}")
    def retrieve_key(id: str) -> KeyObject:
        """Return a key by its id."""
        return KeyObject.of(_found(keys, id))


def _add_writing(router: APIRouter, keys: KeyService, admin: Admin) -> None:
    def actor(who: Annotated[Any, Depends(admin)], request: Request) -> Actor:
        ip = request.client.host if request.client else None
        return Actor("user", who if isinstance(who, str) else "admin", ip=ip)

    @router.post("", status_code=201)
    def create_key(body: NewKey, by: Annotated[Actor, Depends(actor)]) -> KeyWithSecret:
        """Create a key and return it with its text, once."""
        return KeyWithSecret.of_new(*keys.create(**dict(body), actor=by))

    @router.post("/{id}")
    def update_key(id: str, body: KeyChanges, by: Annotated[Actor, Depends(actor)]) -> KeyObject:
        """Change a key."""
        return KeyObject.of(keys.update(_found(keys, id), **dict(body), actor=by))

    @router.post("/{id}/roll")
    def roll_key(id: str, by: Annotated[Actor, Depends(actor)], body: Roll | None = None) -> KeyWithSecret:
        """Create the successor of a key, and return it with its text, once."""
        seconds = 0 if body is None else body.expires_in_seconds
        _, key, text = keys.roll(_found(keys, id), seconds, actor=by)
        return KeyWithSecret.of_new(key, text)

    @router.post("/{id}/disable")
    def disable_key(id: str, by: Annotated[Actor, Depends(actor)]) -> KeyObject:
        """Pause a key: it is refused until it is enabled."""
        return KeyObject.of(keys.disable(_found(keys, id), actor=by))

    @router.post("/{id}/enable")
    def enable_key(id: str, by: Annotated[Actor, Depends(actor)]) -> KeyObject:
        """Resume a paused key."""
        return KeyObject.of(keys.enable(_found(keys, id), actor=by))

    @router.post("/{id}/revoke")
    def revoke_key(id: str, by: Annotated[Actor, Depends(actor)]) -> KeyObject:
        """Revoke a key permanently."""
        return KeyObject.of(keys.revoke(_found(keys, id), actor=by))


def _found(keys: KeyService, id: str) -> Key:
    """Return a key by its id, never by its text: a text in a path is in logs. Raises KeyRefused."""
    key = keys.find(id) if id.startswith("mk_") else None
    if key is None:
        raise KeyNotFound(id)
    return key


def _error(status: int, kind: str, code: str, message: str, param: str | None) -> Response:
    error = {"type": kind, "code": code, "message": message}
    return JSONResponse({"error": error if param is None else {**error, "param": param}}, status)
