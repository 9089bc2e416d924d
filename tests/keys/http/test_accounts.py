"""Accounts and their plans over HTTP."""

from __future__ import annotations

import pytest

from tests.conftest import Clock
from tests.keys.http.conftest import Declare, Web
from tollkey.keys.http import SERVICE_ACCOUNT

CONFIG = """
[service]
default_plan = "free"
[permissions.report]
[plans.free]
rate = "1/minute"
[plans.paid]
rate = "100/minute"
"""


@pytest.fixture
def served(declare: Declare) -> Web:
    """A node with declared plans, on SQLite: how plans are stored is tested with the limits."""
    return declare(CONFIG)


def test_an_account_has_the_default_plan_until_another_is_set(served: Web) -> None:
    assert served.get("/v1/accounts/cus_1").json == {
        "id": "cus_1", "object": "account", "environment": "live", "plan": "free",
    }  # fmt: skip
    assert served.post("/v1/accounts/cus_1", {"plan": "paid"}).json["plan"] == "paid"
    assert served.get("/v1/accounts/cus_1").json["plan"] == "paid"
    assert served.get("/v1/accounts/cus_1?environment=test").json["plan"] == "free"
    assert served.get("/v1/accounts/cus_2").json["plan"] == "free"
    assert served.post("/v1/accounts/cus_1", {"plan": ""}).json["plan"] == "free"


def test_a_plan_counts_from_the_next_verification_on(served: Web, clock: Clock) -> None:
    text = served.post("/v1/keys", {"account": "cus_1", "permissions": ["report_read"]}).json["secret"]

    def verdicts() -> list[str]:
        return [served.post("/v1/keys/verify", {"key": text}).json["code"] for _ in range(2)]

    assert verdicts() == ["valid", "rate_limited"]
    served.post("/v1/accounts/cus_1", {"plan": "paid"})
    clock.now += 2  # what was used stays used: the paid plan gives three back in this time, the free one none
    assert verdicts() == ["valid", "valid"]


def test_the_audit_log_says_which_service_key_has_set_a_plan(served: Web) -> None:
    key, text = served.service_key("key_write")
    served.post("/v1/accounts/cus_1", {"plan": "paid"}, key=text)
    (entry,) = served.keys.audit(account="cus_1")
    assert (entry.action, str(entry.actor), entry.actor.ip) == ("plan_changed", f"api_key:{key.id}", "192.0.2.9")


def test_an_unknown_plan_or_environment_is_refused_and_nothing_changes(served: Web) -> None:
    answer = served.post("/v1/accounts/cus_1", {"plan": "payd"})
    assert (answer.error, answer.json["error"]["param"]) == ((400, "plan_unknown"), "plan")
    assert "did you mean paid" in answer.json["error"]["message"]
    assert served.post("/v1/accounts/cus_1", {}).error == (400, "parameter_missing")
    assert served.get("/v1/accounts/cus_1?environment=nowhere").error == (400, "parameter_invalid")
    assert served.get("/v1/accounts/cus_1").json["plan"] == "free"


def test_the_account_of_service_keys_has_no_plan(served: Web) -> None:
    assert served.get(f"/v1/accounts/{SERVICE_ACCOUNT}").error == (404, "resource_missing")
    assert served.post(f"/v1/accounts/{SERVICE_ACCOUNT}", {"plan": "paid"}).error == (404, "resource_missing")
