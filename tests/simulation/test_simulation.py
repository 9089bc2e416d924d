"""A short run of the simulation on each kind of database; ``bench/soak.py`` makes long ones."""

from __future__ import annotations

import pytest

from tests.simulation.simulation import Simulation
from tests.support.api import Api, World

SEED = 20260527
CALLS = {"sqlite": 1000, "postgres": 500}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_whatever_is_asked_what_must_hold_holds(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(f"{kind}_world")
    run = Simulation(Api(world), SEED).run(CALLS[kind])
    assert run.statuses[200] > CALLS[kind] * 0.4  # most calls get through, so that there is something to check
    assert sum(count for status, count in run.statuses.items() if status >= 400) > CALLS[kind] * 0.1
    assert len(run.events) > 25
