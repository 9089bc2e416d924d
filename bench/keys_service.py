"""Verification over HTTP: ``tollkey keys serve`` against a Starlette app that answers the same JSON, interleaved.

    PYTHONPATH=src python bench/keys_service.py [--seconds 2] [--rounds 5] [--keys 1000]

Both run on uvicorn with uvloop and httptools, in processes of their own. Each round runs both once, in turn; medians
of the rounds are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from load import Result, drive, in_turn

from tollkey.keys import KeyService, Permission

HERE = Path(__file__).resolve().parent
CONFIG = '[permissions.report]\nlabel = "Reports"\n'
PORT = 18433


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=2)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--keys", type=int, default=1000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Path(name), options.keys) as (url, key, texts):
        bodies = [json.dumps({"key": text, "permission": "report_read", "ip": "192.0.2.7"}).encode() for text in texts]
        for body in bodies:
            sample = ask(url, key, body)
        (Path(name) / "answer.json").write_bytes(sample)
        messages = [message(key, body) for body in bodies]
        with bare(Path(name) / "answer.json") as other:
            for connections in (1, 32):
                compare({"bare Starlette": other, "verify": url}, messages, connections, options)


@contextmanager
def serving(folder: Path, count: int) -> Iterator[tuple[str, str, list[str]]]:
    """A key server with so many keys: its URL, a service key, and the texts."""
    (folder / "tollkey.toml").write_text(CONFIG)
    with KeyService.open(str(folder / "keys.db"), [Permission("report", "Reports")], flush_seconds=0) as keys:
        texts = [keys.create(permissions=["report_read"], account=f"cus_{n}")[1] for n in range(count)]
    command = [sys.executable, "-m", "tollkey", "keys", "serve", "--json", "--port", "0"]
    command += ["--config", str(folder / "tollkey.toml"), "--database", str(folder / "keys.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        facts = json.loads(process.stdout.readline())
        yield facts["url"], facts["admin_key"], texts
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def bare(answer: Path) -> Iterator[str]:
    """The bare app on the same HTTP server."""
    command = [sys.executable, "-m", "uvicorn", "bare_starlette:app", "--port", str(PORT), "--log-level", "warning"]
    command += ["--no-access-log", "--no-server-header", "--no-proxy-headers"]
    process = subprocess.Popen(command, cwd=HERE, env={**os.environ, "BARE_BODY": str(answer)})
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=1).close()
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.025)
        yield f"http://127.0.0.1:{PORT}"
    finally:
        process.terminate()
        process.wait(20)


def message(key: str, body: bytes) -> bytes:
    head = f"POST /v1/keys/verify HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def ask(url: str, key: str, body: bytes) -> bytes:
    """One request outside of the measurement."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url + "/v1/keys/verify", body, headers)) as answer:
        found: bytes = answer.read()
    assert json.loads(found)["valid"], found
    return found


def compare(urls: dict[str, str], messages: list[bytes], connections: int, options: argparse.Namespace) -> None:
    """Print rates and latencies of both, and the ratio of the second to the first."""
    results: dict[str, list[Result]] = {name: [] for name in urls}
    for _ in range(options.rounds):
        for name, url in urls.items():
            parts = urlsplit(url)
            assert parts.hostname is not None
            assert parts.port is not None
            found = drive(parts.hostname, parts.port, in_turn(messages), connections, options.seconds)
            assert found.errors == 0, name
            results[name].append(found)
    print(f"\n{connections} connections, {options.rounds} rounds of {options.seconds:g} s in turn")
    medians = {
        name: (median(r.rate for r in found), median(r.p50 for r in found), median(r.p99 for r in found))
        for name, found in results.items()
    }
    for name, (rate, p50, p99) in medians.items():
        print(f"{name:16} {rate:8,.0f}/s   p50 {p50:6.3f} ms   p99 {p99:6.3f} ms")
    first, second = medians.values()
    ratios = [b.p99 / a.p99 for a, b in zip(*results.values(), strict=True)]
    ratio, low, high = second[2] / first[2], min(ratios), max(ratios)
    print(f"p99 of verify is {ratio:.2f} times that of bare (by round {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
