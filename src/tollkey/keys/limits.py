"""What limits a key: IP allow-list, roll expirations, and the protocol of ``Limits``."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import beginning, without_keys
from tollkey.keys.key import Denied, Key, LimitState

__all__ = ["LONGEST_ROLL_SECONDS", "ROLL_EXPIRATIONS", "Limits"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# How long a rolled key may stay valid, in seconds. Source: Stripe's documentation, "API keys", section on rolling.
ROLL_EXPIRATIONS: Mapping[str, int] = {
    "now": 0,
    "in_1_hour": 3600,
    "in_24_hours": 86400,
    "in_3_days": 259200,
    "in_7_days": 604800,
}
LONGEST_ROLL_SECONDS = 604800
MOST_NETWORKS = 200


def network_of(ip: str | None) -> str:
    """Return the text by which a caller is counted: an IPv4 address, or the /64 network of an IPv6 address (RFC 6177).

    ip: the caller's address; None or an invalid one gives ``unknown`` or the text itself, shortened and masked.
    """
    if ip is None or ":" not in ip:
        return without_keys(ip or "unknown")[:64]
    try:
        address = ipaddress.IPv6Address(ip)
    except ValueError:
        return without_keys(ip)[:64]
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(address) >> 64 << 64)}/64"


def check_allowlist(entries: Iterable[str]) -> tuple[str, ...]:
    """Return an allow-list in normal form, without duplicates.

    entries: addresses and networks: ``192.0.2.7``, ``192.0.2.0/24``, ``2001:db8::/32``.
    Raises KeyRefused, ``ip_allowlist_invalid``, for an invalid entry and for more than 200.
    """
    normal: list[str] = []
    for entry in entries:
        try:
            network = ipaddress.ip_network(entry.strip(), strict=True)
        except ValueError:
            message = (
                f"Invalid IP address or network: {beginning(entry, 64)}. Use an address such as 192.0.2.7 or a"
                " network such as 192.0.2.0/24."
            )
            raise KeyRefused("ip_allowlist_invalid", message, "ip_allowlist") from None
        text = str(network.network_address) if network.num_addresses == 1 else str(network)
        if text not in normal:
            normal.append(text)
    if len(normal) > MOST_NETWORKS:
        raise KeyRefused(
            "ip_allowlist_invalid", f"An IP allow-list has at most {MOST_NETWORKS} entries.", "ip_allowlist"
        )
    return tuple(normal)


def networks_of(allowlist: Sequence[str]) -> tuple[Network, ...]:
    """Return the parsed form of an allow-list from ``check_allowlist``."""
    return tuple(ipaddress.ip_network(entry) for entry in allowlist)


def ip_allowed(networks: Sequence[Network], ip: str | None) -> bool:
    """Return whether ``ip`` is in one of the networks.

    networks: empty allows every address. ip: with networks, None or an invalid address is refused. An IPv4-mapped IPv6
    address (RFC 4291 section 2.5.5.2) counts as the IPv4 address.
    """
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def allowlist_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Return whether every address that ``inner`` allows is also allowed by ``outer``."""
    if not outer:
        return True
    around = networks_of(outer)
    return bool(inner) and all(
        any(a.version == b.version and a.subnet_of(b) for b in around)  # type: ignore[arg-type]
        for a in networks_of(inner)
    )


class Limits(Protocol):
    """Limits with costs, which ``KeyService.check`` takes from for each request that has a key and permission.

    ``limiting.KeyLimits`` are those of a configuration.
    """

    def take_at_once(
        self, key: Key, route: str | None, cost: int, now: float
    ) -> tuple[LimitState, ...] | Denied | None:
        """Do what ``take`` does without blocking, or return None if that would block: it is called on event loops."""

    def take(self, key: Key, route: str | None, cost: int, now: float) -> tuple[LimitState, ...] | Denied:
        """Take ``cost`` from every limit that applies, or nothing from any if one of them has too little left.

        key: of the request. route: ``GET /reports/1`` or a name, if known. cost: 0 or more. now: UTC epoch seconds.
        Returns the states of the limits, the one with the least left first, none if none applies; or ``Denied`` with
        ``rate_limited`` or ``quota_exceeded``, ``limit``, ``limits`` and ``retry_after``. If it raises, the request is
        refused as ``unavailable``.
        """
