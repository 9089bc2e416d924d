"""The vault of a server: takes numbers before a request's transaction, and gives them when a payment is sent.

Nothing here runs within a transaction of the main database, so a vault that is away holds nobody up but those who need
it: they get 503, and payments wait or are refused like those whose processor is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from tollkey.db import Database, Ids, Scope, StorageError, Tx
from tollkey.db.edge import Edge, edge_for
from tollkey.db.engine import Unreachable
from tollkey.keys.errors import KeyringError
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import KeyringUse, use
from tollkey.payments.processors import backends, cards
from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.network import (
    Accept,
    Authorize,
    Capture,
    Contest,
    Features,
    Method,
    Payout,
    Refund,
    Request,
    Void,
)
from tollkey.payments.processors.requests import CannotAsk, kept_number
from tollkey.payments.processors.vault import holding, store
from tollkey.payments.processors.vault.codes import Code, Codes
from tollkey.payments.processors.vault.opening import Place, open_store, place_of, reread
from tollkey.payments.processors.vault.store import Kept, Store, Unreadable
from tollkey.payments.processors.vault.sweeping import Both, Exists, Swept, delete_ended, sweep
from tollkey.settings import Settings
from tollkey.wire.tables import Tables

log = logging.getLogger("tollkey")
T = TypeVar("T")
_MOST: Final = 4  # numbers that one request may bring
#: The parameter with a security code alone, of a token for a saved card, and what it became in ``Call.apart``.
CODE: Final = "cvc_update"
_RETRY_SECONDS: Final = 1.0  # between two attempts to open a vault that is away, so that requests are refused at once


class Away(Exception):
    """The vault cannot be asked now. The message is for people."""


class Typed(NamedTuple):
    """A card as a request brings it. number: its digits. code: its security code, empty for none."""

    number: str
    code: str

    def __repr__(self) -> str:
        return "a typed card"


class Card(NamedTuple):
    """A card that is about to be sent. at: under what its security code is held. code: that, once it was taken."""

    reference: str
    number: str
    at: str
    code: Code | None = None

    def __repr__(self) -> str:
        return f"the card {self.reference}"


class NoVault:
    """What a server without a vault has in its place: what needs a number is left to nodes that have one.

    main: the edge of the main database.
    """

    def __init__(self, main: Edge) -> None:
        self._main = main

    async def card_for(self, attempt: Attempt, features: Features) -> Card | None:
        """Return None, or raise Away for an attempt whose number is in a vault."""
        if await _reference(self._main, attempt):
            raise Away("this server does not have the card vault: set TOLLKEY_VAULT_DATABASE")
        return None

    def coded(self, request: Request, card: Card | None) -> tuple[Request, Card | None]:
        """Return the request as it is."""
        return request, card

    def give_back(self, card: Card | None) -> None:
        """Do nothing."""


class Vault:
    """The vault of one server, opened when it is first needed. Used on one event loop.

    main: the edge of the main database. main_keyring: which must not be the vault's. now: returns UTC epoch seconds.
    """

    def __init__(self, place: Place, main: Edge, main_keyring: Keyring, ids: Ids, now: Callable[[], float]) -> None:
        self.place, self._main, self._main_keyring = place, main, main_keyring
        self._ids, self._now = ids, now
        self.codes = Codes(now)
        self._opened: tuple[Store, Edge] | None = None
        self._mark: KeyringUse | None = None
        self._opening, self._retry_at = asyncio.Lock(), 0.0

    # -- the place

    async def edge(self) -> tuple[Store, Edge]:
        """Return the store and its edge; open them if they are not. Raises StorageError while they cannot be."""
        async with self._opening:
            if self._opened is None:
                if asyncio.get_running_loop().time() < self._retry_at:
                    raise Unreachable("the card vault cannot be used")
                try:
                    self._opened = await self._open(await self._main.read(holding.main_id))
                except (KeyringError, StorageError, OSError, ValueError) as problem:
                    self._retry_at = asyncio.get_running_loop().time() + _RETRY_SECONDS
                    log.error("the card vault cannot be used: %s", problem)
                    raise Unreachable("the card vault cannot be used") from None
            return self._opened

    async def _open(self, main: str | None) -> tuple[Store, Edge]:
        """Open the vault, with its keyring marked as used by this process.

        main: the name of the main database. Raises VaultRefused, KeyringError, StorageError, OSError.
        """
        mark = use(Path(self.place.keyring))
        try:
            found = await asyncio.to_thread(open_store, self.place, main, self._main_keyring)
            if not mark.of(Path(self.place.keyring)):
                found.database.close()
                raise KeyringError("its keyring was changed meanwhile")
            edge = edge_for(found.database)
            try:
                await edge.start()
            except BaseException:
                await edge.stop()
                raise
        except BaseException:
            mark.close()
            raise
        self._mark = mark
        return found, edge

    def check(self, database: Database) -> None:
        """Check at the start that a vault which has numbers can be opened, with its own keyring and main database.

        database: the main one. A vault that cannot be reached is waited for. Raises VaultRefused, KeyringError,
        OSError.
        """
        if not database.read(holding.is_used):
            return
        try:
            open_store(self.place, database.read(holding.main_id), self._main_keyring).database.close()
        except StorageError as problem:
            log.error("the card vault is away: %s", problem)

    async def tidy(self) -> None:
        """Delete the numbers whose objects have ended, and forget codes that are too old. Raises StorageError."""
        self.codes.tidy()
        if await self._main.read(lambda tx: holding.ended(tx, 1)):
            await delete_ended(await self._both())

    async def sweep(self, tables: Tables, exists: Exists) -> Swept:
        """Delete all numbers that nobody needs. exists: returns whether there is an account. Raises StorageError."""
        if not await self._main.read(holding.is_used):
            return Swept()
        return await sweep(await self._both(), tables, exists, int(self._now()))

    async def _both(self) -> Both:
        _, edge = await self.edge()
        return Both(self._main.read, self._main.write, edge.write)

    async def stop(self) -> None:
        """Close the vault, and forget the codes."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[1].stop()
            opened[0].database.close()
        if self._mark is not None:
            self._mark.close()

    # -- before a request's transaction (``wire.policy.Apart``)

    def concerns(self, given: Mapping[str, Any]) -> bool:
        """Return whether parameters have the number of a card, or its security code alone."""
        return "cvc_update" in given or bool(typed_cards(given))

    async def keep(self, given: Mapping[str, Any], scope: Scope) -> Mapping[str, Kept]:
        """Keep the numbers of cards in a live request's parameters, durably, if the account takes them.

        Returns what each became, by its digits, and a security code that came alone (``CODE``). Raises StorageError.
        """
        typed = {one.number: one for one in typed_cards(given)} if scope.livemode else {}
        alone = _code_of(given.get(CODE)) if scope.livemode else ""
        if not (typed or alone) or not await self._main.read(partial(_takes, scope=scope)):
            return {}
        if not typed:
            held = Kept(self._ids.new("code"), "")
            self.codes.put(held.reference, alone)
            return {CODE: held}
        opened, edge = await self.edge()
        numbers, now = list(typed)[:_MOST], int(self._now())
        kept = await edge.write(lambda tx: opened.put(tx, self._ids, scope, numbers, now))
        for number, one in kept.items():
            if typed[number].code:
                self.codes.put(one.reference, typed[number].code)
        return kept

    async def release(self, kept: Mapping[str, Kept]) -> None:
        """Delete those of these numbers that no object holds. What cannot be deleted now is, by ``sweeping``."""
        references = [one.reference for name, one in kept.items() if name != CODE]
        try:
            loose = await self._main.read(lambda tx: [one for one in references if not holding.is_held(tx, one)])
            for reference in loose:
                self.codes.forget(reference)
            if loose:
                _, edge = await self.edge()
                await edge.write(lambda tx: store.delete(tx, loose))
        except StorageError as problem:
            log.warning("numbers that a refused request brought are not deleted yet: %s", problem)

    # -- when something is sent

    async def card_for(self, attempt: Attempt, features: Features) -> Card | None:
        """Return the card of an attempt that is about to be sent; None for one that has no number here.

        features: of its processor. Raises CannotAsk when what it is charged to is gone, and Away.
        """
        reference = await _reference(self._main, attempt)
        if not reference:
            return None
        needed = not attempt.about  # what is charged or verified, and not captured or given back
        if not features.raw_numbers:
            if needed:
                raise CannotAsk("this processor does not take the numbers of cards")
            return None
        try:
            number = await self._number(attempt.scope, reference)
        except StorageError:
            raise Away("the card vault cannot be reached") from None
        if number is None and needed:
            raise CannotAsk("the number of the card was deleted")
        return Card(reference, number, attempt.asked.get("code") or reference) if number is not None else None

    async def _number(self, scope: Scope, reference: str) -> str | None:
        opened, edge = await self.edge()
        read = partial(opened.number, scope=scope, reference=reference, now=int(self._now()))
        try:
            return await edge.write(read)
        except Unreadable:
            try:
                newer = await asyncio.to_thread(reread, opened, self.place)  # the keyring was rotated meanwhile
            except (KeyringError, OSError) as problem:
                raise Unreachable(f"the keyring of the card vault cannot be read: {problem}") from None
            if not newer:
                raise CannotAsk("the number of the card can no longer be read") from None
            try:
                return await edge.write(read)
            except Unreadable:
                raise CannotAsk("the number of the card can no longer be read") from None

    def coded(self, request: Request, card: Card | None) -> tuple[Request, Card | None]:
        """Return an authorization that is sent now with the security code of its card, which nobody gets again."""
        if card is None or not isinstance(request, Authorize):
            return request, card
        code = self.codes.take(card.at)
        if code is None:
            return request, card
        return replace(request, method=replace(request.method, cvc=code.text)), card._replace(code=code)

    def give_back(self, card: Card | None) -> None:
        """Hold a security code again whose message did not leave."""
        if card is not None and card.code is not None:
            self.codes.put_back(card.at, card.code)


