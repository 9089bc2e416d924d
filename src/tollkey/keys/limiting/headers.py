"""The header fields ``RateLimit-Policy``, ``RateLimit`` and ``Retry-After``.

Source: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4 (lists of RFC 9651 whose items are names of policies),
and RFC 9110 section 10.2.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tollkey.keys.key import LimitState


def rate_limit_headers(limits: Sequence[LimitState]) -> tuple[tuple[str, str], ...]:
    """Return the fields for the limits of a request, accepted or refused; nothing without limits.

    ``q`` is how much a policy allows in ``w`` seconds, ``r`` how much is left, ``t`` in how many seconds all of it is
    back. Names are in lower case.
    """
    if not limits:
        return ()
    policies, states = [], []
    for limit in limits:
        window = "" if limit.window is None else f";w={max(1, math.ceil(limit.window))}"
        policies.append(f'"{limit.policy}";q={limit.limit}{window}')
        states.append(f'"{limit.policy}";r={limit.remaining};t={max(0, math.ceil(limit.reset))}')
    return (("ratelimit-policy", ", ".join(policies)), ("ratelimit", ", ".join(states)))


def retry_after_headers(seconds: float | None) -> tuple[tuple[str, str], ...]:
    """Return ``Retry-After`` in whole seconds, rounded up; nothing if trying again never helps (None)."""
    return () if seconds is None else (("retry-after", str(max(1, math.ceil(seconds)))),)
