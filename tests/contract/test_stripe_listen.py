"""The socket of ``stripe listen``, as the Stripe CLI uses it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

import pytest
import stripe
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.contract.conftest import Running
from tollkey.settings import Settings


def post(server: Running, path: str, form: str) -> dict[str, str]:
    asked = urllib.request.Request(server.url + path, form.encode(), {"Authorization": f"Bearer {server.secret_key}"})
    with urllib.request.urlopen(asked) as answer:
        found: dict[str, str] = json.load(answer)
    return found


def test_an_event_comes_over_the_socket_signed_with_the_session_s_secret(server: Running) -> None:
    session = post(server, "/v1/stripecli/sessions", "device_name=test&websocket_features[]=webhooks")
    with connect(session["websocket_url"], additional_headers={"Websocket-Id": session["websocket_id"]}) as socket:
        customer = post(server, "/v1/customers", "email=jenny@example.com")
        found = []
        while len(found) < 2:
            message = json.loads(socket.recv(timeout=60))
            event = stripe.Webhook.construct_event(
                message["event_payload"], message["http_headers"]["Stripe-Signature"], session["secret"]
            )
            if event.data.object["id"] == customer["id"]:
                found.append((message["type"], event.type, message["endpoint"]["api_version"], event.api_version))
    default, latest = session["default_version"], session["latest_version"]
    assert default == Settings().default_version != latest
    assert found == [  # the second is what ``--latest`` keeps
        ("webhook_event", "customer.created", None, default),
        ("webhook_event", "customer.created", latest, latest),
    ]


def test_a_socket_without_a_session_is_refused(server: Running) -> None:
    with (
        pytest.raises(InvalidStatus),
        connect(server.url.replace("http", "ws") + "/stripecli", additional_headers={"Websocket-Id": "x"}),
    ):
        pass


def restricted(server: Running, *permissions: str, **more: str) -> dict[str, str]:
    form = [("type", "restricted"), *(("permissions[]", name) for name in permissions), *more.items()]
    return post(server, "/v1/api_keys", urlencode(form))


def session_of(server: Running, key: str, form: str = "device_name=x") -> dict[str, str]:
    asked = urllib.request.Request(
        f"{server.url}/v1/stripecli/sessions", form.encode(), {"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(asked) as answer:
        found: dict[str, str] = json.load(answer)
    return found


def open_socket(session: dict[str, str]) -> ClientConnection:
    return connect(session["websocket_url"], additional_headers={"Websocket-Id": session["websocket_id"]})


#: What takes a key's right to listen away -> the path below ``/v1/api_keys/{id}`` and the form that does it.
ENDINGS = {
    "revoked": ("/revoke", ""),
    "rolled": ("/roll", "expires_in=now"),
    "expired": ("/expire", ""),
    "without the permission": ("", "permissions[]=customer_read"),
    "from another address": ("", "ip_allowlist[]=203.0.113.7"),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("feature", ["webhooks", "request_logs"])
def test_a_socket_closes_and_does_not_open_again_once_its_key_may_not_listen(
    server: Running, feature: str, ending: str
) -> None:
    made = restricted(server, "stripecli_session_write")
    session = session_of(server, made["secret"], f"device_name=x&websocket_features[]={feature}")
    path, form = ENDINGS[ending]
    with open_socket(session) as socket:
        post(server, f"/v1/api_keys/{made['id']}{path}", form)
        with pytest.raises(ConnectionClosed):  # what happened before may still arrive
            any(socket.recv(timeout=60) is None for _ in range(100))
    with pytest.raises(InvalidStatus), open_socket(session):
        pass


def test_a_socket_opens_only_from_an_address_that_the_key_allows(server: Running) -> None:
    made = restricted(server, "stripecli_session_write", **{"ip_allowlist[]": "127.0.0.0/8"})
    session = session_of(server, made["secret"])
    with open_socket(session):
        pass
    post(server, f"/v1/api_keys/{made['id']}", "ip_allowlist[]=203.0.113.7")
    with pytest.raises(InvalidStatus), open_socket(session):
        pass


def payloads(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(json.loads(socket.recv(timeout=60))["event_payload"]) for _ in range(count)]


def test_a_restricted_key_hears_events_without_what_lets_their_reader_act(server: Running) -> None:
    plain = restricted(server, "stripecli_session_write")
    more = restricted(server, "stripecli_session_write", "payment_intent_read")
    seen = []
    for made in (plain, more):
        with open_socket(session_of(server, made["secret"])) as socket:
            intent = post(server, "/v1/payment_intents", "amount=500&currency=usd")
            while (event := payloads(socket, 1)[0])["data"]["object"]["id"] != intent["id"]:
                pass
        seen.append(event["data"]["object"]["client_secret"])
    assert (seen[0], seen[1]) == (None, intent["client_secret"])


# -- stripe events resend


def get(server: Running, path: str) -> Any:
    asked = urllib.request.Request(server.url + path, headers={"Authorization": f"Bearer {server.secret_key}"})
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


def test_an_event_is_heard_once_more(server: Running) -> None:
    customer = post(server, "/v1/customers", "email=again@example.com")
    (event,) = get(server, "/v1/events?type=customer.created&limit=1")["data"]
    assert event["data"]["object"]["id"] == customer["id"]
    with open_socket(session_of(server, server.secret_key)) as socket:
        assert post(server, f"/v1/events/{event['id']}/retry", "for_stripecli=true")["id"] == event["id"]
        while payloads(socket, 1)[0]["id"] != event["id"]:
            pass


# -- stripe logs tail


def lines(
    server: Running, filters: dict[str, list[str]], count: int, *requests: tuple[str, str, str]
) -> list[dict[str, Any]]:
    """The first lines about these requests that pass the filters; others' requests may be logged meanwhile."""
    form = urlencode({"device_name": "x", "websocket_features[]": "request_logs", "filters": json.dumps(filters)})
    session = session_of(server, server.secret_key, form)
    assert session["websocket_authorized_feature"] == "request_logs"
    with open_socket(session) as socket:
        mine = [ask(server, *request) for request in requests]
        found: list[dict[str, Any]] = []
        while len(found) < count:
            found += [line for line in payloads(socket, 1) if line["request_id"] in mine]
    return found


