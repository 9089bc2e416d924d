"""Walking what endpoints take: every parameter of the catalogue by its path."""

from __future__ import annotations

from collections.abc import Iterator

from tollkey.wire import Endpoint
from tollkey.wire.params import Array, Map, Object, OneOf, Param, Unset, operation_params
from tollkey.wire.resource import Catalogue


def parameters_of(endpoint: Endpoint) -> Iterator[tuple[tuple[str, ...], Param]]:
    """Every parameter with its path; ``[]`` stands for the items of a list and the values of a map."""
    yield from _inside(endpoint.params or operation_params(endpoint.method, endpoint.path), ())


def _inside(node: Param, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Param]]:
    if isinstance(node, Object):
        for name, inner in node.fields.items():
            yield (*path, name), inner
            yield from _inside(inner, (*path, name))
    elif isinstance(node, OneOf):
        for option in node.options:
            yield from _inside(option, path)
    elif isinstance(node, Unset):
        yield from _inside(node.inner, path)
    elif isinstance(node, Array | Map):
        yield (*path, "[]"), node.item
        yield from _inside(node.item, (*path, "[]"))


def every_parameter(catalogue: Catalogue) -> Iterator[tuple[Endpoint, tuple[str, ...], Param]]:
    """Every parameter of every endpoint."""
    for resource in catalogue.resources:
        for endpoint in resource.endpoints:
            for path, node in parameters_of(endpoint):
                yield endpoint, path, node
