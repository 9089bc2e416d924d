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

from tests.keys.adapters.steps import with_projects
from tollkey.keys import Denied, KeyService, Reason, asgi, wsgi
from tollkey.keys.attempts import refused_attempts
from tollkey.keys.refusal import Forbidden, Refusal, Refused


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database: what a gate answers does not depend on it."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


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
        assert isinstance(found, list)

    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/things", "REMOTE_ADDR": ip, "wsgi.input": io.BytesIO()}
    environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})
    answer.body = b"".join(wsgi.KeyGate(app, keys, **settings)(environ, start_response))
    return answer


@pytest.fixture(params=[through_asgi, through_wsgi], ids=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest, service: KeyService) -> Ask:
    def go(
        text: str | None = None, *, header: str | None = None, method: str = "GET", ip: str = "192.0.2.1",
        more: dict[str, str] | None = None, **settings: Any,
    ) -> Answer:  # fmt: skip
        header = header if text is None else f"Bearer {text}"
        headers = dict(more or {}) if header is None else {"Authorization": header, **(more or {})}
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


def test_a_refused_request_counts_once(ask: Ask, service: KeyService) -> None:
    _, text = service.create(permissions=["report_read"], ip_allowlist=["198.51.100.1"])
    assert service.check(text, ip="198.51.100.1")
    assert ask(text).status == 401
    service.flush()
    (counted,) = service.database.read(lambda tx: refused_attempts(tx))
    assert counted.attempts == 1


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


def test_the_allow_list_sees_the_address_of_the_connection_unless_the_host_reads_another(
    ask: Ask, service: KeyService
) -> None:
    _, text = service.create(ip_allowlist=["192.0.2.1"])
    assert ask(text).status == 200
    assert ask(text, ip="198.51.100.1").status == 401
    assert ask(text, ip="198.51.100.1", client_ip=lambda _: "192.0.2.1").status == 200


METHODS = {"GET": "report_read", "*": "report_write"}
WRITES = {"POST": "report_write"}


def method_in(asked: Any) -> str:
    return str(asked.get("method") or asked["REQUEST_METHOD"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "permission_for",
    [
        METHODS,
        lambda asked: "report_read" if asked.get("method", asked.get("REQUEST_METHOD")) == "GET" else "report_write",
    ],
    ids=["by method", "function"],
)
def test_head_needs_what_get_needs(ask: Ask, service: KeyService, method: str, permission_for: Any) -> None:
    _, text = service.create(permissions=["report_read"])
    assert ask(text, method=method, permission_for=permission_for).status == 200
    assert ask(text, method="POST", permission_for=permission_for).status == 403
    refused = ask(method=method, permission_for=permission_for)
    assert (refused.status, bool(refused.body)) == (401, method == "GET")


@pytest.mark.parametrize(
    "permission_for", [{"POST": "report_write", "*": None}, lambda asked: WRITES.get(method_in(asked))]
)
def test_a_method_in_small_letters_needs_what_it_needs_in_capitals(
    ask: Ask, service: KeyService, permission_for: Any
) -> None:
    """Some servers pass it on as it came, and frameworks take it for the one in capitals."""
    _, text = service.create(permissions=["report_read"])
    for method in ("POST", "post", "Post"):
        assert ask(text, method=method, permission_for=permission_for).status == 403
    assert ask(text, method="head", permission_for=permission_for).status == 200


def test_a_browsers_preflight_is_let_through_without_a_key(ask: Ask) -> None:
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert ask(method="OPTIONS", more=preflight, permission_for=METHODS).body == b"open"
    assert ask(method="OPTIONS", more=preflight, permission_for=METHODS, preflights=False).status == 401
    assert ask(method="OPTIONS", more={"Origin": "https://app.example"}, permission_for=METHODS).status == 401
    assert ask(method="POST", more=preflight, permission_for=METHODS).status == 401


def test_a_publishable_key_is_refused_unless_the_gate_is_told_otherwise(ask: Ask, service: KeyService) -> None:
    key, text = service.create(kind="publishable")
    refused = ask(text)
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "publishable_key_refused")
    assert ask(text, publishable=True).body == key.id.encode()
    assert ask(text, publishable=True, permission_for="report_read").status == 403


@pytest.mark.parametrize(
    "names", ["report_raed", "Report_read", "", {"GET": "report_read", "*": "reports_write"}, {"GET": "report_read"}]
)
@pytest.mark.parametrize("room", [asgi, wsgi])
def test_a_misspelt_permission_is_noticed_at_the_start(service: KeyService, names: Any, room: Any) -> None:
    with pytest.raises(ValueError, match="permission_for"):
        room.KeyGate(None, service, names)


def test_the_hint_names_what_was_meant(service: KeyService) -> None:
    with pytest.raises(ValueError, match=r"'report_raed'.*did you mean report_read\?"):
        asgi.KeyGate(None, service, "report_raed")  # type: ignore[arg-type]


