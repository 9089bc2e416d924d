"""Local keys in front of another server: the official SDK, unmodified, through a gateway to an account elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.contract.conftest import ROOT, Running, serving

PERMISSIONS = ("customer_write", "charge_write", "refund_write", "file_write", "payment_intent_write")


def tollkey(data: Path, *words: str, stdin: str = "") -> Any:
    """Run a command of the gateway's server, and return what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tollkey", *words, "--data", str(data), "--json"],
        input=stdin, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def gateway(sqlite_server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose account is connected to that of another one."""
    with serving(tmp_path_factory.mktemp("upstream") / "gateway") as running:
        connected = tollkey(
            running.data, "live", "connect", "--upstream", sqlite_server.url, "--key-file", "-",
            stdin=f"{sqlite_server.secret_key}\n",
        )  # fmt: skip
        assert connected["upstream"] == sqlite_server.account
        assert sqlite_server.secret_key not in json.dumps(connected)
        time.sleep(1)  # other processes than the command know of it within a second
        yield running


def client(server: Running, key: str) -> stripe.StripeClient:
    addresses = {"api": server.url, "files": server.url, "connect": server.url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def restricted(gateway: Running) -> stripe.StripeClient:
    """The official SDK with a restricted key of the gateway."""
    words = [word for name in PERMISSIONS for word in ("--permission", name)]
    made = tollkey(gateway.data, "keys", "create", "--name", "service", *words, "--show-secret")
    return client(gateway, made["secret"])


def test_objects_are_made_and_found_at_the_upstream_account(
    restricted: stripe.StripeClient, sqlite_server: Running
) -> None:
    there = client(sqlite_server, sqlite_server.secret_key)
    made = restricted.v1.customers.create({"email": "jenny@example.com", "metadata": {"ordér": "1 & 2"}})
    assert there.v1.customers.retrieve(made.id).to_dict() == restricted.v1.customers.retrieve(made.id).to_dict()
    charge = restricted.v1.charges.create(
        {"amount": 2000, "currency": "usd", "source": "tok_visa", "expand": ["customer"]}
    )
    refund = restricted.v1.refunds.create({"charge": charge.id, "amount": 500})
    assert there.v1.charges.retrieve(charge.id).amount_refunded == refund.amount == 500
    assert made.id in [one.id for one in restricted.v1.customers.list({"limit": 3})]


def test_errors_of_the_upstream_account_are_those_of_the_sdk(restricted: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        restricted.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_chargeDeclined"})
    assert declined.value.code == "card_declined"
    with pytest.raises(stripe.InvalidRequestError) as missing:
        restricted.v1.customers.retrieve("cus_none")
    assert missing.value.code == "resource_missing"
    with pytest.raises(stripe.PermissionError, match="payout_read"):
        restricted.v1.payouts.list()


def test_an_idempotency_key_counts_at_the_upstream_account(restricted: stripe.StripeClient) -> None:
    options = {"idempotency_key": os.urandom(8).hex()}
    first, second = (restricted.v1.customers.create({"email": "a@b.de"}, options) for _ in range(2))  # type: ignore[arg-type]
    assert first.id == second.id
    with pytest.raises(stripe.IdempotencyError):
        restricted.v1.customers.create({"email": "c@d.de"}, options)  # type: ignore[arg-type]


def test_files_go_both_ways(restricted: stripe.StripeClient, gateway: Running, tmp_path: Path) -> None:
    content = os.urandom(200_000)
    (tmp_path / "evidence.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with open(tmp_path / "evidence.png", "rb") as file:
        made = restricted.v1.files.create({"purpose": "dispute_evidence", "file": file})
    assert restricted.v1.files.retrieve(made.id).size == len(content) + 8
    answer = httpx.get(f"{gateway.url}/v1/files/{made.id}/contents", auth=(str(restricted._requestor.api_key), ""))
    assert answer.content[8:] == content


def test_every_call_is_recorded_with_both_requests(restricted: stripe.StripeClient, gateway: Running) -> None:
    made = restricted.v1.customers.create({"email": "log@example.com"})
    assert made.last_response is not None
    theirs = made.last_response.headers["request-id"]
    deadline = time.monotonic() + 10
    found: list[dict[str, Any]] = []
    while not any(call["upstream_request"] == theirs for call in found) and time.monotonic() < deadline:
        found = tollkey(gateway.data, "live", "calls", "--test-mode", "--limit", "100")
    (call,) = (call for call in found if call["upstream_request"] == theirs)
    assert (call["method"], call["path"], call["state"], call["status"]) == ("POST", "/v1/customers", "answered", 200)


def test_a_disconnected_account_answers_by_itself_again(sqlite_server: Running, tmp_path: Path) -> None:
    with serving(tmp_path / "other") as running:
        here = client(running, running.secret_key)
        own = here.v1.customers.create({"email": "here@example.com"}).id
        tollkey(
            running.data, "live", "connect", "--upstream", sqlite_server.url, "--key-file", "-",
            stdin=sqlite_server.secret_key,
        )  # fmt: skip
        time.sleep(1)
        with pytest.raises(stripe.InvalidRequestError):
            here.v1.customers.retrieve(own)
        assert tollkey(running.data, "live", "test", "--test-mode")["works"] is True
        tollkey(running.data, "live", "disconnect", "--test-mode")
        time.sleep(1)
        assert here.v1.customers.retrieve(own).email == "here@example.com"


def test_bytes_are_those_of_a_direct_call_but_for_the_headers_named(
    restricted: stripe.StripeClient, gateway: Running, sqlite_server: Running
) -> None:
    """docs/guides/live.md names the headers."""
    made = restricted.v1.customers.create({"email": "bytes@example.com", "metadata": {"é": "\u2028"}})
    for path in (f"/v1/customers/{made.id}", "/v1/customers?limit=2", "/v1/customers/none", "/v1/nothing"):
        answers = [
            httpx.get(f"{server.url}{path}", auth=(server.secret_key, ""), headers={"Stripe-Version": "2024-06-20"})
            for server in (sqlite_server, gateway)
        ]
        direct, passed = answers
        assert passed.status_code == direct.status_code
        assert _without_log(passed.content) == _without_log(direct.content)
        differing = {
            name for name in {*direct.headers, *passed.headers} if direct.headers.get(name) != passed.headers.get(name)
        }
        assert differing <= {"date", "request-id", "tollkey-request-id", "content-length", "server"}, path


def _without_log(body: bytes) -> bytes:
    """A body without the address of its request in the log, which each request has of its own."""
    return re.sub(rb"logs\?object=req_\w+", b"", body)


def test_the_official_sdk_for_node_works_unmodified(
    gateway: Running, restricted: stripe.StripeClient, node: Callable[..., str]
) -> None:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    script = """
        const [key, host, port] = process.argv.slice(2);
        const stripe = require('stripe')(key, {host, port, protocol: 'http', maxNetworkRetries: 0});
        (async () => {
          const options = {idempotencyKey: String(Math.random())};
          const made = await stripe.customers.create({email: 'node@example.com'}, options);
          const found = [];
          for await (const one of stripe.customers.list({limit: 1})) {
            found.push(one.id);
            if (found.length > 2) break;
          }
          let refused = '';
          try { await stripe.payouts.list(); } catch (error) { refused = error.type; }
          console.log(JSON.stringify([found[0] === made.id, found.length > 1, refused]));
        })();
    """
    key = str(restricted._requestor.api_key)
    assert json.loads(node(script, key, host, port)) == [True, True, "StripePermissionError"]
