"""The channels that notices are sent by. A channel raises ``NotSent`` for a notice that is to be tried again."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import httpx

from tollkey.keys.header import without_keys
from tollkey.keys.notices.events import EVENTS
from tollkey.keys.notices.section import Email, Webhook
from tollkey.keys.notices.store import Waiting
from tollkey.outbox import sign

SIGNATURE = "Tollkey-Signature"
_TIMEOUT_SECONDS = 10.0
_SHORTEST_SECRET = 16


class NotSent(Exception):
    """A notice was not sent. Its text says why, without secrets."""


class Channel(Protocol):
    """Somewhere to send notices. name: stored with each notice."""

    name: str

    def wants(self, type: str) -> bool:
        """Return whether events of this type are sent here."""

    def send(self, notice: Waiting) -> None:
        """Send a notice; blocking. Raises NotSent."""


class WebhookChannel:
    """Posts events, signed as Stripe signs them: ``Tollkey-Signature: t=<seconds>,v1=<HMAC-SHA256 of t.body>``.

    webhook: where. client: sends the requests; it follows no redirects. clock: returns UTC epoch seconds.
    Raises ValueError for a secret that is missing or too short, OSError for a file that cannot be read.
    """

    def __init__(self, webhook: Webhook, client: httpx.Client, clock: Callable[[], float]) -> None:
        self.name = f"webhook:{webhook.name}"
        self._webhook, self._client, self._clock = webhook, client, clock
        self._secret = Path(webhook.secret_file).read_text().strip()
        if len(self._secret) < _SHORTEST_SECRET:
            raise ValueError(f"{webhook.secret_file}: a signing secret has at least {_SHORTEST_SECRET} characters")

    def wants(self, type: str) -> bool:
        """See ``Channel.wants``."""
        return "*" in self._webhook.events or type in self._webhook.events

    def send(self, notice: Waiting) -> None:
        """See ``Channel.send``. Any status but 2xx is a failure."""
        signature = sign(notice.body, [self._secret], int(self._clock()))
        headers = {"Content-Type": "application/json; charset=utf-8", SIGNATURE: signature, "User-Agent": "Tollkey"}
        try:
            answer = self._client.post(
                self._webhook.url,
                content=notice.body,
                headers=headers,
                timeout=_TIMEOUT_SECONDS,
                follow_redirects=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise NotSent(f"{type(error).__name__}: {without_keys(str(error))}") from None
        if not answer.is_success:
            raise NotSent(f"status {answer.status_code}")


class MailChannel:
    """Sends events by e-mail. email: how and to whom. tls: for tests with certificates of their own.

    Raises OSError for a password file that cannot be read.
    """

    name = "email"

    def __init__(self, email: Email, tls: ssl.SSLContext | None = None) -> None:
        self._email, self._tls = email, tls or ssl.create_default_context()
        self._password = Path(email.password_file).read_text().strip() if email.password_file else ""

    def wants(self, type: str) -> bool:
        """See ``Channel.wants``."""
        return "*" in self._email.events or type in self._email.events

    def send(self, notice: Waiting) -> None:
        """See ``Channel.send``."""
        try:
            with self._connected() as server:
                if self._email.security == "starttls":
                    server.starttls(context=self._tls)
                if self._email.username:
                    server.login(self._email.username, self._password)
                server.send_message(mail_of(notice, self._email))
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"{type(error).__name__}: {without_keys(str(error))}") from None
        except UnicodeError:  # its text repeats a character of the password
            message = "the user name, the password or the name of the host has characters that SMTP cannot send"
            raise NotSent(message) from None

    def _connected(self) -> smtplib.SMTP:
        host, port = self._email.host, self._email.port
        if self._email.security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=self._tls)
        return smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)


def mail_of(notice: Waiting, email: Email) -> EmailMessage:
    """Return the message about an event (RFC 5322). Names that customers chose stand in its body only."""
    event = json.loads(notice.body)
    key, details = event["data"]["object"], event["data"].get("details", {})
    facts = {
        "Key": key["id"], "Ends in": key["redacted"], "Name": key["name"] or "-", "Account": key["account"],
        "Mode": "live" if key["livemode"] else "test", **{name.capitalize(): value for name, value in details.items()},
    }  # fmt: skip
    message = EmailMessage()
    message["Subject"] = f"{EVENTS[notice.type]}: {key['redacted']}"
    message["From"], message["To"] = email.sender, ", ".join(email.to)
    message["Message-ID"] = f"<{event['id']}@{email.sender.rpartition('@')[2]}>"
    lines = [f"{EVENTS[notice.type]}.", "", *(f"{name}: {_line(value)}" for name, value in facts.items())]
    message.set_content("\n".join(lines))
    return message


def _line(value: object) -> str:
    return " ".join(str(value).split())