def test_a_misspelt_permission_of_a_function_is_an_error_in_the_log_and_never_a_pass(
    ask: Ask, service: KeyService, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("secret", "restricted"):
        _, text = service.create(kind=kind)  # type: ignore[arg-type]
        answer = ask(text, permission_for=lambda _: "report_raed")
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (500, "internal_error")
    assert "report_raed" in caplog.text
    assert ask(permission_for=lambda _: "report_raed").status == 401, "a stranger learns nothing of it"


def test_a_stranger_cannot_fill_the_memory_with_names_of_permissions(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, _):
        gate = wsgi.KeyGate(lambda *_: [], keys, lambda environ: f"project:{environ['PATH_INFO'][1:]}:read")
        for number in range(1_100):
            gate({"REQUEST_METHOD": "GET", "PATH_INFO": f"/{number}"}, lambda *_: None)
        assert len(gate._needs) <= 1_000


def seen_by_the_application(keys: KeyService, room: Any, headers: dict[str, str], **settings: Any) -> Any:
    """The scope or environ that reaches the application, and the one that was given to the gate."""
    seen: list[Any] = []
    if room is wsgi:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "::1"}
        environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})
        room.KeyGate(lambda environ, start: seen.append(environ) or [], keys, **settings)(environ, lambda *_: None)
        return seen[0], environ

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw, "client": None}
    asyncio.run(room.KeyGate(app, keys, **settings)(scope, None, None))
    return seen[0], scope


@pytest.mark.parametrize("room", [asgi, wsgi])
def test_the_application_gets_the_request_itself_and_not_a_copy(service: KeyService, room: Any) -> None:
    key, text = service.create()
    seen, given = seen_by_the_application(service, room, {"Authorization": f"Bearer {text}"})
    assert seen is given
    assert given["tollkey.key"] == key


@pytest.mark.parametrize("room", [asgi, wsgi])
@pytest.mark.parametrize(
    ("header", "value"), [("authorization", "Bearer {}"), ("x-api-key", "{}"), ("X-API-Key", "Bearer {}")]
)
def test_the_key_is_hidden_from_the_application_unless_the_gate_is_told_otherwise(
    service: KeyService, room: Any, header: str, value: str
) -> None:
    _, text = service.create()
    headers = {header: value.format(text), "X-Other": "kept"}
    hidden, _ = seen_by_the_application(service, room, headers, header=header)
    assert text not in repr(hidden.get("headers", hidden))
    assert "kept" in repr(hidden)
    kept, _ = seen_by_the_application(service, room, headers, header=header, keep_header=True)
    assert text in repr(kept)


def test_a_key_in_a_header_of_its_own(service: KeyService) -> None:
    key, text = service.create()
    for through in (through_asgi, through_wsgi):
        for value in (text, f" {text} ", f"Bearer {text}"):
            assert through(service, {"X-API-Key": value}, "GET", "::1", header="x-api-key").body == key.id.encode()
        for sent, code in (
            ({"X-API-Key": "two words"}, "no_api_key"),
            ({"Authorization": f"Bearer {text}"}, "no_api_key"),
        ):
            refused = through(service, sent, "GET", "::1", header="x-api-key")
            assert (refused.status, refused.headers["www-authenticate"]) == (401, 'ApiKey realm="API"')
            assert json.loads(refused.body)["error"]["code"] == code
            assert "X-Api-Key: YOUR_KEY" in refused.body.decode()


def test_a_request_counts_once_when_the_handler_verifies_again(service: KeyService) -> None:
    key, text = service.create()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert service.verify(text)
        assert await asyncio.to_thread(service.verify, text)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"authorization", f"Bearer {text}".encode())],
        "client": None,
    }
    for _ in range(2):
        asyncio.run(asgi.KeyGate(app, service)(dict(scope), None, None))  # type: ignore[arg-type]
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_AUTHORIZATION": f"Bearer {text}"}
    wsgi.KeyGate(lambda environ, start: [repr(service.verify(text)).encode()], service)(environ, lambda *_: None)

    def streaming(environ: Any, start_response: Any) -> Any:
        yield repr(service.verify(text)).encode()
        yield b"more"

    assert (
        len(
            list(wsgi.KeyGate(streaming, service)({**environ, "HTTP_AUTHORIZATION": f"Bearer {text}"}, lambda *_: None))
        )
        == 2
    )
    service.flush()
    usage = service.usage(key)
    assert usage is not None
    assert usage.uses == 4


@pytest.mark.parametrize("room", [asgi, wsgi])
def test_a_gate_within_a_gate_asks_for_more_of_the_same_key(service: KeyService, room: Any) -> None:
    _, text = service.create(permissions=["report_read"])
    seen: list[int] = []
    if room is asgi:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(200)

        async def send(message: Any) -> None:
            seen.extend([message["status"]] if "status" in message else [])

        for permission in ("report_read", "report_write"):
            header = [(b"authorization", f"Bearer {text}".encode())]
            scope = {"type": "http", "method": "GET", "path": "/", "headers": header, "client": None}
            gate = asgi.KeyGate(asgi.KeyGate(app, service, permission), service)
            asyncio.run(gate(scope, None, send))  # type: ignore[arg-type]
    else:
        for permission in ("report_read", "report_write"):
            environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_AUTHORIZATION": f"Bearer {text}"}
            inner = wsgi.KeyGate(lambda environ, start: seen.append(200) or [], service, permission)  # type: ignore[func-returns-value]
            wsgi.KeyGate(inner, service)(environ, lambda status, *_: seen.append(int(status[:3])))
    assert seen == [200, 403]


def test_what_a_key_is_used_for_can_be_told_by_the_host(ask: Ask, service: KeyService) -> None:
    key, text = service.create()
    ask(text, endpoint_for=lambda _: "POST /original")
    service.flush()
    usage = service.usage(key)
    assert usage is not None
    assert usage.endpoint == "POST /original"
