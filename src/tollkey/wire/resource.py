"""Declarations of resources: one ``Resource`` describes a type of object completely.

A module in ``platform/`` or ``payments/`` exports one ``Resource``, or several that belong together. The server
derives from it the routes and the permission each needs, the table, the row in the permission editor, the
Dashboard's list and detail pages, the OpenAPI operations and a row of the docs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from tollkey.db import Ids, Scope
from tollkey.keys import Permission
from tollkey.keys.keyring import Keyring
from tollkey.wire.errors import ApiError
from tollkey.wire.kinds import Job
from tollkey.wire.live import Live
from tollkey.wire.messages import Rest
from tollkey.wire.params import P, knows_operation, operation_params
from tollkey.wire.removed import Removed, gone, narrowed
from tollkey.wire.staging import Staged

if TYPE_CHECKING:
    from tollkey.wire.access import Access
    from tollkey.wire.call import Call
    from tollkey.wire.params import ObjectSchema
    from tollkey.wire.versions import Change

#: An object without a type of its own; new functions use the types of ``wire.api``.
Json: TypeAlias = dict[str, Any]
#: The parameters of an operation without a type of its own; new handlers use the types of ``wire.operations``.
Params = dict[str, Any]
#: ``(private fields, keyring, scope, id)`` -> the private fields in the form of this version.
Rewrite = Callable[[Json, Keyring, Scope, str], Json]
#: ``(call, params)`` -> the response. The parameters have the operation's type of ``wire.operations``, or ``Params``.
Handler = Callable[["Call", Any], Any]
Level = Literal["read", "write"]

#: Bytes. Metadata of 50 keys with the longest values takes 243 KB when every character is percent-encoded.
LARGEST_FORM = 512 * 1024
LARGEST_PAGE_FORM = 64 * 1024


@dataclass(frozen=True)
class Endpoint:
    """One operation of the API: a method on a path.

    method: GET, POST or DELETE.
    path: as in the API reference, for example ``/v1/customers/{customer}``; names in braces arrive in ``call.path``.
    handler: ``(call, params) -> object``. It returns a dict, a ``pages.Page`` or a ``Reply``.
    level: the level of the permission that a restricted key needs; by default ``read`` for GET, else ``write``.
    permission: the permission it needs, when not the resource's.
    publishable: what a publishable key may send and expand (``wire.access``); None refuses such keys.
    ephemeral: the same for ephemeral keys.
    params: the typed parameters; by default those of Stripe's OpenAPI document for this method and path.
    object: the type of object in its response, when not the resource's own (for the docs).
    unrestricted: restricted keys may not call it.
    session: only the token of a session may call it (keys of kind ``session``), and nothing else.
    raw: its response may be the stored JSON without decoding it, when nothing in it must be changed.
    secret: the field of its response (dotted path) that is left out of request logs and idempotency records.
    public: it needs no key; its path contains a ``{token}`` of ``wire.hosted``, which determines the scope and
    ``call.path["id"]``.
    makes: a GET that may store something, as test values may become objects.
    live: what it may do in live mode (``wire.live``), when not as the resource says; required if it writes.
    host: the host that serves it in Stripe's API, when not api.stripe.com.
    scans: it reads many objects, so it runs in the threads for long reads from the start; other reads are moved there
    when they turn out to be long.
    largest_body: bytes allowed in its body; default: see ``most_body``.
    decode: ``(body, content type) -> parameters`` for a body that is neither a form nor JSON. It runs in a thread,
    before the transaction, and may raise ApiError.
    stage: ``(decoded parameters, scope, ids, UTC epoch seconds) -> Staged`` for what is too long for the handler's
    transaction and is stored before it (``wire/staging.py``); None when nothing is.
    removed: parameters, values and forms that an API version no longer takes.
    until: the date of the API version that no longer has the endpoint.
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
    session: bool = False
    raw: bool = False
    secret: str = ""
    public: bool = False
    makes: bool = False
    live: Live | None = None
    host: str | None = None
    scans: bool = False
    largest_body: int | None = None
    decode: Callable[[bytes, str], Json] | None = None
    stage: Callable[[Json, Scope, Ids, int], Staged | None] | None = None
    removed: tuple[Removed, ...] = ()
    until: str | None = None

    @cached_property
    def needs(self) -> Level:
        """The level of the permission that a restricted key needs."""
        return self.level or ("read" if self.method == "GET" else "write")

    @cached_property
    def schema(self) -> ObjectSchema:
        """The typed parameters. Raises LookupError when neither the endpoint nor Stripe's document declares them."""
        return self.params or operation_params(self.method, self.path)

    def schema_for(self, version: str) -> ObjectSchema:
        """Return the typed parameters that callers of an API version (``YYYY-MM-DD``) may send."""
        found = self._schemas.get(version)
        if found is None:
            found = self._schemas[version] = narrowed(self.schema, gone(self.removed, version))
        return found

    @cached_property
    def _schemas(self) -> dict[str, ObjectSchema]:
        return {}  # by API version, of which there are about a hundred

    def ended(self, version: str) -> bool:
        """Return whether an API version (``YYYY-MM-DD``) no longer has the endpoint."""
        return self.until is not None and self.until <= version

    def access_of(self, kind: str) -> Access | None:
        """Return what keys of that kind may send and expand; None when they may not call the endpoint.

        kind: ``publishable`` or ``ephemeral``.
        """
        return self.publishable if kind == "publishable" else self.ephemeral if kind == "ephemeral" else None

    @cached_property
    def writes(self) -> bool:
        """Whether the handler runs in a writing transaction."""
        return self.method != "GET" or self.makes

    @property
    def most_body(self) -> int:
        """The largest body in bytes.

        A GET may send its parameters in the body, as in Stripe's API (its engineers in stripe-node#230).
        """
        if self.largest_body is not None:
            return self.largest_body
        return LARGEST_FORM if self.method == "POST" and not self.public else LARGEST_PAGE_FORM


