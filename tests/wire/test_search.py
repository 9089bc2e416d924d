"""What a search may cost."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.api import Api
from tollkey.wire import Endpoint, search
from tollkey.wire.search import MOST_CLAUSES


def searches(api: Api) -> list[Endpoint]:
    return [e for resource in api.core.catalogue.resources for e in resource.endpoints if e.path.endswith("/search")]


def names(api: Api, query: str, **more: Any) -> list[str]:
    return [found["name"] for found in api.ok("get", "/v1/customers/search", query=query, **more)["data"]]


def test_every_search_is_run_where_it_holds_up_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    found = searches(api)
    assert len(found) >= 7
    assert all(endpoint.scans for endpoint in found)
    threads = []
    newest = search._newest

    def watched(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return newest(*args)

    monkeypatch.setattr(search, "_newest", watched)
    for endpoint in found:
        assert api.get(endpoint.path, query="created>0 AND metadata['a']:'b'", expand=["total_count"]).status in (
            200,
            400,
        )
    assert threads
    assert all(thread.name.startswith("tollkey-reading") for thread in threads)


def test_every_search_takes_ten_clauses_and_no_more(api: Api) -> None:
    for endpoint in searches(api):
        clause = "metadata['a']:'b'"
        assert api.get(endpoint.path, query=" AND ".join([clause] * MOST_CLAUSES)).status == 200, endpoint.path
        refused = api.get(endpoint.path, query=" OR ".join([clause] * (MOST_CLAUSES + 1)))
        assert (refused.status, refused.error["param"]) == (400, "query"), endpoint.path
        assert api.get(endpoint.path, query="metadata['a']:'" + "b" * 5_000 + "'").status == 400, endpoint.path


def test_a_space_between_clauses_means_and(api: Api) -> None:
    api.ok("post", "/v1/customers", name="Jane", email="jane@example.com")
    api.ok("post", "/v1/customers", name="Jane", email="other@example.com")
    assert names(api, "name:'Jane' email:'jane@example.com'") == ["Jane"]
    assert api.get("/v1/customers/search", query="name:'Jane'email:'jane@example.com'").status == 400


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("customers", "email>'a'"),
        ("customers", "metadata['a']<=5"),
        ("customers", "metadata['a']~'abc'"),
        ("customers", "created~'170'"),
        ("charges", "status~'succ'"),
        ("charges", "customer~'cus_'"),
        ("subscriptions", "status>='active'"),
    ],
)
def test_only_numbers_are_compared_and_only_strings_have_parts(api: Api, path: str, query: str) -> None:
    refused = api.get(f"/v1/{path}/search", query=query)
    assert (refused.status, refused.error["param"]) == (400, "query")
    assert "does not support the operator" in refused.error["message"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("customers", "created>1 email~'abc' phone~'555'"),
        ("charges", "amount<=5 AND payment_method_details.card.exp_year>2000"),
        ("products", "description~'abc' AND url~'shop'"),
        ("invoices", "total>5 AND number~'0001'"),
    ],
)
def test_what_fits_the_type_of_a_field_is_taken(api: Api, path: str, query: str) -> None:
    assert api.get(f"/v1/{path}/search", query=query).status == 200


def test_a_page_looks_at_so_many_objects_and_the_next_goes_on_there(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_SCANNED", 4)
    monkeypatch.setattr(search, "_STEP", 3)
    for number in range(10):
        api.ok(
            "post",
            "/v1/customers",
            name=f"Number {number}",
            metadata={"kind": "rare" if number in (0, 5, 9) else "usual"},
        )
    pages, page = [], {}
    while True:
        answer = api.ok("get", "/v1/customers/search", query="metadata['kind']:'rare'", **page)
        pages.append([found["name"] for found in answer["data"]])
        if not answer["has_more"]:
            assert answer["next_page"] is None
            break
        page = {"page": answer["next_page"]}
    assert pages == [["Number 9"], ["Number 5"], ["Number 0"]]
    counted = api.ok("get", "/v1/customers/search", query="metadata['kind']:'rare'", expand=["total_count"])
    assert counted["total_count"] == 1  # of those that it looked at


def test_no_page_repeats_or_leaves_out_what_another_has(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_STEP", 2)
    for number in range(7):
        api.ok("post", "/v1/customers", name=f"Number {number}", metadata={"plan": "gold"})
    for looked in (1, 2, 3, 6, 7, 8):
        monkeypatch.setattr(search, "MOST_SCANNED", looked)
        seen, page = [], {}
        for _ in range(20):
            answer = api.ok(
                "get", "/v1/customers/search", query="metadata['plan']:'gold' AND created>1", limit=2, **page
            )
            seen += [found["name"] for found in answer["data"]]
            if not answer["has_more"]:
                break
            page = {"page": answer["next_page"]}
        assert seen == [f"Number {number}" for number in range(6, -1, -1)], looked


@pytest.mark.parametrize(
    "name", ["Jane DOE", "Zoë", 'O\'Neil "Bob"', "K\u212a", "a\\b", "x/y", "tab\there", "1.50", "user+tag@x.io"]
)
def test_what_is_looked_for_cheaply_is_found_all_the_same(api: Api, name: str) -> None:
    api.ok("post", "/v1/customers", name=name, metadata={"same": name})
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    for query in (f"name:'{escaped}'", f"name:'{escaped.lower()}'", f"metadata['same']:'{escaped.upper()}'"):
        assert names(api, query) == [name], query
    if len(name) > 3:
        assert names(api, f"name~'{name[-3:].upper()}'") == [name]
