"""How often keys are used: counted by key, route, outcome and minute, rolled up by hour and day.

``UsageCounter`` counts in memory and writes with the last uses of keys; ``report`` reads. A ``KeyService`` has both.
"""

from tollkey.keys.usage.counting import ACCEPTED, OTHER, SLOTS_AT_ONCE, UsageCounter
from tollkey.keys.usage.export import as_csv, as_json
from tollkey.keys.usage.reporting import DIMENSIONS, UsageQuery, UsageRow, report
from tollkey.keys.usage.reports import UsageReports
from tollkey.keys.usage.store import DAY, MIGRATION

__all__ = [
    "ACCEPTED",
    "DAY",
    "DIMENSIONS",
    "MIGRATION",
    "OTHER",
    "SLOTS_AT_ONCE",
    "UsageCounter",
    "UsageQuery",
    "UsageReports",
    "UsageRow",
    "as_csv",
    "as_json",
    "report",
]
