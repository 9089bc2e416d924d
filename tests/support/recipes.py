"""How to make one of each kind of object through the API, and how to call each endpoint so that it has something to do.

The recipes stand beside the tests of the resources, in the ``recipes.py`` of their folder (``tests/payments/<room>``,
``tests/platform``), and are found by walking the folders. Each file has any of these tables:

    MAKERS         object -> makes one, where a POST to its collection does not
    BODIES         "METHOD /path/{}" -> parameters with which that endpoint succeeds; none where it is not named
    PLANS          "METHOD /path/{}" -> the ids in its path, where the objects have to be in a certain state
    COLLECTIONS    path of a collection -> the kind of object in it, where the catalogue does not say
    PARENT_FIELDS  (object, parent) -> the field that names the parent, where it is not the parent's own name
    DUE            kind of timed work (``on_due``) -> after it, work of that kind waits for its time
    VISITS         "METHOD /page/{token}" -> calls of a page that needs no key

    maker = Maker(api)
    maker.make("charge")                   # a fresh charge
    maker.plan(endpoint, resource)         # Planned(path, params) for any endpoint, with the objects it needs made
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.api import Answer, Api
from tollkey.wire import Endpoint, Resource
from tollkey.wire.resource import Catalogue

Json = dict[str, Any]
DAY = 86_400
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
#: A test card that is saved and then declined.
BAD_CARD = "pm_card_chargeCustomerFail"
BANK = {
    "country": "US", "currency": "usd", "account_number": "000123456789", "routing_number": "110000000",
    "account_holder_name": "Jane Austen", "account_holder_type": "individual",
}  # fmt: skip
HOME = "https://example.com/"
META = {"metadata": {"order": "6735"}}

TESTS = Path(__file__).resolve().parent.parent
TABLES = ("MAKERS", "BODIES", "PLANS", "COLLECTIONS", "PARENT_FIELDS", "DUE", "VISITS")


class CannotMake(Exception):
    """The API refused to make something that a test needs, or no recipe says how to make it."""


class Planned(NamedTuple):
    """One call that should succeed."""

    path: str
    params: Json


class Visit(NamedTuple):
    """A visit of a page. id: of the object that the page is about. params: what its form sends."""

    id: str
    params: Json


@cache
def files() -> dict[Path, dict[str, dict[Any, Any]]]:
    """Every ``recipes.py`` with its tables."""
    found = {}
    for file in sorted(TESTS.rglob("recipes.py")):
        if file != Path(__file__).resolve():
            module = importlib.import_module(".".join(file.relative_to(TESTS.parent).with_suffix("").parts))
            found[file] = {name: vars(module)[name] for name in TABLES if name in vars(module)}
    return found


@cache
def recipes(name: str) -> dict[Any, Any]:
    """The entries of the table of that name in every ``recipes.py``. Raises ValueError for a key that two have."""
    found: dict[Any, Any] = {}
    for file, tables in files().items():
        twice = found.keys() & tables.get(name, {}).keys()
        if twice:
            raise ValueError(f"{file} is not the first with {name} of {sorted(map(str, twice))}")
        found |= tables.get(name, {})
    return found


def place_of(resource: Resource, endpoint: Endpoint | None = None) -> str:
    """The file in which the recipes of a resource, or of one of its endpoints, belong: a path within the project.

    A handler may stand in another room than the resource (``MoreEndpoints``); its recipe stands there then.
    """
    for name in (*([endpoint.handler.__module__] if endpoint else ()), *_declaring(resource)):
        _, *parts = name.split(".")
        if parts[0] in ("payments", "platform"):
            return "/".join(["tests", *parts[: 2 if parts[0] == "payments" else 1], "recipes.py"])
    raise LookupError(f"no module declares {resource.object}")


def _declaring(resource: Resource) -> Iterator[str]:
    """The names of the modules that declare or show a resource."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith(("tollkey.payments.", "tollkey.platform.")):
            shown = [value for value in vars(module).values() if isinstance(value, Resource)]
            if any(one.object == resource.object for one in shown):
                yield name


def shape(path: str) -> str:
    """A path without the names of its variables."""
    return re.sub(r"\{\w+\}", "{}", path)


def name_of(endpoint: Endpoint) -> str:
    """How the tables name an endpoint."""
    return f"{endpoint.method} {shape(endpoint.path)}"


def collections_of(path: str) -> list[str]:
    """The collections that a path leads through, outermost first."""
    return [path[: match.start()].rstrip("/") for match in re.finditer(r"\{\w+\}", path)]


