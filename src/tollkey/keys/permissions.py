"""Permissions of restricted keys, and the catalogue of all declared permissions.

Resources declare permissions; the code that creates the server or a ``KeyService`` passes the declarations in, there is
no global registry. Names are stored with keys, so a released name is never removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tollkey.keys.errors import UnknownPermission
from tollkey.keys.key import Key, holds

LEVELS = ("read", "write")
_MOST_EXPANDED = 1_000
_PARAMETER = re.compile(r"\*|[A-Za-z0-9._~@+-]{1,200}")

# The permissions that a permission implies, at either level. Source: Stripe's restricted-key editor.
IMPLIED: Mapping[str, tuple[str, ...]] = {
    "balance_transaction_source": ("application_fee_read", "balance_read", "transfer_read"),
    "checkout_session": (
        "mandate_read",
        "payment_intent_read",
        "payment_links_read",
        "product_read",
        "setup_intent_read",
        "sku_read",
    ),
    "credit_note": ("invoice_read",),
    "customer": ("billing_clock_read",),
    "invoice": ("credit_note_read",),
    "payment_intent": ("product_read", "sku_read"),
    "payment_links": ("mandate_read", "product_read", "sku_read"),
    "payment_method": ("source_read",),
    "quote": ("sku_read", "product_read"),
    "setup_intent": ("mandate_read",),
    "transfer": ("payout_read",),
}

# Alternative names of the same permission in Stripe's editor, documentation and error messages.
ALIASES: tuple[tuple[str, ...], ...] = (
    ("topup", "top_up"),
    ("payment_link", "payment_links"),
    ("financial_statement", "report_runs_and_report_types"),
    ("issuing_network_token", "issuing_token"),
    ("tax_transaction", "tax_calculations_and_transactions"),
    ("invoice_item", "invoiceitem"),
    ("price", "plan"),
    ("webhook", "webhook_endpoint"),
)


class Permission(NamedTuple):
    """A permission: one row of the permission editor.

    name: for example ``customer``; its grants are ``customer_read`` and ``customer_write``.
    label: the name people see, for example ``Customers``. group: its heading in the editor.
    levels: the levels that can be granted; ``write`` implies ``read`` where both exist.
    parameter: whether a grant names one object of the host, which need not be declared: the grants of ``project`` are
        then ``project:42:read`` and ``project:42:write``, or ``project:*:read`` for every object. A parameter has up to
        200 letters, digits and ``._~@+-``.
    """

    name: str
    label: str
    group: str = "Core"
    levels: tuple[str, ...] = LEVELS
    parameter: bool = False

    def grant(self, level: str, parameter: str = "*") -> str:
        """Return the name of a grant: ``customer_read``, or ``project:42:read`` for a permission with a parameter."""
        return f"{self.name}:{parameter}:{level}" if self.parameter else f"{self.name}_{level}"

    def grants(self) -> tuple[str, ...]:
        """Return the names of its grants: ``customer_read`` and ``customer_write``, or ``project:*:read`` and so on."""
        return tuple(self.grant(level) for level in self.levels)


class PermissionCatalogue:
    """All declared permissions and the rules between them.

    permissions: the declarations. implied: name of a permission to the grants it implies. ``project:*:read`` implied by
        a permission with a parameter means the same parameter.
    aliases: groups of alternative names of one permission.
    names: all grants, with ``*`` for a parameter.
    Raises ValueError if a name is declared twice with different content, or contains a colon.
    """

    def __init__(
        self,
        permissions: Iterable[Permission],
        implied: Mapping[str, tuple[str, ...]] = IMPLIED,
        aliases: Iterable[tuple[str, ...]] = ALIASES,
    ) -> None:
        rows: dict[str, Permission] = {}
        for permission in permissions:
            if rows.setdefault(permission.name, permission) != permission:
                raise ValueError(f"permission {permission.name} is declared twice with different content")
            if ":" in permission.name:
                raise ValueError(f"permission {permission.name} contains a colon: declare parameter=True instead")
        self.rows = tuple(rows.values())
        self._declared = {row.grant(level): (row, level) for row in self.rows for level in row.levels}
        self.names = frozenset(self._declared)
        self._spellings = {spelling: group for group in aliases for spelling in group}
        self._implied = {name: tuple(grants) for name, grants in implied.items()}
        self._expanded: dict[frozenset[str], frozenset[str]] = {}
        self._closures = {name: self._closure(name) for name in self.names}

    def _closure(self, name: str) -> frozenset[str]:
        """Return all grants that a declared grant implies, including itself."""
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            grant = waiting.pop()
            if grant in reached or _general(grant) not in self.names:
                continue
            reached.add(grant)
            row, level = self._declared[_general(grant)]
            if level == "write":
                waiting.append(row.grant("read", _parameter(grant)))
            implied = self._implied.get(row.name, ())
            waiting += [_with_parameter(each, _parameter(grant)) for each in implied] if row.parameter else implied
        return frozenset(reached)

    def canonical(self, name: str) -> str:
        """Return the declared name of a grant: without the prefix ``rak_``, aliases resolved.

        Raises UnknownPermission, also for a parameter with other characters than ``Permission`` allows.
        """
        bare = name.removeprefix("rak_")
        if bare in self.names:
            return bare
        row, _, level = bare.rpartition("_")
        for spelling in self._spellings.get(row, ()):
            if f"{spelling}_{level}" in self.names:
                return f"{spelling}_{level}"
        if self.declares(bare):
            return bare
        raise UnknownPermission(name)

    def declares(self, grant: str) -> bool:
        """Return whether a grant is declared under exactly this name, with any well-formed parameter."""
        known = _general(grant) in self.names
        return known and (":" not in grant or _PARAMETER.fullmatch(_parameter(grant)) is not None)

    def check_known(self, names: Iterable[str]) -> frozenset[str]:
        """Return the declared names of grants. Raises UnknownPermission for the first undeclared one."""
        return frozenset([self.canonical(name) for name in names])

    def expand(self, granted: Iterable[str]) -> frozenset[str]:
        """Return these grants and all they imply. Names that are not declared are kept; they have no effect.

        The same grants give the same object, so that many keys with the same grants share its memory.
        """
        wanted = frozenset(granted)
        known = self._expanded.get(wanted)
        if known is not None:
            return known
        effective: set[str] = set()
        for name in wanted:
            effective.update(self._closures.get(name) or self._closure(name) or (name,))
        if len(self._expanded) >= _MOST_EXPANDED:
            self._expanded.clear()
        return self._expanded.setdefault(wanted, frozenset(effective))

    def covers(self, holder: Key, wanted: Iterable[str]) -> bool:
        """Return whether a key has all these grants, so that it may give them to another key."""
        return holder.kind == "secret" or not lacking(holder.effective, self.expand(wanted))

    def label(self, name: str) -> str:
        """Return the name of a grant for people: ``Customers Write``, ``Projects 42 Write``. Raises UnknownPermission.

        A grant for every parameter is ``All Projects Write``.
        """
        bare = self.canonical(name)
        row, level = self._declared[_general(bare)]
        if not row.parameter:
            return f"{row.label} {level.capitalize()}"
        parameter = _parameter(bare)
        which = f"All {row.label}" if parameter == "*" else f"{row.label} {parameter}"
        return f"{which} {level.capitalize()}"

    def row(self, name: str) -> Permission:
        """Return the declaration of a grant. Raises UnknownPermission."""
        return self._declared[_general(self.canonical(name))][0]


def lacking(held: frozenset[str], wanted: Iterable[str]) -> list[str]:
    """Return which of the wanted grants are missing in those of a key, sorted. Both include all they imply."""
    return sorted(grant for grant in wanted if not holds(held, grant))


def _general(grant: str) -> str:
    """Return ``project:*:write`` for ``project:42:write``; a grant without parameter as it is."""
    parts = grant.split(":")
    return f"{parts[0]}:*:{parts[2]}" if len(parts) == 3 else grant


def _with_parameter(grant: str, parameter: str) -> str:
    """Return ``file:42:read`` for ``file:*:read`` and ``42``; a grant without parameter as it is."""
    return grant.replace(":*:", f":{parameter}:")


def _parameter(grant: str) -> str:
    """Return ``42`` for ``project:42:write``; an empty text for a grant without parameter."""
    parts = grant.split(":")
    return parts[1] if len(parts) == 3 else ""
