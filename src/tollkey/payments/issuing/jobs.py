"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

ISSUING_DISPUTE = Job("issuing_dispute")
ISSUING_REQUEST = Job("issuing_request")
