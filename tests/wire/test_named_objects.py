"""An object of another account does not exist, in whatever parameter it is named: every parameter that takes an id.

Which kind a parameter names is read from its name. Each is sent the id of another account's object, with parameters
that the endpoint takes; it must be refused, and the refusal must say nothing that is only known about a real object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.api import Answer, Api, World
from tests.support.parameters import parameters_of
from tests.support.recipes import CannotMake, Maker, name_of
from tests.wire.test_isolation import WORLD, routes
from tollkey.wire import Endpoint
from tollkey.wire.params import Text, Unset

#: Parameters whose name does not end with the name of what they name.
NAMES = {"on_behalf_of": "account", "destination": "account", "account": "account"}
#: Last names of parameters that are texts, ids that the caller chooses, or of objects that nobody looks up.
TEXTS = {
    "id": "chosen by the caller",
    "tax_id": "the number itself",
    "session": "a Radar session, made by a browser script",
    "source": "of a fixed kind, or ignored as by the real system",
    "original_transaction": "a text about evidence",
}
MOST_KINDS = 2  # of those with the same last name


def bracketed(path: tuple[str, ...]) -> str:
    first, *rest = path
    return first + "".join("[]" if name == "[]" else f"[{name}]" for name in rest)


def nested(path: tuple[str, ...], value: Any) -> Any:
    for name in reversed(path):
        value = [value] if name == "[]" else {name: value}
    return value


def joined(a: Any, b: Any) -> Any:
    """Parameters of a call, with others added."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {**a, **{name: joined(a[name], inner) if name in a else inner for name, inner in b.items()}}
    if isinstance(a, list) and isinstance(b, list) and a and isinstance(a[0], dict) and isinstance(b[0], dict):
        return [joined(a[0], b[0]), *a[1:]]
    return b


class Foreign:
    """The ids of one object of each kind, of another account."""

    def __init__(self, api: Api) -> None:
        maker = Maker(api.another())
        self.ids: dict[str, str] = {}
        self.kinds: dict[str, list[str]] = {}
        for resource in api.core.catalogue.resources:
            if resource.stored and resource.prefix and resource.object not in WORLD:
                try:
                    made = maker.shared(resource.object)
                except CannotMake:
                    continue
                if "id" in made:
                    self.ids[resource.object] = made["id"]
                    self.kinds.setdefault(resource.object.rpartition(".")[2], []).append(resource.object)
        self._longest = sorted(self.kinds, key=len, reverse=True)

    def named_by(self, path: tuple[str, ...]) -> list[str]:
        """The kinds of objects that a parameter of that path may name."""
        name = next(part for part in reversed(path) if part != "[]")
        single = name.removesuffix("s") if path[-1] == "[]" else name
        if single in TEXTS:
            return []
        if single in NAMES:
            return [NAMES[single]]
        last = next((one for one in self._longest if single == one or single.endswith(f"_{one}")), "")
        return self.kinds.get(last, [])[:MOST_KINDS]


def texts_of(endpoint: Endpoint) -> Iterator[tuple[str, ...]]:
    for path, node in parameters_of(endpoint):
        if isinstance(node.inner if isinstance(node, Unset) else node, Text):
            yield path


def test_an_object_of_another_account_is_refused_in_every_parameter(sqlite_world: World) -> None:
    api = Api(sqlite_world)
    foreign, maker = Foreign(api), Maker(api)
    assert len(foreign.ids) > 80
    taken, told, refused = [], [], 0
    for resource, endpoint in routes(api):
        if endpoint.method == "GET":  # a filter that nothing fits is an empty list
            continue
        try:
            path, params = maker.plan(endpoint, resource, fresh=False)
        except CannotMake:
            continue
        for where in texts_of(endpoint):
            for kind in foreign.named_by(where):
                sent = joined(params, nested(where, foreign.ids[kind]))
                answer: Answer = getattr(api.for_endpoint(endpoint), endpoint.method.lower())(path, **sent)
                line = f"{name_of(endpoint)} {bracketed(where)}={kind}"
                if answer.status == 200:
                    taken.append(line)
                elif "similar object" in answer.error["message"]:
                    told.append(line)
                else:
                    refused += answer.error.get("code") == "resource_missing"
    assert (taken, told) == ([], [])
    assert refused > 200
