"""What you may not see does not exist: every endpoint, called by whoever should not reach its object.

The endpoints come from the server's catalogue, the objects from the recipes, so a new resource is covered by itself.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from tests.support.api import Answer, Api, World
from tests.support.recipes import CannotMake, Maker, Planned, name_of, shape
from tollkey.db import Scope, Table
from tollkey.db.held import Write
from tollkey.keys import Permission
from tollkey.wire import Endpoint, Resource

#: Kinds that are the same for everybody: facts of the world, not objects of an account.
WORLD = {"climate.product", "climate.supplier", "country_spec", "exchange_rate", "reporting.report_type", "tax_code"}
#: The real system answers 400 instead of 404 here (reference section 1.5).
BAD_REQUEST = {"GET /v1/sources/{}", "GET /v1/tokens/{}"}
NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth"
    " (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details,"
    " or we can help at https://support.stripe.com/."
)
SECRET_KEY_REQUIRED = (
    "This API call cannot be made with a publishable API key. Please use a secret API key."
    " You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
)


def routes(api: Api) -> list[tuple[Resource, Endpoint]]:
    """Every endpoint that needs a key."""
    return [
        (r, e) for r in api.core.catalogue.resources for e in r.endpoints if not e.public and e.path.startswith("/v1/")
    ]


class Stage:
    """A merchant with one object of each kind, and a call of each endpoint that names one of them in its path."""

    def __init__(self, world: World) -> None:
        self.api = Api(world)
        self.maker = Maker(self.api)
        self.calls: list[tuple[Resource, Endpoint, Planned]] = []
        self.unmade: dict[str, str] = {}
        for resource, endpoint in routes(self.api):
            if "{" in endpoint.path:
                try:
                    self.calls.append((resource, endpoint, self.maker.plan(endpoint, resource, fresh=False)))
                except CannotMake as reason:
                    self.unmade[name_of(endpoint)] = str(reason)

    def foreign(self) -> Iterator[tuple[Resource, Endpoint, Planned]]:
        """The calls about objects that belong to this merchant in test mode."""
        for resource, endpoint, planned in self.calls:
            if self.maker.object_of(shape(endpoint.path[: endpoint.path.index("/{")])) not in WORLD:
                yield resource, endpoint, planned

    def call(self, endpoint: Endpoint, planned: Planned, **more: Any) -> Answer:
        answer: Answer = getattr(self.api.for_endpoint(endpoint), endpoint.method.lower())(
            planned.path, **planned.params, **more
        )
        return answer


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def stage(request: pytest.FixtureRequest) -> Stage:
    return Stage(request.getfixturevalue(f"{request.param}_world"))


def refused(stage: Stage, judge: Callable[[Answer, Endpoint], bool], **more: Any) -> list[str]:
    """The calls whose answer is not the right refusal."""
    wrong = []
    for _, endpoint, planned in stage.foreign():
        answer = stage.call(endpoint, planned, **more)
        if answer.status == 200 or not judge(answer, endpoint):
            wrong.append(f"{name_of(endpoint)}: {answer.status} {answer.get('error', {}).get('message')}")
    return wrong


def does_not_exist(answer: Answer, endpoint: Endpoint) -> bool:
    """No such object; or, of an account in the path, the sentence that says no more than that."""
    error = answer.error
    if endpoint.path.startswith("/v1/accounts/"):
        return (answer.status, error["code"]) == (403, "account_invalid")
    expected = 400 if name_of(endpoint) in BAD_REQUEST else 404
    return (answer.status, error.get("code")) == (expected, "resource_missing") and error["message"].startswith(
        "No such "
    )


def asks_a_provider(answer: Answer, endpoint: Endpoint) -> bool:
    """What live mode has no provider for is refused before anything is looked up, whosever the object is."""
    live = endpoint.live
    if live is None or live.when or not (live.capability or live.test_only):
        return False
    expected = live.capability.refusal() if live.capability is not None else None
    message: str = answer.error["message"]
    return message == expected.message if expected is not None else "test mode" in message


def test_every_object_that_a_path_names_can_be_made(stage: Stage) -> None:
    assert stage.unmade == {}


def test_the_other_mode_s_key_is_told_that_there_is_no_such_object(stage: Stage) -> None:
    def judge(answer: Answer, endpoint: Endpoint) -> bool:
        message = answer.error["message"]
        tells = message.endswith(
            "; a similar object exists in test mode, but a live mode key was used to make this request."
        )
        silent = (
            endpoint.path.count("{") > 1
            or endpoint.path.startswith("/v1/accounts/")
            or name_of(endpoint) in BAD_REQUEST
        )
        return asks_a_provider(answer, endpoint) or (does_not_exist(answer, endpoint) and (tells or silent))

    assert refused(stage, judge, key=stage.api.live_sk) == []


def test_another_account_s_key_is_told_the_same_as_for_an_id_that_was_never_given(stage: Stage) -> None:
    stranger = stage.api.another()

    def judge(answer: Answer, endpoint: Endpoint) -> bool:
        return does_not_exist(answer, endpoint) and "similar object" not in answer.error["message"]

    assert refused(stage, judge, key=stranger.sk) == []

    def judge_live(answer: Answer, endpoint: Endpoint) -> bool:
        return asks_a_provider(answer, endpoint) or judge(answer, endpoint)

    assert refused(stage, judge_live, key=stranger.live_sk) == []


def test_a_platform_s_objects_do_not_exist_for_its_connected_account(stage: Stage) -> None:
    connected = stage.api.ok("POST", "/v1/accounts", type="standard", email="shop@example.com")["id"]

    def judge(answer: Answer, endpoint: Endpoint) -> bool:
        return answer.status >= 400 and answer.error.get("code") in (
            "resource_missing",
            "account_invalid",
            "platform_account_required",
        )

    def about_the_platform(endpoint: Endpoint) -> bool:
        return endpoint.path.startswith(("/v1/accounts/", "/v1/api_keys/"))

    wrong = refused(
        stage, lambda answer, e: about_the_platform(e) or judge(answer, e), headers={"Stripe-Account": connected}
    )
    assert [line for line in wrong if "/v1/accounts/" not in line and "/v1/api_keys/" not in line] == []


def test_a_connected_account_s_objects_do_not_exist_for_its_platform(stage: Stage) -> None:
    connected = stage.api.ok("POST", "/v1/accounts", type="standard", email="shop@example.com")["id"]
    theirs = stage.api.post("/v1/customers", headers={"Stripe-Account": connected})["id"]
    assert stage.api.get(f"/v1/customers/{theirs}").error["code"] == "resource_missing"
    assert stage.api.get(f"/v1/customers/{theirs}", headers={"Stripe-Account": connected})["id"] == theirs


def test_nobody_acts_for_an_account_that_is_not_connected_to_them(stage: Stage) -> None:
    stranger = stage.api.another()
    wrong = []
    for resource, endpoint in routes(stage.api):
        path = re.sub(r"\{\w+\}", "nothing", endpoint.path)
        answer = stage.api.for_endpoint(endpoint).send(
            endpoint.method, path, key=stranger.sk, headers={"Stripe-Account": stage.api.account}
        )
        if (answer.status, answer.error.get("code")) != (403, "account_invalid"):
            wrong.append(f"{resource.object} {name_of(endpoint)}: {answer.status} {answer.error['message']}")
    assert wrong == []


def test_a_refused_attempt_leaves_no_line_in_the_other_account_s_request_log(stage: Stage) -> None:
    stranger = stage.api.another()
    agent = f"intruder-{stranger.account}"
    stage.api.get("/v1/customers", key=stranger.sk, headers={"Stripe-Account": stage.api.account, "User-Agent": agent})
    stage.api.world.runner.run(stage.api.world.server._write_buffers())
    rows = stage.api.core.database.read(
        lambda tx: tx.execute("SELECT account FROM request_logs WHERE user_agent = ?", (agent,))
    )
    assert rows == [(stranger.account,)]


def test_without_a_key_there_is_nothing(stage: Stage) -> None:
    wrong = []
    for _, endpoint in routes(stage.api):
        answer = stage.api.for_endpoint(endpoint).send(
            endpoint.method, re.sub(r"\{\w+\}", "nothing", endpoint.path), key=None
        )
        if (answer.status, answer.error) != (401, {"message": NO_KEY, "type": "invalid_request_error"}):
            wrong.append(f"{name_of(endpoint)}: {answer.status} {answer.error['message']}")
    assert wrong == []


def test_a_publishable_key_opens_only_what_is_declared_for_it(stage: Stage) -> None:
    wrong = []
    for _, endpoint in routes(stage.api):
        if not endpoint.publishable:
            answer = stage.api.for_endpoint(endpoint).send(
                endpoint.method, re.sub(r"\{\w+\}", "nothing", endpoint.path), key=stage.api.pk
            )
            if (answer.status, answer.error["code"], answer.error["message"]) != (
                403,
                "secret_key_required",
                SECRET_KEY_REQUIRED,
            ):
                wrong.append(f"{name_of(endpoint)}: {answer.status} {answer.error['message']}")
    assert wrong == []


def test_a_publishable_key_never_lists(stage: Stage) -> None:
    assert [
        name_of(e) for _, e in routes(stage.api) if e.publishable and e.method == "GET" and not e.path.endswith("}")
    ] == ["GET /v1/elements/sessions", "GET /v1/fpx/bank_statuses"], (
        "the first answers about one intent, whose client secret it is sent, the second about banks"
    )


def test_another_account_s_publishable_key_does_not_reach_an_object_either(stage: Stage) -> None:
    stranger = stage.api.another()
    wrong = []
    for _, endpoint, planned in stage.foreign():
        if endpoint.publishable:
            answer = stage.call(endpoint, planned, key=stranger.pk)
            if answer.status == 200:
                wrong.append(name_of(endpoint))
    assert wrong == []


# -- permissions


def levels(stage: Stage) -> list[tuple[Endpoint, Permission]]:
    return [(e, e.permission or r.permission) for r, e in routes(stage.api) if not e.unrestricted]


def test_a_restricted_key_without_permissions_is_told_which_one_it_lacks(stage: Stage) -> None:
    key = stage.api.restricted()
    wrong = []
    for endpoint, permission in levels(stage):
        answer = stage.api.for_endpoint(endpoint).send(
            endpoint.method, re.sub(r"\{\w+\}", "nothing", endpoint.path), key=key, query="no_such=1"
        )
        named = f"{permission.label} {endpoint.needs.capitalize()} ('{permission.name}_{endpoint.needs}')"
        if (answer.status, answer.error.get("code")) != (403, "more_permissions_required") or named not in answer.error[
            "message"
        ]:
            wrong.append(f"{name_of(endpoint)}: {answer.status} {answer.error['message']}")
    assert wrong == []


def test_read_does_not_open_what_writes(stage: Stage) -> None:
    wrong = []
    keys: dict[str, str] = {}
    for endpoint, permission in levels(stage):
        if endpoint.needs == "write" and "read" in permission.levels:
            key = keys.setdefault(permission.name, "") or keys.update(
                {permission.name: stage.api.restricted(f"{permission.name}_read")}
            )
            answer = stage.api.for_endpoint(endpoint).send(
                endpoint.method, re.sub(r"\{\w+\}", "nothing", endpoint.path), key=key or keys[permission.name]
            )
            if (answer.status, answer.error.get("code")) != (403, "more_permissions_required"):
                wrong.append(f"{name_of(endpoint)}: {answer.status}")
    assert wrong == []


def test_the_level_that_is_declared_opens_the_endpoint(stage: Stage) -> None:
    wrong = []
    keys: dict[str, str] = {}
    for endpoint, permission in levels(stage):
        name = f"{permission.name}_{endpoint.needs}"
        if name not in keys:
            keys[name] = stage.api.restricted(name)
        answer = stage.api.for_endpoint(endpoint).send(
            endpoint.method, re.sub(r"\{\w+\}", "nothing", endpoint.path), key=keys[name], query="no_such=1"
        )
        if (
            answer.get("error", {}).get("code") in ("more_permissions_required", "secret_key_required")
            or answer.status == 401
        ):
            wrong.append(f"{name_of(endpoint)}: {answer.status} {answer.error['message']}")
    assert wrong == []


def test_an_endpoint_that_only_reads_changes_nothing_and_one_that_writes_is_not_a_get(stage: Stage) -> None:
    assert [name_of(e) for _, e in routes(stage.api) if e.method == "GET" and e.needs != "read"] == []
    assert [name_of(e) for _, e in routes(stage.api) if e.method == "DELETE" and e.needs != "write"] == []


# -- storage


def test_no_read_or_write_of_the_table_goes_without_a_scope() -> None:
    """Every public method that touches rows takes the scope, has no default for it, and binds both of its halves."""
    shape_only = {"create", "add_column", "index", "create_index", "values"}
    for name, method in inspect.getmembers(Table, inspect.isfunction):
        if name.startswith("_") or name in shape_only:
            continue
        parameters = inspect.signature(method).parameters
        first = ["self", "scope"] if name == "asks_body" else ["self", "tx", "scope"]  # what it asks is read elsewhere
        assert list(parameters)[: len(first)] == first, name
        assert parameters["scope"].default is inspect.Parameter.empty, name


def test_every_statement_of_the_table_names_account_and_mode(stage: Stage) -> None:
    heard: list[tuple[str, tuple[object, ...]]] = []

    class Ear:
        dialect = "sqlite"
        cached: ClassVar[dict[str, object]] = {}

        def execute(self, sql: str, params: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
            heard.append((sql, tuple(params)))
            return [(0,)]

        def read(
            self, table: str, sql: str, params: tuple[object, ...], key: object = None
        ) -> list[tuple[object, ...]]:
            return self.execute(sql, params)

        def hold(self, write: Write, values: tuple[object, ...]) -> None:
            heard.append((write.sqlite, values))
            heard.append((write.postgres, values))

    table, scope, ear = Table("thing", ("colour",)), Scope("acct_1", True), Ear()
    row: tuple[Any, ...] = (ear, scope, "th_1", 1, b"{}", None, ["red"])
    table.insert(*row)
    table.update(*row)
    table.rewrite(ear, scope, "th_1", b"{}", None)  # type: ignore[arg-type]
    for one in (table.body, table.delete, table.exists_in_other_mode):
        one(ear, scope, "th_1")  # type: ignore[arg-type, operator]
    table.count(ear, scope, {"colour": "red"})  # type: ignore[arg-type]
    for sql, params in heard:
        scoped = ("account = ? AND livemode = ?", "account = ?1 AND livemode = ?2", "t.livemode = v.livemode")
        assert sql.startswith("INSERT") or any(condition in sql for condition in scoped)
        assert "acct_1" in params
