"""What an API version no longer takes: declared beside the endpoint, refused from that version on.

An endpoint's parameters are those that any version takes. ``narrowed`` makes of them the parameters of one version, so
that a request under a newer version is refused where Stripe refuses it, and one under an older version is still taken.
Parameters that a version added are taken under every version, as Stripe takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from tollkey.wire._check import Array, Choice, Node, Object, OneOf, Refused, Unset


@dataclass(frozen=True, eq=False)  # compared by identity: each request looks some of them up
class Removed:
    """What an API version removed from the parameters of an endpoint.

    date: of that version, ``YYYY-MM-DD``; callers of it and of later ones are refused.
    param: its dotted path, with ``[]`` after a list: ``phases[].iterations``. Refused as an unknown parameter.
    values: only these of its values are gone; the others are still taken.
    becomes: the form it has since then, when another form is gone.
    requires: the dotted path of the parameter that is required since then.
    message, code: of the error, when the parameter is not refused as unknown.
    link: the changelog's page about it, as it follows ``https://docs.stripe.com/changelog/``.
    """

    date: str
    param: str = ""
    values: tuple[str, ...] = ()
    becomes: Node | None = field(default=None, repr=False)
    requires: str = ""
    message: str = ""
    code: str | None = None
    link: str = ""


def removed_since(date: str, *params: str) -> tuple[Removed, ...]:
    """Return the declaration of parameters that are unknown since the API version of that date, ``YYYY-MM-DD``."""
    return tuple(Removed(date, param) for param in params)


def gone(removed: tuple[Removed, ...], version: str) -> tuple[Removed, ...]:
    """Return those that callers of a version (``YYYY-MM-DD``) can no longer use."""
    return tuple(each for each in removed if each.date <= version)


@cache
def narrowed(schema: Object, removed: tuple[Removed, ...]) -> Object:
    """Return the parameters without what was removed. Names that the schema does not have are passed over."""
    for each in removed:
        if each.param:
            schema = _at(schema, each.param.split("."), partial(_without, removed=each))
        if each.requires:
            schema = _at(schema, each.requires.split("."), _requiring)
    return schema


_Edit = Callable[[Object, str], Object]


def _at(record: Object, path: list[str], edit: _Edit) -> Object:
    """Return the object with the edit made where the path leads."""
    first, *rest = path
    name = first.removesuffix("[]")
    if name not in record.fields:
        return record
    if not rest:
        return edit(record, name)
    return record.replaced({**record.fields, name: _through(record.fields[name], rest, edit)}, record.required)


def _through(node: Node, rest: list[str], edit: _Edit) -> Node:
    """Return the node with the edit made in its objects, through lists, alternatives and unsettable nodes."""
    if isinstance(node, Unset):
        return Unset(_through(node.inner, rest, edit))
    if isinstance(node, Array):
        return Array(_through(node.item, rest, edit))
    if isinstance(node, OneOf):
        return OneOf([_through(option, rest, edit) for option in node.options])
    return _at(node, rest, edit) if isinstance(node, Object) else node


def _without(record: Object, name: str, removed: Removed) -> Object:
    fields: dict[str, Any] = dict(record.fields)
    if removed.values:
        fields[name] = _fewer(fields[name], frozenset(removed.values))
    elif removed.becomes is not None:
        fields[name] = removed.becomes
    elif removed.message:
        fields[name] = Refused(removed.message, removed.code)
    else:
        del fields[name]
    return record.replaced(fields, tuple(each for each in record.required if each in fields))


def _fewer(node: Node, values: frozenset[str]) -> Node:
    """Return the choice without some of its words."""
    if isinstance(node, Unset):
        return Unset(_fewer(node.inner, values))
    if isinstance(node, Array):
        return Array(_fewer(node.item, values))
    if isinstance(node, OneOf):
        return OneOf([_fewer(option, values) for option in node.options])
    return Choice(word for word in node.words if word not in values) if isinstance(node, Choice) else node


def _requiring(record: Object, name: str) -> Object:
    return record.replaced(record.fields, tuple(dict.fromkeys((*record.required, name))))
