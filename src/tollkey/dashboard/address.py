"""Under which address people open the Dashboard, and which address may stand in links and in passkeys.

Whoever sends a request writes its Host header. A link for somebody else, or a passkey, that was made
from any Host would lead where the sender wanted. So there are three cases:

- a public address is configured: that one, always;
- none is, and the Host is a loopback name or the address that the request arrived at: the Host;
- otherwise the public address is not known. Pages still open; what needs the address says what to set.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}

UNKNOWN = (
    "The public address of this server is not configured, and the address you opened cannot be verified."
    " Set TOLLKEY_BASE_URL to the"
    " public address, such as https://pay.example.com, and restart the server. Or open the Dashboard on"
    " the same machine"
    " as localhost."
)


class Address(NamedTuple):
    """The server's address. configured: the public one (``base_url``) or "". listens: the host it listens on.

    fallback: for examples.
    """

    configured: str = ""
    listens: str = ""
    fallback: str = "http://127.0.0.1:8420"

    def public(self, host: str, secure: bool, arrived: str = "") -> str | None:
        """The address for links, without a slash at its end; None when it is not known.

        host: the Host header (RFC 9110 section 7.2). arrived: the local address of the connection.
        """
        if self.configured:
            return self.configured.rstrip("/")
        found = _HOST.fullmatch(host.lower())
        if found is None or not self._own(found["name"].strip("[]"), arrived):
            return None
        return f"{'https' if secure else 'http'}://{found[0]}"

    def _own(self, name: str, arrived: str) -> bool:
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3: always the reader's own machine
            return True
        if name == self.listens.lower():
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or str(address) == _plain(arrived)

    def ours(self, origin: str, host: str, secure: bool) -> bool:
        """Whether an Origin header (RFC 6454) names a page of this server: of the configured address, or of the one
        that was asked.
        """
        asked = f"{'https' if secure else 'http'}://{host}"
        return origin_of(origin) in {origin_of(url) for url in (asked, self.configured) if url}


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as browsers write an origin: lower case, without the usual port, without a
    path.
    """
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return ""
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{name}" + ("" if port is None or port == _PORTS.get(parts.scheme) else f":{port}")


def _plain(arrived: str) -> str:
    """A local address as people write it: a socket for both kinds calls 192.0.2.1 ::ffff:192.0.2.1."""
    try:
        address = ip_address(arrived)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
