"""A field of a secret in HashiCorp Vault or OpenBao: other fields stay, and nothing is lost when two write at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from tollkey.keys.delivering import DeliveryFailed
from tollkey.keys.vaults import Vault

TEXT = "sk_live_" + "a" * 40


@dataclass
class Server:
    """A key-value store, version 2, as its documentation describes it. may: what the token may do."""

    may: frozenset[str] = frozenset({"GET", "POST", "PATCH"})
    fields: dict[str, str] | None = None
    version: int = 0
    before_write: Callable[[], None] = lambda: None
    requests: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.method)
        assert request.url.path == "/v1/kv/data/acme"
        if request.headers["x-vault-token"] != "token" or request.method not in self.may:
            return httpx.Response(403, json={"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
        if request.method == "GET" or (request.method == "PATCH" and self.fields is None):
            if self.fields is None:
                data = {"data": None, "metadata": {"version": self.version}} if self.version else None
                return httpx.Response(404, json={"errors": []} if data is None else {"data": data})
            return httpx.Response(200, json={"data": {"data": self.fields, "metadata": {"version": self.version}}})
        body = json.loads(request.content)
        if request.method == "PATCH":
            assert request.headers["content-type"] == "application/merge-patch+json"
            self.fields = {**(self.fields or {}), **body["data"]}
        else:
            self.before_write()
            if body["options"]["cas"] != self.version:
                told = "check-and-set parameter did not match the current version"
                return httpx.Response(400, json={"errors": [told]})
            self.fields = body["data"]
        self.version += 1
        return httpx.Response(200, json={"data": {"version": self.version}})


def vault(server: Callable[[httpx.Request], httpx.Response], token: str = "token") -> Vault:
    return Vault("https://vault.example", token, "kv/data/acme", "API_KEY", transport=httpx.MockTransport(server))


def test_a_secret_that_is_not_there_is_made() -> None:
    server = Server()
    vault(server).store(TEXT)
    assert (server.fields, server.version) == ({"API_KEY": TEXT}, 1)


def test_a_field_is_patched_and_the_others_stay_unread() -> None:
    server = Server(fields={"OTHER": "x", "API_KEY": "old"}, version=3)
    vault(server).store(TEXT)
    assert (server.fields, server.requests) == ({"OTHER": "x", "API_KEY": TEXT}, ["PATCH"])


def test_a_token_that_may_not_patch_reads_and_writes_the_whole_secret() -> None:
    server = Server(frozenset({"GET", "POST"}), {"OTHER": "x"}, 3)
    vault(server).store(TEXT)
    assert server.fields == {"OTHER": "x", "API_KEY": TEXT}


def test_a_secret_that_was_deleted_is_written_with_its_version() -> None:
    server = Server(version=4)
    vault(server).store(TEXT)
    assert (server.fields, server.version) == ({"API_KEY": TEXT}, 5)


def test_what_somebody_else_writes_at_the_same_time_is_not_lost() -> None:
    server = Server(frozenset({"GET", "POST"}), {"OTHER": "x"}, 3)
    changes = iter([True, False])

    def change() -> None:
        if next(changes, False):
            server.fields, server.version = {"OTHER": "new"}, 4

    server.before_write = change
    vault(server).store(TEXT)
    assert server.fields == {"OTHER": "new", "API_KEY": TEXT}


def test_a_secret_that_changes_again_and_again_is_given_up() -> None:
    server = Server(frozenset({"GET", "POST"}), {}, 3)

    def change() -> None:
        server.version += 1

    server.before_write = change
    with pytest.raises(DeliveryFailed, match="again and again") as failed:
        vault(server).store(TEXT)
    assert not failed.value.uncertain


@pytest.mark.parametrize(
    ("status", "uncertain"), [(400, False), (403, False), (503, False), (500, True), (502, True), (302, False)]
)
def test_what_the_vault_refuses_is_told_without_its_words(status: int, uncertain: bool) -> None:
    with pytest.raises(DeliveryFailed, match=str(status)) as failed:
        vault(lambda _: httpx.Response(status, text=f"{TEXT} token")).store(TEXT)
    assert failed.value.uncertain is uncertain
    assert TEXT not in str(failed.value)


@pytest.mark.parametrize(("error", "uncertain"), [(httpx.ConnectError("no"), False), (httpx.ReadTimeout("late"), True)])
def test_a_vault_that_does_not_answer_may_have_stored_the_key(error: httpx.HTTPError, uncertain: bool) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(DeliveryFailed) as failed:
        vault(fail).store(TEXT)
    assert failed.value.uncertain is uncertain


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    with pytest.raises(DeliveryFailed, match="FileNotFoundError") as failed:
        Vault("https://vault.example", "token", "kv/data/acme", "API_KEY", ca_file=missing).store(TEXT)
    assert not failed.value.uncertain


def test_the_token_is_not_shown() -> None:
    made = vault(Server(), "hvs.secret")
    assert "hvs.secret" not in repr(made)
    assert made.place == "vault:kv/data/acme#API_KEY at vault.example"


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("http://vault.example", "kv/data/acme"), ("ftp://v", "kv/data/a"), ("https://u:p@v", "kv/data/a"),
        ("https://v", "kv/acme"), ("https://v:0", "kv/data/a"), ("https://v:70000", "kv/data/a"),
        ("https://v", "kv/data/../sys"), ("https://v", "/kv/data/a"),
    ],
)  # fmt: skip
def test_addresses_without_tls_and_other_paths_are_refused(address: str, path: str) -> None:
    with pytest.raises(ValueError):
        Vault(address, "token", path, "API_KEY")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8200", "http://localhost:8200", "http://[::1]:8200"])
def test_a_vault_on_this_machine_needs_no_tls(address: str) -> None:
    assert Vault(address, "token", "kv/data/acme", "API_KEY")


def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(len(read))
            yield b"a" * 65_536

    with pytest.raises(DeliveryFailed, match="answered 400"):
        vault(lambda request: httpx.Response(400, content=endless())).store(TEXT)
    assert len(read) < 50
    monkeypatch.setattr("tollkey.keys.vaults.hashicorp._LONGEST", -1.0)  # each chunk is too late
    with pytest.raises(DeliveryFailed, match="ReadTimeout") as failed:
        vault(lambda request: httpx.Response(200, content=endless())).store(TEXT)
    assert failed.value.uncertain


@pytest.mark.parametrize("wrong", [{"token": "tok\u00e9n"}, {"token": "a\nb"}, {"namespace": "\u00e9"}])
def test_what_no_header_can_hold_is_refused_before_a_key_is_made(wrong: dict[str, str]) -> None:
    given = {"address": "https://vault.example", "token": "token", "path": "kv/data/acme", "name": "API_KEY", **wrong}
    with pytest.raises(ValueError, match="characters that no header can hold") as refused:
        Vault(**given)  # type: ignore[arg-type]
    assert next(iter(wrong.values())) not in str(refused.value)


def test_a_vault_that_does_not_answer_is_left_after_a_time() -> None:
    """Also one that sends its headers byte by byte: no timeout of a step ends that."""
    ended = threading.Event()

    def silent(request: httpx.Request) -> httpx.Response:
        ended.wait(30)
        return httpx.Response(200, json={})

    with pytest.raises(DeliveryFailed, match="in time") as failed:
        replace(vault(silent), answer_seconds=0.01).store(TEXT)
    assert failed.value.uncertain
    ended.set()
