"""The socket of ``stripe listen``, as the Stripe CLI uses it."""

from __future__ import annotations

import json
import urllib.request

import pytest
import stripe
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.contract.conftest import Running


def post(server: Running, path: str, form: str) -> dict[str, str]:
    asked = urllib.request.Request(server.url + path, form.encode(), {"Authorization": f"Bearer {server.secret_key}"})
    with urllib.request.urlopen(asked) as answer:
        found: dict[str, str] = json.load(answer)
    return found


def test_an_event_comes_over_the_socket_signed_with_the_session_s_secret(server: Running) -> None:
    session = post(server, "/v1/stripecli/sessions", "device_name=test&websocket_features[]=webhooks")
    with connect(session["websocket_url"], additional_headers={"Websocket-Id": session["websocket_id"]}) as socket:
        customer = post(server, "/v1/customers", "email=jenny@example.com")
        while True:
            message = json.loads(socket.recv(timeout=10))
            event = stripe.Webhook.construct_event(message["event_payload"], message["http_headers"]["Stripe-Signature"], session["secret"])
            if event.data.object["id"] == customer["id"]:
                break
    assert (message["type"], event.type, message["endpoint"]["api_version"]) == ("webhook_event", "customer.created", None)


def test_a_socket_without_a_session_is_refused(server: Running) -> None:
    with pytest.raises(InvalidStatus), connect(server.url.replace("http", "ws") + "/stripecli", additional_headers={"Websocket-Id": "x"}):
        pass


def test_a_socket_ends_with_the_key_that_opened_it(server: Running) -> None:
    made = post(server, "/v1/api_keys", "type=restricted&permissions[]=stripecli_session_write")
    asked = urllib.request.Request(f"{server.url}/v1/stripecli/sessions", b"device_name=x", {"Authorization": f"Bearer {made['secret']}"})
    with urllib.request.urlopen(asked) as answer:
        session = json.load(answer)
    with connect(session["websocket_url"], additional_headers={"Websocket-Id": session["websocket_id"]}) as socket:
        post(server, f"/v1/api_keys/{made['id']}/revoke", "")
        with pytest.raises(ConnectionClosed):  # what happened before the key was revoked may still arrive
            any(socket.recv(timeout=10) is None for _ in range(100))
    with pytest.raises(InvalidStatus), connect(session["websocket_url"], additional_headers={"Websocket-Id": session["websocket_id"]}):
        pass
