"""The public URL of the server, for links that are sent to others and for passkeys.

The Host header is chosen by the sender of a request, so links must not be built from an unchecked one (host header
injection). The public URL is therefore:

- the configured one, if any;
- otherwise the Host header, when it is a loopback name or the address that the request arrived at;
- otherwise unknown: pages still open, and those that need the URL say which setting is missing.
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
    """What is known of the server's URL.

    configured: the configured public URL (``base_url``) or "". listens: the host the server listens on.
    fallback: a URL for examples.
    """

    configured: str = ""
    listens: str = ""
    fallback: str = "http://127.0.0.1:8420"

    def public(self, host: str, secure: bool, arrived: str = "") -> str | None:
        """The public URL without a trailing slash; None when it is unknown.

        host: the Host header (RFC 9110 section 7.2). secure: whether the request came over TLS. arrived: the local
        address of the connection.
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
        return address.is_loopback or str(address) == _usual_form(arrived)

    def is_own_origin(self, origin: str, host: str, secure: bool) -> bool:
        """Whether an Origin header (RFC 6454) is this server: the configured URL, or the host of the request."""
        asked = f"{'https' if secure else 'http'}://{host}"
        return origin_of(origin) in {origin_of(url) for url in (asked, self.configured) if url}


def origin_of(url: str) -> str:
    """The origin of a URL as browsers write it: lower case, without default port and path; "" for an invalid URL."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return ""
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{name}" + ("" if port is None or port == _PORTS.get(parts.scheme) else f":{port}")


def _usual_form(arrived: str) -> str:
    """An IP address in its usual form: a dual-stack socket reports 192.0.2.1 as ::ffff:192.0.2.1."""
    try:
        address = ip_address(arrived)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
