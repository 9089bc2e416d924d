"""Secrets stay where they belong: not in the repository, not in logs, tracebacks or the representation of a value."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.altered import altered
from tests.support.api import Answer, Api
from tollkey.db import Scope
from tollkey.keys import Permission
from tollkey.keys.actors import SYSTEM
from tollkey.settings import Settings
from tollkey.wire import Call, Endpoint, Json, Params, Resource
from tollkey.wire.call import Setup
from tollkey.wire.live import records
from tollkey.wire.messages import Request
from tollkey.wire.policy import Policy
from tollkey.wire.resource import Catalogue
from tollkey.wire.service import Service
from tollkey.wire.tables import Tables

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {
    ".git",
    ".venv",
    "tollkey-data",
    "node_modules",
    "__pycache__",
    ".hypothesis",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}
KEY_LIKE = re.compile(
    rb"\b(?:(?:sk|rk|pk|ek|pss)_(?:test|live)_|whsec_)(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)


def files() -> Iterator[Path]:
    waiting = [ROOT]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.is_dir():
                if path.name not in SKIPPED and not path.name.startswith(".import"):
                    waiting.append(path)
            elif path.is_file() and path.stat().st_size < 3_000_000:
                yield path


def test_no_text_that_looks_like_a_key_stands_in_the_repository() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[:16]!r}…"
        for path in files()
        for match in KEY_LIKE.findall(path.read_bytes())
    ]
    assert found == []


def secrets_of(api: Api) -> list[str]:
    return [api.sk, api.live_sk, "4242424242424242", "SuperSecretPassword1"]


def body_of(text: str) -> str:
    """The part of a key that is secret; its last six characters may be shown."""
    return text[:-6]


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def shown_by(caplog: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s %(pathname)s")
    return "\n".join(formatter.format(record) + repr(record.args) for record in caplog.records)


def test_no_secret_is_logged_by_any_endpoint_even_at_debug(
    api: Api, everything_logged: pytest.LogCaptureFixture
) -> None:
    made = api.ok("POST", "/v1/api_keys", type="secret")
    hook = api.ok("POST", "/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"])
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            path = re.sub(r"\{\w+\}", "nothing", endpoint.path)
            for key in (api.sk, made["secret"], altered(made["secret"])):
                api.send(
                    endpoint.method, path, key=key, body=b"card[number]=4242424242424242&password=SuperSecretPassword1"
                )
    text = shown_by(everything_logged)
    for secret in (*secrets_of(api), made["secret"], hook["secret"]):
        assert body_of(secret) not in text


def broken_service(api: Api) -> Service:
    """A service with an endpoint that fails with a bug."""

    def fail(call: Call, params: Params) -> Json:
        number = params["number"]
        assert call.key is not None
        raise RuntimeError(f"a bug with {len(number)} characters")

    permission = Permission("broken", "Broken things", "Core")
    endpoint = Endpoint("POST", "/v1/broken", fail, params=_any("number", "password"), live=records())
    setup = Setup(
        Tables(Catalogue((Resource("broken", permission, (endpoint,), stored=False),))),
        api.core.setup.ids,
        api.core.setup.emit,
        api.core.setup.services,
    )
    return Service(setup, api.world.server.edge, api.core.verifier, Policy(connected=lambda *_: False), lambda: api.now)


def _any(*names: str) -> object:
    from tollkey.wire import P

    return P.object(**{name: P.string() for name in names})


def test_the_traceback_of_a_bug_shows_no_secret_and_the_answer_no_traceback(
    api: Api, everything_logged: pytest.LogCaptureFixture
) -> None:
    headers = {"authorization": f"Bearer {api.sk}", "content-type": "application/x-www-form-urlencoded"}
    body = b"number=4242424242424242&password=SuperSecretPassword1"
    request = Request("POST", "/v1/broken", b"", headers, body, "127.0.0.1")
    response = api.world.runner.run(broken_service(api).answer(request))
    answer = Answer(response.status, response.headers, response.body)
    assert (answer.status, answer.error["type"]) == (500, "api_error")
    assert "bug" not in answer.error["message"]
    assert "Traceback" in shown_by(everything_logged)  # it was logged, with its cause
    for secret in secrets_of(api):
        assert body_of(secret) not in shown_by(everything_logged)
        assert body_of(secret).encode() not in response.body


def test_values_that_hold_secrets_do_not_show_them(api: Api) -> None:
    request = Request(
        "POST",
        "/v1/tokens",
        b"client_secret=hush_hush",
        {"authorization": f"Bearer {api.sk}"},
        b"number=4242424242424242",
    )
    assert api.sk not in repr(request)
    assert "4242" not in repr(request)
    assert "hush" not in repr(request)
    key, text = api.core.database.write(
        lambda tx: api.core.authority.create(tx, Scope(api.account, True), "secret", actor=SYSTEM, now=api.now)
    )
    assert body_of(text) not in repr(key)
    assert "hunter2" not in repr(Settings(database="postgresql://me:hunter2@localhost/shop"))
    assert api.sk not in repr(api.core.verifier)
    assert api.sk not in repr(api.core.authority)


def test_an_answer_shows_a_refused_key_only_masked(api: Api) -> None:
    for key in (altered(api.sk), "sk_live_" + "a" * 60 + "WXYZ", "just text that is long enough"):
        answer = api.send("GET", "/v1/customers", key=key)
        assert answer.status == 401
        assert key[8:-8].encode() not in answer.body


def test_request_logs_hold_no_secret(api: Api) -> None:
    api.post("/v1/tokens", card={"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "917"})
    made = api.ok("POST", "/v1/api_keys", type="secret")
    api.post(f"/v1/api_keys/{made['id']}/reveal")
    api.world.runner.run(api.world.server._write_buffers())
    rows = api.core.database.read(lambda tx: tx.execute("SELECT * FROM request_logs WHERE account = ?", (api.account,)))
    text = repr(rows)
    assert api.account in text
    for secret in (*secrets_of(api), made["secret"]):
        assert body_of(secret) not in text
    assert re.search(r"cvc\W*(5D)?\W*917", text) is None


def test_whoever_seals_declares_where_so_that_a_rotation_finds_it() -> None:
    """A module that calls ``seal``, ``sealed`` or ``seal_params`` says so: ``SealedColumn(…)``, or ``sealed=(…)`` on
    its resource.
    """
    makers = {"seal", "sealed", "seal_params"}
    places = {"keys/sealing.py", "platform/_sealed.py", "wire/sealing.py"}  # where they are made
    undeclared = []
    for file in sorted((ROOT / "src" / "tollkey").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        names = {node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "") for node in calls}
        declares = "SealedColumn" in names or any(
            keyword.arg == "sealed" for node in calls for keyword in node.keywords
        )
        name = file.relative_to(ROOT / "src" / "tollkey").as_posix()
        if (
            names & makers and not declares and name not in places and name != "keys/writing.py"
        ):  # its column: keys/store.py
            undeclared.append(name)
    assert undeclared == []