E = TypeVar("E")


@dataclass(frozen=True)
class Reaction(Generic[E]):
    """What a resource does when a package that it imports announces a fact (``Call.announce``).

    event: the type of the fact, a frozen dataclass. do: called with the fact, in the transaction that announced it.
    """

    event: type[E]
    do: Callable[[Call, E], None]


@dataclass(frozen=True)
class MoreEndpoints:
    """Further endpoints of a resource, declared in a package that imports the resource's.

    of: the resource's object name.
    """

    of: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Action:
    """A button in the Dashboard that calls an endpoint for one object.

    label: of the button. path, method: the endpoint. fields: parameters that the form asks for.
    when: values of ``status`` in which it is offered; empty for all.
    id_param: the parameter with the object's id when the path does not contain it.
    fixed: parameters that are always sent.
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
    """The declaration of one type of object.

    object: the value of its ``object`` field.
    permission: the permission that restricted keys need for it.
    prefix: of its ids, without the underscore; empty when callers choose ids. prefixes: further prefixes.
    label: its name in "No such …"; default ``object``.
    path_param: the ``param`` of the error for an unknown id in the path.
    unknown: ``(id, livemode)`` -> the error for an unknown id in the path, if it is worded in another way, else None.
    indexed: fields (dotted paths) that lists and lookups filter by; each becomes an indexed column.
    searchable: search field (as in the query language) -> dotted path in the object.
    expands: field that exists only when expanded -> a function that computes it from the object.
    named_by: for objects that are not stored: returns the object with an id, for expansion without a permission check.
    view: changes a copy of the object before it is sent; use it rarely, since it disables zero-copy reads.
    client_view: returns what publishable and ephemeral keys see of the object; must be idempotent.
    reveals: field (dotted path) with which its holder can act, such as a client secret or a hosted page's URL -> the
    permission that a restricted key needs to see it in any response: ``read`` or ``write`` of the resource's
    permission, or the full name of another.
    sealed: private fields that hold sealed secrets; only these are resealed when the sealing key is rotated.
    rewrites: conversions of private fields that earlier versions of this program wrote in another form; each runs once
    over all objects, at the first start (``wire/rewriting.py``). Oldest first; only append.
    changes: differences of older API versions.
    on_due: scheduled job -> the function that runs it.
    on: reactions to facts; they run in the order of the resources in the catalogue.
    live: what its endpoints and jobs may do in live mode, by default. due_live: job -> its own declaration.
    refusal: ``(call, object, reference)`` -> the error that a request is answered with because of what was done outside
    of its transaction (``Call.outside``); None when that was not refused.
    title: its plural name in the Dashboard. columns: fields in the Dashboard's list. actions: its buttons.
    stored: whether its objects have a table.
    """

    object: str
    permission: Permission
    endpoints: tuple[Endpoint, ...] = ()
    prefix: str = ""
    prefixes: tuple[str, ...] = ()
    label: str = ""
    path_param: str = "id"
    unknown: Callable[[str, bool], ApiError | None] | None = None
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
    refusal: Callable[[Call, Any, str], ApiError | None] | None = None
    title: str = ""
    columns: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    stored: bool = True

    @property
    def named(self) -> str:
        """Its name in error messages."""
        return self.label or self.object

    def live_of(self, kind: str) -> Live:
        """Return what jobs of that kind may do in live mode. Raises KeyError when it is not declared."""
        found = self.due_live.get(Job(kind), self.live)
        if found is None:
            raise KeyError(kind)
        return found


@dataclass(frozen=True)
class Reply:
    """A handler's response that is not an object: body bytes, content type, status and headers.

    guess: see ``ApiError``. rest: the remaining pieces of a long body. drawn: makes the body, where that takes long; it
    is called in a thread, after the transaction.
    """

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    guess: bool = False
    rest: Rest | None = None
    drawn: Callable[[], bytes] | None = None


_BRACES = re.compile(r"\{(\w+)\}")


def path_names(path: str) -> list[str]:
    """Return the names in braces of an endpoint's path, in order."""
    return _BRACES.findall(path)


