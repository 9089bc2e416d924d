"""Listing and changing keys from elsewhere with ``await``; the methods are those of ``RemoteManagement``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, overload

from tollkey.keys import times
from tollkey.keys.changing import Made, Rolled
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.lookup import KeyPage
from tollkey.keys.remote import calls
from tollkey.keys.remote.fields import Fields, Json
from tollkey.keys.remote.requests import Request
from tollkey.keys.token import Kind


class AsyncRemoteManagement(ABC):
    """The methods of ``KeyService`` that list and change keys; see ``RemoteManagement`` for their errors."""

    _clock: Callable[[], float]

    @abstractmethod
    async def _send(self, request: Request) -> Fields:
        """Send a request and return the object in its answer."""

    @abstractmethod
    def _new_name(self) -> str:
        """Return a new random name for a change."""

    async def _change(self, path: str, body: Mapping[str, Json]) -> Fields:
        return await self._send(calls.change(path, body, self._new_name()))

    async def create(
        self,
        name: str = "",
        *,
        permissions: Iterable[str] = (),
        kind: Kind = "restricted",
        account: str = "main",
        livemode: bool = True,
        environment: str | None = None,
        note: str = "",
        ip_allowlist: Iterable[str] = (),
        expires_at: int | datetime | None = None,
        expires_in: int | timedelta | None = None,
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> Made:
        """Create a key and return it with its text; see ``KeyService.create`` for the arguments.

        environment: its name, where the server has other names than ``test`` and ``live``; then without ``livemode``.
        """
        body = calls.creation(
            calls.about(name, note, permissions, ip_allowlist, metadata), account=account, livemode=livemode,
            environment=environment, kind=kind, ends=(expires_at, expires_in), now=int(self._clock()),
        )  # fmt: skip
        return calls.made_of(await self._change("/v1/keys", body))

    async def update(
        self,
        key: Key,
        *,
        name: str | None = None,
        note: str | None = None,
        permissions: Iterable[str] | None = None,
        ip_allowlist: Iterable[str] | None = None,
        metadata: Mapping[str, str | None] | None = None,
    ) -> Key:
        """Change a key and return it; see ``KeyService.update``."""
        body = calls.about(name, note, permissions, ip_allowlist, metadata)
        return calls.key_of(await self._change(f"/v1/keys/{key.id}", body))

    @overload
    async def roll(self, key: Key, expires_in: int | timedelta = 0, *, show: Literal[True] = True) -> Rolled[str]: ...

    @overload
    async def roll(self, key: Key, expires_in: int | timedelta = 0, *, show: bool) -> Rolled[str | None]: ...

    async def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, show: bool = True
    ) -> Rolled[str] | Rolled[str | None]:
        """Create a key's successor and set the expiry of the old key; see ``KeyService.roll``."""
        body: dict[str, Json] = {"expires_in": times.seconds(expires_in), "show_secret": show}
        rolled = calls.rolled_of(await self._change(f"/v1/keys/{key.id}/roll", body))
        return calls.shown_of(rolled) if show else rolled

    async def reveal(self, key: Key) -> Made:
        """Return a key and its text, once for a live key; see ``KeyService.reveal``."""
        return calls.made_of(await self._change(f"/v1/keys/{key.id}/reveal", {}))

    async def revoke(self, key: Key) -> Key:
        """Revoke a key for good and return it; every remote client refuses it within a second."""
        return calls.key_of(await self._change(f"/v1/keys/{key.id}/revoke", {}))

    async def disable(self, key: Key) -> Key:
        """Pause a key until ``enable`` and return it."""
        return calls.key_of(await self._change(f"/v1/keys/{key.id}/disable", {}))

    async def enable(self, key: Key) -> Key:
        """Resume a paused key and return it."""
        return calls.key_of(await self._change(f"/v1/keys/{key.id}/enable", {}))

    async def cancel_expiry(self, key: Key) -> Key:
        """Cancel a pending expiry and return the key."""
        return calls.key_of(await self._change(f"/v1/keys/{key.id}/cancel_expiry", {}))

    async def get(self, key_id: str, *, account: str = "main", livemode: bool = True) -> Key | None:
        """Return a key of this account and mode by its id, even if it has ended, or None."""
        request = calls.retrieval(key_id)
        found = None if request is None else await self._found(request)
        return found if found is not None and (found.account, found.livemode) == (account, livemode) else None

    async def find(self, id_or_text: str) -> Key | None:
        """Return the key of any account with this id or text, or None. It is no use of the key."""
        return await self._found(calls.look_up(id_or_text))

    async def _found(self, request: Request) -> Key | None:
        try:
            return calls.key_of(await self._send(request))
        except KeyRefused as refused:
            if refused.code != "resource_missing":
                raise
            return None

    async def list(
        self,
        *,
        account: str = "main",
        livemode: bool | None = True,
        kind: Kind | None = None,
        active: bool = False,
        limit: int | None = None,
        after: str | None = None,
    ) -> KeyPage:
        """Return keys of an account, newest first: all, or a page; see ``KeyService.list``.

        livemode: the mode; None for both. active: only keys that are valid now.
        """
        pages = calls.Pages(livemode, limit, after)
        while pages.more:
            pages.add(await self._send(calls.page(account, kind, active, calls.PAGE, pages.after)))
        return pages.page()

    async def each(
        self, *, account: str = "main", livemode: bool | None = True, kind: Kind | None = None, active: bool = False
    ) -> AsyncIterator[Key]:
        """Yield the keys that ``list`` returns, read in pages of 100."""
        after, more = None, True
        while more:
            pages = calls.Pages(livemode, None, after)
            pages.add(await self._send(calls.page(account, kind, active, calls.PAGE, after)))
            after, more = pages.after, pages.more
            for key in pages.page():
                yield key
