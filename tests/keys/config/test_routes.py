"""Which route a request has."""

from __future__ import annotations

import pytest

from tollkey.keys import Permission
from tollkey.keys.config import Pattern, Route
from tollkey.keys.config.routes import Routes
from tollkey.keys.permissions import PermissionCatalogue


def routes(*texts: str) -> Routes:
    """Routes with these patterns; each needs its own text's number."""
    return Routes([Route(Pattern.parse(text), needs=f"p{number}_read") for number, text in enumerate(texts)])


def found(table: Routes, method: str, target: str) -> str | None:
    match = table.find(method, target)
    return None if match is None else match.permission


def test_the_first_route_that_matches_counts() -> None:
    table = routes("GET /reports/newest", "GET /reports/{id}", "* /reports/*", "GET /")
    assert found(table, "GET", "/reports/newest") == "p0_read"
    assert found(table, "GET", "/reports/7") == "p1_read"
    assert found(table, "POST", "/reports/7") == "p2_read"
    assert found(table, "GET", "/reports/7/pages/1") == "p2_read"
    assert found(table, "GET", "/") == "p3_read"
    assert found(routes("* /reports/*", "GET /reports/newest"), "GET", "/reports/newest") == "p0_read"


def test_a_star_stands_for_one_part_or_more() -> None:
    table = routes("GET /reports/*")
    assert found(table, "GET", "/reports") is None
    assert found(table, "GET", "/reports/") is None
    assert found(table, "GET", "/reports/1/2/3") == "p0_read"


def test_the_query_a_slash_at_the_end_and_the_case_of_the_method_make_no_difference() -> None:
    table = routes("GET,POST /reports")
    assert found(table, "get", "/reports/?to=/admin") == "p0_read"
    assert found(table, "POST", "/reports") == "p0_read"
    assert found(table, "DELETE", "/reports") is None


def test_head_needs_what_get_needs() -> None:
    assert found(routes("GET /reports"), "HEAD", "/reports") == "p0_read"
    assert found(routes("POST /reports"), "HEAD", "/reports") is None


@pytest.mark.parametrize(
    "target",
    [
        "/public/../admin", "/public/%2e%2e/admin", "/public/./x", "/public//admin", "/public/a%2Fb", "/public/a%5cb",
        "/public/a\\b", "/public/a%00b", "/public/..;/admin", "/public/a%252Fb", "public/x", "", "http://h/public/x",
    ],
)  # fmt: skip
def test_a_path_that_can_be_read_in_two_ways_matches_no_route(target: str) -> None:
    assert routes("* /public/*").find("GET", target) is None


def test_parts_of_the_path_name_a_permission() -> None:
    table = Routes([Route(Pattern.parse("PUT /projects/{id}/*"), needs="project:{id}:write")])
    assert found(table, "PUT", "/projects/42/files/a") == "project:42:write"
    assert found(table, "PUT", "/projects/4%32/files") == "project:42:write"


def test_every_part_that_a_route_takes_is_one_that_a_permission_takes() -> None:
    catalogue = PermissionCatalogue([Permission("project", "Projects", parameter=True)], {}, ())
    table = Routes([Route(Pattern.parse("GET /projects/{id}"), needs="project:{id}:read")])
    for part in (text for number in range(1, 256) for text in (chr(number), f"a{chr(number)}")):
        permission = found(table, "GET", f"/projects/{part}")
        assert permission is None or catalogue.canonical(permission) == permission


@pytest.mark.parametrize("part", ["*", "42:write", "a%20b", "%C3%A9", "-x", "_", "a" * 101])
def test_a_part_that_cannot_name_a_permission_matches_no_route(part: str) -> None:
    table = Routes([Route(Pattern.parse("GET /projects/{id}"), needs="project:{id}:read")])
    assert table.find("GET", f"/projects/{part}") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/reports", "is no route"), ("GET reports", "is no route"), ("get /reports", "is no route"),
        ("GET /a/*/b", r"\* stands only at the end"), ("GET /a/{B}", "must be a word"), ("GET /a//b", "must be a word"),
        ("GET /../b", "must be a word"), ("GET /a?x=1", "must be a word"),
        ("GET /{a}/{a}", "names the same part twice"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Pattern.parse(text)


@pytest.mark.parametrize(
    ("general", "special", "covers"),
    [
        ("* /a/*", "GET /a/{id}", True), ("GET /a/{id}", "GET /a/b", True), ("GET /a/b", "GET /a/{id}", False),
        ("GET /a/*", "* /a/b", False), ("GET /a/*", "GET /a", False), ("GET,POST /a", "POST /a", True),
        ("GET /a/{x}", "GET /a/*", False), ("GET /a/*", "GET /a/b/*", True), ("GET /a/b/*", "GET /a/*", False),
        ("* /*", "GET /", False), ("GET /a", "GET /b", False), ("GET /{x}/*", "GET /a/b/c", True),
    ],
)  # fmt: skip
def test_a_pattern_covers_another_when_it_matches_all_its_requests(general: str, special: str, covers: bool) -> None:
    assert Pattern.parse(general).covers(Pattern.parse(special)) is covers


def test_a_pattern_is_shown_as_it_is_written() -> None:
    for text in ("GET /a/{id}/*", "* /", "GET,POST /a"):
        assert str(Pattern.parse(text)) == text
        assert Pattern.parse(str(Pattern.parse(text))) == Pattern.parse(text)
