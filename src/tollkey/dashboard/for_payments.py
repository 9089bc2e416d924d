"""The Dashboard of the payments API."""

from __future__ import annotations

from collections.abc import Iterable

from tollkey.dashboard import caps, matrix
from tollkey.dashboard.people import Membership
from tollkey.dashboard.product import Product
from tollkey.db import Scope, Tx
from tollkey.keys import Key
from tollkey.payments.processors import backends
from tollkey.platform import request_logs
from tollkey.platform.merchants import merchants
from tollkey.platform.request_logs import RequestLog
from tollkey.upstream import FURTHER, states
from tollkey.wire.call import Setup
from tollkey.wire.guesses import GuessLimiter

_REQUESTS = 20  # on the page of a key


class ForPayments(Product):
    """The Dashboard of the payments API: each account has a team of its own. setup: of the API."""

    pages = "payments"
    templates = matrix.TEMPLATES
    further = frozenset(one.name for one in FURTHER.values())

    def __init__(self, setup: Setup) -> None:
        self.setup: Setup = setup
        self.ids, self.attempts, self.base_url = setup.ids, setup.services.attempts, setup.base_url

    @property
    def guess_limiter(self) -> GuessLimiter | None:
        """See ``Product``."""
        return self.setup.services.guess_limiter

    def memberships(self, tx: Tx, person: str, account: str) -> list[Membership]:
        """See ``Product``. Oldest account first."""
        rows = tx.execute(
            "SELECT m.account, a.name, m.role FROM dash_memberships m JOIN merchants a ON a.id = m.account"
            " WHERE m.person = ? ORDER BY a.seq",
            (person,),
        )
        return [Membership(*row) for row in rows]

    def account_name(self, tx: Tx, team: str) -> str:
        """See ``Product``."""
        return str(tx.execute("SELECT name FROM merchants WHERE id = ?", (team,))[0][0])

    def teams(self, tx: Tx) -> Iterable[str]:
        """See ``Product``."""
        return [merchant.id for merchant in merchants(tx)]

    def first_page(self, team: str) -> str:
        """See ``Product``."""
        return f"/{team}/test/apikeys"

    def mode_note(self, tx: Tx, scope: Scope) -> str:
        """See ``Product``."""
        if states.is_connected(tx, scope):
            return "calls go to the upstream account"
        backend = backends.of(tx, scope)
        if backend is not None:
            return f"payments go through the processor {backend.provider}"
        return "charges require a payment provider" if scope.livemode else "no real money moves"

    def has_connected(self, tx: Tx, scope: Scope) -> bool:
        """See ``Product``."""
        return self.setup.tables.of["account"].count(tx, scope) > 1

    def requests_of(self, tx: Tx, scope: Scope, key: str) -> list[RequestLog] | None:
        """See ``Product``."""
        return request_logs.find(tx, scope, key_id=key, limit=_REQUESTS)

    def caps_of(self, key: Key) -> list[tuple[str, str]]:
        """See ``Product``."""
        return caps.in_words(key)
