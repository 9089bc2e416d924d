"""Local keys in front of an upstream account, from a shell."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import audited, run
from tollkey.core import open_core
from tollkey.db import Scope
from tollkey.settings import Settings
from tollkey.upstream import spending, store

KEY, LIVE_KEY, OTHER = ("_".join(("sk", mode, "0123456789abcdefghij" + end)) for mode, end in
                        (("test", "A"), ("live", "B"), ("test", "C")))  # fmt: skip
SECRET = "_".join(("whsec", "0123456789abcdef" * 2))


@dataclass
class Elsewhere:
    """A server that says whose key it gets."""

    url: str = ""
    status: int = 200
    account: str = "acct_upstream"
    body: bytes | None = None


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    told = Elsewhere()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            value: dict[str, Any] = {"id": told.account, "object": "account"} if told.status == 200 else {"error": {}}
            body = json.dumps(value).encode() if told.body is None else told.body
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with an account."""
    assert run(tmp_path / "data", "accounts", "create", "--name", "Acme").exit_code == 0
    return tmp_path / "data"


def connected(folder: Path, elsewhere: Elsewhere, key: str = KEY) -> Any:
    file = folder.parent / "key"
    file.write_text(f"{key}\n")
    return run(folder, "live", "connect", "--upstream", elsewhere.url, "--key-file", str(file), "--json")


def test_a_connected_account_is_shown_without_its_key(folder: Path, elsewhere: Elsewhere) -> None:
    assert "No account is connected" in run(folder, "live", "status").stdout
    made = connected(folder, elsewhere)
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert (said["upstream"], said["livemode"], said["url"]) == ("acct_upstream", False, elsewhere.url)
    shown = run(folder, "live", "status").stdout + run(folder, "live", "status", "--json").stdout + made.stdout
    assert KEY not in shown
    assert "sk_test_...hijA" in shown
    assert run(folder, "live", "test", "--test-mode").exit_code == 0


def test_the_key_decides_on_the_mode(folder: Path, elsewhere: Elsewhere) -> None:
    assert json.loads(connected(folder, elsewhere, LIVE_KEY).stdout)["livemode"] is True
    assert run(folder, "live", "test").exit_code == 0
    assert run(folder, "live", "test", "--test-mode").exit_code == 1


@pytest.mark.parametrize(
    ("key", "status", "body", "why"),
    [
        ("pk_test_0123456789", 200, None, "not a secret or restricted key"),
        ("nonsense", 200, None, "not a secret or restricted key"),
        (KEY, 401, None, "refuses the key"),
        (KEY, 500, None, "answers with the status 500"),
        (KEY, 200, b"<html>", "not JSON"),
        (KEY, 200, b"[]", "no API of this kind"),
        (KEY, 200, b'{"object": "customer", "id": "cus_1"}', "not with an account"),
    ],
)
def test_a_key_that_does_not_work_is_not_stored_and_not_repeated(
    folder: Path, elsewhere: Elsewhere, key: str, status: int, body: bytes | None, why: str
) -> None:
    elsewhere.status, elsewhere.body = status, body
    refused = connected(folder, elsewhere, key)
    assert refused.exit_code == 1
    assert why in refused.stderr
    assert key not in refused.output
    assert "No account is connected" in run(folder, "live", "status").stdout


def test_a_server_that_is_not_there_and_a_url_without_tls_are_refused(folder: Path, elsewhere: Elsewhere) -> None:
    elsewhere.url = "http://127.0.0.1:1"
    assert "does not answer" in connected(folder, elsewhere).stderr
    elsewhere.url = "http://api.example.com"
    assert "https://" in connected(folder, elsewhere).stderr


def test_another_key_of_the_same_account_replaces_it_and_one_of_another_does_not(
    folder: Path, elsewhere: Elsewhere
) -> None:
    connected(folder, elsewhere)
    assert connected(folder, elsewhere, OTHER).exit_code == 0
    elsewhere.account = "acct_other"
    refused = connected(folder, elsewhere)
    assert refused.exit_code == 1
    assert "live disconnect" in refused.stderr
    tried = run(folder, "live", "test", "--test-mode")
    assert (tried.exit_code, "acct_other" in tried.stderr) == (1, True)
    assert run(folder, "live", "disconnect", "--test-mode").exit_code == 0
    assert run(folder, "live", "disconnect", "--test-mode").exit_code == 1
    assert [one for one, _ in audited(folder)] == ["upstream_connected", "upstream_key_stored", "upstream_disconnected"]
    assert connected(folder, elsewhere).exit_code == 0


def test_a_key_that_the_upstream_refuses_now_is_seen_in_the_status(folder: Path, elsewhere: Elsewhere) -> None:
    connected(folder, elsewhere)
    elsewhere.status = 401
    assert run(folder, "live", "test", "--test-mode").exit_code == 1
    (said,) = json.loads(run(folder, "live", "status", "--json").stdout)
    assert said["refused_at"] is not None


def test_a_server_that_does_not_answer_has_not_refused_the_key(folder: Path, elsewhere: Elsewhere) -> None:
    connected(folder, elsewhere)
    elsewhere.body = b"<html>"
    assert run(folder, "live", "test", "--test-mode").exit_code == 1
    (said,) = json.loads(run(folder, "live", "status", "--json").stdout)
    assert said["refused_at"] is None


