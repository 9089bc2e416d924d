"""The scheduled work of this room, by name. The resources say in ``on_due`` what it does."""

from __future__ import annotations

from tollkey.wire.kinds import Job

ISSUING_DISPUTE = Job("issuing_dispute")
ISSUING_REQUEST = Job("issuing_request")
