"""Limits on a key: from where, until when, how often. Checked without touching the database."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tollkey.db import forking
from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import without_keys

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# How long a rolled key may go on, in seconds (the page "API keys", section on rolling).
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
    """Whose address it is: of IPv6 the first 64 bits, as everybody has the other 64 to themselves (RFC 6177)."""
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
    """Addresses and networks (``192.0.2.7``, ``192.0.2.0/24``, ``2001:db8::/32``) in their normal form.

    Raises KeyRefused, code ``ip_allowlist_invalid``.
    """
    normal: list[str] = []
    for entry in entries:
        try:
            network = ipaddress.ip_network(entry.strip(), strict=True)
        except ValueError:
            message = (
                f"Invalid IP address or network: {entry[:64]}. Use an address such as 192.0.2.7 or a network such as "
                f"192.0.2.0/24."
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
    """The parsed form of a checked allow-list, to be kept beside the key."""
    return tuple(ipaddress.ip_network(entry) for entry in allowlist)


def ip_allowed(networks: Sequence[Network], ip: str | None) -> bool:
    """Whether ``ip`` is in one of the networks. No networks: from anywhere. No or no real address: no.

    An IPv4 address written inside an IPv6 one (RFC 4291 section 2.5.5.2) counts as the IPv4 address.
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
    """Whether every address that ``inner`` lets in is let in by ``outer`` as well."""
    if not outer:
        return True
    around = networks_of(outer)
    return bool(inner) and all(
        any(a.version == b.version and a.subnet_of(b) for b in around)  # type: ignore[arg-type]
        for a in networks_of(inner)
    )


class Limiter(Protocol):
    """Decides how often a key may be used. It is asked only about keys that were accepted, and can only say no."""

    def allow(self, key_id: str, now: float) -> bool:
        """Whether the key may be used once more. now: seconds of a clock that does not go back.

        What it raises counts as a no.
        """


class RateLimiter(forking.ForkAware):
    """A token bucket for each key, in this process's memory.

    rate: requests a second, in the long run. burst: requests at once.

    It is asked only about keys that were accepted, and can only say no. It never forgets a
    bucket that is not full, as that would let through what it should hold back; so its memory
    grows with the number of keys in use, not with the number of texts presented.
    Each process counts for itself: behind N workers a key gets N times as much.
    """

    def __init__(self, rate: float, burst: int) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a rate is above 0 and a burst at least 1")
        self._rate = rate
        self._burst = float(burst)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._tidy_at = 1024
        self._lock = threading.Lock()
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """What was spent stays spent; only the lock may be held by a thread that is not here."""
        self._lock = threading.Lock()

    def allow(self, key_id: str, now: float) -> bool:
        """Take one token. now: seconds of a clock that does not go back (``time.monotonic``)."""
        with self._lock:
            level, since = self._buckets.get(key_id, (self._burst, now))
            level = min(self._burst, level + max(0.0, now - since) * self._rate)
            allowed = level >= 1.0
            self._buckets[key_id] = (level - 1.0 if allowed else level, max(now, since))
            if len(self._buckets) >= self._tidy_at:
                self._tidy(now)
            return allowed

    def _tidy(self, now: float) -> None:
        full_after = self._burst / self._rate
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if now - bucket[1] < full_after}
        self._tidy_at = max(1024, 2 * len(self._buckets))
