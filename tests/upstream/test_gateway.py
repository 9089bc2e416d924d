"""Calls that are passed on to an upstream account: what leaves, what comes back, what is said where nothing does."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.upstream.conftest import KEY, Asked, There, at_once, connect, recorded
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM
from tollkey.upstream import states, store

# -- what leaves


def test_a_call_leaves_as_it_came_but_with_the_key_of_the_upstream_account(api: Api, there: There) -> None:
    answer = api.send(
        "POST",
        "/v1/customers",
        body=b"email=a%2Bb%40c.de&metadata[%41]=1",
        query="expand[]=x",
        headers={"Stripe-Version": "2024-06-20", "Stripe-Account": "acct_1", "X-Own": "é", "Idempotency-Key": "k"},
    )
    assert answer.status == 200
    (asked,) = there.got
    assert asked.line == "POST /v1/customers?expand[]=x HTTP/1.1"
    assert asked.body == b"email=a%2Bb%40c.de&metadata[%41]=1"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert {name: asked.headers[name] for name in ("stripe-version", "stripe-account", "x-own")} == {
        "stripe-version": "2024-06-20",
        "stripe-account": "acct_1",
        "x-own": "é",
    }


def test_nothing_of_the_callers_connection_and_key_leaves(api: Api, there: There) -> None:
    api.send(
        "GET",
        "/v1/customers",
        headers={
            "Connection": "close", "Cookie": "a=b", "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1",
            "Accept-Encoding": "gzip", "TE": "trailers", "Proxy-Authorization": "Basic x",
        },
    )  # fmt: skip
    (asked,) = there.got
    assert set(asked.headers) == {"host", "authorization", "accept-encoding", "content-length", "tollkey-hops"}
    assert asked.headers["accept-encoding"] == "identity"
    assert api.sk not in str(asked)


def test_the_answer_comes_back_byte_for_byte_with_both_request_ids(api: Api, there: There) -> None:
    there.body = b'{\n  "id": "cus_1",\n  "object": "customer"\t}'
    there.headers |= {"Stripe-Version": "2024-06-20", "X-Other": "kept", "Server": "nginx", "Set-Cookie": "a=b"}
    answer = api.get("/v1/customers/cus_1")
    assert answer.body == there.body
    assert answer.headers["request-id"] == "req_there1"
    assert answer.headers["tollkey-request-id"].startswith("req_")
    assert answer.headers["x-other"] == "kept"
    assert not {"server", "set-cookie", "transfer-encoding"} & set(answer.headers)


def test_a_refusal_there_comes_back_with_the_mask_of_the_local_key(api: Api, there: There) -> None:
    there.status = 403
    there.body = (
        b'{"error": {"code": "x", "message": "The provided key \'sk_test_***************cdef\' does not have access"}}'
    )
    answer = api.get("/v1/customers/cus_1")
    assert answer.status == 403
    shown = f"sk_test_...{api.sk[-4:]}"
    assert answer.error["message"] == f"The provided key '{shown}' does not have access"


def test_only_calls_of_the_connected_mode_and_account_are_passed_on(api: Api, there: There) -> None:
    assert api.get("/v1/customers", key=api.live_sk)["data"] == []
    assert api.another().get("/v1/customers")["data"] == []
    assert there.got == []


def test_the_local_keys_are_managed_here(api: Api, there: There) -> None:
    assert {key["object"] for key in api.get("/v1/api_keys")["data"]} == {"api_key"}
    assert there.got == []


def test_a_server_elsewhere_gets_no_call_once_the_account_is_disconnected(api: Api, there: There) -> None:
    api.core.database.write(lambda tx: store.disconnect(tx, Scope(api.account, False)))
    assert api.get("/v1/customers")["data"] == []
    assert there.got == []


def test_accounts_that_are_connected_in_a_circle_do_not_pass_a_call_on_for_ever(api: Api, there: There) -> None:
    api.get("/v1/customers", headers={"Tollkey-Hops": "2"})
    assert there.got[0].headers["tollkey-hops"] == "3"
    for said in ("3", "99999999999", "-1", "x"):
        refused = api.get("/v1/customers", headers={"Tollkey-Hops": said})
        assert (refused.status, refused.error["code"]) == (508, "upstream_loop")
    assert len(there.got) == 1


# -- who may call what


def test_a_restricted_key_opens_what_it_may_and_nothing_else(api: Api, there: There) -> None:
    key = api.restricted("dispute_read")
    assert api.get("/v1/disputes", key=key).status == 200
    for refused in (
        api.post("/v1/disputes/dp_1", key=key),
        api.get("/v1/customers", key=key),
        api.post("/v1/refunds", key=key, charge="ch_1"),
        api.get("/v1/treasury/financial_accounts", key=key),
        api.post("/v2/money_management/outbound_payments", key=key),
        api.get("/v1/nothing/like/this", key=key),
        api.post("/oauth/token", key=key),
        api.get("/v1/disputes/..%2frefunds", key=key),
        api.get("/v1/disputes/%2e%2e/refunds", key=key),
        api.get("/v1//disputes", key=key),
    ):
        assert refused.status == 403, refused
    assert [asked.line.split()[1] for asked in there.got] == ["/v1/disputes"]


def test_a_restricted_key_can_be_given_what_is_not_simulated_here(api: Api, there: There) -> None:
    key = api.restricted("treasury_financial_account_read")
    assert api.get("/v1/treasury/financial_accounts", key=key).status == 200
    refused = api.post("/v1/treasury/financial_accounts", key=key)
    assert "treasury_financial_account_write" in refused.error["message"]


def test_a_secret_key_opens_what_the_specification_does_not_have(api: Api, there: There) -> None:
    assert api.get("/v1/newer/than/this/server").status == 200
    assert there.got[0].line == "GET /v1/newer/than/this/server HTTP/1.1"


def test_a_publishable_key_is_told_to_use_that_of_the_upstream_account(api: Api, there: There) -> None:
    refused = api.post("/v1/tokens", key=api.pk, card={"number": "4242424242424242"})
    assert (refused.status, refused.error["code"]) == (403, "secret_key_required")
    assert there.got == []


@pytest.mark.parametrize("sent", ["expand[]=data.charge", "expand=data.charge", "a=1;%65xpand[0]=data.charge"])
def test_a_restricted_key_expands_only_what_it_may_read(api: Api, there: There, sent: str) -> None:
    key = api.restricted("dispute_read")
    refused = api.send("GET", "/v1/disputes", key=key, query=sent)
    assert refused.status == 403
    assert "charge_read" in refused.error["message"]
    assert there.got == []
    assert (
        api.send(
            "GET", "/v1/disputes", key=api.restricted("dispute_read", "charge_read"), query=sent.replace(" ", "%20")
        ).status
        == 200
    )


def test_a_restricted_key_sends_its_parameters_only_in_a_form_that_is_read_here(api: Api, there: There) -> None:
    key = api.restricted("charge_write")
    for headers in ({"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}, {"Content-Type": ""}):
        refused = api.send("POST", "/v1/charges", key=key, body=b'{"expand": ["customer"]}', headers=headers)
        assert refused.status == 400, refused
    assert there.got == []


def test_what_is_for_a_connected_account_needs_the_permission_for_connected_accounts(api: Api, there: There) -> None:
    own, connected = api.restricted("charge_read"), api.restricted(connect_permissions=("charge_read",))
    for header in ("Stripe-Account", "Stripe-Context"):
        assert api.get("/v1/charges", key=own, headers={header: "acct_2"}).status == 403
        assert api.get("/v1/charges", key=connected, headers={header: "acct_2"}).status == 200
        assert api.get("/v1/charges", key=own, headers={header: "acct_upstream"}).status == 200
    assert api.get("/v1/charges", key=connected).status == 403


@pytest.mark.parametrize(
    "name", ["card[number]", "payment_method_data[card][number]", "source[number]", "card[cvc]", "%63ard[number]"]
)
def test_card_data_is_not_passed_on(api: Api, there: There, name: str) -> None:
    refused = api.send("POST", "/v1/payment_methods", body=f"type=card&{name}=4242424242424242".encode())
    assert (refused.status, refused.error["param"]) == (400, name.replace("%63", "c"))
    assert there.got == []


def test_the_number_of_an_invoice_is_no_card_data(api: Api, there: There) -> None:
    assert api.post("/v1/invoices", number="4242424242424242").status == 200


# -- once


def test_a_client_key_is_passed_on_under_the_accounts_own_name(api: Api, there: There) -> None:
    other = api.another()
    connect(other, there.url)
    for one in (api, other):
        answer = one.post("/v1/charges", headers={"Idempotency-Key": "order-1"}, amount=1)
        assert answer.status == 200
    first, second = (asked.headers["idempotency-key"] for asked in there.got)
    assert first != second
    assert first.startswith("tk_")
    assert first.endswith("_order-1")
    there.headers["Idempotency-Key"] = "tk_x"
    assert api.post("/v1/charges", headers={"Idempotency-Key": "order-2"}).headers["idempotency-key"] == "order-2"
    for answer in (api.post("/v1/charges"), api.get("/v1/charges"), api.delete("/v1/customers/cus_1")):
        assert (answer.status, "idempotency-key" in answer.headers) == (200, False)


def test_a_long_client_key_stays_within_255_characters(api: Api, there: There) -> None:
    for key in ("a" * 255, "a" * 254 + "b"):
        assert api.post("/v1/charges", headers={"Idempotency-Key": key}).status == 200
    sent = {asked.headers["idempotency-key"] for asked in there.got}
    assert len(sent) == 2
    assert max(map(len, sent)) <= 255
    assert api.post("/v1/charges", headers={"Idempotency-Key": "a" * 256}).status == 400


def test_a_lost_answer_is_asked_for_once_more_only_where_the_idempotency_key_is_ours(api: Api, there: There) -> None:
    there.fails = ["cut"]
    assert api.post("/v1/charges", amount=1).status == 200
    first, second = there.got
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    there.fails, there.got = ["half"], []
    unknown = api.post("/v1/charges", headers={"Idempotency-Key": "k"}, amount=1)
    assert (unknown.status, unknown.error["code"]) == (504, "upstream_outcome_unknown")
    assert unknown.headers["stripe-should-retry"] == "true"
    assert len(there.got) == 1


def test_an_outcome_is_never_guessed(api: Api, there: There) -> None:
    there.fails = ["cut", "half"]
    unknown = api.post("/v1/charges", amount=1)
    assert (unknown.status, unknown.error["code"]) == (504, "upstream_outcome_unknown")
    there.fails = ["cut"]
    deleted = api.delete("/v1/customers/cus_1")
    assert (deleted.status, deleted.error["code"]) == (504, "upstream_outcome_unknown")
    assert [(call.method, call.state, call.status) for call in recorded(api)] == [
        ("DELETE", "unknown", None),
        ("POST", "unknown", None),
    ]


def test_what_was_never_sent_is_told_apart(api: Api, there: There) -> None:
    connect(api, "http://127.0.0.1:1")
    for answer in (api.post("/v1/charges", amount=1), api.get("/v1/charges")):
        assert (answer.status, answer.error["code"]) == (503, "upstream_unreachable")
    assert [call.state for call in recorded(api)] == ["not_sent"]


def test_a_read_whose_answer_is_lost_is_sent_again_once(api: Api, there: There) -> None:
    there.fails = ["cut"]
    assert api.get("/v1/charges").status == 200
    there.fails = ["cut", "half"]
    lost = api.get("/v1/charges")
    assert (lost.status, lost.error["code"]) == (504, "upstream_timeout")


def test_a_silent_server_is_given_up_after_the_time_of_a_call(
    api: Api, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.fails = ["silent", "silent"]
    monkeypatch.setattr(api.world.server.gateway.limits, "seconds", 0.2)
    assert api.post("/v1/charges", headers={"Idempotency-Key": "k"}).error["code"] == "upstream_outcome_unknown"
    assert api.get("/v1/charges").error["code"] == "upstream_timeout"


def test_the_twin_of_a_call_under_way_is_refused(api: Api, there: There) -> None:
    service = api.world.server.service
    assert at_once(api.world.runner, [service], there, 2, api.sk, **{"idempotency-key": "same"}) == [200, 409]
    assert len(there.got) == 1


def test_a_call_is_recorded_before_its_first_byte_leaves(api: Api, there: There) -> None:
    seen: list[list[str]] = []
    there.before = lambda asked: seen.append(
        [call.state for call in api.core.database.read(lambda tx: store.calls(tx, Scope(api.account, False)))]
    )
    api.post("/v1/charges", amount=1)
    assert seen == [["sent"]]
    (call,) = recorded(api)
    assert (call.state, call.status, call.upstream_request, call.path) == ("answered", 200, "req_there1", "/v1/charges")
    assert call.key_id.startswith("mk_")


def test_reads_are_recorded_too(api: Api, there: There) -> None:
    api.get("/v1/charges/ch_1")
    (call,) = recorded(api)
    assert (call.method, call.path, call.state, call.status) == ("GET", "/v1/charges/{charge}", "answered", 200)


def test_what_a_process_that_has_ended_had_sent_is_unknown_later(api: Api, there: There) -> None:
    api.post("/v1/charges", amount=1)
    (call,) = recorded(api)
    api.core.database.write(lambda tx: store.end_call(tx, Scope(api.account, False), call.id, "sent", None, None))
    api.core.database.write(lambda tx: store.give_up(tx, api.now + 1))
    assert recorded(api)[0].state == "unknown"


@pytest.mark.parametrize("digits", [16, 5_000])
def test_an_amount_of_more_digits_than_any_has_is_passed_on_and_not_recorded(
    api: Api, there: There, digits: int
) -> None:
    assert api.post("/v1/charges", amount="9" * digits).status == 200
    assert recorded(api)[0].amount is None


# -- keys


def test_an_upstream_that_refuses_our_key_is_not_the_callers_fault(api: Api, there: There) -> None:
    there.status, there.body = 401, b'{"error": {"message": "Invalid API Key provided: sk_test_****cdef"}}'
    answer = api.get("/v1/charges")
    assert (answer.status, answer.error["code"]) == (502, "upstream_key_refused")
    assert "www-authenticate" not in answer.headers
    recorded(api)
    found = api.core.database.read(lambda tx: states.of(tx, Scope(api.account, False)))
    assert found is not None
    assert found.refused
    there.status, there.body = 200, b"{}"
    api.world.clock[0] += 1
    assert api.get("/v1/charges").status == 200
    recorded(api)
    found = api.core.database.read(lambda tx: states.of(tx, Scope(api.account, False)))
    assert found is not None
    assert not found.refused


@pytest.mark.parametrize(("method", "recorded_as"), [("POST", ("answered", 200)), ("GET", None)])
def test_a_key_that_is_revoked_during_a_call_gets_no_answer_and_the_outcome_is_recorded(
    api: Api, there: There, method: str, recorded_as: tuple[str, int] | None
) -> None:
    key, scope, authority = api.restricted("charge_write"), Scope(api.account, False), api.core.authority
    there.holds = True

    def revoke(asked: Asked) -> None:
        (found,) = api.core.database.read(lambda tx: authority.list(tx, scope, kind="restricted"))
        api.core.database.write(lambda tx: authority.revoke(tx, scope, found.id, actor=SYSTEM, now=api.now))

    there.before = revoke
    answer = api.send(method, "/v1/charges", key=key, body=b"amount=1" if method == "POST" else b"")
    assert answer.status == 401
    there.holds = False
    assert [(call.state, call.status) for call in recorded(api)] == ([recorded_as] if recorded_as else [])


def test_the_stored_key_is_sealed_and_never_shown(api: Api, there: There) -> None:
    rows = api.core.database.read(lambda tx: tx.execute("SELECT * FROM upstreams WHERE account = ?", (api.account,)))
    assert KEY.encode() not in b"".join(value for value in rows[0] if isinstance(value, bytes))
    assert KEY not in str(rows)
    found = api.core.database.read(lambda tx: store.find(tx, api.core.authority.keyring, Scope(api.account, False)))
    assert KEY not in repr(found)


def test_the_request_log_keeps_which_object_was_answered_and_nothing_else_of_it(api: Api, there: There) -> None:
    there.body = b'{"id": "we_1", "object": "webhook_endpoint", "secret": "whsec_verysecret", "name": "Jenny"}'
    answer = api.post("/v1/webhook_endpoints", url="https://example.com")
    api.world.write_logs()
    rows = api.core.database.read(
        lambda tx: tx.execute(
            "SELECT response_body, object_id, status FROM request_logs WHERE id = ?",
            (answer.headers["tollkey-request-id"],),
        )
    )
    assert "whsec" not in rows[0][0]
    assert "Jenny" not in rows[0][0]
    assert rows[0][1:] == ("we_1", 200)
