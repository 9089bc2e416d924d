"""``tollkey keys check-config``: say what a configuration file means, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tollkey.cli.common import AsJson, show, table
from tollkey.cli.keys_settings import declared_in
from tollkey.keys.config import Config, Limit


def check_config(
    file: Annotated[Path, typer.Argument(help="The configuration file, usually tollkey.toml.")] = Path("tollkey.toml"),
    json_: AsJson = False,
) -> None:
    """Check a configuration file of a key service and print what it means. Exits with 1 if it is not valid."""
    config = declared_in(file)
    show(_as_json(config), json_, lambda: _lines(config))


def _lines(config: Config) -> list[str]:
    brand = config.brand
    kinds = (("secret", brand.secret), ("restricted", brand.restricted), ("publishable", brand.publishable))
    lines = [f"service {config.name}", "", "Keys"]
    lines += _indented(
        table(("KIND", *(f"{mode.upper()}" for mode in (brand.test, brand.live))),
              [(kind, *(f"{word}_{mode}_…" for mode in (brand.test, brand.live))) for kind, word in kinds])
    )  # fmt: skip
    lines += ["", f"Environments: {brand.test} keys have livemode=False, {brand.live} keys livemode=True.", ""]
    rows = [
        (row.name, row.label, ", ".join(row.grants()), ", ".join(config.implied.get(row.name, ())) or "-")
        for row in config.permissions
    ]
    lines += ["Permissions", *_indented(table(("NAME", "LABEL", "GRANTS", "IMPLIES"), rows) if rows else ["none"]), ""]
    routes = [(str(r.match), r.needs or "any key", str(r.cost)) for r in config.routes]
    lines += ["Routes, the first that matches counts"] if routes else ["Routes"]
    lines += _indented(
        table(("MATCH", "NEEDS", "COST"), routes) if routes else ["none: every route is checked by its code"]
    )
    if routes:
        lines += ["  A request that matches none of them is refused."]
    lines += ["", "Plans"]
    for plan in config.plans:
        default = ", of accounts without a plan" if plan.name == config.default_plan else ""
        lines += [f"  {plan.name}{default}", *_limits(plan.limits)]
    lines += [] if config.plans else ["  none"]
    if config.plans and config.default_plan is None:
        lines += ["  Accounts without a plan are not limited by one."]
    lines += ["", "Limits of every account", *(_limits(config.limits) if config.limits else ["  none"])]
    lines += [f"\nSections: {', '.join(sorted(config.sections))}"] if config.sections else []
    return lines


def _limits(limits: tuple[Limit, ...]) -> list[str]:
    return [f"    {limit.name}: {limit}" for limit in limits] or ["    no limit"]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _as_json(config: Config) -> dict[str, Any]:
    brand = config.brand
    return {
        "name": config.name,
        "prefix": {"secret": brand.secret, "restricted": brand.restricted, "publishable": brand.publishable},
        "environments": {brand.test: {"livemode": False}, brand.live: {"livemode": True}},
        "permissions": [
            {
                "name": row.name, "label": row.label, "group": row.group, "grants": list(row.grants()),
                "implies": list(config.implied.get(row.name, ())),
            }
            for row in config.permissions
        ],
        "routes": [
            {"match": str(r.match), "needs": r.needs, "cost": r.cost, "publishable": r.publishable}
            for r in config.routes
        ],
        "plans": {plan.name: [_limit_as_json(limit) for limit in plan.limits] for plan in config.plans},
        "default_plan": config.default_plan,
        "limits": [_limit_as_json(limit) for limit in config.limits],
        "identity": config.identity,
        "sections": sorted(config.sections),
    }  # fmt: skip


def _limit_as_json(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "per": limit.per,
        "per_second": None if limit.rate is None else limit.rate.per_second,
        "burst": None if limit.rate is None else limit.capacity,
        "quota": {quota.period: quota.requests for quota in limit.quota},
        "routes": [str(pattern) for pattern in limit.routes],
    }
