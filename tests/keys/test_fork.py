"""A KeyService that was made before a fork: gunicorn --preload, uWSGI, Celery and os.fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tollkey.keys import Key, KeyService, Permission

ROOT = Path(__file__).resolve().parents[2]
ENVIRON = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONWARNINGS": "error"}
BOUND_SECONDS = 1.5  # the lease's one second, and what a busy machine adds
Tell = Callable[..., Any]


@pytest.fixture
def family(database_url: str, tmp_path: Path) -> Iterator[tuple[str, str, Tell]]:
    """A parent that has forked twice: the id and text of a key that it holds in memory, and a way to tell each what to
    do.
    """
    command = [sys.executable, "-m", "tests.keys.forked", database_url, str(tmp_path / "ring")]
    with open(tmp_path / "errors", "wb") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=ENVIRON
        )
    assert process.stdin is not None
    assert process.stdout is not None

    def tell(who: int, *told: Any) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([who, *told]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    try:
        key_id, text = json.loads(process.stdout.readline())
        yield key_id, text, tell
    finally:
        process.stdin.close()
        code = process.wait(timeout=20)
        process.stdout.close()
    assert (code, (tmp_path / "errors").read_text()) == (0, "")


def until_refused(ask: Callable[[], Any], wanted: set[Any]) -> bool:
    """Whether ``ask`` answers nothing but what is wanted at the latest when the bound is over."""
    until = time.monotonic() + BOUND_SECONDS
    while (answer := ask()) not in wanted:
        if time.monotonic() > until:
            return False
        assert answer == "valid"
    return True


def test_a_child_answers_from_the_database_at_once_and_never_from_its_parents_memory(
    family: tuple[str, str, Tell],
) -> None:
    key_id, text, tell = family
    tell(0, "revoke", key_id)
    assert [tell(who, "verify", text) for who in (0, 1, 2)] == ["revoked"] * 3


@pytest.mark.parametrize("revoker", [0, 1])
def test_a_key_revoked_in_one_process_of_a_family_is_refused_in_each_within_the_bound(
    family: tuple[str, str, Tell], revoker: int
) -> None:
    key_id, text, tell = family
    assert [tell(who, "verify", text) for who in (0, 1, 2, 1, 2)] == ["valid"] * 5
    tell(revoker, "revoke", key_id)
    assert all(until_refused(lambda who=who: tell(who, "verify", text), {"revoked", "unknown"}) for who in (0, 1, 2))


def test_a_key_made_in_one_child_works_in_every_other_process_at_once_and_no_two_children_draw_the_same(
    family: tuple[str, str, Tell],
) -> None:
    _, _, tell = family
    made = [tell(who, "create") for who in (1, 2, 0)]
    assert len({id for id, _ in made}) == len({text for _, text in made}) == 3
    assert {tell(who, "verify", text) for who in (0, 1, 2) for _, text in made} == {"valid"}


def test_each_use_is_counted_once_whoever_writes_it_down(family: tuple[str, str, Tell]) -> None:
    key_id, text, tell = family
    before = tell(0, "uses", key_id)
    assert before == 201  # the parent's own, of which some were waiting to be written when it forked
    for who in (1, 2):
        assert tell(who, "verify", text) == "valid"
        tell(who, "flush")
    assert tell(0, "uses", key_id) == before + 2


# -- servers that load the application first and fork then


def gunicorn() -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--preload",
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:0",
        "tests.keys.forked_app:app",
    ]


@contextmanager
def preloaded(command: list[str], log: Path, **environ: str) -> Iterator[Callable[..., Any]]:
    """A server that runs: asks one of its workers, and gives back its process id and answer."""
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=ROOT, env={**ENVIRON, "PYTHONWARNINGS": "", **environ}
        )
    try:
        url = _address(log, process)

        def ask(*path: str) -> Any:
            with urllib.request.urlopen(f"{url}/{'/'.join(path)}", timeout=15) as answer:
                return json.loads(answer.read())

        yield ask
    finally:
        process.terminate()
        process.wait(timeout=20)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text().splitlines():
            if "Listening at: " in line:
                return line.partition("Listening at: ")[2].split(" ")[0]
            if "bound to TCP address 127.0.0.1:" in line:
                return "http://" + line.partition("TCP address ")[2].split(" ")[0]
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def of_each(ask: Callable[..., Any], *path: str, workers: int = 2) -> dict[int, Any]:
    """What each worker answers, by its process id."""
    answers: dict[int, Any] = {}
    until = time.monotonic() + 20
    while len(answers) < workers and time.monotonic() < until:
        pid, answer = ask(*path)
        answers.setdefault(pid, answer)
    assert len(answers) == workers
    return answers


def uwsgi() -> list[str]:
    program = str(Path(sys.executable).parent / "uwsgi")
    return [
        program,
        "--master",
        "--enable-threads",
        "--processes",
        "2",
        "--need-app",
        "--die-on-term",
        "--http-socket",
        "127.0.0.1:0",
        "--module",
        "tests.keys.forked_app:app",
        "--home",
        sys.prefix,
        "--pythonpath",
        str(ROOT),
    ]


def written(keys: KeyService, key: Key) -> int:
    """How often the key was used, as the database knows it."""
    usage = keys.usages().get(key.id)
    return 0 if usage is None else usage.uses


@pytest.mark.parametrize("server", [gunicorn, uwsgi])
def test_a_preloading_server_refuses_revoked_keys_knows_new_ones_and_counts_once(
    server: Callable[[], list[str]], database_url: str, tmp_path: Path
) -> None:
    ring = str(tmp_path / "ring")
    with KeyService.open(database_url, [Permission("report", "Reports")], keyring=ring, flush_seconds=0) as outside:
        key, text = outside.create("outside", permissions=["report_read"])
        named = {"KEYS_DB": database_url, "KEYS_RING": ring, "KEYS_TEXT": text if server is gunicorn else ""}
        held, uses = text, int(server is gunicorn)  # its master has used the key before it forked
        with preloaded(server(), tmp_path / "log", **named) as ask:

            def verify(text: str) -> Any:
                nonlocal uses
                pid, answer = ask("verify", text)
                uses += answer == "valid" and text == held
                return pid, answer

            assert set(of_each(verify, text).values()) == {"valid"}
            _, (_, made) = ask("create")
            assert set(of_each(verify, made).values()) == {"valid"}
            outside.revoke(key)
            until = time.monotonic() + BOUND_SECONDS
            while time.monotonic() < until and set(of_each(verify, text).values()) != {"revoked"}:
                pass
            assert set(of_each(verify, text).values()) == {"revoked"}
            until = time.monotonic() + 10  # the workers write every 0.2 seconds
            while time.monotonic() < until and written(outside, key) < uses:
                time.sleep(0.05)
        assert written(outside, key) == uses
