"""Calls that are passed on to an upstream account, against the same calls sent there directly, interleaved.

    python bench/gateway.py [--seconds 3] [--rounds 7]

The upstream is a second Tollkey on this machine, on SQLite. Prints for one connection and for 32: the rate of each, the
ratio, and p99; and what the gateway adds at p99 over one connection, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.load import Result, drive, request, same  # noqa: E402

ENVIRON = {
    **os.environ, "PYTHONPATH": str(ROOT / "src"), "TOLLKEY_TEST_RATE_LIMIT": "0", "TOLLKEY_LIVE_RATE_LIMIT": "0",
}  # fmt: skip


@contextmanager
def serving(folder: Path) -> Iterator[dict[str, str]]:
    """A server on a folder, with its facts: url, account, secret_key."""
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRON) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def connect(folder: Path, url: str, key: str) -> None:
    """Connect the account of a folder."""
    command = [sys.executable, "-m", "tollkey", "live", "connect", "--data", str(folder)]
    subprocess.run(
        [*command, "--upstream", url, "--key-file", "-"], input=key, text=True, check=True, env=ENVIRON,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(1.5)


def port_of(facts: dict[str, str]) -> int:
    """The port of a server."""
    return int(facts["url"].rpartition(":")[2])


def measure(ports: dict[str, int], messages: dict[str, bytes], connections: int, rounds: int, seconds: float) -> None:
    """Drive both in turns and print what came of it."""
    found: dict[str, list[Result]] = {name: [] for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            found[name].append(drive("127.0.0.1", port, same(messages[name]), connections, seconds))
    rates = {name: median(one.rate for one in each) for name, each in found.items()}
    p99 = {name: median(one.p99 for one in each) for name, each in found.items()}
    errors = sum(one.errors for each in found.values() for one in each)
    print(
        f"{connections:3} connections: direct {rates['direct']:7.0f}/s, gateway {rates['gateway']:7.0f}/s"
        f" = {rates['gateway'] / rates['direct']:.2f}; p99 {p99['direct']:.2f} and {p99['gateway']:.2f} ms"
        f" (+{p99['gateway'] - p99['direct']:.2f}); {errors} errors"
    )


def main() -> None:
    """Start both servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of one run")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        there, here = Path(name) / "there", Path(name) / "here"
        with serving(there) as upstream, serving(here) as gateway:
            connect(here, upstream["url"], upstream["secret_key"])
            ports = {"direct": port_of(upstream), "gateway": port_of(gateway)}
            keys = {"direct": upstream["secret_key"], "gateway": gateway["secret_key"]}
            heads = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
            for what, method, path, body in (
                ("GET /v1/customers?limit=1", "GET", "/v1/customers?limit=1", b""),
                ("POST /v1/customers", "POST", "/v1/customers", b"email=jenny@example.com"),
            ):
                print(what)
                messages = {name: request(method, path, head, body) for name, head in heads.items()}
                for connections in (1, 32):
                    measure(ports, messages, connections, given.rounds, given.seconds)


if __name__ == "__main__":
    main()
