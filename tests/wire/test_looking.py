"""Objects that a request only looks at."""

from __future__ import annotations

from tests.support.api import Api
from tollkey.db import Scope, Tx


def test_what_was_deleted_is_not_seen_by_a_second_look(api: Api) -> None:
    id = api.ok("POST", "/v1/customers")["id"]

    def work(tx: Tx) -> tuple[bool, bool]:
        objects = api.core.call(tx, Scope(api.account, False)).objects
        before = objects.find_read_only("customer", id) is not None
        objects.delete(objects.get("customer", id))
        return before, objects.find_read_only("customer", id) is not None

    assert api.core.database.write(work) == (True, False)