class Catalogue:
    """All resources of one server, by object name, id prefix and job.

    resources: collected by the composition root.
    Raises ValueError when two resources declare the same object, route or job, when an endpoint has no parameters,
    when an endpoint that writes or a job does not declare its live mode, or when a publishable or ephemeral key may
    call an endpoint of a resource without ``client_view``.
    """

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        resources = tuple(_with_params(resource) for resource in resources)
        self.resources = resources
        self.by_object: dict[str, Resource] = {}
        self.by_prefix: dict[str, Resource] = {}
        self.by_job: dict[str, Resource] = {}
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
            if twice := self.by_job.keys() & {str(job) for job in resource.on_due}:
                raise ValueError(f"two resources declare the job {', '.join(sorted(twice))}")
            self.by_job.update({str(job): resource for job in resource.on_due})
            for endpoint in resource.endpoints:
                route = (endpoint.method, _BRACES.sub("{}", endpoint.path))
                if route in routes:
                    raise ValueError(f"two endpoints answer {route}")
                routes.add(route)
                if (endpoint.publishable or endpoint.ephemeral) and resource.client_view is None:
                    raise ValueError(f"{route}: {resource.object} has no client_view")

    def permissions(self) -> list[Permission]:
        """Return every declared permission once, in order of declaration."""
        seen: dict[str, Permission] = {}
        for resource in self.resources:
            for permission in (resource.permission, *(e.permission for e in resource.endpoints)):
                if permission is not None:
                    seen.setdefault(permission.name, permission)
        return list(seen.values())

    def of_id(self, id: str) -> Resource | None:
        """Return the resource whose prefix an id has, or None."""
        return self.by_prefix.get(id.rpartition("_")[0])


def join_endpoints(resources: tuple[Resource, ...], more: tuple[MoreEndpoints, ...]) -> tuple[Resource, ...]:
    """Return the resources with the endpoints that other packages declare for them.

    Raises ValueError for endpoints of an unknown resource.
    """
    further: dict[str, tuple[Endpoint, ...]] = {}
    for entry in more:
        further[entry.of] = further.get(entry.of, ()) + entry.endpoints
    unknown = further.keys() - {resource.object for resource in resources}
    if unknown:
        raise ValueError(f"more endpoints for resources that are not there: {', '.join(sorted(unknown))}")
    return tuple(replace(found, endpoints=found.endpoints + further.get(found.object, ())) for found in resources)


def _with_params(resource: Resource) -> Resource:
    """Return the resource with the defaults of its endpoints filled in.

    Lists and retrievals that Stripe's document does not describe get cursors and indexed fields as parameters;
    endpoints that write get the resource's ``live``.
    """
    endpoints = tuple(_decided(resource, _declared(resource, endpoint)) for endpoint in resource.endpoints)
    for kind in resource.on_due:
        if resource.due_live.get(kind, resource.live) is None:
            raise ValueError(f"nothing says what {kind} does in live mode: declare `due_live` or the resource's `live`")
    return resource if endpoints == resource.endpoints else replace(resource, endpoints=endpoints)


def _decided(resource: Resource, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with the resource's ``live`` if it writes and declares none of its own."""
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
