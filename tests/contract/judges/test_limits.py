"""A server whose disk is full, whose clock jumps, and that has too few descriptors or connections to the database."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.contract.conftest import Running, serving
from tests.contract.judges.installing import attempt, debian

CHARGE = {"amount": "1000", "currency": "usd", "source": "tok_visa"}


@contextmanager
def client(server: Running) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.secret_key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as opened:
        yield opened


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes. The test is skipped where none may be mounted."""
    folder.mkdir()
    if attempt("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        attempt("umount", folder)


def test_a_full_disk_refuses_writes_answers_reads_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        with serving(disk / "data") as server, client(server) as http:
            ballast = disk / "ballast"
            ballast.write_bytes(b"0" * 8_000_000)
            made: list[str] = []
            form = {"email": "jenny@example.com", **{f"metadata[{number}]": "x" * 400 for number in range(20)}}
            while (answer := http.post("/v1/customers", data=form)).status_code == 200:
                made.append(answer.json()["id"])
            assert (answer.status_code, answer.json()["error"]["type"]) == (503, "api_error")
            assert [http.get(f"/v1/customers/{id}").status_code for id in made[-5:]] == [200] * 5
            ballast.unlink()
            assert http.post("/v1/customers", data=form).status_code == 200
        with serving(disk / "data") as again, client(again) as http:
            assert {http.get(f"/v1/customers/{id}").status_code for id in made} == {200}


def test_a_clock_that_jumps_ends_no_server_and_makes_no_id_twice(tmp_path: Path) -> None:
    library, _ = debian("faketime", "usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "libfaketime")
    if not library.exists():
        pytest.skip("libfaketime is for another processor here")
    offset = tmp_path / "offset"
    offset.write_text("+0")
    faked = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
             "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    made: list[tuple[str, int]] = []
    with serving(tmp_path / "data", **faked) as server, client(server) as http:
        for jump in ("+0", "+1d", "-1d", "+0", "-400d", "+20d", "+0"):
            offset.write_text(jump)
            for _ in range(5):
                charge = http.post("/v1/charges", data=CHARGE)
                assert charge.status_code == 200, charge.text
                made.append((charge.json()["id"], charge.json()["created"]))
            assert http.get("/v1/charges").status_code == 200
            assert http.get("/readyz").json() == {"status": "ready"}
        ids = [id for id, _ in made]
        assert len(set(ids)) == len(ids)
        assert max(at for _, at in made) - min(at for _, at in made) > 419 * 86400  # the clock did jump
        listed: list[str] = []
        while (page := http.get("/v1/charges", params={"starting_after": listed[-1]} if listed else {}).json())["data"]:
            listed += [charge["id"] for charge in page["data"]]
        assert sorted(listed) == sorted(ids)


def test_more_than_a_thousand_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    try:
        with serving(tmp_path / "data") as server, client(server) as http, ExitStack() as held:
            address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
            for _ in range(1_100):
                held.enter_context(socket.create_connection(address))
            assert http.post("/v1/charges", data=CHARGE).status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_server_without_descriptors_goes_on_as_soon_as_it_has_some(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, client(server) as http:
        assert http.post("/v1/charges", data=CHARGE).status_code == 200
        there = len(os.listdir(f"/proc/{server.pid}/fd"))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (there + 5, there + 5))
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        with ExitStack() as held:
            for _ in range(40):
                held.enter_context(socket.create_connection(address))
            assert http.post("/v1/charges", data=CHARGE).status_code == 200  # over the connection that is there
        with client(server) as another:
            assert another.post("/v1/charges", data=CHARGE).status_code == 200


def test_requests_wait_for_the_only_connection_to_the_database(new_database: Callable[[], str], tmp_path: Path) -> None:
    with serving(tmp_path / "data", new_database(), TOLLKEY_POOL_SIZE="1") as server, client(server) as http:

        def ask(number: int) -> int:
            if number % 2:
                return http.post("/v1/charges", data=CHARGE).status_code
            return http.get("/v1/charges?limit=100&expand[]=data.balance_transaction").status_code

        with ThreadPoolExecutor(50) as at_once:
            assert set(at_once.map(ask, range(200))) == {200}
