"""Lists, their cursors and filters: reference section 1.10."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, World


@pytest.fixture
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def customers(api: Api, count: int) -> list[str]:
    """So many customers, newest first, some of them of one second."""
    made = []
    for n in range(count):
        made.append(api.ok("POST", "/v1/customers", email=f"c{n}@example.com")["id"])
        api.world.clock[0] += n % 2
    return made[::-1]


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["data"]]


def test_a_list_is_newest_first_ten_at_a_time(api: Api) -> None:
    made = customers(api, 12)
    answer = api.get("/v1/customers")
    assert (answer["object"], answer["url"], answer["has_more"], ids(answer)) == (
        "list",
        "/v1/customers",
        True,
        made[:10],
    )


def test_walking_forwards_and_back_gives_every_object_once(api: Api) -> None:
    made = customers(api, 7)
    forwards, cursor = [], {}
    while True:
        page = api.get("/v1/customers", limit=3, **cursor)
        forwards += ids(page)
        if not page["has_more"]:
            break
        cursor = {"starting_after": forwards[-1]}
    assert forwards == made
    page = api.get("/v1/customers", limit=3, ending_before=made[-1])
    assert (ids(page), page["has_more"]) == (made[3:6], True)
    page = api.get("/v1/customers", limit=3, ending_before=made[3])
    assert (ids(page), page["has_more"]) == (made[:3], False)


def test_both_cursors_at_once_are_refused(api: Api) -> None:
    a, b = customers(api, 2)
    answer = api.get("/v1/customers", starting_after=a, ending_before=b)
    assert answer.status == 400
    assert (
        answer.error["message"] == "Received both starting_after and ending_before parameters. Please pass in only one."
    )


def test_a_cursor_that_is_not_there_is_told_before_that_there_are_two(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    answer = api.get("/v1/customers", starting_after="cus_no", ending_before=customer)
    assert (answer.status, answer.error["param"], answer.error["message"]) == (
        400,
        "starting_after",
        "No such customer: 'cus_no'",
    )


def test_a_filter_that_names_an_object_that_is_not_there_is_an_error_and_not_an_empty_page(api: Api) -> None:
    answer = api.get("/v1/charges", customer="cus_no")
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "resource_missing", "customer")
    assert api.get("/v1/refunds", payment_intent="pi_no").error["message"] == "No such payment_intent: 'pi_no'"
    deleted = api.ok("POST", "/v1/customers")["id"]
    api.ok("DELETE", f"/v1/customers/{deleted}")
    assert api.get("/v1/subscriptions", customer=deleted, status="all").status == 200


def test_a_cursor_that_is_not_there_is_named(api: Api) -> None:
    answer = api.get("/v1/customers", starting_after="cus_aaa")
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "resource_missing", "starting_after")
    assert answer.error["message"] == "No such customer: 'cus_aaa'"


def test_another_account_s_object_is_no_cursor(api: Api) -> None:
    theirs = api.another().ok("POST", "/v1/customers")["id"]
    assert api.get("/v1/customers", starting_after=theirs).error["message"] == f"No such customer: '{theirs}'"


@pytest.mark.parametrize("limit", ["0", "101", "abc", "-1"])
def test_a_limit_is_a_whole_number_from_1_to_100(api: Api, limit: str) -> None:
    answer = api.get("/v1/customers", limit=limit)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "parameter_invalid_integer", "limit")


def test_created_filters_by_its_bounds(api: Api) -> None:
    first = api.ok("POST", "/v1/customers")
    api.world.clock[0] += 10
    second = api.ok("POST", "/v1/customers")
    assert ids(api.get("/v1/customers", created={"gt": first["created"]})) == [second["id"]]
    assert ids(api.get("/v1/customers", created={"gte": first["created"], "lt": second["created"]})) == [first["id"]]
    assert ids(api.get("/v1/customers", created=second["created"])) == [second["id"]]
    assert ids(api.get("/v1/customers", created={"lte": first["created"] - 1})) == []
