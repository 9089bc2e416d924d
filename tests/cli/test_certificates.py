"""TLS of the server itself: a certificate of an authority that is made once in the data folder."""

from __future__ import annotations

import socket
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from typer.testing import CliRunner

from tests.contract.conftest import serving
from tollkey.cli import certificates
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


def verified(authority: str, server: Path, name: str) -> bool:
    """Whether somebody who trusts an authority believes a server with that certificate to be that host."""
    there, here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cadata=authority)
    there.load_cert_chain(server)
    said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_end = there.wrap_bio(said, heard, server_side=True)
    client_end = here.wrap_bio(heard, said, server_hostname=name)
    for _ in range(4):
        for end in (client_end, server_end):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


def test_the_authority_s_key_signs_for_no_other_hosts(tmp_path: Path) -> None:
    """Whoever trusts it for tests is not deceived about their bank by whoever copies the data folder."""
    hosts = ("js.stripe.com", "*.shop.test", "10.1.2.3")
    mine = server_certificate(tmp_path, hosts)
    trusted = ca_certificate(tmp_path)
    for name in ("js.stripe.com", "a.shop.test", "localhost", "127.0.0.1", "10.1.2.3"):
        assert verified(trusted, mine, name), name
    stolen = (tmp_path / "tls-ca.pem").read_bytes()
    key, authority = load_pem_private_key(stolen, None), x509.load_pem_x509_certificate(stolen)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    for name in ("bank.example", "stripe.com.evil.example", "xstripe.com"):
        forged = ec.generate_private_key(ec.SECP256R1())
        made = certificates._begun(authority.subject, authority.subject, forged.public_key(), 30)
        named = x509.SubjectAlternativeName([x509.DNSName(name)])
        signed = made.add_extension(named, critical=False).sign(key, hashes.SHA256())
        file = tmp_path / "forged.pem"
        file.write_bytes(certificates._pem(forged, signed))
        assert not verified(trusted, file, name), name


@pytest.mark.parametrize("host", ["bank.example", "xstripe.com", "10.1.2.3"])
def test_a_host_that_the_authority_was_not_made_for_is_refused_in_a_sentence(tmp_path: Path, host: str) -> None:
    ca_certificate(tmp_path)
    for good in ("js.stripe.com", "*.stripe.com", "stripe.com", "127.0.0.2", "a.localhost"):
        server_certificate(tmp_path, (good,))
    with pytest.raises(ValueError, match=f"made for other hosts than {host}: remove the file for a new one"):
        server_certificate(tmp_path, (host,))
    (tmp_path / "tls-ca.pem").unlink()
    server_certificate(tmp_path, (host,))


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
