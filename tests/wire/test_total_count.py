"""``total_count`` of lists: until 2025-03-31 by ``expand[]`` and ``include[]``, of searches always."""

from __future__ import annotations

import pytest

from tests.support.api import Api

BEFORE, SINCE = {"Stripe-Version": "2025-02-24.acacia"}, {"Stripe-Version": "2025-03-31.basil"}


def three(api: Api) -> None:
    """Three customers, two with one e-mail address."""
    for address in ("a@example.com", "a@example.com", "b@example.com"):
        api.ok("POST", "/v1/customers", email=address)


@pytest.mark.parametrize("name", ["expand", "include"])
def test_a_list_is_counted_before_2025_03_31(api: Api, name: str) -> None:
    three(api)
    page = api.ok("GET", "/v1/customers", limit=1, headers=BEFORE, **{name: ["total_count"]})
    assert (page["total_count"], len(page["data"]), page["has_more"]) == (3, 1, True)
    found = api.ok("GET", "/v1/customers", email="a@example.com", limit=1, headers=BEFORE, **{name: ["total_count"]})
    assert found["total_count"] == 2
    assert "total_count" not in api.ok("GET", "/v1/customers", headers=BEFORE)


def test_a_count_is_within_the_times_that_were_asked_for(api: Api) -> None:
    three(api)
    api.world.clock[0] += 10
    api.ok("POST", "/v1/customers")
    later = api.ok("GET", "/v1/customers", created={"gte": api.now}, expand=["total_count"], headers=BEFORE)
    assert later["total_count"] == 1


def test_a_list_inside_an_object_is_counted_too(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")
    path = f"/v1/customers/{customer['id']}/sources"
    assert api.ok("GET", path, include=["total_count"], headers=BEFORE)["total_count"] == 1


def test_a_count_is_refused_since_2025_03_31(api: Api) -> None:
    refused = api.get("/v1/customers", expand=["total_count"], headers=SINCE)
    assert (refused.status, refused.error["code"]) == (400, "property_forbidden")
    assert refused.error["message"] == "This property cannot be included (total_count)"
    unknown = api.get("/v1/customers", include=["total_count"], headers=SINCE)
    assert (unknown.status, unknown.error["code"]) == (400, "parameter_unknown")


def test_a_search_is_counted_under_every_version(api: Api) -> None:
    three(api)
    for version in (BEFORE, SINCE):
        found = api.ok(
            "GET", "/v1/customers/search", query="email:'a@example.com'", expand=["total_count"], headers=version
        )
        assert found["total_count"] == 2


def test_include_takes_nothing_else(api: Api) -> None:
    for given in (["data"], ["total_count", "data"]):
        assert api.get("/v1/customers", include=given, headers=BEFORE).error["code"] == "parameter_unknown"
