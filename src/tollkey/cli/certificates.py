"""TLS for tests and development: a certificate authority of this data folder, and the certificate of the server.

The authority is made once and kept, so that whoever trusts it does so once; the server's certificate is made anew at
each start, for the hosts that are named then. The files are readable by their owner only. The authority may sign no
other authority, and what it signs is for servers and ends after a year. It signs for Stripe's names, for this machine
and for the hosts that were named when it was made, and for no others, whoever has its key.
"""

from __future__ import annotations

import ipaddress
import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA, _SERVER = "tls-ca.pem", "tls-server.pem"  # each a key and its certificate
_CA_DAYS, _SERVER_DAYS = 3650, 365
_EARLIER = timedelta(days=1)  # for clients whose clocks are late
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
#: Under which the server is reached besides the hosts that are named.
_HERE = ("localhost", "127.0.0.1", "::1")
#: What an authority may sign for besides the hosts that are named when it is made; names with those below them.
_ALWAYS = ("stripe.com", "localhost", "127.0.0.0/8", "::1")


def hosts_of(text: str) -> tuple[str, ...]:
    """Return the hosts of a list with commas or spaces. Raises ValueError for a text that is no host."""
    found = tuple(word.lower() for word in re.split(r"[,\s]+", text) if word)
    for host in found:
        if not _HOST.fullmatch(host) or ".." in host:
            raise ValueError(f"not a host: {host!r}")
    return found


def ca_certificate(data: Path) -> str:
    """Return the authority's certificate as PEM. The authority is made if there is none. Raises OSError, ValueError."""
    return _authority(data)[1].public_bytes(serialization.Encoding.PEM).decode()


def _authority(data: Path, hosts: tuple[str, ...] = ()) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Return the authority's key and certificate. Of several processes that make one, all take the first's.

    hosts: what a new one may sign for.
    """
    file = data / _CA
    if not file.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = _write(data, _CA, _new_authority(hosts))
        with suppress(FileExistsError):
            os.link(partial, file)
        partial.unlink()
    content = file.read_bytes()
    key = serialization.load_pem_private_key(content, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{file} has no key of this program")
    return key, x509.load_pem_x509_certificate(content)


def _new_authority(hosts: tuple[str, ...]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tollkey test authority")])
    usage = {name: name in ("key_cert_sign", "crl_sign") for name in _USAGES}
    built = (
        _begun(name, name, key.public_key(), _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.NameConstraints([_subtree(host) for host in (*_ALWAYS, *hosts)], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pem(key, built.sign(key, hashes.SHA256()))


def server_certificate(data: Path, hosts: tuple[str, ...]) -> Path:
    """Make a certificate for these hosts and this machine, and return the file with it and its key.

    Raises OSError; ValueError for a host that the authority of this folder may not sign for.
    """
    signer, authority = _authority(data, hosts)
    for host in hosts:
        if not _permits(authority, host):
            raise ValueError(
                f"the authority in {data / _CA} was made for other hosts than {host}: remove the file for a new one,"
                " which clients then have to trust"
            )
    key = ec.generate_private_key(ec.SECP256R1())
    named = [_general(host) for host in dict.fromkeys((*hosts, *_HERE))]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64] if hosts else _HERE[0])])
    built = (
        _begun(subject, authority.subject, key.public_key(), _SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(named), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return _write(data, _SERVER, _pem(key, built.sign(signer, hashes.SHA256()))).replace(data / _SERVER)


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _subtree(host: str) -> x509.GeneralName:
    """Return what an authority is limited to, so that it may sign for a host, and for those below a name."""
    try:
        return x509.IPAddress(ipaddress.ip_network(host))
    except ValueError:
        return x509.DNSName(host.removeprefix("*."))


def _permits(authority: x509.Certificate, host: str) -> bool:
    """Return whether an authority may sign for a host; one that was made before there were limits may."""
    try:
        allowed = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return True
    with suppress(ValueError):
        networks = [ipaddress.ip_network(str(one.value)) for one in allowed if isinstance(one, x509.IPAddress)]
        return any(ipaddress.ip_address(host) in network for network in networks)
    name = "." + host.removeprefix("*.")
    return any(isinstance(one, x509.DNSName) and name.endswith("." + one.value) for one in allowed)


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return text + certificate.public_bytes(pem)


def _write(folder: Path, name: str, content: bytes) -> Path:
    """Write a new file that its owner alone may read, beside the one of that name. Returns it."""
    partial = folder / f"{name}.{os.getpid()}"
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    return partial
