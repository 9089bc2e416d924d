"""Account links of the v2 API: they lead to the same onboarding page as those of v1, and are valid for ten minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.platform import account_links
from tollkey.platform._connect import load_v2_account
from tollkey.platform._connect.providers import VERIFICATION
from tollkey.platform._connect.v2_account import applied_configurations
from tollkey.wire import Call, Endpoint, Json, Resource
from tollkey.wire.errors import missing_param
from tollkey.wire.live import needs, records
from tollkey.wire.removed import Removed
from tollkey.wire.rfc3339 import written

if TYPE_CHECKING:
    from tollkey.wire import operations

_SECONDS = 600
_LINK = "endive/2026-09-30/removes-configurations-parameter-from-v2-core-account-links-api"


def create(call: Call, params: operations.PostV2CoreAccountLinks) -> Json:
    """Create a link to the onboarding page of a connected account. It can be opened once, within ten minutes."""
    loaded, case = load_v2_account(call, params["account"]), params["use_case"]
    given = case.get("account_update") if case["type"] == "account_update" else case.get("account_onboarding")
    if given is None:
        raise missing_param(f"use_case[{case['type']}]")
    back = given.get("return_url") or given["refresh_url"]
    made, url = account_links.make(loaded, case["type"], back, given["refresh_url"], _SECONDS)
    shown = {"configurations": applied_configurations(loaded.account), **given}  # all of them where none can be named
    return {
        "object": "v2.core.account_link",
        "account": params["account"],
        "created": written(call.now),
        "expires_at": written(made.ends_at),
        "livemode": call.livemode,
        "url": url,
        "use_case": {"type": case["type"], case["type"]: shown},
    }


ACCOUNT_LINK = Resource(
    object="v2.core.account_link",
    permission=account_links.LINK,
    reveals={"url": "write"},
    live=records(),
    stored=False,
    endpoints=(
        Endpoint(
            "POST",
            "/v2/core/account_links",
            create,
            live=needs(VERIFICATION),
            removed=tuple(
                Removed("2026-09-30", f"use_case.{name}.configurations", link=_LINK)
                for name in ("account_onboarding", "account_update")
            ),
        ),
    ),
)
