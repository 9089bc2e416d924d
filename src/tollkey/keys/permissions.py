"""Permissions: declared by the resources that they protect, gathered here as a value.

Nothing registers itself. Who builds the server (or a host its ``KeyService``) passes the
declarations in. Names are stored with keys, so they only ever grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tollkey.keys.errors import UnknownPermission
from tollkey.keys.key import Key

LEVELS = ("read", "write")

# What a permission brings along, whichever its level (reference section 2.3).
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

# Spellings seen for one and the same permission (reference sections 2.2 and 2.3).
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
    """One row of the permission editor, declared in the file of what it protects.

    name: of the row, for example ``customer``; grants are ``customer_read`` and ``customer_write``.
    label: the human name, for example ``Customers``. group: the heading it stands under.
    levels: what can be granted; ``write`` brings ``read`` along where both exist.
    """

    name: str
    label: str
    group: str = "Core"
    levels: tuple[str, ...] = LEVELS

    def grants(self) -> tuple[str, ...]:
        """The names that can be granted: ``customer_read``, ``customer_write``."""
        return tuple(f"{self.name}_{level}" for level in self.levels)


class Catalogue:
    """All permissions there are, and the rules between them.

    permissions: what the resources declare; the same row declared twice must read the same.
    implied: row name to the grants that it brings along. aliases: groups of spellings of one row.
    Raises ValueError for contradicting declarations.
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
                raise ValueError(f"permission {permission.name} is declared twice, differently")
        self.rows = tuple(rows.values())
        self._labels = {
            f"{row.name}_{level}": f"{row.label} {level.capitalize()}" for row in self.rows for level in row.levels
        }
        self.names = frozenset(self._labels)
        self._spellings = {spelling: group for group in aliases for spelling in group}
        self._brings = self._closure(implied)

    def _closure(self, implied: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
        """For each grant, everything that it amounts to, itself included."""
        brings: dict[str, frozenset[str]] = {}
        for name in self.names:
            reached: set[str] = set()
            waiting = [name]
            while waiting:
                grant = waiting.pop()
                if grant in reached or grant not in self.names:
                    continue
                reached.add(grant)
                row, _, level = grant.rpartition("_")
                if level == "write":
                    waiting.append(f"{row}_read")
                waiting.extend(implied.get(row, ()))
            brings[name] = frozenset(reached)
        return brings

    def canonical(self, name: str) -> str:
        """The declared name behind a spelling: without ``rak_``, aliases resolved. Raises UnknownPermission."""
        bare = name.removeprefix("rak_")
        if bare in self.names:
            return bare
        row, _, level = bare.rpartition("_")
        for spelling in self._spellings.get(row, ()):
            if f"{spelling}_{level}" in self.names:
                return f"{spelling}_{level}"
        raise UnknownPermission(name)

    def check_known(self, names: Iterable[str]) -> frozenset[str]:
        """The declared names behind ``names``. Raises UnknownPermission for the first that nobody declares."""
        return frozenset([self.canonical(name) for name in names])

    def expand(self, granted: Iterable[str]) -> frozenset[str]:
        """What these grants amount to: write brings read, and some rows bring others along.

        Names that are no longer declared are kept as they are: they open nothing.
        """
        effective: set[str] = set()
        for name in granted:
            effective.update(self._brings.get(name, (name,)))
        return frozenset(effective)

    def covers(self, holder: Key, wanted: Iterable[str]) -> bool:
        """Whether ``holder`` has everything in ``wanted``: a key can never grant more than it has."""
        return holder.kind == "secret" or self.expand(wanted) <= holder.effective

    def label(self, name: str) -> str:
        """The human name of a grant, for example ``Customers Write``. Raises UnknownPermission."""
        return self._labels[self.canonical(name)]

    def row(self, name: str) -> Permission:
        """The declaration behind a grant. Raises UnknownPermission."""
        bare = self.canonical(name)
        return next(row for row in self.rows if bare in row.grants())


PermissionSet = Catalogue
