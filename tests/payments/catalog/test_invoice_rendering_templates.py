"""Invoice rendering templates are listed by status."""

from __future__ import annotations

from tests.payments.catalog.steps import template
from tests.support.api import Api
from tests.support.openapi import assert_valid

PATH = "/v1/invoice_rendering_templates"


def test_templates_are_listed_by_status(api: Api) -> None:
    first, second = template(api, nickname="Plain", metadata={"a": "1"}), template(api)
    gone = api.ok("POST", f"{PATH}/{first}/archive")
    assert_valid("POST", PATH + "/{template}/archive", 200, gone)
    assert (gone["status"], gone["nickname"], gone["version"]) == ("archived", "Plain", 1)
    assert [one["id"] for one in api.ok("GET", PATH, status="active")["data"]] == [second]
    assert_valid("GET", PATH, 200, api.ok("GET", PATH))
    assert api.post(f"{PATH}/{first}/archive").status == 400
    assert api.ok("POST", f"{PATH}/{first}/unarchive")["status"] == "active"
    assert api.ok("GET", f"{PATH}/{first}", version=1)["id"] == first
    assert api.get(f"{PATH}/{first}", version=2).status == 404
