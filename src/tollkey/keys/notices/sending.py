"""The channels that notices are sent by. A channel raises ``NotSent`` for a notice that is to be tried again."""

from __future__ import annotations

import asyncio
import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import httpx

from tollkey.keys.deadlines import within
from tollkey.keys.header import without_keys
from tollkey.keys.notices.events import EVENTS
from tollkey.keys.notices.section import Email, Webhook
from tollkey.keys.notices.store import Waiting
from tollkey.outbox.signature import sign

SIGNATURE = "Tollkey-Signature"
_TIMEOUT_SECONDS = 10.0  # of each step
ATTEMPT_SECONDS = 20.0  # of a whole attempt, whatever the other side does
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

    webhook: where. clock: returns UTC epoch seconds. tls: for tests with certificates of their own.
    attempt_seconds: how long one attempt may take.
    Raises ValueError for a secret that is missing or too short, OSError for a file that cannot be read.
    """

    def __init__(
        self,
        webhook: Webhook,
        clock: Callable[[], float],
        tls: ssl.SSLContext | None = None,
        attempt_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self.name = f"webhook:{webhook.name}"
        self._webhook, self._clock = webhook, clock
        self._tls, self._seconds = tls or ssl.create_default_context(), attempt_seconds
        self._secret = Path(webhook.secret_file).read_text().strip()
        if len(self._secret) < _SHORTEST_SECRET:
            raise ValueError(f"{webhook.secret_file}: a signing secret has at least {_SHORTEST_SECRET} characters")

    def wants(self, type: str) -> bool:
        """See ``Channel.wants``."""
        return "*" in self._webhook.events or type in self._webhook.events

    def send(self, notice: Waiting) -> None:
        """See ``Channel.send``. Any status but 2xx is a failure. The body of the answer is not read."""
        signature = sign(notice.body, [self._secret], int(self._clock()))
        headers = {"Content-Type": "application/json; charset=utf-8", SIGNATURE: signature, "User-Agent": "Tollkey"}
        try:
            # In a thread: ``asyncio.run`` waits for a name server, whatever was cancelled.
            status = within(self._seconds, lambda: asyncio.run(self._post(notice.body, headers)))
        except TimeoutError:
            raise NotSent("timed out") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise NotSent(f"{type(error).__name__}: {without_keys(str(error))}") from None
        if not 200 <= status < 300:
            raise NotSent(f"status {status}")

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        """Return the status. The time is that of the whole attempt: a receiver may send its headers byte by byte."""
        async with (
            asyncio.timeout(self._seconds),
            httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=_TIMEOUT_SECONDS) as client,
            client.stream("POST", self._webhook.url, content=body, headers=headers, follow_redirects=False) as answer,
        ):
            return answer.status_code


class MailChannel:
    """Sends events by e-mail.

    email: how and to whom. tls: for tests with certificates of their own. attempt_seconds: how long one attempt may
    take. Raises OSError for a password file that cannot be read.
    """

    name = "email"

    def __init__(
        self, email: Email, tls: ssl.SSLContext | None = None, attempt_seconds: float = ATTEMPT_SECONDS
    ) -> None:
        self._email, self._tls, self._seconds = email, tls or ssl.create_default_context(), attempt_seconds
        self._password = Path(email.password_file).read_text().strip() if email.password_file else ""

    def wants(self, type: str) -> bool:
        """See ``Channel.wants``."""
        return "*" in self._email.events or type in self._email.events

    def send(self, notice: Waiting) -> None:
        """See ``Channel.send``."""
        try:
            within(self._seconds, lambda: self._mail(notice))
        except TimeoutError:
            raise NotSent("timed out") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"{type(error).__name__}: {without_keys(str(error))}") from None
        except UnicodeError:  # its text repeats a character of the password
            message = "the user name, the password or the name of the host has characters that SMTP cannot send"
            raise NotSent(message) from None

    def _mail(self, notice: Waiting) -> None:
        with self._connected() as server:
            if self._email.security == "starttls":
                server.starttls(context=self._tls)
            if self._email.username:
                server.login(self._email.username, self._password)
            server.send_message(mail_of(notice, self._email))

    def _connected(self) -> smtplib.SMTP:
        host, port = self._email.host, self._email.port
        if self._email.security == "tls":
            return _BoundedTls(self._seconds, host, port, self._tls)
        return _Bounded(self._seconds, host, port)


class _Bounded(smtplib.SMTP):
    """A connection that is cut after some seconds: a server may send lines without end."""

    def __init__(self, seconds: float, host: str, port: int) -> None:
        self._over = threading.Event()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()
        try:
            self._begin(host, port)
        except BaseException:
            self._timer.cancel()
            raise

    def _begin(self, host: str, port: int) -> None:
        smtplib.SMTP.__init__(self, host, port, timeout=_TIMEOUT_SECONDS)

    def getreply(self) -> tuple[int, bytes]:
        """Read the answer to a command. Raises TimeoutError when the time is over."""
        if not self._over.is_set():  # else it was over while there was no connection yet that could be cut
            try:
                return super().getreply()
            except (OSError, smtplib.SMTPException):
                if not self._over.is_set():
                    raise
        self.close()
        raise TimeoutError("timed out")

    def _cut(self) -> None:
        self._over.set()
        connection = self.sock
        if connection is not None:
            with suppress(OSError):  # it was closed meanwhile
                # SSLSocket.shutdown would end TLS first, and the other thread could send in the clear
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._timer.cancel()
        super().close()


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same with TLS from the start (RFC 8314)."""

    def __init__(self, seconds: float, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(seconds, host, port)

    def _begin(self, host: str, port: int) -> None:
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=_TIMEOUT_SECONDS, context=self._tls)


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
