"""Limits: token buckets with costs and quotas, by account, key, identity or route, for one process or many.

``KeyLimits`` finds the limits of a request, a ``Limiter`` counts: ``MemoryLimiter`` for one process, ``SharedLimiter``
for all processes of a database.
"""

from tollkey.keys.limiting.buckets import Bucket, Level, Limiter, Taken
from tollkey.keys.limiting.changes import PlanChanges
from tollkey.keys.limiting.headers import rate_limit_headers, retry_after_headers
from tollkey.keys.limiting.memory import MemoryLimiter
from tollkey.keys.limiting.plans import AccountPlans
from tollkey.keys.limiting.policy import KeyLimits
from tollkey.keys.limiting.shared import SharedLimiter
from tollkey.keys.limiting.store import MIGRATION

__all__ = [
    "MIGRATION",
    "AccountPlans",
    "Bucket",
    "KeyLimits",
    "Level",
    "Limiter",
    "MemoryLimiter",
    "PlanChanges",
    "SharedLimiter",
    "Taken",
    "rate_limit_headers",
    "retry_after_headers",
]
