"""Reconciliation: what the account's processor was asked and has not told, and what settlements do not agree with."""

from __future__ import annotations

from tollkey.dashboard import caps
from tollkey.dashboard.page import Answer, Context, Nav, Page, Params, Render
from tollkey.payments.processors import attempts, backends, notices

_MOST = 100
#: State of an attempt -> label and tone of its badge.
STATES = {
    "prepared": ("not sent yet", "warn"),
    "sent": ("no answer yet", "warn"),
    "inquiring": ("being asked about", "warn"),
    "pending": ("taken, not decided", "info"),
    "unknown": ("unknown outcome", "bad"),
    "reversing": ("being undone", "warn"),
    "manual": ("for a person", "bad"),
}


def index(ctx: Context, params: Params) -> Answer:
    """Show the processor, its open operations, the differences, and what was not settled for a week."""
    before = ctx.now - notices.SETTLED_SECONDS
    about = {
        "backend": backends.of(ctx.tx, ctx.scope),
        "open": attempts.list_of(ctx.tx, ctx.scope, open_only=True, limit=_MOST),
        "differences": notices.differences(ctx.tx, ctx.scope, _MOST),
        "unsettled": attempts.unsettled(ctx.tx, ctx.scope, before, _MOST),
        "money": caps.moved,
        "states": STATES,
    }
    return Render("reconciliation/index.html", about)


PAGES = (Page("/reconciliation", index, action="upstream.see", nav=Nav("Developers", "Reconciliation", 56)),)