async def _reference(main: Edge, attempt: Attempt) -> str | None:
    """Return where a vault has the number that an attempt is about; None for one without."""
    if attempt.about:
        return await main.read(lambda tx: kept_number(tx, attempt))
    found: str | None = attempt.asked.get("vault")
    return found


def of_server(
    database: Database, edge: Edge, keyring: Keyring, ids: Ids, now: Callable[[], float], settings: Settings
) -> Vault | None:
    """Return the vault that a server's settings name; None if they name none.

    database, edge, keyring: the main ones. Raises what ``Vault.check`` raises.
    """
    place = place_of(settings)
    if place is None:
        return None
    found = Vault(place, edge, keyring, ids, now)
    found.check(database)
    return found


def completed(request: Request, card: Card | None, *, sent: bool) -> Request:
    """Return a request with the number of its card.

    sent: it is about to be sent, and not only undone or asked about. Raises CannotAsk for an authorization that lacks
    what it is charged to.
    """
    if isinstance(request, Payout | Contest | Accept):
        return request
    if isinstance(request, Capture | Void | Refund):
        original = request.original
        return replace(request, original=replace(original, method=_with(original.method, card))) if card else request
    if card is not None:
        return replace(request, method=_with(request.method, card))
    if sent and not request.method.token:
        raise CannotAsk("the number of the card is in a card vault, which this server does not have")
    return request


