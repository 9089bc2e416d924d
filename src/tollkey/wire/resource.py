"""What a resource is: one value that says everything about it.

A file in ``platform/`` or ``payments/`` exports one ``Resource`` (or several that belong together).
From it come the routes, the level each needs, the table, the grantable permission and its row in
the Dashboard's editor, the Dashboard's list and detail pages, the OpenAPI entry and the docs row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from tollkey.db import Scope
from tollkey.keys import Keyring, Permission
from tollkey.wire.kinds import Job
from tollkey.wire.live import Live
from tollkey.wire.messages import Rest
from tollkey.wire.params import P, knows_operation, operation_params

if TYPE_CHECKING:
    from tollkey.wire.access import Access
    from tollkey.wire.call import Call
    from tollkey.wire.params import ObjectSchema
    from tollkey.wire.versions import Change

#: An object that has no type yet. It fits what has one, so that rooms get their types one by one (tests/test_typing.py
#: counts what is left); a new function takes or returns a type of ``wire.api``.
Json: TypeAlias = Any
Params = dict[str, Any]
#: From the private fields of an object, the keyring, and the scope and id it is bound to: the private fields as this
#: version writes them.
Rewrite = Callable[[Json, Keyring, Scope, str], Json]
Handler = Callable[["Call", Params], Any]
Level = Literal["read", "write"]

#: Bytes. Metadata of 50 keys and longest texts, each character written as nine, makes 243 KB; a page's form is short.
LARGEST_FORM = 512 * 1024
LARGEST_PAGE_FORM = 64 * 1024


@dataclass(frozen=True)
class Endpoint:
    """One method on one path.

    method: GET, POST or DELETE.
    path: as in the API reference, for example ``/v1/customers/{customer}``; names in braces arrive in ``call.path``.
    handler: ``(call, params) -> object``. It returns a dict, a ``pages.Page`` or a ``Reply``.
    level: what a restricted key must hold on the permission; GET reads and the rest write unless said otherwise.
    permission: when it is not the resource's own.
    publishable: what a publishable key may send here and expand (``wire.access``); such a key may not call it unless
        given.
    ephemeral: the same for an ephemeral key of a customer.
    params: the typed parameters; those of the public API specification for this method and path unless given.
    object: what it answers, when it is not the resource's own object (for the docs).
    unrestricted: only a secret key without restrictions may call it.
    raw: it may answer stored bytes as they are, when nothing has to be changed in them.
    secret: its answer's ``secret`` is left out of logs and of the answer kept for an idempotency key.
    live: what it does in live mode (``wire.live``), when that is not the resource's own; one that writes must have a
        decision.
    public: needs no key; its path holds a ``{token}`` that ``wire.hosted`` made, which gives the scope and
        ``call.path["id"]``.
    scans: it looks at many objects, whatever it answers: it runs where it holds up nobody from the start. Other reads
        that turn
        out to be long are begun again there.
    largest_body: bytes that its body may have; unless given, what ``most_body`` says.
    decode: ``(body, content type) -> parameters`` for a body that is neither a form nor JSON. It runs in a thread,
        before the
        transaction, and raises ApiError.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handler: Handler
    level: Level | None = None
    permission: Permission | None = None
    publishable: Access | None = None
    ephemeral: Access | None = None
    params: ObjectSchema | None = None
    object: str | None = None
    unrestricted: bool = False
    raw: bool = False
    secret: bool = False
    public: bool = False
    makes: bool = False  # a GET that may store something: test values become real objects
    live: Live | None = None
    host: str | None = None  # served on files.stripe.com in the real system
    scans: bool = False
    largest_body: int | None = None
    decode: Callable[[bytes, str], Json] | None = None

    @property
    def needs(self) -> Level:
        """The level that a restricted key must hold."""
        return self.level or ("read" if self.method == "GET" else "write")

    @property
    def schema(self) -> ObjectSchema:
        """The typed parameters. Raises LookupError when neither the endpoint nor the specification has any."""
        return self.params or operation_params(self.method, self.path)

    def access_of(self, kind: str) -> Access | None:
        """What a client key of that kind may do here; None when it may not call it.

        kind: ``publishable`` or ``ephemeral``.
        """
        return self.publishable if kind == "publishable" else self.ephemeral if kind == "ephemeral" else None

    @property
    def writes(self) -> bool:
        """Whether the handler runs in a writing transaction."""
        return self.method != "GET" or self.makes

    @property
    def most_body(self) -> int:
        """How many bytes of a body are read, once the caller is known.

        The parameters of a GET may stand in its body, as in the real system (its engineers in stripe-node#230).
        """
        if self.largest_body is not None:
            return self.largest_body
        return LARGEST_FORM if self.method == "POST" and not self.public else LARGEST_PAGE_FORM


