"""``RemoteKeys``: the methods of ``KeyService``, answered by a key server elsewhere."""

from __future__ import annotations

from functools import partial

from tollkey.db import forking
from tollkey.keys.key import Checked, Denied, Key
from tollkey.keys.remote.answers import Question
from tollkey.keys.remote.base import RemoteBase, verified
from tollkey.keys.remote.errors import RemoteUnavailable
from tollkey.keys.remote.fields import Fields
from tollkey.keys.remote.management import RemoteManagement
from tollkey.keys.remote.requests import Request, understood
from tollkey.keys.remote.transport import Transport
from tollkey.keys.remote.verdicts import unavailable
from tollkey.keys.threads import in_thread


class RemoteKeys(RemoteBase, RemoteManagement):
    """Verifies and changes the keys of a key server (``tollkey keys serve``). Use one object for each process.

    It is thread-safe and may be created before a fork. Answers about valid keys without limits are remembered; a key
    that is revoked, disabled or changed at the server is refused here within a second, because the memory is used only
    while the server's change stream is heard. Without it every key is asked for, and if that fails, refused as
    ``unavailable``. The arguments are those of ``RemoteBase``.
    """

    def _connect(self) -> None:
        self._transport = Transport(self._address, self._connecting)

    def after_fork_in_child(self) -> None:
        """Start with an empty memory, no thread and no connections; the first use brings new ones."""
        super().after_fork_in_child()
        self._transport.after_fork_in_child()

    def close(self) -> None:
        """End the change stream and close the connections. Every key is ``unavailable`` from then on."""
        self._stop()
        self._transport.close()

    def __enter__(self) -> RemoteKeys:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Verify an API key, then its permission, then its limits; see ``KeyService.check`` for the arguments.

        Raises RemoteRefused if the server refuses the service key, UnknownPermission if nothing declares the
        permission, KeyRefused for another argument that the server does not take, ValueError for a negative cost.
        Nothing that a caller can send raises.
        """
        readable = self._readable(text)
        if isinstance(readable, Checked):
            return readable
        question = Question(readable, permission, ip, endpoint, route, cost, account, publishable)
        known = self._known(question)
        return self._ask(question) if known is None else known

    async def acheck(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Do what ``check`` does without blocking the event loop: from memory, or else in a thread.

        It runs under asyncio and trio. ``AsyncRemoteKeys`` needs no threads.
        """
        readable = self._readable(text)
        if isinstance(readable, Checked):
            return readable
        question = Question(readable, permission, ip, endpoint, route, cost, account, publishable)
        known = self._known(question)
        return await in_thread(partial(self._ask, question)) if known is None else known

    def _ask(self, question: Question) -> Checked:
        asked, ticket = self._to_ask(question)
        try:
            reply = self._transport.send(asked.request())
            return self._learn(reply, question, asked, ticket)
        except RemoteUnavailable as error:
            return unavailable(error, question.text)

    def _send(self, request: Request) -> Fields:
        forking.detect_fork()
        return Fields(understood(self._transport.send(request), request))

    def verify(
        self,
        text: str | bytes | None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        account: str | None = None,
    ) -> Key | Denied:
        """Verify an API key, without permission and limits; see ``KeyService.verify`` for arguments and result.

        Raises RemoteRefused if the server refuses the service key.
        """
        return verified(self.check(text, ip=ip, endpoint=endpoint, cost=0, account=account))

    def verify_cached(
        self, text: str | bytes | None, ip: str | None = None, endpoint: str | None = None, account: str | None = None
    ) -> Key | Denied | None:
        """Verify from memory, without blocking; None if the server must be asked: call ``verify`` then."""
        readable = self._readable(text)
        if isinstance(readable, Checked):
            return verified(readable)
        known = self._known(Question(readable, None, ip, endpoint, None, 0, account))
        return None if known is None else verified(known)
