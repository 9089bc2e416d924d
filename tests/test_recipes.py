"""The recipes stand beside the tests of the resources that they make and call."""

from __future__ import annotations

import tollkey.payments
import tollkey.platform
from tests.support.recipes import TESTS, files, name_of, place_of, recipes
from tollkey.core import gather

RESOURCES = gather(tollkey.platform, tollkey.payments)


def test_every_recipe_is_for_something_that_the_server_has() -> None:
    endpoints = {name_of(endpoint) for resource in RESOURCES for endpoint in resource.endpoints}
    pages = {f"{endpoint.method} {endpoint.path}" for resource in RESOURCES for endpoint in resource.endpoints}
    assert sorted((recipes("BODIES").keys() | recipes("PLANS").keys()) - endpoints) == []
    assert sorted(recipes("VISITS").keys() - pages) == []


def test_a_recipe_stands_in_the_folder_of_its_endpoint() -> None:
    places = {
        name_of(endpoint): place_of(resource, endpoint) for resource in RESOURCES for endpoint in resource.endpoints
    }
    elsewhere = [
        f"{name} belongs in {places[name]}, not in tests/{file.relative_to(TESTS)}"
        for file, tables in files().items()
        for name in (*tables.get("BODIES", {}), *tables.get("PLANS", {}))
        if places[name] != f"tests/{file.relative_to(TESTS)}"
    ]
    assert elsewhere == []


def test_a_missing_recipe_belongs_in_the_folder_of_its_resource() -> None:
    places = {resource.object: place_of(resource) for resource in RESOURCES}
    assert places["refund"] == "tests/payments/charges/recipes.py"
    assert places["webhook_endpoint"] == "tests/platform/recipes.py"
