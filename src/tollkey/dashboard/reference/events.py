"""The event types of the public specification."""

from __future__ import annotations

from tollkey.dashboard.reference.parameters import words_of
from tollkey.wire.params import operation_params

EVENT_TYPES: tuple[str, ...] = tuple(
    name for name in words_of(operation_params("POST", "/v1/webhook_endpoints").fields["enabled_events"]) if name != "*"
)
