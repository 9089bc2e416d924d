"""Requests over HTTP: Tollkey against a bare ASGI app on the same server, localstripe and stripe-mock, interleaved.

    python bench/over_http.py [--seconds 2] [--rounds 3] [--stored 0]

Prints rates, and ratios of medians of rounds that were run in turn (A B C A B C …), so that a machine
whose speed drifts does not favour anybody. localstripe (PyPI) is installed into a venv of its own, once, and begins
empty for each of its rounds: it writes all it holds at each change, so it slows down with every object. stripe-mock,
which keeps nothing, is built once where Go is installed, and left out elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from load import Result, drive, in_turn, request

HERE = Path(__file__).resolve().parent
Peer = Callable[[], AbstractContextManager[tuple[str, str, str]]]  # url, key, path of a customer
PEERS = HERE.parent / ".venv" / "peers"


@contextmanager
def tollkey(data: Path, database: str = "") -> Iterator[dict[str, str]]:
    """A Tollkey server in a process of its own."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent / "src"),
        "TOLLKEY_TEST_RATE_LIMIT": "0",
        **({"TOLLKEY_DATABASE": database} if database else {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", str(data)],
        stdout=subprocess.PIPE,
        env=environ,
    )
    assert process.stdout is not None
    try:
        yield {**json.loads(process.stdout.readline()), "pid": str(process.pid)}
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def bare(body: Path, headers: list[tuple[str, str]], port: int) -> Iterator[str]:
    """The same HTTP server with an app that answers these bytes and does nothing else."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bare:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--no-access-log",
        "--no-server-header",
        "--no-proxy-headers",
    ]
    process = subprocess.Popen(
        command, cwd=HERE, env={**os.environ, "BARE_BODY": str(body), "BARE_HEADERS": json.dumps(headers)}
    )
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _answering(command: list[Path | str], port: int, folder: Path | None = None) -> Iterator[str]:
    """A peer that runs in silence, once it answers. folder: that it runs in."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(20)


@contextmanager
def localstripe(port: int) -> Iterator[str]:
    """localstripe from PyPI."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "bin" / "localstripe").exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "localstripe", "setuptools<80"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [PEERS / "bin" / "localstripe", "--port", str(port), "--from-scratch"]
        with _answering(command, port, Path(folder)) as url:
            yield url


@contextmanager
def near_empty() -> Iterator[tuple[str, str, str]]:
    """A new localstripe that holds one customer: its address, a key, and the customer's path."""
    with localstripe(18432) as url:
        customer = call(url, "sk_test_12345", "/v1/customers", "email=jenny@example.com")
        yield url, "sk_test_12345", f"/v1/customers/{customer['id']}"


@contextmanager
def stripe_mock(port: int) -> Iterator[str]:
    """stripe-mock, built by Go from its module: it answers from fixtures and stores nothing."""
    program = PEERS / "bin" / "stripe-mock"
    if not program.exists():
        command = ["go", "install", "github.com/stripe/stripe-mock@latest"]
        subprocess.run(command, env={**os.environ, "GOBIN": str(program.parent)}, check=True)
    with _answering([program, "-http-port", str(port)], port) as url:
        yield url


def _wait(port: int) -> None:
    for _ in range(400):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.025)
    raise SystemExit(f"nothing answers on port {port}")


