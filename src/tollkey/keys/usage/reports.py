"""The method of ``KeyService`` that reports on counted requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tollkey.db import Database
from tollkey.keys import times
from tollkey.keys.usage.reporting import UsageQuery, UsageRow, report


class UsageReports:
    """Reports on the requests that were counted in a database. A base class of ``KeyService``."""

    database: Database

    def usage_report(
        self,
        by: Sequence[str] = ("key", "day"),
        *,
        account: str | None = None,
        livemode: bool | None = None,
        key: str | None = None,
        route: str | None = None,
        outcome: str | None = None,
        since: datetime | int | None = None,
        until: datetime | int | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[UsageRow]:
        """Return how often keys were used, as of the last flush, grouped as you say.

        by: any of ``key``, ``account``, ``mode``, ``route``, ``outcome``, ``permission``, and one of
            ``minute``, ``hour`` and ``day``. Minutes are deleted after ``raw_days`` of ``UsageCounter``.
        account, livemode, key, route, outcome: only requests with this value; None for all. key: the id of a key.
        since, until: from the first time to before the second, as UTC epoch seconds or a datetime with a time zone,
            rounded down to the length of time that the report counts in (see ``UsageQuery``).
        limit, offset: at most so many rows, after so many.
        Raises ValueError for a dimension that does not exist, and a datetime without time zone; StorageError.
        """
        start, end = times.epoch(since), times.epoch(until)
        query = UsageQuery(tuple(by), account, livemode, key, route, outcome, start, end, limit, offset)
        return self.database.read(lambda tx: report(tx, query))
