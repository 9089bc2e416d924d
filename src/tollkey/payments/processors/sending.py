"""Sends what was asked of processors, and stores what came of it; asks about, repeats and undoes what is unknown.

    prepared ──claimed, durably──▶ the network ──▶ what came of it, with its objects, in one transaction

Several processes and nodes run a ``Sender``; each step of an attempt is claimed by one of them (``attempts.move``). An
answer that arrives after another took over changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from tollkey.db import Scope, StorageError
from tollkey.payments.processors import answers, attempts, backends, notices, recovery
from tollkey.payments.processors.attempts import ENDED, Attempt
from tollkey.payments.processors.links import Links, without_text
from tollkey.payments.processors.network import (
    Approved,
    Authorize,
    Declined,
    Features,
    Inquire,
    NotFound,
    NotSent,
    Outcome,
    Pending,
    Request,
    Reverse,
    Unknown,
)
from tollkey.payments.processors.requests import CannotAsk, request_of
from tollkey.payments.processors.storage import Storage
from tollkey.payments.processors.vault.vault import Away, Card, NoVault, Vault, completed
from tollkey.payments.shared import events
from tollkey.wire import Call

log = logging.getLogger("tollkey")
T = TypeVar("T")
WAIT_SECONDS = 20.0  # of a request, for an answer


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds. wait: a request waits so long for an answer. send: one call of a processor takes at most so long.

    again: between two attempts to send what was not sent. claim: after which another process may take over. stop: what
    was begun has so long to end when the server stops.
    """

    wait: float = WAIT_SECONDS
    send: float = 30.0
    again: float = 0.5
    claim: int = 60
    stop: float = 5.0


