"""Notices about the keys of a service, sent to real receivers on this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.conftest import Clock
from tests.support.receiver import Receiver, receiver
from tollkey.keys import KeyService, Permission
from tollkey.keys.notices import Notices, Webhook, WebhookChannel
from tollkey.keys.notices.sending import Channel

__all__ = ["receiver"]

SECRET = "a signing secret of the host's"


@dataclass
class World:
    """A service, its clock, and a receiver of webhooks."""

    keys: KeyService
    clock: Clock
    receiver: Receiver
    folder: Path

    def webhook(self, *events: str, name: str = "main") -> WebhookChannel:
        secret = self.folder / "secret"
        secret.write_text(f"{SECRET}\n")
        webhook = Webhook(name=name, url=self.receiver.url, secret_file=str(secret), events=events or ("*",))
        return WebhookChannel(webhook, self.clock)

    def notices(self, *channels: Channel) -> Notices:
        """Notices that have begun: what happens from now on is announced."""
        made = Notices(self.keys, channels or [self.webhook()], clock=self.clock)
        made.step()
        return made

    def got(self) -> list[Any]:
        """The events that arrived since the last call."""
        arrived = [json.loads(body) for _, body in self.receiver.got]
        self.receiver.got.clear()
        return arrived

    def types(self) -> list[str]:
        return [event["type"] for event in self.got()]


@pytest.fixture
def world(database_url: str, tmp_path: Path, clock: Clock, receiver: Receiver) -> Iterator[World]:
    keyring = str(tmp_path / "keyring")
    declared = [Permission("report", "Reports")]
    with KeyService.open(database_url, declared, keyring=keyring, clock=clock, flush_seconds=0) as keys:
        yield World(keys, clock, receiver, tmp_path)


@dataclass
class Mailbox:
    """A mail server that keeps what it gets. refuses: whether it refuses every message."""

    port: int = 0
    refuses: bool = False
    mails: list[Envelope] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuses:
            return "451 try again later"
        self.mails.append(envelope)
        return "250 OK"

    @property
    def texts(self) -> Sequence[str]:
        return [str(mail.content, "utf-8") if isinstance(mail.content, bytes) else "" for mail in self.mails]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as probe:  # the controller cannot choose a free port by itself
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()
