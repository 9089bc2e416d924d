"""The permission editor: its rows, reading its form, and templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tollkey.dashboard.page import Params
from tollkey.keys import Permission
from tollkey.keys.permissions import PermissionCatalogue

#: Groups in the order of Stripe's Dashboard; others follow.
_GROUPS = (
    "Core", "Checkout", "Billing", "Connect", "Orders", "Issuing", "Reporting", "Identity", "Webhook", "Stripe CLI",
    "Payment Links",
    "Terminal", "Tax", "Radar", "Climate", "Treasury", "Financial Connections", "Money management", "Commerce", "Apps",
)  # fmt: skip


class Template(NamedTuple):
    """A preset of permissions. about: its description."""

    name: str
    label: str
    about: str
    grants: tuple[str, ...]


TEMPLATES = (
    Template("disputes", "Dispute monitoring",
    "Read disputes and the payments behind them. For a monitoring service.",
             ("dispute_read", "charge_read", "payment_intent_read")),
    Template("payments", "Take payments", "Create and confirm payments, create customers. No refunds.",
             ("payment_intent_write", "payment_method_write", "setup_intent_write", "customer_write", "token_write")),
    Template("refunds", "Refund desk", "Read payments and customers, create refunds.",
             ("refund_write", "charge_read", "payment_intent_read", "customer_read")),
    Template("bookkeeping", "Bookkeeping", "Read balances, payouts, charges, refunds and invoices.",
             ("balance_read", "balance_transaction_source_read", "payout_read", "charge_read", "refund_read",
             "invoice_read",
              "dispute_read")),
    Template("subscriptions", "Subscriptions", "Manage products, prices, subscriptions and invoices.",
             ("subscription_write", "product_write", "plan_write", "invoice_write", "customer_write", "coupon_write")),
    Template("webhooks", "Webhook set-up", "Manage webhook endpoints, read events.", ("webhook_write",
    "event_read")),
    Template("read", "Read everything", "Read all objects.", ("*_read",)),
)  # fmt: skip


def template_grants(templates: tuple[Template, ...], name: str, catalogue: PermissionCatalogue) -> frozenset[str]:
    """The grants of a template that exist on this server; none for an unknown template."""
    found = next((template for template in templates if template.name == name), None)
    if found is None:
        return frozenset()
    if found.grants == ("*_read",):
        return frozenset(grant for grant in catalogue.names if grant.endswith("_read") and grant != "api_key_read")
    return frozenset(found.grants) & catalogue.names


class Row(NamedTuple):
    """One row of the editor.

    levels: the choices, ``none`` first; empty for a permission with a parameter. level: the selected one.
    connect: the selected one for connected accounts. With a parameter, both are its grants, one a line.
    """

    name: str
    label: str
    levels: tuple[str, ...]
    level: str
    connect: str


def groups(
    catalogue: PermissionCatalogue, granted: Iterable[str], connected: Iterable[str]
) -> list[tuple[str, list[Row]]]:
    """The rows of the editor by group. granted, connected: the grants that are selected."""
    own, connect = frozenset(granted), frozenset(connected)
    by_group: dict[str, list[Row]] = {}
    for row in sorted(catalogue.rows, key=lambda r: r.label):
        if row.parameter:
            line = Row(row.name, row.label, (), _lines(row, own), _lines(row, connect))
        else:
            line = Row(row.name, row.label, ("none", *row.levels), _level(row, own), _level(row, connect))
        by_group.setdefault(row.group, []).append(line)
    return sorted(
        by_group.items(), key=lambda item: (_GROUPS.index(item[0]) if item[0] in _GROUPS else len(_GROUPS), item[0])
    )


def _level(row: Permission, granted: frozenset[str]) -> str:
    return next((level for level in reversed(row.levels) if f"{row.name}_{level}" in granted), "none")


def _lines(row: Permission, granted: frozenset[str]) -> str:
    return "\n".join(sorted(grant for grant in granted if grant.startswith(f"{row.name}:")))


def chosen(params: Params, catalogue: PermissionCatalogue, column: str = "p") -> frozenset[str]:
    """The grants that a form selects. column: ``p`` for the account itself, ``c`` for connected accounts.

    Raises UnknownPermission for a grant with a parameter that is not well-formed.
    """
    typed = {
        catalogue.canonical(grant if grant.startswith(f"{row.name}:") else f"{row.name}:{grant}")
        for row in catalogue.rows
        if row.parameter
        for grant in re.findall(r"[^\s,]+", params.get(f"{column}:{row.name}"))
    }
    return selected(params, catalogue, column) | typed


def selected(params: Params, catalogue: PermissionCatalogue, column: str = "p") -> frozenset[str]:
    """The grants without a parameter that a form selects, by radio buttons. The arguments are those of ``chosen``.

    "Set all" of a group (``g:Core``), which is only sent without scripts, overrides the rows of the group.
    """
    grants = set()
    for row in (row for row in catalogue.rows if not row.parameter):
        level = params.get(f"{column}:{row.name}", "none")
        wanted = params.get(f"g:{row.group}") if column == "p" else ""
        if wanted:
            level = (
                wanted if wanted in row.levels or wanted == "none" else row.levels[0] if wanted == "write" else "none"
            )
        if level in row.levels:
            grants.add(f"{row.name}_{level}")
    return frozenset(grants)
