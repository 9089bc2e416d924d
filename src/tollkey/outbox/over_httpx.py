"""Sends requests over httpx, which knows HTTP proxies. Its errors leave as OSError, like those of ``connections``."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx

from tollkey.outbox.connections import Answer, NotSent, Ready

_MOST_IDLE = 256  # connections, of all hosts
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


def usual() -> Posts:
    """Return what sends requests to any number of hosts."""
    unbounded = httpx.Limits(max_connections=None, max_keepalive_connections=_MOST_IDLE)
    return Posts(httpx.AsyncClient(limits=unbounded))


def tls() -> ssl.SSLContext:
    """Return which certificates are trusted: those of certifi, or those that the environment names."""
    return httpx.create_ssl_context()


class Posts:
    """Sends requests with an httpx client. client: closed by ``aclose``."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], most: int) -> tuple[int, bytes]:
        """See ``Poster.post``."""
        answer = await self._answer("POST", url, body, headers, most)
        return answer.status, answer.body

    async def exchange(
        self, method: str, base: str, target: bytes, body: bytes, headers: Mapping[str, str], most: int,
        ready: Ready | None = None,
    ) -> Answer:  # fmt: skip
        """See ``Poster.exchange``. httpx escapes what a target should not contain, and resolves dots in it."""
        try:
            url = httpx.URL(base).copy_with(raw_path=target)
        except (ValueError, httpx.InvalidURL) as problem:
            raise NotSent(str(problem)) from None
        return await self._answer(method, url, body, headers, most, ready)

    async def _answer(
        self, method: str, url: httpx.URL | str, body: bytes, headers: Mapping[str, str], most: int,
        ready: Ready | None = None,
    ) -> Answer:  # fmt: skip
        try:
            return await self._sent(method, url, body, headers, most, ready)
        except _BEFORE_SENDING as problem:
            raise NotSent(str(problem)) from None
        except httpx.TimeoutException as problem:
            raise TimeoutError(str(problem)) from None
        except httpx.HTTPError as problem:
            raise ConnectionError(f"{type(problem).__name__}: {problem}") from None

    async def _sent(
        self, method: str, url: httpx.URL | str, body: bytes, headers: Mapping[str, str], most: int,
        ready: Ready | None,
    ) -> Answer:  # fmt: skip
        async def step(name: str, about: Mapping[str, object]) -> None:
            if ready is not None and name.endswith("send_request_headers.started") and about.get("request") is not None:
                await ready()

        async with self._client.stream(
            method, url, content=body, headers=dict(headers), timeout=None, follow_redirects=False,
            extensions={"trace": step},
        ) as response:  # fmt: skip
            kept = bytearray()
            async for part in response.aiter_raw():  # raw: a small compressed body could expand to a very large one
                kept += part
                if len(kept) > most:
                    break
            heads = [(name.lower(), value) for name, value in response.headers.raw]
            return Answer(response.status_code, heads, bytes(kept[:most]), len(kept) <= most)

    async def aclose(self) -> None:
        """See ``Poster.aclose``."""
        await self._client.aclose()

    @property
    def is_closed(self) -> bool:
        """See ``Poster.is_closed``."""
        return self._client.is_closed
