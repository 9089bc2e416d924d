from __future__ import annotations

import json

from tests.support.api import Api
from tollkey.wire.objects import encode


def test_a_page_of_stored_objects_is_written_as_any_other_answer(api: Api) -> None:
    for number in range(3):
        api.ok(
            "POST",
            "/v1/customers",
            email=f"{number}@example.com",
            description='a "quoted"\nline',
            **{"metadata[data]": "[]"},
        )
    page = api.ok("GET", "/v1/customers", limit="2")
    assert page.body == encode(json.loads(page.body))
    assert [c["email"] for c in page["data"]] == ["2@example.com", "1@example.com"]
    empty = api.ok("GET", "/v1/customers", email="nobody@example.com")
    assert empty.body == encode({"object": "list", "data": [], "has_more": False, "url": "/v1/customers"})
