"""``Notices``: gathers what happened to keys, and sends it by all channels."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from tollkey.db import Database, SQLite, StorageError, Tx, migrate
from tollkey.keys.authority import Authority
from tollkey.keys.config import Config, load
from tollkey.keys.notices import store
from tollkey.keys.notices.gathering import Gatherer
from tollkey.keys.notices.section import Section
from tollkey.keys.notices.sending import ATTEMPT_SECONDS, Channel, MailChannel, NotSent, WebhookChannel
from tollkey.keys.scanning import leaks
from tollkey.keys.usage import DAY
from tollkey.outbox.deliver import LIVE_RETRIES

_LEASE_SECONDS = 120
_AT_ONCE = 20
_KEPT_DAYS = 30
_TIDY_SECONDS = 3600
_log = logging.getLogger(__name__)


class HasKeys(Protocol):
    """What notices are about: a ``KeyService``, or the core of a server that has keys."""

    @property
    def database(self) -> Database:
        """Where the keys are stored."""

    @property
    def authority(self) -> Authority:
        """Reads them."""


class Notices:
    """Sends notices about the keys of a service. Creating it adds its tables to the database.

    keys: an open service, or a server's core. channels: see ``sending``. clock: returns UTC epoch seconds.
    The events begin with what happens after the first ``step``. Several processes may run it on one database: each
    event is gathered once, and sent at least once; a receiver knows a repetition by its id. Failed attempts are
    repeated for three days, with growing pauses. Raises StorageError.
    """

    def __init__(self, keys: HasKeys, channels: Sequence[Channel], *, clock: Callable[[], float] = time.time) -> None:
        self._keys, self._clock = keys, clock
        self._tidied = 0
        self._stopped = threading.Event()
        self._channels = {channel.name: channel for channel in channels}
        self._gatherer = Gatherer(keys.authority, lambda: keys.authority.ids.new("evt"))
        migrate(keys.database, [leaks.MIGRATION, store.MIGRATION])
        if isinstance(keys.database, SQLite):
            keys.database.close_connections()  # so that none is open when a preloaded application forks

    @classmethod
    def of_section(cls, keys: HasKeys, section: Section, *, clock: Callable[[], float] = time.time) -> Notices:
        """Return the notices that a configuration declares.

        Raises ValueError, OSError for a secret that cannot be used; StorageError.
        """
        channels: list[Channel] = [WebhookChannel(webhook, clock) for webhook in section.webhooks.values()]
        if section.email is not None:
            channels.append(MailChannel(section.email))
        return cls(keys, channels, clock=clock)

    def step(self) -> int:
        """Gather what happened, and send what is due; blocking. Returns how many notices were sent or failed.

        Call it every few seconds, in a thread that runs no event loop (``asyncio.to_thread``). Raises StorageError.
        """
        self.gather()
        return self.send_due()

    def gather(self) -> None:
        """Store a notice for each event and channel that wants it. Raises StorageError."""
        now = int(self._clock())

        def work(tx: Tx) -> None:
            for event in self._gatherer.events(tx, now):
                wanted = [name for name, channel in self._channels.items() if channel.wants(event.type)]
                store.enqueue(tx, wanted, event.id, event.type, event.body(), now)
            if now - self._tidied >= _TIDY_SECONDS:
                store.delete_settled(tx, now - _KEPT_DAYS * DAY)
                tx.on_commit(tidied)

        def tidied() -> None:
            self._tidied = now

        self._keys.database.write(work, lock="key_notices")

    def send_due(self) -> int:
        """Make one attempt of each notice that is due, and return how many. Raises StorageError."""
        now, database = int(self._clock()), self._keys.database
        if not database.read(lambda tx: store.any_due(tx, now)):
            return 0
        claimed = database.write(lambda tx: store.claim(tx, now, now + _LEASE_SECONDS, _AT_ONCE))
        sent = 0
        for notice in claimed:
            if self._stopped.is_set() or self._clock() + ATTEMPT_SECONDS > notice.lease_until:
                break  # another process, or the next step, sends it when the lease has ended
            sent += 1
            problem = self._send(notice)
            again = self._next_attempt(notice) if problem else None
            database.write(partial(store.record, sent=notice, problem=problem, next_attempt_at=again))
        return sent

    def _send(self, notice: store.Waiting) -> str:
        """Send a notice, and return why that failed, or an empty text."""
        channel = self._channels.get(notice.channel)
        if channel is None:
            return "the channel is not configured any more"
        try:
            channel.send(notice)
        except NotSent as problem:
            _log.warning("notice %s was not sent by %s: %s", notice.event, notice.channel, problem)
            return str(problem) or "not sent"
        except Exception as problem:  # a fault of one notice or channel stops neither the others nor the next steps
            _log.exception("notice %s was not sent by %s", notice.event, notice.channel)
            return type(problem).__name__
        return ""

    def _next_attempt(self, notice: store.Waiting) -> int | None:
        if notice.channel not in self._channels or notice.attempts >= len(LIVE_RETRIES):
            return None
        return int(self._clock()) + LIVE_RETRIES[notice.attempts]

    def try_step(self) -> None:
        """Do a ``step``, and log a failure: the next one repeats it."""
        try:
            self.step()
        except StorageError as error:
            _log.warning("notices about keys could not be gathered: %s", type(error).__name__)
        except Exception:  # whatever it is, notices do not end with it
            _log.exception("notices about keys could not be gathered")

    def stop(self) -> None:
        """Begin no further attempt, so that a ``step`` in another thread ends within 20 seconds."""
        self._stopped.set()


def section_in(file: str) -> Section:
    """Return the table ``[notices]`` of a TOML file with nothing else in it, for a server that declares no keys there.

    Raises ValueError, also for other tables, since they would have no effect; OSError.
    """
    config = load(Path(file))
    section = config.section(Section)
    if section is None or len(config.sections) > 1 or replace(config, sections={}) != Config():
        raise ValueError(f"{file}: only the table [notices] has an effect here, and it is needed")
    return section
