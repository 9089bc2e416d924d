"""What is sent to a processor, once: in requests, in the background, by several processes and after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.api import Api
from tests.support.processor import Live, connected
from tollkey.payments.processors import attempts, backends
from tollkey.payments.processors.network import Authorize, Notices, Outcome
from tollkey.payments.processors.sending import Sender, Times
from tollkey.wire.messages import Request


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    with connected(api) as found:
        yield found


def test_a_request_that_waits_too_long_is_answered_as_processing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.api.world.server.sender, "times", Times(wait=0.3, again=0.1))
    live.network.script = ["slow"]
    waiting = live.pay()
    assert (waiting.status, waiting["status"]) == (200, "processing")
    live.network.held.set()
    live.recover()
    assert live.get(f"/v1/payment_intents/{waiting['id']}")["status"] == "succeeded"
    assert live.said("authorize", "inquire") == ["authorize"]


def test_the_same_key_again_meanwhile_is_in_use_and_later_gets_the_answer(live: Live) -> None:
    live.network.script = ["unanswered"]
    given = {"payment_method": live.method(), "headers": {"Idempotency-Key": "k1"}}
    first = live.pay(**given)
    second = live.pay(**given)
    assert (first["status"], second.body) == ("processing", first.body)  # it was answered as processing
    assert live.said("authorize") == ["authorize"]


def test_what_a_crash_left_in_progress_is_answered_once_it_is_known(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, given = live.api.world.server.sender, {"headers": {"Idempotency-Key": "k2"}}
    given["payment_method"] = live.method()  # type: ignore[assignment]

    async def dies(references: object) -> bool:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(sender, "settle", dies)
        assert live.pay(**given).status == 500
    repeated = live.pay(**given)
    assert (repeated.status, repeated.error["code"]) == (409, "idempotency_key_in_use")
    live.recover(1)
    after = live.pay(**given)
    assert (after.status, after["status"], after.headers["idempotent-replayed"]) == (200, "succeeded", "true")
    assert live.pay(**given).body == after.body
    assert live.said("authorize") == ["authorize"]


def test_two_processes_send_it_once(live: Live) -> None:
    first = live.api.world.server.sender
    second = Sender(first._storage, first.links, live.api.core.now, first.times)
    live.network.script = ["refused"]
    refund = live.pay()  # the first message is refused, the second one arrives
    asked = live.post("/v1/payment_intents", amount=700, currency="usd")
    assert asked["status"] == "requires_payment_method"
    reference = live.attempts(refund["id"])[0].reference

    async def both() -> None:
        await asyncio.gather(first.settle([reference]), second.settle([reference]))

    live.api.world.runner.run(both())
    assert live.said("authorize") == ["authorize", "authorize"]
    assert len(live.network.done) == 1


def test_what_was_sent_by_a_process_that_ended_is_asked_about(live: Live) -> None:
    live.network.script = ["unanswered"]
    paid = live.pay()
    made = live.attempts(paid["id"])[0]
    write = live.api.core.database.write
    write(lambda tx: tx.execute("UPDATE processor_attempts SET state = 'sent' WHERE reference = ?", (made.reference,)))
    live.recover(100)
    assert live.get(f"/v1/payment_intents/{paid['id']}")["status"] == "succeeded"
    assert live.said() == ["authorize", "inquire"]


def test_a_refund_that_cannot_be_sent_waits_and_holds_up_those_behind_it(live: Live) -> None:
    one, two = live.pay(500), live.pay(500)
    sender = live.api.world.server.sender
    before, sender.times = sender.times, Times(wait=0.3, again=0.1)
    live.network.script = ["refused"] * 40
    first = live.post("/v1/refunds", payment_intent=one["id"])
    second = live.post("/v1/refunds", payment_intent=two["id"])
    sender.times = before
    assert (first["status"], second["status"]) == ("pending", "pending")
    live.network.script, live.network.heard = [], []
    live.recover(60)
    assert [live.get(f"/v1/refunds/{one['id']}")["status"] for one in (first, second)] == ["succeeded", "succeeded"]
    order = [reference for kind, reference in live.network.heard if kind == "refund"]
    assert order == [live.attempts(one["id"])[0].reference for one in (first, second)]


def test_a_refund_that_the_processor_refuses_fails_and_its_money_is_back(live: Live) -> None:
    paid = live.pay(500)
    live.network.script = ["declined"]
    refund = live.post("/v1/refunds", payment_intent=paid["id"])
    assert (refund.status, refund["status"], refund["failure_reason"]) == (200, "failed", "declined")
    assert live.get(f"/v1/charges/{paid['latest_charge']}")["amount_refunded"] == 0


def test_a_reversal_wins_over_a_late_approval(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = live.api.world.server.sender
    monkeypatch.setattr(sender, "times", Times(wait=0.3, again=0.1))
    live.network.script = ["slow", "unanswered", "unanswered", "unanswered", "unanswered"]
    waiting = live.pay()
    made = live.attempts(waiting["id"])[0]
    other = Sender(sender._storage, sender.links, live.api.core.now, sender.times)
    live.api.world.clock[0] += 100

    async def steps() -> None:
        for _ in range(8):
            await other.tick()
            await other.drain()
            live.api.world.clock[0] += 100

    live.api.world.runner.run(steps())
    live.network.held.set()
    live.recover()
    assert live.attempts(waiting["id"])[0].state == "reversed"
    assert live.get(f"/v1/payment_intents/{waiting['id']}")["status"] == "requires_payment_method"
    assert made.reference in live.network.reversed
    assert live.network.money == {}


def test_an_approval_that_its_objects_cannot_show_yet_is_kept_and_shown_later(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tollkey.payments.intents import followup

    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(followup, "charge_and_record", breaks)
        waiting = live.pay()
    assert waiting["status"] == "processing"
    made = live.attempts(waiting["id"])[0]
    assert (made.state, made.applied) == ("approved", False)
    live.recover(5)
    assert live.get(f"/v1/payment_intents/{waiting['id']}")["status"] == "succeeded"
    assert live.attempts(waiting["id"])[0].applied


def test_what_nobody_can_tell_for_days_is_for_a_person(live: Live) -> None:
    live.network.script = ["unanswered"] + ["lost"] * 200
    paid = live.pay()
    live.recover(10)
    live.recover(4 * 86_400)
    assert live.attempts(paid["id"])[0].state == "manual"
    found = live.api.core.database.read(lambda tx: attempts.troubled(tx, 0, live.scope))
    assert [one.object for one in found] == [paid["id"]]


def test_a_client_whose_connection_ends_leaves_the_payment_to_go_on(live: Live) -> None:
    live.network.script = ["slow"]
    service, method = live.api.world.server.service, live.method()
    headers = {
        "authorization": f"Bearer {live.api.live_sk}",
        "content-type": "application/x-www-form-urlencoded",
    }
    body = f"amount=500&currency=usd&confirm=true&payment_method={method}&automatic_payment_methods[enabled]=true"
    body += "&automatic_payment_methods[allow_redirects]=never"

    async def cut() -> None:
        task = asyncio.create_task(service.answer(Request("POST", "/v1/payment_intents", b"", headers, body.encode())))
        while not live.network.heard:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        live.network.held.set()
        await live.api.world.server.sender.drain()

    live.api.world.runner.run(cut())
    found = live.get("/v1/payment_intents")["data"]
    assert [one["status"] for one in found] == ["succeeded"]


def test_an_error_of_a_provider_is_logged_without_its_text(
    live: Live, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(request: Authorize) -> Outcome:
        try:
            raise KeyError(request.method.token)
        except KeyError as error:
            raise RuntimeError(f"no {request.method.token}") from error

    monkeypatch.setattr(live.network, "send", fails)
    paid = live.pay(payment_method=live.method("nt_hush"))
    assert paid["status"] == "processing"
    assert "nt_hush" not in caplog.text
    assert "RuntimeError" in caplog.text
    assert "caused by KeyError" in caplog.text
    monkeypatch.undo()
    live.recover()


def test_a_processor_that_tells_without_end_is_heard_for_a_time(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(cursor: str) -> Notices:
        return Notices((), str(int(cursor or 0) + 1))

    monkeypatch.setattr(live.network, "notices", endless)
    live.api.world.runner.run(live.api.world.server.sender.read_notices())
    backend = live.api.core.database.read(lambda tx: backends.of(tx, live.scope))
    assert backend is not None
    assert backend.cursor == "100"
