"""Steps that several tests of catalog share."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import object_problems


def template(api: Api, **more: object) -> str:
    made = api.ok("POST", "/v1/test_helpers/invoice_rendering_templates", **more)
    assert object_problems("invoice_rendering_template", made, strict=True) == []
    found: str = made["id"]
    return found
