"""``AsyncRemoteKeys``: ``RemoteKeys`` without threads for requests, under asyncio or trio."""

from __future__ import annotations

from tollkey.db import forking
from tollkey.keys.key import Checked, Denied, Key
from tollkey.keys.remote.answers import Question
from tollkey.keys.remote.async_management import AsyncRemoteManagement
from tollkey.keys.remote.base import RemoteBase, verified
from tollkey.keys.remote.errors import RemoteUnavailable
from tollkey.keys.remote.fields import Fields
from tollkey.keys.remote.requests import Request, understood
from tollkey.keys.remote.transport import AsyncTransport
from tollkey.keys.remote.verdicts import unavailable
from tollkey.keys.threads import in_thread


class AsyncRemoteKeys(RemoteBase, AsyncRemoteManagement):
    """Does what ``RemoteKeys`` does with ``await``. Use one object for each process and event loop.

    The change stream is followed by a thread of its own, so that an event loop that is busy does not delay it.
    The arguments are those of ``RemoteBase``.
    """

    def _connect(self) -> None:
        self._transport = AsyncTransport(self._address, self._connecting)

    def after_fork_in_child(self) -> None:
        """Start with an empty memory, no thread and no connections; the first use brings new ones."""
        super().after_fork_in_child()
        self._transport.after_fork_in_child()

    async def aclose(self) -> None:
        """End the change stream and close the connections. Every key is ``unavailable`` from then on."""
        await in_thread(self._stop)
        await self._transport.aclose()

    async def __aenter__(self) -> AsyncRemoteKeys:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def check(
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
        """Verify an API key, then its permission, then its limits; see ``RemoteKeys.check``."""
        readable = self._readable(text)
        if isinstance(readable, Checked):
            return readable
        question = Question(readable, permission, ip, endpoint, route, cost, account, publishable)
        known = self._known(question)
        return await self._ask(question) if known is None else known

    acheck = check  # the name that it has in ``KeyService`` and ``RemoteKeys``

    async def _ask(self, question: Question) -> Checked:
        asked, ticket = self._to_ask(question)
        try:
            reply = await self._transport.send(asked.request())
            return self._learn(reply, question, asked, ticket)
        except RemoteUnavailable as error:
            return unavailable(error, question.text)

    async def _send(self, request: Request) -> Fields:
        forking.detect_fork()
        return Fields(understood(await self._transport.send(request), request))

    async def verify(
        self,
        text: str | bytes | None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        account: str | None = None,
    ) -> Key | Denied:
        """Verify an API key, without permission and limits; see ``RemoteKeys.verify``."""
        return verified(await self.check(text, ip=ip, endpoint=endpoint, cost=0, account=account))