E = TypeVar("E")


@dataclass(frozen=True)
class Reaction(Generic[E]):
    """What a resource does when a room below says that something has happened (``Call.announce``).

    event: the type of the fact, a frozen dataclass. do: called with the fact, in the transaction of whoever announced
        it.
    """

    event: type[E]
    do: Callable[[Call, E], None]


@dataclass(frozen=True)
class MoreEndpoints:
    """Endpoints of a resource whose handlers stand in a room above it.

    of: the resource's object name.
    """

    of: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Action:
    """Something people do by hand in the Dashboard: a POST to one object.

    label: what the button says. path: the endpoint. fields: parameters the person is asked for.
    when: object states (values of ``status``) in which it is offered; always when empty.
    id_param: the parameter that carries the object's id where the path has no place for it. fixed: parameters that are
        always sent.
    """

    label: str
    path: str
    fields: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    method: Literal["POST", "DELETE"] = "POST"
    id_param: str = ""
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Resource:
    """Everything there is to say about one kind of object.

    object: the value of its ``object`` field.
    prefix: what its ids begin with, without the underscore; empty when callers choose ids. prefixes: further ones.
    permission: what restricted keys are granted, declared here and nowhere else.
    label: how "No such …" names it; the object name unless given.
    path_param: the parameter named when an id in the path is unknown.
    indexed: fields (dotted paths) that lists and look-ups filter by; each becomes an indexed column.
    searchable: search field (as in the query language) -> dotted path in the object.
    expands: fields that are only there when expanded -> how to make them. These functions, ``view`` and ``client_view``
        take an object of this kind; each declares its type.
    named_by: for what is not stored, the object that an id stands for, to be shown expanded; anybody who sees the id
        may see it.
    view: last changes to a copy of the object before it is answered; keep it rare, it costs the fast path.
    client_view: the restricted shape that publishable and ephemeral keys see; applying it twice changes nothing.
    reveals: fields (dotted paths) that let their holder act, a client secret or a page's address -> what a restricted
        key must hold
        to see them wherever the object stands: ``read`` or ``write`` of the resource's permission, or the name of
            another.
    sealed: private fields that hold sealed texts; the rotation of the sealing key moves them, and finds no others.
    rewrites: for private fields that earlier versions of this program wrote otherwise: each is done once, to every
        object that is there
        at the first start (``wire/rewriting.py``). Oldest first; only ever append.
    changes: what older API versions saw.
    on_due: kind of scheduled work -> what to do when its time has come.
    on: what to do when a fact is announced; reactions run in the order in which the catalogue got its resources.
    live: what its endpoints and its work do in live mode, unless they say otherwise. due_live: kind of work -> its own
        decision.
    title: the plural name people see; columns: fields shown in the Dashboard's list; actions: its buttons.
    """

    object: str
    permission: Permission
    endpoints: tuple[Endpoint, ...] = ()
    prefix: str = ""
    prefixes: tuple[str, ...] = ()
    label: str = ""
    path_param: str = "id"
    indexed: tuple[str, ...] = ()
    searchable: Mapping[str, str] = field(default_factory=dict)
    expands: Mapping[str, Callable[[Call, Any], Any]] = field(default_factory=dict)
    named_by: Callable[[Call, str], Json | None] | None = None
    view: Callable[[Call, Any], Any] | None = None
    client_view: Callable[[Call, Any], Any] | None = None
    reveals: Mapping[str, str] = field(default_factory=dict)
    sealed: tuple[str, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    changes: tuple[Change, ...] = ()
    on_due: Mapping[Job, Callable[[Call, str], None]] = field(default_factory=dict)
    on: tuple[Reaction[Any], ...] = ()
    live: Live | None = None
    due_live: Mapping[Job, Live] = field(default_factory=dict)
    title: str = ""
    columns: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    stored: bool = True

    @property
    def named(self) -> str:
        """How messages name it."""
        return self.label or self.object

    def live_of(self, kind: str) -> Live:
        """What scheduled work of that kind does in live mode. Raises KeyError when nothing says so."""
        found = self.due_live.get(Job(kind), self.live)
        if found is None:
            raise KeyError(kind)
        return found


@dataclass(frozen=True)
class Reply:
    """An answer that is not an object: its status, type and bytes are said outright.

    guess: see ``ApiError``. rest: what follows ``body``.
    """

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    guess: bool = False
    rest: Rest | None = None


_BRACES = re.compile(r"\{(\w+)\}")


def path_names(path: str) -> list[str]:
    """The names in braces of an endpoint's path, in order."""
    return _BRACES.findall(path)


class Catalogue:
    """All resources of one server: by object name, by id prefix; nothing global.

    resources: what the server's composition root gathered.
    Raises ValueError when two resources claim the same object, route or kind of scheduled work, nothing says what an
    endpoint takes or what it, or scheduled work, does in live mode, or a client key may call an endpoint whose object
    has no shape for it.
    """

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        resources = tuple(_with_params(resource) for resource in resources)
        self.resources = resources
        self.by_object: dict[str, Resource] = {}
        self.by_prefix: dict[str, Resource] = {}
        self.by_work: dict[str, Resource] = {}
        self.reactions: dict[type, list[Callable[[Call, Any], None]]] = {}
        routes: set[tuple[str, str]] = set()
        for resource in resources:
            if resource.object in self.by_object:
                raise ValueError(f"two resources are called {resource.object}")
            self.by_object[resource.object] = resource
            for reaction in resource.on:
                self.reactions.setdefault(reaction.event, []).append(reaction.do)
            for prefix in (resource.prefix, *resource.prefixes):
                if prefix:
                    self.by_prefix.setdefault(prefix, resource)
            if twice := self.by_work.keys() & {str(job) for job in resource.on_due}:
                raise ValueError(f"two resources do the scheduled work {', '.join(sorted(twice))}")
            self.by_work.update({str(job): resource for job in resource.on_due})
            for endpoint in resource.endpoints:
                route = (endpoint.method, _BRACES.sub("{}", endpoint.path))
                if route in routes:
                    raise ValueError(f"two endpoints answer {route}")
                routes.add(route)
                if (endpoint.publishable or endpoint.ephemeral) and resource.client_view is None:
                    raise ValueError(f"{route}: {resource.object} has no client_view")

    def permissions(self) -> list[Permission]:
        """Every permission some resource declares, once each, in order of declaration."""
        seen: dict[str, Permission] = {}
        for resource in self.resources:
            for permission in (resource.permission, *(e.permission for e in resource.endpoints)):
                if permission is not None:
                    seen.setdefault(permission.name, permission)
        return list(seen.values())

    def of_id(self, id: str) -> Resource | None:
        """The resource whose ids look like this one."""
        return self.by_prefix.get(id.rpartition("_")[0])


def join_endpoints(resources: tuple[Resource, ...], more: tuple[MoreEndpoints, ...]) -> tuple[Resource, ...]:
    """The resources with the endpoints that other rooms declare for them.

    Raises ValueError when there is no such resource.
    """
    further: dict[str, tuple[Endpoint, ...]] = {}
    for entry in more:
        further[entry.of] = further.get(entry.of, ()) + entry.endpoints
    unknown = further.keys() - {resource.object for resource in resources}
    if unknown:
        raise ValueError(f"more endpoints for resources that are not there: {', '.join(sorted(unknown))}")
    return tuple(replace(found, endpoints=found.endpoints + further.get(found.object, ())) for found in resources)


def _with_params(resource: Resource) -> Resource:
    """The resource, where its lists and look-ups beyond the specification take what follows from it: cursors and
    indexed fields.

    What it says of live mode is handed on to each endpoint that writes.
    """
    endpoints = tuple(_decided(resource, _declared(resource, endpoint)) for endpoint in resource.endpoints)
    for kind in resource.on_due:
        if resource.due_live.get(kind, resource.live) is None:
            raise ValueError(f"nothing says what {kind} does in live mode: declare `due_live` or the resource's `live`")
    return resource if endpoints == resource.endpoints else replace(resource, endpoints=endpoints)


def _decided(resource: Resource, endpoint: Endpoint) -> Endpoint:
    """The endpoint with its resource's decision about live mode, if it writes and has none of its own."""
    if endpoint.live is not None or not endpoint.writes:
        return endpoint
    if resource.live is None:
        raise ValueError(
            f"nothing says what {endpoint.method} {endpoint.path} does in live mode: declare `live` (wire/live.py)"
        )
    return replace(endpoint, live=resource.live)


def _declared(resource: Resource, endpoint: Endpoint) -> Endpoint:
    if endpoint.params is not None or knows_operation(endpoint.method, endpoint.path):
        return endpoint
    if endpoint.method != "GET":
        raise ValueError(f"{endpoint.method} {endpoint.path} is not in the specification: declare its params")
    if endpoint.path.endswith("}"):
        return replace(endpoint, params=P.object())
    filters = {name: P.string() for name in resource.indexed if name.isidentifier() and not name.startswith("_")}
    return replace(endpoint, params=P.page(created=P.range(), **filters))
