"""Who controls a connected account."""

from __future__ import annotations

from itertools import product

import pytest

from tests.support.api import Api, rule_table

EXPRESS, LIABLE = "your platform must collect fees", "Stripe must be liable"
COLLECTED = "`stripe_dashboard[type]` must be `none`"


def problem_of(fees: str, losses: str, collects: str, dashboard: str) -> str | None:
    """What the properties have against one another, written down again in words of its own."""
    platforms = (fees, losses) == ("application", "application")
    return {
        "express": EXPRESS if not platforms else COLLECTED if collects == "application" else None,
        "none": LIABLE if (collects, losses) == ("stripe", "application") else None,
        "full": COLLECTED if collects == "application" else None,
    }[dashboard]


@rule_table
@pytest.mark.parametrize(
    ("fees", "losses", "collects", "dashboard"),
    list(product(("account", "application"), *[("stripe", "application")] * 2, ("full", "express", "none"))),
)
def test_properties_of_a_controller_go_together(
    api: Api, fees: str, losses: str, collects: str, dashboard: str
) -> None:
    controller = {
        "fees": {"payer": fees},
        "losses": {"payments": losses},
        "requirement_collection": collects,
        "stripe_dashboard": {"type": dashboard},
    }
    answer = api.post("/v1/accounts", country="US", controller=controller)
    problem = problem_of(fees, losses, collects, dashboard)
    if problem is None:
        assert answer["controller"] == {**controller, "is_controller": True, "type": "application"}
    else:
        assert (answer.status, answer.error["param"]) == (400, "controller")
        assert problem in answer.error["message"]
