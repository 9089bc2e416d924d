"""The ASGI and the WSGI gate answer alike."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tollkey.keys import Denied, Forbidden, KeyService, Permission, RateLimiter, Reason, Refusal, Refused, asgi, wsgi


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Ask = Callable[..., Answer]


def through_asgi(keys: KeyService, headers: dict[str, str], method: str, ip: str, **settings: Any) -> Answer:
    answer = Answer()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        key = scope.get("tollkey.key")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": key.id.encode() if key else b"open"})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message["body"]

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/things", "headers": raw, "client": (ip, 1)}
    asyncio.run(asgi.KeyGate(app, keys, **settings)(scope, None, send))  # type: ignore[arg-type]
    return answer


def through_wsgi(keys: KeyService, headers: dict[str, str], method: str, ip: str, **settings: Any) -> Answer:
    answer = Answer()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        key = environ.get("tollkey.key")
        return [key.id.encode() if key else b"open"]

    def start_response(status: str, found: list[tuple[str, str]]) -> None:
        answer.status, answer.headers = int(status.split()[0]), dict(found)

    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/things", "REMOTE_ADDR": ip, "wsgi.input": io.BytesIO()}
    environ.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    answer.body = b"".join(wsgi.KeyGate(app, keys, **settings)(environ, start_response))
    return answer


@pytest.fixture(params=[through_asgi, through_wsgi], ids=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest, service: KeyService) -> Ask:
    def go(text: str | None = None, *, header: str | None = None, method: str = "GET", ip: str = "192.0.2.1", **settings: Any) -> Answer:
        header = header if text is None else f"Bearer {text}"
        headers = {} if header is None else {"Authorization": header}
        answer: Answer = request.param(service, headers, method, ip, **settings)
        return answer

    return go


def test_a_good_key_is_let_through_and_the_application_sees_it(ask: Ask, service: KeyService) -> None:
    key, text = service.create()
    for _ in range(2):  # from the database, then from memory
        answer = ask(text)
        assert (answer.status, answer.body) == (200, key.id.encode())
    service.flush()
    assert service.usages()[key.id].endpoint == "GET /things"
    assert service.usages()[key.id].uses == 2


def test_no_key_gets_a_challenge_without_an_error_code(ask: Ask) -> None:
    answer = ask()
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="API"')
    assert json.loads(answer.body)["error"]["code"] == "no_api_key"


def test_a_refused_key_is_an_invalid_token_and_nothing_of_it_is_sent_back(ask: Ask, service: KeyService) -> None:
    key, text = service.create()
    service.revoke(key)
    for given in (text, text[:-1], 'x"\u00e9' * 10):
        answer = ask(given)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert given[-4:] not in answer.body.decode() + repr(answer.headers)


def test_a_missing_permission_is_named(ask: Ask, service: KeyService) -> None:
    _, text = service.create(permissions=["report_read"])
    _, secret = service.create(kind="secret")
    _, publishable = service.create(kind="publishable")
    for given, status in ((text, 403), (publishable, 403), (secret, 200)):
        assert ask(given, permission_for=lambda _: "report_write").status == status
    answer = ask(text, permission_for=lambda _: "report_write")
    assert 'error="insufficient_scope", scope="report_write"' in answer.headers["www-authenticate"]


def test_the_host_decides_the_body_of_a_refusal(ask: Ask, service: KeyService) -> None:
    seen: list[Refused] = []

    def refuse(refused: Refused) -> Refusal:
        seen.append(refused)
        return Refusal(402, (("x-why", "money"),), b"pay first")

    _, text = service.create()
    for answer in (ask(on_denied=refuse), ask(text, on_denied=refuse, permission_for=lambda _: "report_read")):
        assert (answer.status, answer.headers, answer.body) == (402, {"x-why": "money"}, b"pay first")
    assert seen[0] == Denied(Reason.missing)
    assert isinstance(seen[1], Forbidden)


def test_open_requests_need_no_key(ask: Ask) -> None:
    assert ask(open_to=lambda _: True).body == b"open"


def test_the_allow_list_sees_the_address_of_the_connection_unless_the_host_reads_another(ask: Ask, service: KeyService) -> None:
    _, text = service.create(ip_allowlist=["192.0.2.1"])
    assert ask(text).status == 200
    assert ask(text, ip="198.51.100.1").status == 401
    assert ask(text, ip="198.51.100.1", client_ip=lambda _: "192.0.2.1").status == 200


def test_a_key_that_asks_too_often_gets_429(tmp_path: Path, clock: Clock) -> None:
    limiter = RateLimiter(rate=0.001, burst=1)
    path = str(tmp_path / "keys.db")
    with KeyService.open(path, [Permission("report", "Reports")], limiter=limiter, clock=clock, flush_seconds=0) as service:
        _, text = service.create()
        header = {"Authorization": f"Bearer {text}"}
        statuses = [through(service, header, "GET", "::1").status for through in (through_asgi, through_wsgi)]
    assert statuses == [200, 429]


def test_two_authorization_headers_are_none(service: KeyService) -> None:
    _, text = service.create()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    header = (b"authorization", f"Bearer {text}".encode())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [header, header], "client": None}
    asyncio.run(asgi.KeyGate(None, service)(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 401


def test_a_websocket_without_a_key_is_closed_before_it_opens(service: KeyService) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi.KeyGate(None, service)({"type": "websocket", "path": "/", "headers": []}, receive, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]
