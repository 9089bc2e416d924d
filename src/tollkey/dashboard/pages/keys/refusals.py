"""Refused keys and failed sign-ins of all accounts, counted by the hour."""

from __future__ import annotations

from tollkey.dashboard.page import Answer, Context, Nav, Page, Params, Render
from tollkey.keys.attempts import refused_attempts

_MOST = 200


def index(ctx: Context, params: Params) -> Answer:
    """List the newest refusals."""
    found = refused_attempts(ctx.tx, _MOST)
    return Render("refusals/index.html", {"found": found, "cut": len(found) == _MOST, "most": _MOST})


PAGES = (Page("/refusals", index, action="audit.see", scope="account", nav=Nav("Account", "Refusals", 40)),)
