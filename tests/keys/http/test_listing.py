"""The prefix of keys in lists. Other filters are in test_managing.py, what lists read in tests/keys/test_plans.py."""

from __future__ import annotations

from tests.keys.http.conftest import Start
from tollkey.keys.token import Brand


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
