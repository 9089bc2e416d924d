"""``@tollkey/keys``, packed as it is published, verifies at a real key server on Node, Deno and Bun."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import ROOT, node_binaries
from tests.contract.judges.installing import KEPT, PROGRAMS, node_with, run
from tollkey.keys import KeyService, Permission

CLIENT = ROOT / "clients" / "typescript"
BOUND_SECONDS = 1.5  # the one second of the change stream, and what a busy machine adds
OUTCOMES: dict[str, object] = {
    "first": [True, True, "cus_1", ["report_read"]],
    "refusals": ["unknown", "forbidden", "report_write"],
    "undeclared": ["KeyRefused", "permission_unknown"],
    "weak": [True, 403, "key_verify_write"],
    "gate": [None, True, 401],
    "managed": [[["active", "7"], ["expired", "7"]], True, "revoked", None],
    "remembered": True,
    "refused": "revoked",
    "closed": "unavailable",
}


@pytest.fixture(scope="session")
def package() -> Path:
    """The package as npm would publish it."""
    folder = node_with("keys-client-build", "typescript")
    for name in ("src", "package.json", "tsconfig.json", "README.md"):
        source, target = CLIENT / name, folder / "package" / name
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    node, npm = node_binaries()
    run(node, folder / "node_modules" / "typescript" / "bin" / "tsc", "-p", folder / "package")
    packed = run(*npm, "pack", "--silent", "--ignore-scripts", folder=folder / "package")
    return folder / "package" / packed.split()[-1]


def runtime(name: str, package: Path, *packages: str) -> Path:
    """A folder with the client and a runtime from the npm registry. Returns it."""
    folder = node_with(name, *packages) if packages else KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    _, npm = node_binaries()
    run(*npm, "install", "--silent", "--no-audit", "--no-fund", "--no-save", package, folder=folder)
    shutil.copy(PROGRAMS / "keys_client.mjs", folder)
    return folder


def node(version: str) -> Callable[[Path], list[object]]:
    def command(package: Path) -> list[object]:
        folder = runtime(f"keys-node-{version}", package, f"node@{version}")
        return [folder / "node_modules" / "node" / "bin" / "node", folder / "keys_client.mjs"]

    return command


def deno(package: Path) -> list[object]:
    folder = runtime("keys-deno", package, "deno")
    program = folder / "node_modules" / ".bin" / "deno"
    return [program, "run", "--quiet", "--allow-all", "--node-modules-dir=manual", folder / "keys_client.mjs"]


def bun(package: Path) -> list[object]:
    folder = runtime("keys-bun", package, "bun")
    return [folder / "node_modules" / ".bin" / "bun", folder / "keys_client.mjs"]


RUNTIMES = {"node 18": node("18"), "node 20": node("20"), "node 24": node("24"), "deno": deno, "bun": bun}


@pytest.fixture(scope="session")
def key_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """A running ``tollkey keys serve``: its address, its first service key, its database."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "tollkey.toml").write_text('[permissions.report]\nlabel = "Reports"\n')
    command = [sys.executable, "-m", "tollkey", "keys", "serve", "--port", "0", "--json"]
    command += ["--database", str(folder / "keys.db"), "--config", str(folder / "tollkey.toml")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
    )
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    yield facts["url"], facts["admin_key"], folder / "keys.db"
    process.terminate()
    process.stdout.close()
    assert process.wait(20) == 0


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_package_verifies_remembers_and_obeys_within_a_second(
    name: str, package: Path, key_server: tuple[str, str, Path]
) -> None:
    command = RUNTIMES[name](package)
    url, admin, database = key_server
    with KeyService.open(str(database), [Permission("report", "Reports")], flush_seconds=0) as keys:
        key, text = keys.create("CI", permissions=["report_read"], account="cus_1")
        weak = service_key(str(database), "usage_read")
        words = [str(word) for word in (*command, url, admin, weak, key.id, text)]
        outcomes: dict[str, Any] = {}
        revoked = refused = 0.0
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                outcomes |= json.loads(line)
                if "remembered" in outcomes and revoked == 0.0:
                    keys.revoke(key)
                    revoked = time.monotonic()
                if "refused" in outcomes and refused == 0.0:
                    refused = time.monotonic()
        assert process.returncode == 0
        accepted, until = outcomes.pop("accepted"), time.monotonic() + 5
        while (usage := keys.usage(key)) is None or usage.uses < accepted:
            assert time.monotonic() < until, "what was answered from memory is counted at the server"
            time.sleep(0.05)
    assert outcomes == OUTCOMES
    assert refused - revoked < BOUND_SECONDS


def service_key(database: str, permission: str) -> str:
    """The text of a new service key with one permission."""
    from tollkey.keys.brake import Brake
    from tollkey.keys.http import SERVICE_ACCOUNT
    from tollkey.keys.http.callers import Callers

    with KeyService.open(database, flush_seconds=0) as keys:
        services = Callers(keys, Brake(time.monotonic), time.time).keys
        return services.create("weak", permissions=[permission], account=SERVICE_ACCOUNT)[1]