class Sender:
    """Sends the attempts of all accounts. Used on one event loop.

    links: the processors. times: how long it waits. now: returns UTC epoch seconds. vault: has the numbers of cards.
    """

    def __init__(
        self,
        storage: Storage,
        links: Links,
        now: Callable[[], float],
        times: Times | None = None,
        vault: Vault | NoVault | None = None,
    ) -> None:
        self._storage, self.links, self._now, self.times = storage, links, now, times or Times()
        self._vault = vault
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._of_scopes: dict[Scope, asyncio.Task[None]] = {}

    # -- for requests

    async def settle(self, references: Sequence[str]) -> bool:
        """Send attempts, and wait for what comes of them as long as a request waits. Returns whether all have ended.

        They go on when nobody waits any more.
        """
        tasks = [self._start(reference) for reference in references]
        await asyncio.wait(tasks, timeout=self.times.wait)
        return not await self.is_open(references)

    async def is_open(self, references: Sequence[str]) -> bool:
        """Return whether the outcome of any of these is still to come, or to be shown by its objects."""
        return await self._storage.read(lambda tx: attempts.any_open(tx, references))

    def _start(self, reference: str) -> asyncio.Task[None]:
        task = self._sending.get(reference)
        if task is None:
            task = self._sending[reference] = asyncio.create_task(self._send_soon(reference))
            task.add_done_callback(lambda _: self._sending.pop(reference, None))
        return task

    async def _send_soon(self, reference: str) -> None:
        """Send an attempt; while not one byte leaves, try it again as long as a request waits."""
        clock = asyncio.get_running_loop().time
        ends = clock() + self.times.wait * 0.8  # the request still waits when it is withdrawn
        while (attempt := await self._storage.read(lambda tx: attempts.find(tx, reference))) is not None:
            if attempt.state != "prepared":
                return
            if clock() >= ends:
                if attempt.operation in recovery.WITH_A_REQUEST:
                    await self._guarded(attempt, self._withdraw(attempt, attempt.why))
                return
            if await self._guarded(attempt, self._send(attempt)):
                return
            await asyncio.sleep(self.times.again)

    async def _withdraw(self, attempt: Attempt, why: str) -> bool:
        await self._end(attempt, "withdrawn", why=why)
        return True

    # -- in the background

    async def tick(self) -> None:
        """Begin what is due: of each account in the order in which it was asked."""
        now = int(self._now())
        found = await self._storage.read(lambda tx: attempts.due(tx, now))
        by_scope: dict[Scope, list[Attempt]] = {}
        for attempt in found:
            if attempt.reference not in self._sending:
                by_scope.setdefault(attempt.scope, []).append(attempt)
        for scope, mine in by_scope.items():
            if scope not in self._of_scopes:
                task = self._of_scopes[scope] = asyncio.create_task(self._in_order(mine))
                task.add_done_callback(partial(self._of_scopes.pop, scope))

    async def read_notices(self) -> None:
        """Read what processors tell by themselves; none of them holds up those of other accounts."""
        found = await self._storage.read(backends.every)
        await asyncio.gather(*(self._read_pages(one.scope) for one in found if one.features.notices))

    async def _read_pages(self, scope: Scope) -> None:
        try:
            for _ in range(notices.MOST_PAGES):
                if not await self._read_page(scope):
                    return
        except Exception:
            log.exception("the notices of the processor of %s", scope.account)

    async def _read_page(self, scope: Scope) -> bool:
        """Read one page of notices. Returns whether there may be more."""
        processor = await self.links.of(scope)
        backend = await self._storage.read(lambda tx: backends.of(tx, scope))
        if processor is None or backend is None:
            return False
        try:
            async with asyncio.timeout(self.times.send):
                page = await processor.notices(backend.cursor)
        except OSError as problem:  # also when it takes too long
            await self._note(scope, NotSent(str(problem) or "its notices could not be read"))
            return False
        news = bool(page.items) or page.cursor != backend.cursor
        return news and await self._storage.write(scope, lambda call: notices.take(call, backend.cursor, page))

    async def drain(self) -> None:
        """Wait for what was begun."""
        while tasks := [*self._sending.values(), *self._of_scopes.values()]:
            await asyncio.wait(tasks)

    async def stop(self) -> None:
        """Wait for what was begun, for a time, and close the connections."""
        tasks = [*self._sending.values(), *self._of_scopes.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self.times.stop)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.links.close()

    async def _in_order(self, mine: Sequence[Attempt]) -> None:
        """Do what is due for an account's attempts; what was not sent holds up those behind it."""
        for attempt in mine:
            if not await self._guarded(attempt, self._step(attempt)):
                return

    async def _guarded(self, attempt: Attempt, step: Coroutine[Any, Any, bool]) -> bool:
        """Run a step; an error of the database or of this program leaves the attempt for another time."""
        try:
            return await step
        except Away as problem:
            until, why = int(self._now()) + 1, str(problem)
            await self._storage.write(attempt.scope, lambda call: attempts.put_off(call.tx, attempt, until, why))
            return False
        except StorageError as error:
            log.error("processor attempt %s: %s", attempt.reference, error)
        except Exception:
            log.exception("processor attempt %s", attempt.reference)
        return True

    async def _step(self, attempt: Attempt) -> bool:
        """Do what is due for one attempt. Returns False when its processor cannot be reached."""
        if attempt.state in ENDED:
            await self._apply(attempt)
            return True
        backend = await self._storage.read(lambda tx: backends.of(tx, attempt.scope))
        now = int(self._now())
        action = recovery.next_step(attempt, backend.features if backend is not None else None, now)
        if action == "send":
            return await self._send(attempt)
        if action == "inquire":
            return await self._inquire(attempt)
        if action == "reverse":
            return await self._reverse(attempt)
        if action is None:
            until = now + recovery.pause(attempt)
            await self._storage.write(
                attempt.scope, lambda call: attempts.put_off(call.tx, attempt, until, attempt.why)
            )
        elif action == "withdrawn":
            await self._withdraw(attempt, attempt.why)
        else:
            await self._set(attempt, action, why="its process ended" if action == "unknown" else attempt.why)
        return True

    # -- one message

    async def _claim(
        self, attempt: Attempt, to: str, features: Features, **changes: object
    ) -> tuple[Attempt, Request, Card | None] | None:
        """Claim an attempt and return it with its request, and its card if the vault has that.

        None when another process has it, or it cannot be made. Raises Away.
        """
        now, until = int(self._now()), int(self._now()) + self.times.claim

        def work(call: Call) -> tuple[Attempt, Request] | None:
            tables, keyring = call.setup.tables, call.services.authority.keyring
            claimed = attempts.move(call.tx, attempt, to, now, claimed_until=until, next_at=until, **changes)
            if claimed is None:
                return None
            sent = to == "sent"
            return claimed, completed(request_of(call.tx, tables, keyring, claimed, with_token=sent), card, sent=sent)

        try:
            vault = self._vault if to != "inquiring" else None
            card = await vault.card_for(attempt, features) if vault is not None else None
            made = await self._storage.write(attempt.scope, work)
            if made is None or vault is None or to != "sent":
                return None if made is None else (*made, card)
            return made[0], *vault.coded(made[1], card)
        except CannotAsk as problem:
            log.error("processor attempt %s: %s", attempt.reference, problem)
            if attempt.state == "prepared":
                await self._withdraw(attempt, str(problem))
            return None

    async def _send(self, attempt: Attempt) -> bool:
        """Send an attempt and store what comes of it. Returns False when not one byte left."""
        processor = await self.links.of(attempt.scope)
        if processor is None:
            return False
        changes = {"sent_at": int(self._now())}
        if attempt.state == "unknown":
            changes["repeats"] = attempt.repeats + 1
        claim = await self._claim(attempt, "sent", processor.features, **changes)
        if claim is None:
            return True
        claimed, request, card = claim
        outcome: Outcome = NotSent("this process was held up")
        if self._now() + self.times.send < claimed.claimed_until:  # else another may have taken over
            outcome = await self._call(processor.send(request))
        await self._note(attempt.scope, outcome)
        if isinstance(outcome, NotSent):
            if self._vault is not None:
                self._vault.give_back(card)
            # what was sent before without an answer stays unknown, whatever became of the repetition
            back, pause = ("unknown", recovery.pause(claimed)) if claimed.repeats else ("prepared", 1)
            await self._set(claimed, back, next_at=int(self._now()) + pause, why=outcome.why)
            return False
        await self._take(claimed, outcome)
        return True

    async def _inquire(self, attempt: Attempt) -> bool:
        processor = await self.links.of(attempt.scope)
        if processor is None:
            return False
        claim = await self._claim(attempt, "inquiring", processor.features, inquiries=attempt.inquiries + 1)
        if claim is None:
            return True
        claimed, request, _ = claim
        trace, now = claimed.trace, int(self._now())
        outcome = await self._call(processor.inquire(Inquire(request, trace, now, attempt.inquiries)))
        await self._note(attempt.scope, outcome)
        if isinstance(outcome, NotFound):
            answer = {**claimed.answer, "not_found": True}
            await self._set(claimed, "unknown", next_at=now, why="the processor does not know it", answer=answer)
            return True
        if isinstance(outcome, NotSent):
            outcome = Unknown(outcome.why)
        await self._take(claimed, outcome)
        return True

    async def _reverse(self, attempt: Attempt) -> bool:
        processor = await self.links.of(attempt.scope)
        again = attempt.state == "reversing"
        repeats = {"inquiries": attempt.inquiries + 1} if again else {"inquiries": 0}
        if processor is None:
            return False
        claim = await self._claim(attempt, "reversing", processor.features, **repeats)
        if claim is None:
            return True
        claimed, request, _ = claim
        assert isinstance(request, Authorize), "only authorizations are undone"
        message = Reverse(request, claimed.trace + 1, claimed.changed_at, claimed.inquiries)
        outcome = await self._call(processor.reverse(message))
        await self._note(attempt.scope, outcome)
        now = int(self._now())
        if isinstance(outcome, Approved):
            await self._end(claimed, "reversed")
        elif isinstance(outcome, Declined):
            await self._set(claimed, "manual", why=f"the processor does not undo it ({outcome.code})")
        elif recovery.given_up(claimed, now):
            await self._set(claimed, "manual", why="it could not be undone for days")
        else:
            why = outcome.why if isinstance(outcome, NotSent | Unknown) else "it is being undone"
            await self._set(claimed, "reversing", next_at=now + recovery.pause(claimed), why=why)
        return not isinstance(outcome, NotSent)

    async def _call(self, answer: Awaitable[T]) -> T | Unknown:
        """Return what a processor answers; it is unknown when that takes too long or fails."""
        try:
            async with asyncio.timeout(self.times.send):
                return await answer
        except TimeoutError:
            return Unknown("no answer in time")
        except Exception as error:
            log.error("a processor failed: %s", without_text(error))
            return Unknown(f"the provider failed: {type(error).__name__}")

    # -- what came of it

    async def _take(self, claimed: Attempt, outcome: Outcome) -> None:
        """Store an outcome, and apply it when it is final."""
        now, outcome = int(self._now()), answers.understood(outcome, claimed)
        if isinstance(outcome, Approved | Declined):
            state = "approved" if isinstance(outcome, Approved) else "declined"
            await self._end(claimed, state, answer=answers.stored(outcome))
        elif isinstance(outcome, Pending):
            wait = max(recovery.pause(claimed), recovery.PENDING_SECONDS)
            await self._set(claimed, "pending", answer=answers.stored(outcome), next_at=now + wait, why="")
        else:
            await self._set(claimed, "unknown", next_at=now + recovery.pause(claimed), why=outcome.why)

    async def _set(self, attempt: Attempt, to: str, **changes: object) -> None:
        now, first = int(self._now()), attempt.state == "sent" and not attempt.repeats

        def work(call: Call) -> None:
            moved = attempts.move(call.tx, attempt, to, now, **changes)
            if moved is not None and (first or moved.answer.get("redirect")) and to in ("unknown", "pending"):
                call.announce(events.AttemptWaits(moved))

        await self._storage.write(attempt.scope, work)

    async def _end(self, attempt: Attempt, to: str, **changes: object) -> None:
        """Store a final outcome together with what it means for its objects.

        When the objects refuse it, the outcome is stored all the same, and they are told again later.
        """
        now = int(self._now())

        def both(call: Call) -> None:
            ended = attempts.move(call.tx, attempt, to, now, **changes)
            if ended is not None:
                answers.conclude(call, ended)

        try:
            await self._storage.write(attempt.scope, both)
        except StorageError:
            raise
        except Exception:
            log.exception("the outcome %s of processor attempt %s was not applied", to, attempt.reference)
            changes["why"] = "its objects do not show it yet"
            await self._set(attempt, to, **{**changes, "next_at": now + 1})

    async def _apply(self, attempt: Attempt) -> None:
        """Tell the objects of an attempt what came of it, once more."""
        try:
            await self._storage.write(attempt.scope, lambda call: answers.conclude(call, attempt))
        except StorageError:
            raise
        except Exception as error:
            log.exception("processor attempt %s was not applied", attempt.reference)
            until, why = int(self._now()) + recovery.pause(attempt), f"{type(error).__name__}: its objects refuse it"
            await self._storage.write(attempt.scope, lambda call: attempts.put_off(call.tx, attempt, until, why))

    async def _note(self, scope: Scope, outcome: Outcome | NotFound) -> None:
        """Remember whether the processor could be reached, when that has changed."""
        failure = outcome.why if isinstance(outcome, NotSent | Unknown) else ""
        if self.links.changed(scope, failure):
            await self._storage.write(scope, lambda call: backends.note(call.tx, scope, int(self._now()), failure))
