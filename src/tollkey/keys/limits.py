"""What limits a key: IP allow-list, roll expirations, and the protocol of ``Limits``."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from tollkey.db import forking
from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import without_keys
from tollkey.keys.key import Denied, Key, LimitState

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


class Limiter(Protocol):
    """A rate limiter. It is called for accepted keys only and can only refuse them."""

    def allow(self, key_id: str, now: float) -> bool:
        """Return whether the key may be used once more. now: seconds of a monotonic clock.

        If it raises, the request is refused as ``unavailable``.
        """


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


class RateLimiter(forking.ForkAware):
    """A token bucket for each key, in the memory of this process.

    rate: requests per second in the long run. burst: requests at once.

    Only full buckets are dropped, so its memory grows with the number of keys in use, not with the number of texts that
    callers send. Each process counts separately: with N workers a key may be used N times as often.
    Raises ValueError for a rate of 0 or less, or a burst below 1.
    """

    def __init__(self, rate: float, burst: int) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("the rate must be above 0 and the burst at least 1")
        self._rate = rate
        self._burst = float(burst)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._tidy_at = 1024
        self._lock = threading.Lock()
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Keep the buckets and replace the lock."""
        self._lock = threading.Lock()

    def allow(self, key_id: str, now: float) -> bool:
        """Take one token and return True, or return False if there is none. now: seconds of a monotonic clock."""
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
