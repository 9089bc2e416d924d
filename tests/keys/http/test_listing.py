"""How lists are read. What they answer is in test_managing.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.keys.http.conftest import Start
from tollkey.keys import Brand
from tollkey.keys.http import listing
from tollkey.keys.http.fields import read_query


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: PostgreSQL chooses by the number of rows whether it uses these indexes."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


@pytest.mark.parametrize(
    "query",
    [
        "", "account=a", "kind=secret", "account=a&kind=secret", "prefix=sk_live_", "status=revoked", "status=expired",
        "status=disabled", "status=active", "account=a&status=revoked", "account=a&status=active",
    ],
)  # fmt: skip
def test_no_list_sorts_or_reads_all_keys(start: Start, query: str) -> None:
    web = start()
    made = web.post("/v1/keys", {"account": "cus_1"}).json
    values = read_query(listing.FILTERS, f"{query}&starting_after={made['id']}".strip("&").encode())
    found = listing.selected(web.app.server, values)
    assert found is not None
    condition, params = found
    explained = f"EXPLAIN QUERY PLAN SELECT id FROM api_keys {condition} LIMIT 11"
    plan = [str(row[3]) for row in web.keys.database.read(lambda tx: tx.execute(explained, params))]
    assert "TEMP B-TREE" not in " ".join(plan), plan
    assert "USING" in plan[0], plan


def test_a_prefix_may_fit_several_kinds(start: Start) -> None:
    web = start()
    web.keys.authority.brand = Brand(publishable="bpk", secret="ask", restricted="ark")
    made = [
        web.post("/v1/keys", {"account": "cus_1", "kind": kind, "environment": environment}).json["id"]
        for kind in ("secret", "publishable", "restricted")
        for environment in ("live", "test")
    ]

    def ids(query: str) -> list[str]:
        return [key["id"] for key in web.get(f"/v1/keys?{query}").json["data"]]

    assert ids("prefix=a") == [made[5], made[4], made[1], made[0]]
    assert ids(f"prefix=a&starting_after={made[4]}") == [made[1], made[0]]
    assert ids("prefix=ask") == [made[1], made[0]]
    assert ids("prefix=ask_test_") == [made[1]]
    assert ids("prefix=") == made[::-1]
