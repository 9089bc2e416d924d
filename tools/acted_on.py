"""Which parameters that newer versions added the server acts on.

``tools/newer_facts.json`` has all of them. What stands here goes into the facts that the server checks requests with;
the others are refused as unknown parameters: one that is accepted and does nothing would make a test pass that fails
in production. Each pattern is searched for in a parameter's dotted path.
"""

from __future__ import annotations

import re
from typing import Final

_ACTED_ON: Final = (
    r"^allowed_payment_method_types$",
    r"^api_version$",
    r"^(subscription_details\.)?billing_cycle_anchor$",
    r"^enabled_events\[]$",
    r"^invoicing_rules$",
    r"(^|\.)fpx\.bank$",
    r"^locale$",
    r"^payment_behavior$",
    r"(^|\.)tax_details$",
    r"tax_type$",
)


def acted_on(path: str) -> bool:
    """Return whether the server acts on a parameter of a newer version. path: dotted, with ``[]`` after a list."""
    return any(re.search(pattern, path) for pattern in _ACTED_ON)
