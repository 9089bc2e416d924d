"""Endpoints: what they take, who may call them, and the function that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from starlette.concurrency import run_in_threadpool

from tollkey.db import Tx
from tollkey.keys.actors import Actor
from tollkey.keys.http.answer import Answer, Stream
from tollkey.keys.http.callers import Callers
from tollkey.keys.http.changes import ChangeStream
from tollkey.keys.http.fields import Fields, Values
from tollkey.keys.key import Key
from tollkey.keys.service import KeyService

T = TypeVar("T")
LARGEST_BODY = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Server:
    """What handlers work with.

    keys: the keys of the host's customers. callers: the service keys. changes: the stream of changes.
    clock: returns UTC epoch seconds. new_id: returns a new id with a prefix.
    forward_auth_key: whether proxies must send a service key to ``forward-auth``. key_header: the header in which
    clients send their key, in lower case.
    """

    keys: KeyService
    callers: Callers
    changes: ChangeStream
    clock: Callable[[], float]
    new_id: Callable[[str], str]
    forward_auth_key: bool = False
    key_header: str = "authorization"

    @property
    def now(self) -> int:
        """The time, UTC epoch seconds."""
        return int(self.clock())


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    caller: the service key; None where none is needed. path: the values in the path. query, body: checked parameters.
    headers: lower-case name to value; of several with one name, the last. ip: the caller's address.
    """

    server: Server
    method: str
    caller: Key | None
    path: Mapping[str, str]
    query: Values = field(repr=False)
    body: Values = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    ip: str | None
    request_id: str
    text: str = field(default="", repr=False)  # of the service key, for connections that stay open
    target: str = field(default="", repr=False)  # path and query as sent, where something changes
    raw: bytes = field(default=b"", repr=False)  # the body as sent
    needs: str = ""  # the permission of the service key

    @property
    def actor(self) -> Actor:
        """Who changes a key, for the audit log: the service key."""
        id = self.caller.id if self.caller else "nobody"
        return Actor("api_key", id, self.ip, self.request_id)

    def current_caller(self, tx: Tx) -> Key | None:
        """Return the service key as it is in this transaction; None where none is needed. Raises ApiError 401, 403.

        A request waits before its transaction begins, and its key may have ended since it was verified.
        """
        if self.caller is None:
            return None
        return self.server.callers.current(tx, self.caller, self.needs, self.ip)

    async def read(self, callback: Callable[[Tx], T]) -> T:
        """Run a read in a thread. Raises StorageError and what ``callback`` raises."""
        return await run_in_threadpool(self.server.keys.database.read, callback)


Handler = Callable[[Call], Awaitable[Answer | Stream]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation.

    needs: the permission of the service key; None if the endpoint checks callers itself.
    body: its parameters; None if it takes no body. form: the body is a form, not JSON.
    answer: the name of its answer in the OpenAPI document.
    takes_idempotency_key: its handler answers through ``idempotency.change``; elsewhere Idempotency-Key is refused.
    """

    method: Literal["GET", "POST"]
    path: str
    handle: Handler
    needs: str | None
    summary: str
    answer: str
    query: Fields = field(default_factory=dict)
    body: Fields | None = None
    form: bool = False
    takes_idempotency_key: bool = False
