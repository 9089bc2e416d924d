"""A proxy that stands in for Stripe's hosts, for programs whose address cannot be changed.

It takes the place of every host that a client connects to through ``HTTPS_PROXY``: it shows a certificate of its own
authority, and passes what comes over the connection on to a server of Tollkey.
"""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("api.stripe.com", "files.stripe.com", "connect.stripe.com", "meter-events.stripe.com")


@dataclass(frozen=True)
class StandIn:
    """A running proxy. certificate: a PEM file with the authority that clients have to trust."""

    url: str
    certificate: Path

    def environ(self) -> dict[str, str]:
        """The variables by which programs find the proxy and trust its authority."""
        names = ("HTTPS_PROXY", "https_proxy")
        trusted = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return {**dict.fromkeys(names, self.url), **dict.fromkeys(trusted, str(self.certificate))}


@contextmanager
def standing_in(folder: Path, server: str) -> Iterator[StandIn]:
    """Run a proxy until the block ends. folder: for its certificates. server: the address of the server behind it."""
    certificate, key = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    address = urlsplit(server)
    target = (str(address.hostname), int(address.port or 80))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_serve, args=(connection, context, target), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield StandIn(f"http://127.0.0.1:{listener.getsockname()[1]}", certificate)
    finally:
        listener.close()


def _serve(connection: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    """Answer ``CONNECT``, take the place of the host, and pass everything on."""
    with suppress(OSError), connection:
        asked = b""
        while b"\r\n\r\n" not in asked:
            part = connection.recv(4096)
            if not part:
                return
            asked += part
        if asked.split()[1].decode().partition(":")[0] not in HOSTS:
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as client, socket.create_connection(target) as server:
            threading.Thread(target=_pass, args=(server, client), daemon=True).start()
            _pass(client, server)


def _pass(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            to.sendall(part)
        to.shutdown(socket.SHUT_WR)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate for ``HOSTS`` that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a proxy of Tollkey's tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "proxy.pem", folder / "proxy.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret
