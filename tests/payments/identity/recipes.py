"""How tests make the objects of ``payments.identity`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.support.recipes import META, Body, Json, Maker, Visit, visit_of


def _decided(m: Maker) -> Json:
    """A session whose person has just been through its page."""
    made = m.make("identity.verification_session")
    m.api.post(re.sub(r"^https?://[^/]+", "", made["url"]), key=None, outcome="verified")
    return made


def _verified(m: Maker) -> Json:
    made = _decided(m)
    m.api.advance(60)
    return m.first("/v1/identity/verification_reports", verification_session=made["id"])


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "identity.verification_report": _verified,
}


BODIES: dict[str, Body] = {
    "POST /v1/identity/verification_sessions": {"type": "document"},
    "POST /v1/identity/verification_sessions/{}": META,
}  # fmt: skip


DUE: dict[str, Callable[[Maker], object]] = {
    "verification": _decided,
}


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "GET /verify/{token}": (visit_of("identity.verification_session"),),
    "POST /verify/{token}": (visit_of("identity.verification_session", outcome="verified"),),
}
