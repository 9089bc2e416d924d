"""The Dashboard of a library's keys: one team for all accounts of its database."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from tollkey.dashboard import activity, roles
from tollkey.dashboard.people import Membership
from tollkey.dashboard.product import Product
from tollkey.dashboard.roles import Action, Role
from tollkey.dashboard.schema import MIGRATION
from tollkey.db import Ids, Tx, migrate
from tollkey.keys import KeyService
from tollkey.keys.key import SERVICE_ACCOUNT
from tollkey.keys.rules import is_account_name
from tollkey.wire.guesses import GuessLimiter

#: The team that everybody who signs in belongs to.
TEAM = "keys"
_FIRST_ACCOUNT = "main"  # as in ``KeyService``, where no account is named
_OLDEST = 20  # keys that are looked at for the first account
_PLAIN = re.compile(r"[A-Za-z0-9_.-]")
_SEGMENT = re.compile(r"acct_((?:[A-Za-z0-9_.-]|~[0-9a-f]{2})+)")
_GROUPS = frozenset({"API keys", "Usage", "Account"})
_ABOUT = {
    roles.OWNER: "Full access. One person, who can transfer ownership.",
    roles.ADMINISTRATOR: "Full access, except transferring ownership.",
    roles.DEVELOPER: "API keys, usage and plans of all accounts, the audit log. Cannot change plans or the team.",
    roles.ANALYST: "Usage and plans of all accounts. No API keys.",
}


class ForKeys(Product):
    """The Dashboard of a library's keys.

    keys: the service whose database it shows. ids: makes ids and tokens. base_url: the server's URL.
    guess_limiter: limits guessing of one-time links. Call ``prepare`` once before the first request.
    """

    pages = "keys"
    starts_live = True
    start = "/accounts"
    reach = "all accounts"
    roles = tuple(Role(role.name, role.label, _ABOUT[role.name]) for role in roles.ROLES if role.name in _ABOUT)

    def __init__(self, keys: KeyService, ids: Ids, base_url: str, guess_limiter: GuessLimiter | None = None) -> None:
        self.keys, self.ids, self.attempts, self.base_url = keys, ids, keys.attempts, base_url
        self._guess_limiter = guess_limiter

    @property
    def guess_limiter(self) -> GuessLimiter | None:
        """See ``Product``."""
        return self._guess_limiter

    def prepare(self, now: int) -> None:
        """Create the Dashboard's tables in the database, unless they are there. now: UTC epoch seconds.

        Raises StorageError.
        """
        migrate(self.keys.database, [MIGRATION])
        keyring = self.keys.authority.keyring
        self.keys.database.write(partial(activity.protect_log, keyring=keyring, now=now), lock="migrate")

    # -- accounts

    def memberships(self, tx: Tx, person: str, account: str) -> list[Membership]:
        """See ``Product``. A member may open every account, also one that has no key yet."""
        rows = tx.execute("SELECT role FROM dash_memberships WHERE account = ? AND person = ?", (TEAM, person))
        if not rows:
            return []
        name = account or _first_account(tx)
        return [Membership(name, name, rows[0][0])]

    def account_name(self, tx: Tx, team: str) -> str:
        """See ``Product``."""
        return self.keys.config.name

    def teams(self, tx: Tx) -> Iterable[str]:
        """See ``Product``."""
        return (TEAM,)

    def team_of(self, account: str) -> str:
        """See ``Product``."""
        return TEAM

    def segment(self, account: str) -> str:
        """See ``Product``. Characters that are not plain in a URL are written as ``~`` and hexadecimal bytes."""
        written = (
            char if _PLAIN.fullmatch(char) else "".join(f"~{byte:02x}" for byte in char.encode("utf-8", "replace"))
            for char in account
        )
        return f"acct_{''.join(written)}"

    def account_in(self, segment: str) -> str:
        """See ``Product``."""
        found = _SEGMENT.fullmatch(segment)
        if found is None:
            return ""
        plain = re.sub(rb"~([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), found[1].encode())
        account = plain.decode("utf-8", "replace")
        return account if is_account(account) and self.segment(account) == segment else ""

    def first_page(self, team: str) -> str:
        """See ``Product``."""
        return "/"

    # -- words and parts of pages

    def section(self, declared: str) -> str:
        """See ``Product``. Pages about an account stand beside the list of accounts."""
        return "Administration" if declared == "Account" else ""

    def mode_label(self, livemode: bool) -> str:
        """See ``Product``. The name of the environment in the configuration."""
        return self.keys.config.environment(livemode).capitalize()

    def shows(self, action: Action) -> bool:
        """See ``Product``."""
        return action.group in _GROUPS and not action.name.startswith("business.")


def service_of(product: Product) -> KeyService:
    """The key service that a page of a library's Dashboard is about."""
    assert isinstance(product, ForKeys), "only pages in pages/keys ask for it"
    return product.keys


def is_account(name: str) -> bool:
    """Whether a text can be the name of an account in the Dashboard; service keys have an account of their own."""
    return is_account_name(name) and name != SERVICE_ACCOUNT


def accounts_from(tx: Tx, after: str, limit: int) -> list[str]:
    """The names of accounts that have keys, in order. after: only names behind it. limit: at most so many.

    It takes one look-up in an index for each account, however many keys they have.
    """
    rows = tx.execute(
        "WITH RECURSIVE found (account) AS ("
        "SELECT min(account) FROM api_keys WHERE account > ?"
        " UNION ALL"
        " SELECT (SELECT min(k.account) FROM api_keys k WHERE k.account > found.account)"
        " FROM found WHERE found.account IS NOT NULL"
        ") SELECT account FROM found WHERE account IS NOT NULL LIMIT ?",
        (after, limit + 1),
    )
    return [row[0] for row in rows if row[0] != SERVICE_ACCOUNT][:limit]


def _first_account(tx: Tx) -> str:
    """The account of the oldest key; one whose name cannot stand in a URL is left out, as it cannot be opened."""
    rows = tx.execute(
        "SELECT account FROM api_keys WHERE account <> ? ORDER BY seq LIMIT ?", (SERVICE_ACCOUNT, _OLDEST)
    )
    return next((row[0] for row in rows if is_account(row[0])), _FIRST_ACCOUNT)