def ask(server: Running, method: str, path: str, body: str, **headers: str) -> str:
    """Send a request, and return its id."""
    sent = {"Authorization": f"Bearer {server.secret_key}", **headers}
    try:
        answer = urllib.request.urlopen(
            urllib.request.Request(server.url + path, body.encode() or None, sent, method=method)
        )
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        return str(answer.headers["Request-Id"])


REQUESTS = (
    ("GET", "/v1/balance", ""), ("POST", "/v1/customers", "name=x"), ("GET", "/v1/charges/ch_none", ""),
    ("POST", "/v1/charges", "amount=1"),
)  # fmt: skip
FAILED = ["GET /v1/charges/ch_none 404", "POST /v1/charges 400"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (
            {"filter_http_method": ["POST"], "filter_request_path": ["/v1/customers", "/v1/charges"]},
            ["POST /v1/customers 200", FAILED[1]],
        ),
        ({"filter_status_code_type": ["400"]}, FAILED),
        ({"filter_status_code": ["404", "400"]}, FAILED),
        (
            {"filter_request_status": ["SUCCEEDED"], "filter_request_path": ["/v1/customers"]},
            ["POST /v1/customers 200"],
        ),
        ({"filter_request_status": ["FAILED"]}, FAILED),
        ({"filter_request_path": ["/v1/charges"]}, FAILED),
        ({"filter_ip_address": ["127.0.0.1"], "filter_request_path": ["/v1/balance"]}, ["GET /v1/balance 200"]),
        ({"filter_source": ["API"], "filter_request_path": ["/v1/customers"]}, ["POST /v1/customers 200"]),
        ({"filter_account": ["self"], "filter_request_path": ["/v1/balance"]}, ["GET /v1/balance 200"]),
    ],
)
def test_each_filter_lets_its_requests_through(
    server: Running, filters: dict[str, list[str]], expected: list[str]
) -> None:
    found = lines(server, filters, len(expected), *REQUESTS)
    assert [f"{line['method']} {line['url']} {line['status']}" for line in found] == expected


def test_a_line_tells_why_a_request_failed(server: Running) -> None:
    (line,) = lines(server, {"filter_status_code": ["404"]}, 1, ("GET", "/v1/charges/ch_none", ""))
    assert line["request_id"].startswith("req_")
    told = {
        "code": "resource_missing",
        "message": "No such charge: 'ch_none'",
        "param": "id",
        "type": "invalid_request_error",
    }
    assert (line["error"], line["livemode"]) == (told, False)


def test_requests_for_a_connected_account_are_told_from_the_account_s_own(server: Running) -> None:
    account = post(server, "/v1/accounts", "type=express&country=US")["id"]
    filters = json.dumps({"filter_account": ["connect_out"]})
    form = urlencode({"device_name": "x", "websocket_features[]": "request_logs", "filters": filters})
    with open_socket(session_of(server, server.secret_key, form)) as socket:
        ask(server, "GET", "/v1/balance", "")
        there = ask(server, "GET", "/v1/customers", "", **{"Stripe-Account": account})
        assert payloads(socket, 1)[0]["request_id"] == there


@pytest.mark.parametrize(
    "form",
    [
        "websocket_features[]=telepathy", "websocket_features[]=request_logs&filters={",
        "websocket_features[]=request_logs&filters=[]",
        'websocket_features[]=request_logs&filters={"filter_colour":["red"]}',
        'websocket_features[]=webhooks&filters={"filter_source":["API"]}',
        'websocket_features[]=request_logs&filters={"filter_http_method":["BREW"]}',
    ],
)  # fmt: skip
def test_a_session_refuses_what_it_does_not_know(server: Running, form: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        session_of(server, server.secret_key, f"device_name=x&{form}")
    assert refused.value.code == 400
    refused.value.close()
