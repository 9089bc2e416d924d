"""kill -9 a server in mid-write: what it answered is kept, what it did not answer can be asked again."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

SOURCE = Path(__file__).parents[2] / "src"
KILLS = 5
CLIENTS = 4


class Running:
    """A server process on ``data``, killed when the block is left."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-m", "tollkey", "serve", "--json", "--port", "0", "--data", str(data)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(SOURCE)})
        assert self._process.stdout is not None
        facts = json.loads(self._process.stdout.readline())
        self.address = facts["url"].removeprefix("http://")
        self.key = facts["secret_key"]

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            self.kill()


class Connection:
    """One keep-alive connection of a client."""

    def __init__(self, server: Running) -> None:
        self._http = http.client.HTTPConnection(server.address, timeout=10)
        self._headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-www-form-urlencoded"}

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self, method: str, path: str, params: dict[str, object] | None = None, key: str = "") -> dict[str, Any]:
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        self._http.request(method, path, urlencode(params or {}), headers)
        response = self._http.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        assert response.status == 200, answer
        return answer

    def everything(self, path: str) -> Iterator[dict[str, Any]]:
        """All objects of a list, page after page."""
        after = ""
        while True:
            page = self.ask("GET", f"{path}{'&' if '?' in path else '?'}limit=100{after}")
            yield from page["data"]
            if not page["has_more"]:
                return
            after = f"&starting_after={page['data'][-1]['id']}"


@dataclass
class Sent:
    """What the clients asked for, by number, and the ids in the answers they got."""

    asked: set[int] = field(default_factory=set)
    answered: dict[int, str] = field(default_factory=dict)


def create(connection: Connection, number: int) -> str:
    """The same request each time it is sent for a number: an idempotency key belongs to it."""
    params: dict[str, object] = {"metadata[number]": number}
    if number % 2:
        charge = {**params, "amount": 2000 + number, "currency": "usd", "source": "tok_visa"}
        return str(connection.ask("POST", "/v1/charges", charge, key=f"number-{number}")["id"])
    return str(
        connection.ask("POST", "/v1/customers", {**params, "email": f"{number}@example.com"}, key=f"number-{number}")[
            "id"
        ]
    )


def kept(connection: Connection) -> list[tuple[int, str]]:
    """The numbers and ids of what the server has."""
    objects = [*connection.everything("/v1/customers"), *connection.everything("/v1/charges")]
    return [(int(made["metadata"]["number"]), made["id"]) for made in objects]


def client(server: Running, numbers: Iterator[int], sent: Sent) -> None:
    """Create customers and charges until the server is gone."""
    with Connection(server) as connection:
        while True:
            number = next(numbers)
            sent.asked.add(number)
            try:
                sent.answered[number] = create(connection, number)
            except (OSError, http.client.HTTPException, ValueError):
                return


def create_until_killed(server: Running, numbers: Iterator[int], sent: Sent, seconds: float) -> None:
    threads = [threading.Thread(target=client, args=(server, numbers, sent)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.kill()
    for thread in threads:
        thread.join()


def doctor(data: Path) -> int:
    """What ``tollkey doctor`` ends with: it sums up the ledger of every account."""
    command = [sys.executable, "-m", "tollkey", "doctor", "--data", str(data)]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, check=False, stdout=subprocess.DEVNULL
    ).returncode


def test_answered_requests_survive_kill_9_and_unanswered_ones_can_be_sent_again(tmp_path: Path) -> None:
    moments, numbers, sent = random.Random(20260102), itertools.count(), Sent()
    for _ in range(KILLS):
        with Running(tmp_path) as server:
            create_until_killed(server, numbers, sent, moments.uniform(0.1, 0.4))
    assert len(sent.answered) > KILLS
    with Running(tmp_path) as server, Connection(server) as connection:
        assert sent.answered.items() <= dict(kept(connection)).items()
        for number in sorted(sent.asked - sent.answered.keys()):
            sent.answered[number] = create(connection, number)
        again = {number: create(connection, number) for number in sorted(sent.asked)[:20]}
        assert again.items() <= sent.answered.items()
        there = kept(connection)
        made = [
            *connection.everything("/v1/events?type=customer.created"),
            *connection.everything("/v1/events?type=charge.succeeded"),
        ]
        events = Counter(event["data"]["object"]["id"] for event in made)
        charged = sum(charge["amount"] for charge in connection.everything("/v1/charges"))
        booked = sum(entry["amount"] for entry in connection.everything("/v1/balance_transactions?type=charge"))
    assert sorted(there) == sorted(sent.answered.items())  # each exactly once
    assert events == Counter(sent.answered.values())  # and each with its one event
    assert charged == booked  # and with its money
    assert doctor(tmp_path) == 0  # and every currency sums to zero
    database = sqlite3.connect(tmp_path / "tollkey.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()
