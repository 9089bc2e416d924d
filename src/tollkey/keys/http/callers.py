"""Authenticates the callers of the HTTP interface: service keys, which belong to a reserved account.

Service keys have permissions of a catalogue of their own, so the names of a host's permissions never grant anything
here, and a key of a customer is never a service key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from tollkey.db import Scope, Tx
from tollkey.keys.actors import SYSTEM
from tollkey.keys.authority import Authority
from tollkey.keys.brake import Brake
from tollkey.keys.header import Presented, decode_key, read_authorization
from tollkey.keys.http.errors import REQUEST, ApiError
from tollkey.keys.key import SERVICE_ACCOUNT, Denied, Key, Reason
from tollkey.keys.limits import ip_allowed, networks_of
from tollkey.keys.permissions import Permission, PermissionCatalogue
from tollkey.keys.refusal import Forbidden, rfc6750
from tollkey.keys.service import KeyService
from tollkey.keys.verifier import Verifier

SERVICE_SCOPE = Scope(SERVICE_ACCOUNT, True)
SERVICE_PERMISSIONS = (
    Permission("key_verify", "Verify keys", "Service", ("write",)),
    Permission("key", "Keys", "Service"),
    Permission("usage", "Usage", "Service", ("read",)),
    Permission("portal", "Portal sessions", "Service", ("write",)),
    Permission("import", "Import of keys", "Service", ("write",)),
)
#: A key that may change keys may read them; one that may read them may verify them.
_IMPLIED = {"key": ("key_verify_write",)}
_CODES = {
    Reason.missing: "no_api_key",
    Reason.unusable_header: "no_api_key",
    Reason.rate_limited: "rate_limited",
    Reason.unavailable: "unavailable",
}


class Callers:
    """Verifies service keys.

    keys: the service whose database they are stored in. brake: slows down guesses. clock: returns UTC epoch seconds.
    """

    def __init__(self, keys: KeyService, brake: Brake, clock: Callable[[], float]) -> None:
        keyring, brand = keys.authority.keyring, keys.authority.brand
        catalogue = PermissionCatalogue(SERVICE_PERMISSIONS, _IMPLIED, ())
        verifier = Verifier(keyring, catalogue, keys.verifier.lease, brand=brand)
        #: Their own authority and verifier on the same database. Its uses are written by ``flush``.
        self.keys = KeyService(
            keys.database,
            Authority(keyring, catalogue, brand=brand, for_services=True),
            verifier,
            clock=clock,
            flush_seconds=0,
            attempts=keys.attempts,
        )
        self.brake, self._clock = brake, clock

    async def verify(self, presented: Presented, ip: str | None, endpoint: str) -> Key:
        """Return the service key that was presented.

        ip: the caller's address. endpoint: stored as the key's last use.
        Raises ApiError: 401, 429 after too many guesses, 503 if it cannot be known.
        """
        text = presented.text
        answer = self.keys.verify_cached(text, ip, endpoint, SERVICE_ACCOUNT)
        if answer is None:
            if self.brake.blocked(ip):
                raise refused(Denied(Reason.rate_limited))
            answer = await run_in_threadpool(self.keys.verify, text, ip=ip, endpoint=endpoint, account=SERVICE_ACCOUNT)
        if not answer:
            if isinstance(answer, Denied) and answer.reason is not Reason.unavailable:
                self.brake.count(ip)
            raise refused(answer if isinstance(answer, Denied) else Denied(Reason.unknown))
        assert isinstance(answer, Key)
        if not answer.livemode or answer.kind == "publishable":
            raise refused(Denied(Reason.unknown, answer.masked))
        return answer

    async def still(self, text: str, permission: str, ip: str | None) -> bool:
        """Return whether a key still has a permission, without counting a use, also while that cannot be known."""
        now = int(self._clock())
        readable = decode_key(text)
        if isinstance(readable, Denied):
            return False
        answer = self.keys.verifier.verify_cached(readable, now, ip)
        if answer is None:
            verify = self.keys.verifier.read
            answer = await run_in_threadpool(verify, self.keys.database, readable, now, ip)
        if isinstance(answer, Denied):
            return answer.reason is Reason.unavailable  # the stream itself is silent then
        return answer.account == SERVICE_ACCOUNT and answer.allows(permission)

    async def check_again(self, text: str, permission: str, ip: str | None) -> None:
        """Raise ApiError 401 if a key that was verified has ended or lost a permission since. Counts no use."""
        if not await self.still(text, permission, ip):
            raise refused(Denied(Reason.revoked))

    def current(self, tx: Tx, caller: Key, permission: str, ip: str | None) -> Key:
        """Return a caller as it is in this transaction, which acts for it.

        Raises ApiError: 401 if the key has ended, is paused or is shut out from its address, 403 if it lacks the
        permission.
        """
        key = self.keys.authority.get(tx, caller.scope, caller.id)
        # the use of this request may have been its last one
        if key is None or replace(key, uses_left=None).status(int(self._clock())) != "active":
            raise refused(Denied(Reason.revoked, caller.masked))
        if not ip_allowed(networks_of(key.ip_allowlist), ip):
            raise refused(Denied(Reason.ip_not_allowed, caller.masked))
        require(key, permission)
        return key

    def has_admin_key(self) -> bool:
        """Return whether there is an active key that may do everything. Raises StorageError."""
        now, authority = int(self._clock()), self.keys.authority
        return self.keys.database.read(
            lambda tx: bool(authority.list(tx, SERVICE_SCOPE, active_at=now, kind="secret", limit=1))
        )

    def first_admin_key(self) -> str | None:
        """Create the first key that may do everything, and return its text; None if there is an active one.

        Raises StorageError.
        """
        now = int(self._clock())

        def create(tx: Tx) -> str | None:
            authority = self.keys.authority
            if authority.list(tx, SERVICE_SCOPE, active_at=now, kind="secret", limit=1):
                return None
            return authority.create(tx, SERVICE_SCOPE, "secret", actor=SYSTEM, now=now, name="Admin")[1]

        return self.keys.database.write(create, lock="service_admin_key")


def presented_in(header: str | None) -> Presented:
    """Return what the value of an Authorization header presents as a service key. Raises ApiError 401 for nothing."""
    presented = read_authorization(header)
    if isinstance(presented, Denied):
        raise refused(presented)
    return presented


def require(caller: Key, permission: str) -> None:
    """Raise ApiError 403 if a service key lacks a permission."""
    if not caller.allows(permission):
        raise refused(Forbidden(permission, caller))


def refused(problem: Denied | Forbidden) -> ApiError:
    """Return the error for a caller that is refused, with the challenge of RFC 6750 section 3."""
    status, headers, _ = rfc6750(problem)
    kept = tuple((n.encode(), v.encode("latin-1")) for n, v in headers if n in ("www-authenticate", "retry-after"))
    if isinstance(problem, Forbidden):
        message = f"The service key lacks the permission {problem.permission}."
        return ApiError(403, "insufficient_scope", message, headers=kept)
    code = _CODES.get(problem.reason, "invalid_token")
    messages = {
        "no_api_key": "No service key was sent. Send it as 'Authorization: Bearer YOUR_SERVICE_KEY'.",
        "rate_limited": "Too many invalid service keys were sent from this address. Try again later.",
        "unavailable": "Service keys cannot be checked at the moment.",
        "invalid_token": "The service key is not valid.",
    }
    return ApiError(status, code, messages[code], type=REQUEST if status < 500 else "api_error", headers=kept)
