"""Who controls a connected account: its type of old, or the properties of ``controller`` that a platform combines.

dashboard   fees and losses                 requirements are collected by
express     both the platform's             Stripe
none        any; losses Stripe's where      Stripe or the platform
            Stripe collects
full        any                             Stripe
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.wire import Json, invalid
from tollkey.wire.errors import exclusive

CONTROLLERS: dict[str, Json] = {
    "custom": {
        "fees": {"payer": "application_custom"},
        "is_controller": True,
        "losses": {"payments": "application"},
        "requirement_collection": "application",
        "stripe_dashboard": {"type": "none"},
        "type": "application",
    },
    "express": {
        "fees": {"payer": "application_express"},
        "is_controller": True,
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
        "type": "application",
    },
    "standard": {
        "fees": {"payer": "account"},
        "is_controller": True,
        "losses": {"payments": "stripe"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "full"},
        "type": "application",
    },
}
_EXPRESS = (
    "When `stripe_dashboard[type]=express`, your platform must collect fees and be liable for negative balances or"
    " refunds and chargebacks."
)
_LIABLE = (
    "When `stripe_dashboard[type]=none` and `requirement_collection=stripe`, Stripe must be liable for negative"
    " balances or refunds and chargebacks."
)
_COLLECTED = "When `requirement_collection=application`, `stripe_dashboard[type]` must be `none`."


def controller_of(params: Mapping[str, Any], *, v2: bool = False) -> tuple[str, Json]:
    """The type and controller hash of a new account. v2: of the v2 API, which has rules of its own.

    Raises ApiError when both ``type`` and ``controller`` are given, and for properties that do not go together.
    """
    kind, given = params.get("type"), params.get("controller")
    if kind and given is not None:
        raise exclusive("controller", "type", code="parameters_exclusive")
    if given is None:
        kind = kind or "standard"
        return kind, _copy(CONTROLLERS[kind])
    made = _copy(CONTROLLERS["standard"])
    for name in ("fees", "losses", "stripe_dashboard"):
        made[name].update(given.get(name) or {})
    made["requirement_collection"] = given.get("requirement_collection") or made["requirement_collection"]
    if not v2:
        _check(made)
    return "none", made


def _copy(value: Json) -> Json:
    return {name: dict(inner) if isinstance(inner, dict) else inner for name, inner in value.items()}


def _check(made: Json) -> None:
    """Raise ApiError 400 for properties that do not go together.

    Sources of the texts: gumroad pull request 4294 and many reports of Express accounts. That the platform collects
    only where there is no dashboard is inferred, as no other kind of account is documented.
    """
    dashboard, losses = made["stripe_dashboard"]["type"], made["losses"]["payments"]
    if dashboard == "express" and (made["fees"]["payer"], losses) != ("application", "application"):
        raise invalid(_EXPRESS, "controller")
    if dashboard != "none" and made["requirement_collection"] == "application":
        raise invalid(_COLLECTED, "controller")
    if dashboard == "none" and made["requirement_collection"] == "stripe" and losses != "stripe":
        raise invalid(_LIABLE, "controller")
