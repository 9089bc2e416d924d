"""Verifies keys and checks requests: the methods of ``KeyService`` that run for each request of a host."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tollkey.db import Database, Scope, forking
from tollkey.keys.attempts import Attempts
from tollkey.keys.authority import Authority
from tollkey.keys.config import Config
from tollkey.keys.demands import Demand, demand_of
from tollkey.keys.flushing import Flusher
from tollkey.keys.header import decode_key
from tollkey.keys.key import Checked, Denied, Key, LimitState, Reason
from tollkey.keys.lease_renewal import LeaseRenewer
from tollkey.keys.limits import Limits
from tollkey.keys.once import first_use, take_once, take_once_at_once
from tollkey.keys.results import in_this_request, limited, of_other_account, refused, take_use
from tollkey.keys.short_check import ShortCheck
from tollkey.keys.threads import in_thread
from tollkey.keys.token import mask_unknown
from tollkey.keys.usage import ACCEPTED
from tollkey.keys.verifier import Verifier


class KeyChecking:
    """Verifies keys and checks requests. A base class of ``KeyService``."""

    database: Database
    authority: Authority
    verifier: Verifier
    attempts: Attempts
    config: Config
    _clock: Callable[[], float]
    _limits: Limits | None
    _flusher: Flusher
    _lease_renewer: LeaseRenewer

    # -- verifying

    def verify(
        self,
        text: str | bytes | None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        account: str | None = None,
    ) -> Key | Denied:
        """Verify an API key.

        text: the key as the caller sent it. None or empty is refused as ``missing``; bytes are decoded as Latin-1.
        ip: the caller's address; a key with an allow-list is refused without it.
        endpoint: what the key is used for, stored as its last use.
        account: accept only keys of this account; all others are refused as ``unknown``.
        Returns the ``Key``, whose truth value is True, or ``Denied``, whose truth value is False. It never raises for
        anything a caller can send. It uses the cache, or reads the database.
        """
        answer = self._look_up(text, ip, account)
        used_up = take_use(self.database, answer) if isinstance(answer, Key) else None
        return self._record(answer if used_up is None else used_up, ip, endpoint)

    def verify_cached(
        self, text: str | bytes | None, ip: str | None = None, endpoint: str | None = None, account: str | None = None
    ) -> Key | Denied | None:
        """Verify from the cache, without blocking; None if the database must be read: call ``verify`` then."""
        answer = self._look_up_cached(text, ip, account)
        return None if answer is None else self._record(answer, ip, endpoint)

    def _look_up(self, text: str | bytes | None, ip: str | None, account: str | Scope | None) -> Key | Denied:
        """Verify a key, from the cache or the database, without counting it."""
        forking.detect_fork()
        readable, now = decode_key(text), int(self._clock())
        if isinstance(readable, Denied):
            return readable
        self._lease_renewer.keep_fresh()
        answer = self.verifier.verify_cached(readable, now, ip)
        # Keys of other accounts are read from the database even if cached: they take as long as unknown ones.
        if answer is None or of_other_account(answer, account):
            answer = in_this_request(self.verifier.read(self.database, readable, now, ip), now)
        if of_other_account(answer, account):
            return Denied(Reason.unknown, mask_unknown(readable))
        return answer

    def _look_up_cached(
        self, text: str | bytes | None, ip: str | None, account: str | Scope | None
    ) -> Key | Denied | None:
        """Verify a key from the cache without counting it; None if the database must be read."""
        forking.detect_fork()
        readable, now = decode_key(text), int(self._clock())
        if isinstance(readable, Denied):
            return readable
        answer = self.verifier.verify_cached(readable, now, ip)
        return None if answer is not None and of_other_account(answer, account) else answer

    def _record(
        self,
        answer: Key | Denied,
        ip: str | None,
        endpoint: str | None,
        route: str | None = None,
        outcome: str = ACCEPTED,
        cost: int = 1,
        needed: str | None = None,
    ) -> Key | Denied:
        """Count an answer. outcome: for a key, ``accepted`` or why the request is refused nevertheless."""
        now = int(self._clock())
        if isinstance(answer, Denied):
            self.attempts.count_denied(answer, ip, now)
            if answer.key is not None:
                self.verifier.usage.count(answer.key, now, route, answer.reason.value, cost, needed)
        elif first_use(answer.id):
            self.verifier.record_use(
                answer, now, ip, endpoint, route=route, outcome=outcome, cost=cost, permission=needed
            )
        self._flusher.start()
        return answer

    def count_reported(
        self, key: Key, requests: int, at: int, *, ip: str | None, route: str | None, cost: int, permission: str | None
    ) -> None:
        """Count requests that another process accepted from its memory, by route and day, and note their address.

        The key's last use is not changed. at: of the last one, UTC epoch seconds. cost: of all of them together.
        """
        self.verifier.usage.count(key, at, route, ACCEPTED, cost, permission, requests=requests)
        if ip is not None:
            self.verifier.addresses.note(key.id, ip, at)
        self._flusher.start()

    # -- checking: key, permission and limits

    def check(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | Scope | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Verify an API key, then its permission, then its limits.

        text, ip, endpoint, account: see ``verify``; with a ``Scope``, a key of its other mode is unknown too.
        permission: the grant that the request needs, for example ``report_read`` or ``project:42:write``; None for that
            of the declared route.
        route: method and path, ``GET /reports/1``, which are compared with the declared routes; or a name for limits of
            routes. With declared routes, a request that matches none is refused as ``forbidden``.
        cost: how much the request takes from the limits; None for that of the route, or 1. 0 only looks at them.
        publishable: whether a publishable key will do. It is public; a declared route must allow it too.
        Returns ``Checked``, whose truth value is whether the request is accepted. In one request (see a gate) a key
        pays the highest cost once. Raises UnknownPermission if nothing declares the permission, ValueError for a
        negative cost.
        """
        demand = demand_of(self.config, self.authority.catalogue, permission, route, cost, publishable)
        checked = self._authorize(self._look_up(text, ip, account), demand)
        if isinstance(checked, Key):
            checked = limited(checked, self._take(checked, demand))
        return self._recorded(checked, ip, endpoint, demand)

    async def acheck(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | Scope | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Do what ``check`` does without blocking the event loop: from the cache, or else in a thread.

        It runs under asyncio and trio. Arguments, result and errors are those of ``check``.
        """
        checked = self.check_at_once(
            text, permission, ip=ip, endpoint=endpoint, route=route, cost=cost, account=account, publishable=publishable
        )
        if checked is not None:
            return checked
        check = partial(self.check, text, permission, ip=ip, endpoint=endpoint, route=route, cost=cost, account=account)
        return await in_thread(partial(check, publishable=publishable))

    def check_at_once(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | Scope | None = None,
        publishable: bool = True,
    ) -> Checked | None:
        """Do what ``check`` does from the cache, without blocking; None if that cannot be, and nothing is counted.

        Arguments and errors are those of ``check``.
        """
        demand = demand_of(self.config, self.authority.catalogue, permission, route, cost, publishable)
        answer = self._look_up_cached(text, ip, account)
        if answer is None:
            return None
        checked = self._authorize(answer, demand)
        if isinstance(checked, Key):
            taken = self._take_at_once(checked, demand)
            if taken is None:
                return None
            checked = limited(checked, taken)
        return self._recorded(checked, ip, endpoint, demand)

    def short_check(self, permission: str | None, cost: int, prefix: bytes) -> ShortCheck | None:
        """Return the check of the usual request to a route; None where limits or declared routes decide too.

        permission, cost, prefix: see ``ShortCheck``.
        """
        if self._limits is not None or self.config.routes:
            return None
        return ShortCheck(self.verifier, permission, cost, prefix, self._clock, self._flusher.start)

    def _authorize(self, answer: Key | Denied, demand: Demand) -> Key | Checked:
        """Return the key if it may do what a request demands, or why the request is refused."""
        if isinstance(answer, Denied):
            return refused(answer)
        if not demand.declared or (answer.kind == "publishable" and not demand.publishable):
            return Checked(None, Reason.forbidden, masked=answer.masked, known=answer)
        if demand.permission is not None and not answer.allows(demand.permission):
            return Checked(None, Reason.forbidden, demand.permission, masked=answer.masked, known=answer)
        return answer

    def _take(self, key: Key, demand: Demand) -> tuple[LimitState, ...] | Denied:
        """Take what a request costs from the limits, and from the uses of a key that counts them. It may block."""
        limits, now = self._limits, self._clock()
        taken = () if limits is None else take_once(limits, key, demand.route, demand.cost, now)
        if isinstance(taken, Denied):
            return taken
        used_up = take_use(self.database, key) if demand.cost else None
        return taken if used_up is None else used_up

    def _take_at_once(self, key: Key, demand: Demand) -> tuple[LimitState, ...] | Denied | None:
        """Do what ``_take`` does without blocking; None if that is needed."""
        if key.max_uses is not None:
            return None
        if self._limits is None:
            return ()
        return take_once_at_once(self._limits, key, demand.route, demand.cost, self._clock())

    def _recorded(self, checked: Checked, ip: str | None, endpoint: str | None, demand: Demand) -> Checked:
        """Count a result and return it. A key without the permission was used, and has a last use."""
        key = checked.key
        if key is not None:
            if first_use(key.id):
                now, cost, needed = int(self._clock()), demand.cost, demand.permission
                self.verifier.record_use(key, now, ip, endpoint, route=demand.name, cost=cost, permission=needed)
            self._flusher.start()
        elif checked.reason is Reason.forbidden and checked.known is not None:
            self._record(checked.known, ip, endpoint, demand.name, Reason.forbidden.value, 0, demand.permission)
        elif checked.reason is not None:
            refused = Denied(checked.reason, checked.masked, checked.known)
            self._record(refused, ip, endpoint, demand.name, cost=0, needed=demand.permission)
        return checked
