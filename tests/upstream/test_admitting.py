"""Which calls may be passed on: nothing that another server reads differently, or does without its permission."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api import Api
from tests.upstream.conftest import There, at_once, recorded
from tollkey.db import Scope
from tollkey.db.edge import Edge
from tollkey.keys.actors import SYSTEM
from tollkey.upstream import parameters, store
from tollkey.upstream.gateway import Limits
from tollkey.upstream.operations import Operations
from tollkey.upstream.permissions import ALSO
from tollkey.wire.admission import AGE_SECONDS
from tollkey.wire.messages import Request

MULTIPART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n4242424242424242\r\n--b--\r\n'
FORM_DATA = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    "name",
    ["_method=POST", "%5Fmethod=POST", "_stripe_account=acct_2", "[expand][]=customer", "expand]=customer",
     "%5Bexpand%5D=customer", "exp%ffand=customer", "a%00=1",
     "%20expand[x]=customer", "expand+=customer"],
)  # fmt: skip
@pytest.mark.parametrize("metadata", [{}, {"cap_amount": "usd:1"}])
def test_a_name_that_servers_read_differently_is_not_passed_on(
    api: Api, there: There, name: str, metadata: dict[str, str]
) -> None:
    key = api.restricted("charge_read", "charge_write", metadata=metadata)
    assert api.send("GET", "/v1/charges", key=key, query=name).status == 400
    assert api.send("POST", "/v1/charges/ch_1", key=key, body=name.encode()).status == 400
    assert there.got == []


def test_headers_that_some_servers_take_for_another_are_not_passed_on(api: Api, there: There) -> None:
    sent = {"Stripe_Account": "acct_2", "X-HTTP-Method-Override": "POST", "X-Original-URL": "/v1/refunds"}
    assert api.get("/v1/charges", key=api.restricted("charge_read"), headers=sent).status == 200
    assert set(there.got[0].headers) == {"host", "authorization", "accept-encoding", "content-length", "tollkey-hops"}


@pytest.mark.parametrize("kind", ["secret", "restricted"])
def test_a_multipart_form_is_passed_on_only_as_an_upload(api: Api, there: There, kind: str) -> None:
    key = api.sk if kind == "secret" else api.restricted("token_write", "refund_write", "file_write")
    for path, name in (("/v1/tokens", b"card[number]"), ("/v1/refunds", b"amount")):
        assert api.send("POST", path, key=key, body=MULTIPART % name, headers=FORM_DATA).status == 400
    assert there.got == []
    assert api.send("POST", "/v1/files", key=key, body=MULTIPART % b"purpose", headers=FORM_DATA).status == 200


@pytest.mark.parametrize("head", [b'name="expand[]"', b"name=expand", b'NAME="expand"', b'filename=a; name="expand"'])
def test_an_upload_of_a_restricted_key_expands_nothing(api: Api, there: There, head: bytes) -> None:
    body = (MULTIPART % b"x").replace(b'name="x"', head)
    assert api.send("POST", "/v1/files", key=api.restricted("file_write"), body=body, headers=FORM_DATA).status == 400
    assert there.got == []


@pytest.mark.parametrize("name", ["[card][number]", "card[][number]", "payment_method_data[card]number]"])
def test_card_data_under_a_name_of_another_form_is_not_passed_on(api: Api, there: There, name: str) -> None:
    assert api.send("POST", "/v1/tokens", body=f"{name}=4242424242424242".encode()).status == 400
    assert there.got == []


def test_a_parameter_that_copies_or_makes_another_object_needs_its_permission_too(api: Api, there: There) -> None:
    operations = Operations(api.core.catalogue)
    for (path, name), (object, level) in ALSO.items():
        sent, lacking = path.replace("{customer}", "cus_1"), operations.readers[object].grant(level)
        operation = operations.find("POST", sent)
        assert operation is not None
        assert operation.path == path
        api.world.runner.run(api.world.server.gateway.stop())  # the outcome of the call before is recorded
        both = api.restricted(operation.grant, lacking)
        refused = api.post(sent, key=api.restricted(operation.grant), **{name: "x_1"})
        if operation.grant == lacking.replace("_read", "_write"):  # writing includes reading
            assert refused.status == 200
        else:
            assert (refused.status, lacking in refused.error["message"]) == (403, True), (path, name)
        assert api.post(sent, key=both, **{name: "x_1"}).status == 200


@pytest.mark.parametrize("sent", [b"a=%4", b"a=%zz", b"a=%ff", b"%=1"])
def test_escapes_that_servers_read_differently_are_not_passed_on(api: Api, there: There, sent: bytes) -> None:
    assert api.send("POST", "/v1/customers", body=sent).status == 400
    assert there.got == []


def test_a_long_form_of_escapes_takes_less_than_reading_them_one_by_one(api: Api) -> None:
    body = b"a=" + b"%41" * 174_000
    request = Request("POST", "/v1/customers", b"", {"content-type": parameters.FORM}, body)
    assert list(parameters.pairs(request)) == [("a", "A" * 174_000)]

    def one_by_one() -> bytes:
        return b"".join([bytes((int(part[:2], 16),)) for part in body.split(b"%")[1:]])

    def least(work: Callable[[], object]) -> float:
        """The processor time of the fastest of ten attempts."""
        took = []
        for _ in range(10):
            began = time.process_time()
            work()
            took.append(time.process_time() - began)
        return min(took)

    assert least(lambda: list(parameters.pairs(request))) < least(one_by_one)


@pytest.mark.parametrize("path", ["/v1/api%5Fkeys", "/v1/%61pi_keys/mk_1/roll", "/v1/api_keys%2Fmk_1"])
def test_the_local_keys_stay_here_however_their_path_is_written(api: Api, there: There, path: str) -> None:
    for key in (api.sk, api.restricted("api_key_write")):
        api.post(path, key=key, name="x", type="secret")
    assert there.got == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_account_leaves_a_fifth_of_the_calls_at_once_to_the_others(
    api: Api, there: There, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, service, gateway = api.world.runner, api.world.server.service, api.world.server.gateway
    monkeypatch.setattr(gateway, "limits", Limits(most=5))
    assert at_once(runner, [service], there, 6, api.sk, method=method) == [200] * 4 + [503] * 2
    runner.run(gateway.stop())
    assert at_once(runner, [service], there, 6, api.sk, method=method) == [200] * 4 + [503] * 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_key_that_ends_while_its_call_arrives_sends_nothing(api: Api, there: There, method: str) -> None:
    key = api.restricted("charge_read", "charge_write")
    scope, database, authority = Scope(api.account, False), api.core.database, api.core.authority
    (found,) = database.read(lambda tx: authority.list(tx, scope, kind="restricted"))

    class Slow:
        finished = False

        async def whole(self, most: int) -> bytes:
            await asyncio.to_thread(time.sleep, 0.2)
            database.write(lambda tx: authority.revoke(tx, scope, found.id, actor=SYSTEM, now=api.now))
            return b"amount=1&currency=usd"

    headers = {"authorization": f"Bearer {key}", "content-type": "application/x-www-form-urlencoded"}
    incoming: Any = Slow()
    request = Request(method, "/v1/charges", b"", headers, incoming=incoming)
    assert api.world.runner.run(api.world.server.service.answer(request)).status == 401
    assert there.got == []


def _revoked(api: Api, scope: Scope) -> None:
    authority, database = api.core.authority, api.core.database
    (found,) = database.read(lambda tx: authority.list(tx, scope, kind="restricted"))
    database.write(lambda tx: authority.revoke(tx, scope, found.id, actor=SYSTEM, now=api.now))
    time.sleep(0.15)  # a key is looked at again after a tenth of a second


def test_a_call_is_not_sent_again_for_a_key_that_was_revoked_meanwhile(api: Api, there: There) -> None:
    key = api.restricted("charge_write")
    there.before = lambda asked: _revoked(api, Scope(api.account, False))
    there.fails = ["cut"]
    assert api.send("POST", "/v1/charges", key=key, body=b"amount=1").status == 401
    assert len(there.got) == 1
    assert [(call.state, call.status) for call in recorded(api)] == [("unknown", None)]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_nothing_is_sent_for_a_key_that_was_revoked_while_the_connection_was_made(
    api: Api, there: There, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, connect_to = api.restricted("charge_write"), asyncio.BaseEventLoop.create_connection

    async def slow(*given: Any, **more: Any) -> Any:
        made = await connect_to(*given, **more)
        _revoked(api, Scope(api.account, False))
        return made

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", slow)
    assert api.send(method, "/v1/charges", key=key, body=b"amount=1" if method == "POST" else b"").status == 401
    assert there.got == []
    assert [call.state for call in recorded(api)] == (["not_sent"] if method == "POST" else [])


class Stopping:
    """An edge whose process is stopped for a moment once its first write is durable. then: what happens meanwhile."""

    def __init__(self, edge: Edge, then: Callable[[], object]) -> None:
        self._edge, self._then = edge, [then]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._edge, name)

    async def write(self, *args: Any, **options: Any) -> Any:
        done = await self._edge.write(*args, **options)
        if self._then:
            await asyncio.to_thread(time.sleep, AGE_SECONDS + 0.05)
            self._then.pop()()
        return done


@pytest.mark.parametrize(("over", "status"), [("the key", 401), ("the time of the call", 503), ("nothing", 200)])
def test_a_call_that_was_recorded_by_a_process_that_was_then_stopped_leaves_only_while_it_may(
    api: Api, there: There, over: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, scope, gateway = api.restricted("charge_write"), Scope(api.account, False), api.world.server.gateway
    database, authority, clock = api.core.database, api.core.authority, api.world.clock
    (found,) = database.read(lambda tx: authority.list(tx, scope, kind="restricted"))
    meanwhile: dict[str, Callable[[], object]] = {
        "the key": lambda: database.write(lambda tx: authority.revoke(tx, scope, found.id, actor=SYSTEM, now=api.now)),
        "the time of the call": lambda: clock.__setitem__(0, clock[0] + 81),
        "nothing": lambda: None,
    }
    monkeypatch.setattr(gateway, "edge", Stopping(gateway.edge, meanwhile[over]))
    assert api.send("POST", "/v1/charges", key=key, body=b"amount=1").status == status
    assert len(there.got) == (over == "nothing")
    api.world.runner.run(gateway.stop())
    (call,) = database.read(lambda tx: store.calls(tx, scope))
    assert call.state == ("answered" if over == "nothing" else "not_sent")
