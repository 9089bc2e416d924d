"""What an endpoint says about live mode is asked before its handler runs, and nobody can leave it out."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from tests.support.api import Api
from tollkey.db import Scope, Tx
from tollkey.keys import Permission
from tollkey.wire import ApiError, Call, Endpoint, P, Params, Resource
from tollkey.wire.jobs import due_jobs, failing_jobs, run_job
from tollkey.wire.live import Capability, asks, needs, only_in_test, records
from tollkey.wire.resource import Catalogue

GLIDING = Capability("gliding", "fly")
PERMISSION = Permission("glider", "Gliders")


def _fly(call: Call, params: Params) -> Params:
    return {"flown": True}


def _endpoint(path: str = "/v1/gliders") -> Endpoint:
    return Endpoint("POST", path, _fly, params=P.object())


def test_an_endpoint_that_writes_without_a_decision_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="POST /v1/gliders does in live mode"):
        Catalogue((Resource("glider", PERMISSION, (_endpoint(),), stored=False),))


def test_a_page_without_a_key_needs_a_decision_too() -> None:
    page = replace(_endpoint("/glide/{token}"), public=True)
    with pytest.raises(ValueError, match="POST /glide"):
        Catalogue((Resource("glider", PERMISSION, (page,), stored=False),))


def test_scheduled_work_without_a_decision_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match=r"glider\.land"):
        Catalogue((Resource("glider", PERMISSION, on_due={"glider.land": lambda call, id: None}),))


def test_a_resource_s_decision_counts_for_its_endpoints_unless_they_have_their_own() -> None:
    own = replace(_endpoint("/v1/gliders/fly"), live=needs(GLIDING))
    made = Catalogue((Resource("glider", PERMISSION, (_endpoint(), own), live=records(), stored=False),))
    assert [endpoint.live for endpoint in made.resources[0].endpoints] == [records(), needs(GLIDING)]


def _call(api: Api, livemode: bool, provided: bool = False) -> Call:
    setup = replace(api.core.setup, provided=lambda scope, capability: provided)
    made: list[Call] = []
    api.core.database.read(lambda tx: made.append(Call(setup, tx, Scope(api.account, livemode), api.now)))
    return made[0]


def test_what_needs_a_provider_is_refused_in_live_mode_without_one_and_nowhere_else(api: Api) -> None:
    needs(GLIDING).admit(_call(api, livemode=False))
    needs(GLIDING).admit(_call(api, livemode=True, provided=True))
    with pytest.raises(ApiError) as refused:
        needs(GLIDING).admit(_call(api, livemode=True))
    assert refused.value.status == 400
    assert "no provider for gliding, so it cannot fly" in refused.value.message


def test_what_asks_later_passes_the_door_and_what_is_for_tests_never_does(api: Api) -> None:
    asks(GLIDING, "there is wind").admit(_call(api, livemode=True))
    with pytest.raises(ApiError, match="only available in test mode"):
        only_in_test().admit(_call(api, livemode=True, provided=True))


@pytest.mark.parametrize("livemode", [False, True])
def test_work_that_needs_a_provider_is_not_done_in_live_mode_and_stays_to_be_looked_at(
    api: Api, livemode: bool
) -> None:
    done: list[str] = []
    resource = Resource(
        "glider",
        PERMISSION,
        live=needs(GLIDING),
        on_due={"glider.land": lambda call, id: done.append(id)},
        stored=False,
    )
    tables, scope = copy(api.core.setup.tables), Scope(api.account, livemode)
    tables.catalogue = Catalogue((resource,))
    setup = replace(api.core.setup, tables=tables)

    def do(tx: Tx) -> None:
        Call(setup, tx, scope, api.now).schedule.add(api.now, "glider.land", "gl_1")
        item = next(one for one in due_jobs(tx, api.now, 1_000_000) if one.scope == scope and one.kind == "glider.land")
        run_job(Call(setup, tx, scope, api.now), item)

    api.core.database.write(do)
    left = api.core.database.read(lambda tx: [one.error for one in failing_jobs(tx, scope)])
    assert (done, left) == (
        ([], ["LookupError: live mode has no provider for glider.land"]) if livemode else (["gl_1"], [])
    )
