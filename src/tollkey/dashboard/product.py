"""What a Dashboard is for: the payments API (``for_payments.py``), or the keys of a library (``for_keys.py``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tollkey.dashboard.people import Membership
from tollkey.dashboard.roles import ROLES, Action, Role
from tollkey.db import Ids, Scope, Tx
from tollkey.keys import Key
from tollkey.keys.attempts import Attempts

if TYPE_CHECKING:
    from tollkey.dashboard.matrix import Template
    from tollkey.platform.request_logs import RequestLog
    from tollkey.wire.call import Setup
    from tollkey.wire.guesses import GuessLimiter


class Product(ABC):
    """What a Dashboard is for.

    pages: the folder below ``dashboard/pages`` whose pages it has besides those that every Dashboard has.
    setup: of the payments API; None without it. ids: makes ids and tokens. attempts: counts refused sign-ins.
    base_url: the server's URL, for examples. roles: the roles of its members. templates: presets of permissions.
    start: the page that people see first. starts_live: the mode of pages whose URL names no account.
    reach: what the members of a team have access to, for sentences.
    further: names of permissions for what is passed on to an upstream account only.
    """

    pages: str
    setup: Setup | None = None
    ids: Ids
    attempts: Attempts
    base_url: str
    roles: tuple[Role, ...] = ROLES
    templates: tuple[Template, ...] = ()
    start: str = "/apikeys"
    starts_live: bool = False
    reach: str = "this account"
    further: frozenset[str] = frozenset()

    @property
    @abstractmethod
    def guess_limiter(self) -> GuessLimiter | None:
        """Limits guessing of one-time links; None when disabled."""

    # -- accounts

    @abstractmethod
    def memberships(self, tx: Tx, person: str, account: str) -> list[Membership]:
        """The accounts to offer to a signed-in person; the first is the one for URLs that name none.

        account: the account of the URL, "" when it names none; it is among them if the person is a member.
        """

    @abstractmethod
    def account_name(self, tx: Tx, team: str) -> str:
        """The name of what an invitation to a team is for."""

    @abstractmethod
    def teams(self, tx: Tx) -> Iterable[str]:
        """Every team. The first owner becomes the owner of all of them."""

    def team_of(self, account: str) -> str:
        """The team that works on an account: people belong to teams."""
        return account

    def segment(self, account: str) -> str:
        """The first segment of the URL path of an account's pages; it begins with ``acct_``."""
        return account

    def account_in(self, segment: str) -> str:
        """The account of a URL path's first segment; "" for one that names no account."""
        return segment

    @abstractmethod
    def first_page(self, team: str) -> str:
        """The URL path that a new member of a team is led to."""

    # -- words and parts of pages

    def section(self, declared: str) -> str:
        """The heading in the sidebar for pages that declare a section (``Nav``)."""
        return declared

    def mode_label(self, livemode: bool) -> str:
        """The name of a mode."""
        return "Live" if livemode else "Test"

    def mode_note(self, tx: Tx, scope: Scope) -> str:
        """What people should know of an account's mode on every page, beside its name."""
        return ""

    def shows(self, action: Action) -> bool:
        """Whether the page about roles lists an action."""
        return action.group != "Usage"

    def has_connected(self, tx: Tx, scope: Scope) -> bool:
        """Whether the permission editor offers permissions on connected accounts by itself."""
        return False

    def requests_of(self, tx: Tx, scope: Scope, key: str) -> list[RequestLog] | None:
        """The latest logged requests of a key; None where requests are not logged."""
        return None

    def caps_of(self, key: Key) -> list[tuple[str, str]]:
        """What a key may move at most: label and value of each cap."""
        return []