def test_an_account_is_not_connected_to_itself(folder: Path, elsewhere: Elsewhere) -> None:
    elsewhere.account = json.loads(run(folder, "accounts", "list", "--json").stdout)[0]["id"]
    refused = connected(folder, elsewhere)
    assert (refused.exit_code, "calls would come back to it" in refused.stderr) == (1, True)


def test_the_stored_key_moves_with_the_keyring(folder: Path, elsewhere: Elsewhere) -> None:
    connected(folder, elsewhere)
    assert run(folder, "live", "webhooks", "--test-mode", "--base-url", "https://keys.example.com").exit_code == 0
    moved = run(folder, "keyring", "rotate")
    assert moved.exit_code == 0, moved.output
    retired = run(folder, "keyring", "retire", "s1")
    assert retired.exit_code == 0, retired.output
    assert run(folder, "live", "test", "--test-mode").exit_code == 0


def test_calls_that_wait_are_approved_or_refused_once(folder: Path, elsewhere: Elsewhere) -> None:
    connected(folder, elsewhere)
    core = open_core(Settings(data=str(folder)))
    (account,) = core.database.read(lambda tx: tx.execute("SELECT account FROM upstreams"))[0]
    scope = Scope(account, False)
    for number in (1, 2):
        wanted = spending.Approval(
            f"apr_{number}", "mk_1", f"name{number}", b"mark", "POST", "/v1/refunds", "refund", 900, "usd",
            "cap_amount", "pending", 1,
        )  # fmt: skip
        core.database.write(lambda tx, wanted=wanted: spending.ask(tx, scope, wanted))  # type: ignore[misc]
    sent = store.Passed("req_1", "mk_1", "POST", "/v1/refunds", 900, "usd", "unknown", None, None, 1)
    core.database.write(lambda tx: store.add_calls(tx, [(scope, sent)]))
    core.close()
    assert "apr_1" in run(folder, "live", "approvals", "--test-mode").stdout
    assert run(folder, "live", "approvals", "--test-mode", "--approve", "apr_1").stdout == "apr_1 is approved.\n"
    assert run(folder, "live", "approvals", "--test-mode", "--refuse", "apr_1").exit_code == 1
    assert run(folder, "live", "approvals", "--test-mode", "--refuse", "apr_2").exit_code == 0
    assert audited(folder)[-2:] == [("upstream_call_approved", "apr_1"), ("upstream_call_refused", "apr_2")]
    assert "No calls wait" in run(folder, "live", "approvals", "--test-mode").stdout
    decided = json.loads(run(folder, "live", "approvals", "--test-mode", "--all", "--json").stdout)
    assert {one["id"]: (one["state"], one["decided_by"]) for one in decided} == {
        "apr_1": ("approved", "cli:tollkey"),
        "apr_2": ("refused", "cli:tollkey"),
    }
    assert run(folder, "live", "approvals", "--approve", "a", "--refuse", "b").exit_code == 2
    (unknown,) = json.loads(run(folder, "live", "calls", "--test-mode", "--unknown", "--json").stdout)
    assert (unknown["id"], unknown["state"]) == ("req_1", "unknown")
    assert json.loads(run(folder, "live", "status", "--json").stdout)[0]["unknown_calls"] == 1


def test_events_get_an_address_and_secrets_that_are_never_shown(folder: Path, elsewhere: Elsewhere) -> None:
    words = ("live", "webhooks", "--test-mode", "--base-url", "https://keys.example.com", "--json")
    assert run(folder, *words).exit_code == 1  # it is not connected
    connected(folder, elsewhere)
    first = json.loads(run(folder, *words).stdout)
    assert first["url"].startswith("https://keys.example.com/upstream/events/")
    (folder.parent / "secret").write_text(SECRET)
    second = run(folder, *words, "--secret-file", str(folder.parent / "secret"))
    assert (json.loads(second.stdout)["url"], json.loads(second.stdout)["secrets"]) == (first["url"], 1)
    assert SECRET not in second.output
    (folder.parent / "secret").write_text("hush")
    assert run(folder, *words, "--secret-file", str(folder.parent / "secret")).exit_code == 2
    assert run(folder, *words, "--secret-file", "/nowhere").exit_code == 2
    assert run(folder, *words, "--off").exit_code == 0
    assert run(folder, *words, "--off").exit_code == 1
    assert [one for one, _ in audited(folder)][-2:] == ["upstream_webhook_secret_stored", "upstream_webhooks_off"]


def test_a_key_for_an_agent_is_restricted_capped_and_expires(folder: Path) -> None:
    words = ("keys", "create", "--for-agent", "--name", "agent", "--permission", "refund_write")
    assert run(folder, *words).exit_code == 2  # it says not how much
    assert run(folder, *words, "--ask-above").exit_code == 2  # nor this
    assert run(folder, "keys", "create", "--for-agent", "--max-amount", "usd:1").exit_code == 2  # nor what
    assert run(folder, *words, "--type", "secret", "--max-amount", "usd:1").exit_code == 2
    assert run(folder, *words, "--max-amount", "5").exit_code == 1
    made = run(folder, *words, "--max-amount", "usd:5000", "--max-refunded-a-day", "usd:9000", "--ask-above")
    assert made.exit_code == 0, made.output
    for line in ("cap_amount=usd:5000", "cap_refunded_a_day=usd:9000", "cap_exceeded=ask", "stripe.api_base = "):
        assert line in made.stdout
    said = json.loads(run(folder, *words, "--max-amount", "usd:5000", "--json").stdout)
    assert (said["type"], said["expires_at"] - said["created"]) == ("restricted", 30 * 86400)
