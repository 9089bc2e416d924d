"""The reference of one resource as a value for a template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from tollkey.dashboard.reference.naming import Request, named, singular
from tollkey.dashboard.reference.parameters import Row, path_rows, rows, schema_of
from tollkey.dashboard.reference.samples import Samples
from tollkey.wire import Endpoint, Resource
from tollkey.wire.resource import Catalogue
from tollkey.wire.spec import EXPANDABLE, NULLABLE, object_facts

_DEEPEST = 2


class Property(NamedTuple):
    """A property of an object. depth: 0 for a top-level one."""

    name: str
    type: str
    words: tuple[str, ...]
    nullable: bool
    expandable: bool
    depth: int


class Operation(NamedTuple):
    """An endpoint. permission: the grant that a restricted key needs, "" for none.

    clients: kind of client key -> the parameters it may send.
    """

    anchor: str
    title: str
    method: str
    path: str
    permission: str
    permission_label: str
    clients: dict[str, list[str]]
    unrestricted: bool
    about: str
    parameters: list[Row]
    request: Request
    answer: str


class ResourcePage(NamedTuple):
    """A resource: its operations, the properties of its object, and a sample object."""

    object: str
    title: str
    label: str
    operations: list[Operation]
    properties: list[Property]
    sample: str


def resources_shown(catalogue: Catalogue) -> list[Resource]:
    """Return the resources that have a page in the reference, sorted by title."""
    return sorted(
        (r for r in catalogue.resources if any(_shown(e) for e in r.endpoints)),
        key=lambda r: (title_of(r).lower(), r.object),
    )


def title_of(resource: Resource) -> str:
    """Return the title of a resource."""
    spelled = resource.object.replace("_", " ").replace(".", " ").capitalize()
    plural = spelled if spelled.endswith("s") else _plural(spelled)
    return plural.replace("Api ", "API ").replace("Apple pay", "Apple Pay")


def _plural(text: str) -> str:
    return text[:-1] + "ies" if text.endswith("y") and text[-2] not in "aeo" else text + "s"


def _shown(endpoint: Endpoint) -> bool:
    return not endpoint.public and endpoint.path.startswith("/v1/")


def page_of(catalogue: Catalogue, resource: Resource) -> ResourcePage:
    """Return the reference of a resource; it contains no keys."""
    samples = Samples(catalogue)
    listed = frozenset(e.path for r in catalogue.resources for e in r.endpoints if e.method == "GET")
    operations = [
        _operation(samples, resource, endpoint, listed) for endpoint in resource.endpoints if _shown(endpoint)
    ]
    number = object_facts().roots.get(resource.object)
    found = list(_properties(number, "", 0)) if number is not None else []
    sample = json.dumps(samples.object(resource.object), indent=2, ensure_ascii=False)
    return ResourcePage(resource.object, title_of(resource), resource.named, operations, found, sample)


def _operation(samples: Samples, resource: Resource, endpoint: Endpoint, listed: frozenset[str]) -> Operation:
    permission = endpoint.permission or resource.permission
    params = samples.params(endpoint)
    path = samples.path(resource, endpoint)
    answer = samples.answer(resource, endpoint, params)
    anchor = (endpoint.method + endpoint.path).lower().replace("/", "-").replace("{", "").replace("}", "")
    about = " ".join((endpoint.handler.__doc__ or "").strip().split("\n\n")[0].split())
    grant = f"{permission.name}_{endpoint.needs}"
    return Operation(
        anchor, _title(resource, endpoint, listed), endpoint.method, endpoint.path, grant,
        f"{permission.label} {endpoint.needs.capitalize()}", _clients(endpoint), endpoint.unrestricted, about,
        [*path_rows(endpoint), *rows(schema_of(endpoint))], named(endpoint, path, params, listed),
        json.dumps(answer, indent=2, ensure_ascii=False),
    )  # fmt: skip


def _clients(endpoint: Endpoint) -> dict[str, list[str]]:
    """Return the top-level parameters that each kind of client key may send, for endpoints that accept such keys."""
    found = ((kind, endpoint.access_of(kind)) for kind in ("publishable", "ephemeral"))
    return {
        kind: sorted(access.taken(schema_of(endpoint)).fields.keys() - {"expand"})
        for kind, access in found
        if access is not None
    }


def _title(resource: Resource, endpoint: Endpoint, listed: frozenset[str]) -> str:
    """Return the heading of an endpoint: ``List refunds of a charge``."""
    name = _spoken(resource.named)
    parts = endpoint.path.split("/")[2:]
    last, of = parts[-1], ""
    if len(parts) > 2 and parts[1].startswith("{") and (len(parts) > 3 or endpoint.path in listed):
        owner = singular(parts[0]).replace("_", " ")
        of = f" of {_article(owner)}"
    if last in ("search", "preview") or last.startswith("create_"):
        return f"{last.replace('_', ' ').capitalize()}: {_plural(name)}"
    if endpoint.method == "DELETE":
        return f"Delete {_article(name)}{of}"
    if endpoint.method == "GET":
        listing = "limit" in schema_of(endpoint).fields
        return f"List {_plural(name)}{of}" if listing else f"Retrieve {_article(name)}{of}"
    if last.startswith("{"):
        return f"Update {_article(name)}{of}"
    if "{" not in endpoint.path or endpoint.path in listed:
        return f"Create {_article(name)}{of}"
    return _verb_title(parts, name if of else _spoken(singular(parts[0])) if len(parts) == 3 else name)


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace(".", " ").replace("api key", "API key")


def _verb_title(parts: list[str], about: str) -> str:
    """``Cancel a payout``, ``Mark uncollectible: an invoice``, ``Create a login link of an account``."""
    first, *more = parts[-1].split("_")
    if parts[-1].endswith("s") and first not in ("verify", "add", "remove", "update"):
        return f"Create {_article(_spoken(singular(parts[-1])))} of {_article(about)}"
    return (
        f"{first.capitalize()} {' '.join(more)}: {_article(about)}"
        if more
        else f"{first.capitalize()} {_article(about)}"
    )


def _article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeio" else f"a {name}"


def _properties(row: int, prefix: str, depth: int) -> Iterator[Property]:
    kind, *rest = object_facts().row(row)
    if kind != "o":
        return
    for name, (inner, flags) in rest[0].items():
        type, words, deeper = _type(inner)
        yield Property(prefix + name, type, words, bool(flags & NULLABLE), bool(flags & EXPANDABLE), depth)
        if deeper is not None and depth + 1 < _DEEPEST:
            yield from _properties(deeper, f"{prefix}{name}.", depth + 1)


_NAMES = {
    "s": "text",
    "z": "text",
    "i": "integer",
    "t": "timestamp",
    "n": "number",
    "d": "decimal text",
    "b": "boolean",
}


def _type(row: int) -> tuple[str, tuple[str, ...], int | None]:
    """Return a property's type in words, its allowed values, and the row of the object inside it."""
    kind, *rest = object_facts().row(row)
    if kind == "e":
        return ("one of" if len(rest[0]) > 1 else "the word"), tuple(rest[0]), None
    if kind == "x":
        return f"id of {' or '.join(name.replace('_', ' ') for name in rest[0][:3])}", (), None
    if kind == "r":
        return rest[0].replace("_", " ").replace(".", " "), (), object_facts().roots[rest[0]]
    if kind == "a":
        inner, words, deeper = _type(rest[0])
        return f"list of {inner}", words, deeper
    if kind == "m":
        return f"map of {_type(rest[0])[0]}", (), None
    if kind == "?":
        return _type(rest[0])
    if kind == "u":
        return " or ".join(dict.fromkeys(_type(option)[0] for option in rest)), (), None
    return _NAMES.get(kind, "object"), (), row if kind == "o" else None


def words_of_property(object: str, name: str) -> tuple[str, ...]:
    """Return the allowed values of an object's property; empty if it is not an enumeration."""
    number = object_facts().roots.get(object)
    if number is None:
        return ()
    for part in name.split("."):
        kind, *rest = object_facts().row(number)
        if kind == "r":
            kind, *rest = object_facts().row(object_facts().roots[rest[0]])
        if kind != "o" or part not in rest[0]:
            return ()
        number = rest[0][part][0]
    return _type(number)[1]
