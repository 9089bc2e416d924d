"""What the phases of a schedule mean for a preview."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import advance, clocked, plan, schedule
from tests.support.api import Api, rule_table

PREVIEW = "/v1/invoices/create_preview"


@rule_table
@pytest.mark.parametrize(("behavior", "amounts"), [
    ("create_prorations", [-500, 1000, 2000]),
    ("always_invoice", [-500, 1000]),
    ("none", [2000]),
    (None, [-500, 1000, 2000]),
])  # fmt: skip
def test_a_preview_prorates_what_a_schedule_changes_now(api: Api, behavior: str | None, amounts: list[int]) -> None:
    clock, who = clocked(api)
    made = schedule(api, who, {"items": [{"price": plan(api)}]}, end_behavior="release")
    first = made["phases"][0]
    advance(api, clock, (first["start_date"] + first["end_date"]) // 2)
    dear = {"items": [{"price": plan(api, 2000)}], "start_date": first["start_date"], "end_date": first["end_date"]}
    how = {"proration_behavior": behavior} if behavior else {}
    seen = api.ok("POST", PREVIEW, schedule=made["id"], schedule_details={"phases": [dear], **how})
    assert [line["amount"] for line in seen["lines"]["data"]] == amounts
    same = {**dear, "items": [{"price": first["items"][0]["price"]}]}
    seen = api.ok("POST", PREVIEW, schedule=made["id"], schedule_details={"phases": [same], **how})
    assert [line["amount"] for line in seen["lines"]["data"]] == [1000]


PREVIEW = "/v1/invoices/create_preview"
MONTH = {"interval": "month"}


@pytest.mark.parametrize("second", [{"currency": "eur"}, {"interval": "week"}, {"none": True}])
def test_a_preview_refuses_phases_that_a_schedule_could_not_have(api: Api, second: dict[str, Any]) -> None:
    items = [{"price": plan(api)}]
    other = {"price": "price_none" if "none" in second else plan(api, 500, **second)}
    later = [*items, other] if "interval" in second else [other]
    phases = [{"items": items, "duration": MONTH}, {"items": later, "duration": MONTH}]
    refused = api.post(PREVIEW, customer=clocked(api)[1], schedule_details={"phases": phases})
    param = "[items]" if "interval" in second else "[items][0][price]"
    assert (refused.status, refused.error["param"]) == (400, f"schedule_details[phases][1]{param}")