def call(url: str, key: str, path: str, form: str = "") -> dict[str, object]:
    """One request outside of the measurement."""
    asked = urllib.request.Request(url + path, form.encode() if form else None, {"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def subscribing(url: str, key: str, customers: int = 200) -> list[str]:
    """Forms that begin a monthly subscription, paid at once, for one of so many customers each."""
    price = call(
        url, key, "/v1/prices", "unit_amount=1500&currency=usd&recurring[interval]=month&product_data[name]=Plan"
    )["id"]
    card = "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa"
    made = [call(url, key, "/v1/customers", card)["id"] for _ in range(customers)]
    return [f"customer={id}&items[0][price]={price}" for id in made]


def memory(pid: str) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured, in turn")
    parser.add_argument("--database", default="", help="postgresql://… instead of SQLite")
    parser.add_argument("--without-localstripe", action="store_true")
    parser.add_argument("--without-stripe-mock", action="store_true")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        began = time.perf_counter()
        ours = stack.enter_context(tollkey(folder / "data", args.database))
        call(ours["url"], ours["secret_key"], "/v1/customers?limit=1")
        start = time.perf_counter() - began
        rest = memory(ours["pid"])
        key = ours["secret_key"]
        customer = call(ours["url"], key, "/v1/customers", "email=jenny@example.com&metadata[order]=6735")
        path = f"/v1/customers/{customer['id']}"
        asked = urllib.request.Request(ours["url"] + path, headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(asked) as answer:
            (folder / "body").write_bytes(answer.read())
            headers = [pair for pair in answer.getheaders() if pair[0].lower() not in ("date", "connection")]
        plain = stack.enter_context(bare(folder / "body", headers, 18431))
        peers: dict[str, Peer] = {
            "bare": lambda: nullcontext((plain, "sk_test_bench", path)),
            "tollkey": lambda: nullcontext((ours["url"], key, path)),
        }
        if not args.without_localstripe:
            peers["localstripe"] = near_empty
        if shutil.which("go") and not args.without_stripe_mock:
            mock = stack.enter_context(stripe_mock(18433))
            peers["stripe-mock"] = lambda: nullcontext((mock, "sk_test_123", "/v1/customers/cus_123"))
        intent = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&allowed_payment_method_types[]=card"
        works = {
            "GET customer": ("GET", "", [""]),
            "POST customer": ("POST", "/v1/customers", ["email=jenny@example.com&metadata[order]=6735"]),
            "POST charge": ("POST", "/v1/charges", ["amount=2000&currency=usd&source=tok_visa"]),
            "POST payment_intent": ("POST", "/v1/payment_intents", [intent]),
            "POST subscription": ("POST", "/v1/subscriptions", subscribing(ours["url"], key)),
        }
        print(f"start to first answer {start:.2f} s; at rest {rest:.0f} MB")
        print(
            f"{'work':22}{'connections':>12}"
            + "".join(f"{name:>24}" for name in peers)
            + f"{'tollkey/bare':>14}{'/localstripe':>14}{'/stripe-mock':>14}"
        )
        for work, (method, target, forms) in works.items():
            for connections in (1, 32):
                _measure(peers, work, method, target, forms, connections, args.seconds, args.rounds)
        print(f"memory after {memory(ours['pid']):.0f} MB")


def _measure(
    peers: dict[str, Peer],
    work: str,
    method: str,
    target: str,
    forms: list[str],
    connections: int,
    seconds: float,
    rounds: int,
) -> None:
    results: dict[str, list[Result]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, peer in peers.items():
            if name == "localstripe" and len(forms) > 1:  # it has no such customers
                continue
            with suppress(ConnectionError), peer() as (url, key, own):
                address = urlsplit(url)
                if name == "localstripe":  # it takes a payment method where the real API takes a token too
                    forms = [form.replace("tok_visa", "pm_card_visa") for form in forms]
                messages = [
                    request(method, target or own, {"Authorization": f"Bearer {key}"}, form.encode()) for form in forms
                ]
                results[name].append(
                    drive(str(address.hostname), int(address.port or 80), in_turn(messages), connections, seconds)
                )
    rates = {name: median(r.rate for r in found) if found else 0.0 for name, found in results.items()}
    cells = "".join(
        f"{rates[n]:>12.0f}/s p99 {median(r.p99 for r in f) if f else 0:5.1f}ms" for n, f in results.items()
    )
    errors = {name: sum(r.errors for r in found) for name, found in results.items()}
    ratio = rates["tollkey"] / rates["bare"] if rates["bare"] else 0
    against = [
        f"{rates['tollkey'] / rates[name]:13.2f}x" if rates.get(name) else f"{'-':>14}"
        for name in ("localstripe", "stripe-mock")
    ]
    print(
        f"{work:22}{connections:>12}{cells}{ratio:>13.0%} {''.join(against)}"
        + "".join(f"  {n} errors of {name}" for name, n in errors.items() if n),
        flush=True,
    )


if __name__ == "__main__":
    main()
