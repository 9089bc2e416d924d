"""The processors that this process has opened, by account, and the providers that it knows."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Any, Final

from tollkey.db import Scope, Tx
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.payments.processors import backends, providers
from tollkey.payments.processors.network import Clock, Processor, Provider

log = logging.getLogger("tollkey")
#: Packages of others name their providers in this group of entry points.
GROUP: Final = "tollkey.processors"
_CLOSE_SECONDS: Final = 3.0


def known() -> dict[str, Provider]:
    """Return the providers, by name: ``PROVIDER`` of the modules in ``providers/``, and those of installed packages.

    A package that cannot be imported is left out, with an entry in the log.
    """
    found = [
        import_module(f"{providers.__name__}.{module.name}")
        for module in iter_modules(providers.__path__)
        if not module.name.startswith("_")
    ]
    named = {one.PROVIDER.name: one.PROVIDER for one in found if isinstance(getattr(one, "PROVIDER", None), Provider)}
    for entry in metadata.entry_points(group=GROUP):
        try:
            provider = entry.load()
        except Exception:
            log.exception("the processor %s of an installed package cannot be used", entry.name)
            continue
        if isinstance(provider, Provider):
            named.setdefault(provider.name, provider)
    return named


def without_text(error: BaseException) -> str:
    """Return what is logged of an error of a provider: its types and where they were raised.

    Not their texts: a provider of somebody else may put what it was asked into them, the token of a card included.
    """
    parts: list[str] = []
    shown: BaseException | None = error
    while shown is not None:
        parts.append("".join([f"{type(shown).__name__}\n", *traceback.format_tb(shown.__traceback__)]))
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)
    return "caused by ".join(parts)


class Links:
    """Opens the processors of accounts, and keeps them until their configuration changes. Used on one event loop.

    read: runs a function in a reading transaction. clock: of the server. find: returns the providers by name;
    asked once.
    """

    def __init__(
        self,
        read: Callable[[Callable[[Tx], Any]], Awaitable[Any]],
        keyring: Keyring,
        clock: Clock,
        find: Callable[[], Mapping[str, Provider]] = known,
    ) -> None:
        self._read, self._keyring, self._clock, self.find = read, keyring, clock, find
        self._providers: Mapping[str, Provider] | None = None
        self._opened: dict[Scope, tuple[int, Processor]] = {}
        self._failures: dict[Scope, str] = {}
        self._lock = asyncio.Lock()

    async def of(self, scope: Scope) -> Processor | None:
        """Return the processor of an account; None when it has none, or none that can be opened."""
        async with self._lock:
            backend = await self._read(lambda tx: backends.of(tx, scope))
            revision, opened = self._opened.get(scope, (None, None))
            if backend is not None and opened is not None and revision == backend.revision:
                return opened
            if opened is not None:
                del self._opened[scope]
                await _closed(opened)
            if backend is None:
                return None
            processor = await self._open(scope, backend.provider)
            if processor is not None:
                self._opened[scope] = (backend.revision, processor)
            return processor

    async def _open(self, scope: Scope, name: str) -> Processor | None:
        if self._providers is None:
            self._providers = self.find()
        provider = self._providers.get(name)
        if provider is None:
            log.error("%s uses the processor %s, which is not installed", scope.account, name)
            return None
        try:
            config = await self._read(lambda tx: backends.configuration(tx, self._keyring, scope))
            return provider.open(config or {}, self._clock)
        except (ValueError, OSError, SealBroken) as problem:
            log.error("the processor of %s cannot be opened: %s", scope.account, problem)
            return None

    def changed(self, scope: Scope, failure: str) -> bool:
        """Remember how the last call of an account's processor ended; return whether that is news."""
        before = self._failures.get(scope)
        self._failures[scope] = failure
        return before != failure and bool(before or failure)

    async def close(self) -> None:
        """Close all of them; who is asked for again is found and opened anew."""
        await asyncio.gather(*(_closed(processor) for _, processor in self._opened.values()))
        self._opened.clear()
        self._failures.clear()
        self._providers = None


async def _closed(processor: Processor) -> None:
    """Close a processor, which has a few seconds for it: others wait meanwhile."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await processor.close()
    except Exception as error:
        log.error("a processor could not be closed: %s", without_text(error))
