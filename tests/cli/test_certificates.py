"""TLS of the server itself: a certificate of an authority that is made once in the data folder."""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.contract.conftest import serving
from tollkey.cli.app import app
from tollkey.cli.certificates import ca_certificate, hosts_of, server_certificate


def spoken(url: str, name: str, trusted: str) -> bytes:
    """What the server says to a GET of ``/healthz`` by that name, for somebody who trusts this authority."""
    context = ssl.create_default_context(cadata=trusted)
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw, server_hostname=name) as tls:
        tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: " + name.encode() + b"\r\nConnection: close\r\n\r\n")
        said = b""
        while piece := tls.recv(4096):
            said += piece
        return said


def test_a_server_speaks_tls_as_the_hosts_that_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, TOLLKEY_TLS_HOSTS="js.stripe.com, api.stripe.com") as server:
        assert server.url.startswith("https://127.0.0.1:")
        printed = CliRunner().invoke(app, ["ca", "--data", str(data)]).stdout
        for name in ("js.stripe.com", "api.stripe.com", "localhost", "127.0.0.1"):
            assert spoken(server.url, name, printed).startswith(b"HTTP/1.1 200 OK")
        with pytest.raises(ssl.SSLCertVerificationError):
            spoken(server.url, "shop.example", printed)
        other = ca_certificate(tmp_path / "other")
        with pytest.raises(ssl.SSLCertVerificationError):
            spoken(server.url, "js.stripe.com", other)


def test_the_authority_is_made_once_and_its_keys_are_its_owner_s(tmp_path: Path) -> None:
    first = ca_certificate(tmp_path)
    server = server_certificate(tmp_path, ("js.stripe.com",))
    assert ca_certificate(tmp_path) == first
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    assert server_certificate(tmp_path, ("api.stripe.com",)) == server
    assert ("PRIVATE KEY" in first, "PRIVATE KEY" in server.read_text()) == (False, True)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", ()),
        ("js.stripe.com,api.stripe.com", ("js.stripe.com", "api.stripe.com")),
        (" A.test  *.b.test ", ("a.test", "*.b.test")),
    ],
)
def test_hosts_are_separated_by_commas_or_spaces(text: str, hosts: tuple[str, ...]) -> None:
    assert hosts_of(text) == hosts


@pytest.mark.parametrize("text", ["https://js.stripe.com", "a..b", "-a", "a/b", "a:443"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a host"):
        hosts_of(text)