class Maker:
    """Makes objects for one merchant."""

    def __init__(self, api: Api, headers: dict[str, str] | None = None) -> None:
        self.api, self.headers = api, headers
        self.catalogue: Catalogue = api.core.catalogue
        self.endpoints = {name_of(e): (r, e) for r in self.catalogue.resources for e in r.endpoints}
        self._shared: dict[str, Json] = {}
        self._count = 0
        self.held: dict[str, str] = {}  # what a plan leaves for its endpoint's body

    def next(self) -> int:
        """A number that this maker has not given yet."""
        self._count += 1
        return self._count

    def post(self, path: str, **params: Any) -> Answer:
        """A POST that must succeed. Raises CannotMake."""
        answer = self.api.post(path, headers=self.headers, **params)
        if answer.status != 200:
            raise CannotMake(f"POST {path} {params}: {answer.status} {answer.get('error', {}).get('message')}")
        return answer

    def under(self, version: str) -> Maker:
        """The same maker, whose requests name an API version."""
        other = copy(self)
        other.api = self.api.under(version)
        return other

    def get(self, path: str, **params: Any) -> Answer:
        """A GET that must succeed. Raises CannotMake."""
        answer = self.api.get(path, headers=self.headers, **params)
        if answer.status != 200:
            raise CannotMake(f"GET {path}: {answer.status} {answer.get('error', {}).get('message')}")
        return answer

    def first(self, path: str, **params: Any) -> Json:
        """The first object of a list. Raises CannotMake if there is none."""
        found = self.get(path, **params)["data"]
        if not found:
            raise CannotMake(f"GET {path} lists nothing")
        made: Json = found[0]
        return made

    def after(self, object: str, path: str) -> str:
        """The id of a fresh object after a POST to that path, in which ``{}`` stands for the id."""
        id: str = self.make(object)["id"]
        self.post(path.replace("{}", id))
        return id

    def make(self, object: str) -> Json:
        """A fresh object of that kind. Raises CannotMake."""
        maker = recipes("MAKERS").get(object)
        if maker is not None:
            made: Json = maker(self)
            return made
        path = self._collection(object)
        try:
            return self.post(path, **self.body(f"POST {path}"))
        except CannotMake as refusal:
            place = place_of(self.catalogue.by_object[object])
            raise CannotMake(f"{refusal} (say in {place} how a {object} is made)") from None

    def shared(self, object: str) -> Json:
        """An object of that kind that may have been used before. Raises CannotMake."""
        if object not in self._shared:
            self._shared[object] = self.make(object)
        return self._shared[object]

    def id(self, object: str) -> str:
        """The id of a shared object."""
        found: str = self.shared(object)["id"]
        return found

    def body(self, name: str) -> Json:
        """The parameters with which that endpoint succeeds."""
        body = recipes("BODIES").get(name)
        return dict(body(self)) if callable(body) else dict(body or {})

    def plan(self, endpoint: Endpoint, resource: Resource, fresh: bool = True) -> Planned:
        """A call of the endpoint that should succeed. Raises CannotMake.

        fresh: with objects of its own, so that the call may change or delete them.
        """
        name, plans = name_of(endpoint), recipes("PLANS")
        try:
            values = plans[name](self) if fresh and name in plans else self._values(endpoint, fresh)
            path = endpoint.path
            for value in values:
                path = re.sub(r"\{\w+\}", value, path, count=1)
            return Planned(path, self.body(name))
        except CannotMake as reason:
            raise CannotMake(f"{reason} (say in {place_of(resource, endpoint)} how {name} is called)") from None

    def _values(self, endpoint: Endpoint, fresh: bool) -> list[str]:
        """What stands in the braces: the innermost object, and what it belongs to."""
        collections = [shape(part) for part in collections_of(endpoint.path)]
        if not collections:
            return []
        make = self.make if fresh else self.shared
        made = make(self.object_of(collections[-1]))
        if len(collections) == 1:
            return [made["id"]]
        parent = self.object_of(collections[0])
        declared = recipes("PARENT_FIELDS").get((made["object"], parent))
        for field in (declared, parent.rpartition(".")[2], "_parent"):
            if field and made.get(field):
                inner = made[field]
                return [inner if isinstance(inner, str) else inner["id"], made["id"]]
        raise CannotMake(f"{made['object']} does not say which {parent} it belongs to")

    def object_of(self, collection: str) -> str:
        """The kind of object that a collection's path holds. Raises CannotMake."""
        collection = collection.replace("/test_helpers/", "/")
        declared: str | None = recipes("COLLECTIONS").get(collection)
        if declared is not None:
            return declared
        for name in (*(f"{method} {collection}/{{}}" for method in ("GET", "POST", "DELETE")), f"POST {collection}"):
            if name in self.endpoints:
                resource, endpoint = self.endpoints[name]
                return endpoint.object or resource.object
        raise CannotMake(f"no COLLECTIONS say what {collection} holds")

    def _collection(self, object: str) -> str:
        resource = self.catalogue.by_object.get(object)
        for endpoint in resource.endpoints if resource else ():
            if endpoint.method == "POST" and "{" not in endpoint.path:
                return endpoint.path
        where = f"say in the MAKERS of {place_of(resource)} how one comes about" if resource else "no resource has it"
        raise CannotMake(f"no endpoint makes a {object}: {where}")


Body = Json | Callable[[Maker], Json]


def visit_of(object: str, **params: Any) -> Callable[[Maker, Json], Visit]:
    """Visits the page of a fresh object of that kind."""
    return lambda m, card: Visit(m.make(object)["id"], params)
