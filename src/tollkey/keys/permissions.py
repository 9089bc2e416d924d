"""Permissions of restricted keys, and the catalogue of all declared permissions.

Resources declare permissions; the code that creates the server or a ``KeyService`` passes the declarations in, there is
no global registry. Names are stored with keys, so a released name is never removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tollkey.keys.errors import UnknownPermission
from tollkey.keys.key import Key

LEVELS = ("read", "write")

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
    """

    name: str
    label: str
    group: str = "Core"
    levels: tuple[str, ...] = LEVELS

    def grants(self) -> tuple[str, ...]:
        """Return the names of its grants: ``customer_read``, ``customer_write``."""
        return tuple(f"{self.name}_{level}" for level in self.levels)


class PermissionCatalogue:
    """All declared permissions and the rules between them.

    permissions: the declarations. implied: name of a permission to the grants it implies.
    aliases: groups of alternative names of one permission.
    Raises ValueError if a name is declared twice with different content.
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
        self.rows = tuple(rows.values())
        self._labels = {
            f"{row.name}_{level}": f"{row.label} {level.capitalize()}" for row in self.rows for level in row.levels
        }
        self.names = frozenset(self._labels)
        self._spellings = {spelling: group for group in aliases for spelling in group}
        self._closures = self._compute_closures(implied)

    def _compute_closures(self, implied: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
        """Return for each grant all grants it implies, including itself."""
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
        """Return the declared name of a grant: without the prefix ``rak_``, aliases resolved. Raises
        UnknownPermission.
        """
        bare = name.removeprefix("rak_")
        if bare in self.names:
            return bare
        row, _, level = bare.rpartition("_")
        for spelling in self._spellings.get(row, ()):
            if f"{spelling}_{level}" in self.names:
                return f"{spelling}_{level}"
        raise UnknownPermission(name)

    def check_known(self, names: Iterable[str]) -> frozenset[str]:
        """Return the declared names of grants. Raises UnknownPermission for the first undeclared one."""
        return frozenset([self.canonical(name) for name in names])

    def expand(self, granted: Iterable[str]) -> frozenset[str]:
        """Return these grants and all they imply. Names that are not declared are kept; they have no effect."""
        effective: set[str] = set()
        for name in granted:
            effective.update(self._closures.get(name, (name,)))
        return frozenset(effective)

    def covers(self, holder: Key, wanted: Iterable[str]) -> bool:
        """Return whether a key has all these grants, so that it may give them to another key."""
        return holder.kind == "secret" or self.expand(wanted) <= holder.effective

    def label(self, name: str) -> str:
        """Return the name of a grant for people, for example ``Customers Write``. Raises UnknownPermission."""
        return self._labels[self.canonical(name)]

    def row(self, name: str) -> Permission:
        """Return the declaration of a grant. Raises UnknownPermission."""
        bare = self.canonical(name)
        return next(row for row in self.rows if bare in row.grants())
