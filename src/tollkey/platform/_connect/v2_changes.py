"""The thin events of the v2 API about parts of an account that have changed, beside the snapshot ``account.updated``.

Source: the event classes of the official packages (``v2.core.account[identity].updated`` …).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tollkey.platform import thin_events
from tollkey.platform._connect.v2_account import v2_capability
from tollkey.wire import Call, Json
from tollkey.wire.objects import value_at

#: Part of an account of v2 -> where v1 has it.
_PARTS: Final = {
    "configuration.merchant": ("business_profile.mcc", "settings.payments.statement_descriptor"),
    "defaults": (
        "business_profile.name",
        "business_profile.product_description",
        "business_profile.url",
        "default_currency",
    ),
    "future_requirements": ("future_requirements",),
    "identity": ("business_type", "company", "individual"),
    "requirements": ("requirements",),
}


def emit(call: Call, before: Json, after: Json) -> None:
    """Emit an event for each part of an account that has changed.

    call: in the account. before, after: the account as v1 shows it.
    """
    about = {"id": after["id"], "object": "v2.core.account"}
    for part, paths in _PARTS.items():
        if any(value_at(before, path) != value_at(after, path) for path in paths):
            thin_events.emit(call, f"v2.core.account[{part}].updated", about)
    for configuration, capability in _changed_capabilities(before["capabilities"], after["capabilities"]):
        type = f"v2.core.account[configuration.{configuration}].capability_status_updated"
        thin_events.emit(call, type, about, data={"updated_capability": capability})


def _changed_capabilities(before: Json, after: Json) -> Iterator[tuple[str, str]]:
    """Yield configuration and name of each capability of v2 whose status has changed."""
    for name in sorted(before.keys() | after.keys()):
        found = v2_capability(name)
        if found is not None and before.get(name) != after.get(name):
            yield found