def _with(method: Method, card: Card) -> Method:
    return replace(method, token=card.number)


def _takes(tx: Tx, scope: Scope) -> bool:
    """Return whether an account takes the numbers of cards: it was told to, and its processor needs them."""
    backend = backends.of(tx, scope)
    return backend is not None and backend.features.raw_numbers and holding.is_on(tx, scope)


def typed_cards(given: object) -> list[Typed]:
    """Return the cards in parameters, wherever they stand: what has a ``number`` and an ``exp_month``.

    Numbers that cannot be one are left to the handler, which refuses them.
    """
    if isinstance(given, Mapping):
        own = [_typed(given)] if "number" in given and "exp_month" in given else []
        return [one for one in own if one is not None] + [one for value in given.values() for one in typed_cards(value)]
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        return [one for value in given for one in typed_cards(value)]
    return []


def _typed(given: Mapping[str, Any]) -> Typed | None:
    number = cards.normal_number(str(given["number"]))
    if not (number.isascii() and number.isdigit() and 12 <= len(number) <= 19 and cards.luhn_valid(number)):
        return None
    return Typed(number, _code_of(given))


def _code_of(given: object) -> str:
    """Return the security code in parameters; empty for none, and for what cannot be one."""
    code = str(given.get("cvc") or "") if isinstance(given, Mapping) else ""
    return code if code.isascii() and code.isdigit() and 3 <= len(code) <= 4 else ""
