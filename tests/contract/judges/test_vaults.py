"""AWS Secrets Manager as moto has it, through the real boto3, which the command line finds by itself."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.judges.installing import python_with, run

ENVIRON = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}  # fmt: skip


@pytest.fixture(scope="module")
def python() -> Path:
    """A Python with moto and boto3."""
    return python_with("moto", "moto[secretsmanager,server]", "boto3") / "bin" / "python"


@pytest.fixture(scope="module")
def aws(python: Path) -> Iterator[str]:
    """The address of a server of moto."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python.parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{url}/moto-api/", timeout=1)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        running.terminate()
        running.wait()


def test_the_command_line_delivers_keys_to_aws(python: Path, aws: str, tmp_path: Path) -> None:
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    environ = {**ENVIRON, "AWS_ENDPOINT_URL": aws, "PYTHONPATH": f"src:{site}", "TOLLKEY_DATA": str(tmp_path)}

    def tollkey(*words: str) -> str:
        return run(sys.executable, "-m", "tollkey", *words, environ=environ)

    def secret(name: str) -> str:
        script = (
            "import boto3, sys; "
            "print(boto3.client('secretsmanager').get_secret_value(SecretId=sys.argv[1])['SecretString'])"
        )
        return run(python, "-c", script, name, environ=environ).strip()

    tollkey("accounts", "create", "--name", "Acme")
    whole = json.loads(tollkey("keys", "create", "--live", "--deliver", "aws:acme/whole", "--json"))
    assert secret("acme/whole").startswith("rk_live_")
    made = json.loads(tollkey("keys", "create", "--live", "--deliver", "aws:acme/api#ONE", "--json"))
    tollkey("keys", "create", "--live", "--deliver", "aws:acme/api#TWO")
    before = json.loads(secret("acme/api"))
    tollkey("keys", "roll", made["id"], "--live", "--deliver", "aws:acme/api#ONE")
    after = json.loads(secret("acme/api"))
    assert (after["TWO"], after["ONE"] != before["ONE"]) == (before["TWO"], True)
    assert whole["note"] == "aws:acme/whole"


def test_a_secret_manager_that_cannot_be_reached_leaves_no_key(python: Path, tmp_path: Path) -> None:
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    closed = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    environ = {**ENVIRON, **closed, "PYTHONPATH": f"src:{site}", "TOLLKEY_DATA": str(tmp_path)}
    run(sys.executable, "-m", "tollkey", "accounts", "create", "--name", "Acme", environ=environ)
    words = ["keys", "create", "--live", "--name", "CI", "--deliver", "aws:acme/api"]
    command = [sys.executable, "-m", "tollkey", *words]
    done = subprocess.run(
        command, env={**environ, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "EndpointConnectionError" in done.stderr) == (1, True)
    listed = run(sys.executable, "-m", "tollkey", "keys", "list", "--live", "--all", "--json", environ=environ)
    assert [key["status"] for key in json.loads(listed) if key["name"] == "CI"] == ["expired"]
