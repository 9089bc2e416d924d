from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

from tests.keys.notices.conftest import Mailbox, World
from tollkey.keys.notices import Email, MailChannel, Webhook, WebhookChannel
from tollkey.keys.notices.sending import NotSent
from tollkey.keys.notices.store import Waiting


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database: how a notice is sent does not depend on it."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


def email(mailbox: Mailbox, **about: Any) -> MailChannel:
    sent = {"host": "127.0.0.1", "port": mailbox.port, "security": "none", "sender": "keys@acme.example"}
    return MailChannel(Email(**{**sent, "to": ("ops@acme.example",), "events": ("*",), **about}))


def test_an_event_is_sent_by_mail(world: World, mailbox: Mailbox) -> None:
    notices = world.notices(email(mailbox))
    key, text = world.keys.create("Nightly", account="alice")
    rename = "UPDATE api_keys SET account = ?"  # as an earlier version took it
    world.keys.database.write(lambda tx: tx.execute(rename, ("alice\r\nBcc: evil@example.com",)))
    notices.step()
    (mail,) = mailbox.mails
    assert mail.rcpt_tos == ["ops@acme.example"]
    message = message_from_string(mailbox.texts[0])
    assert message["Subject"] == f"A key was created: {key.redacted}"
    assert message["From"] == "keys@acme.example"
    assert message["Bcc"] is None  # nothing that a customer chose adds a header or a line
    body = str(message.get_payload(decode=True), "utf-8")
    assert "Account: alice Bcc: evil@example.com" in body
    assert key.id in body
    assert text not in mailbox.texts[0]


def test_a_mail_server_that_refuses_or_is_away_is_tried_again(world: World, mailbox: Mailbox) -> None:
    notices = world.notices(email(mailbox))
    mailbox.refuses = True
    world.keys.create()
    notices.step()
    assert mailbox.mails == []
    mailbox.refuses = False
    world.clock.advance(300)
    notices.step()
    assert len(mailbox.mails) == 1


def test_a_mail_server_without_encryption_is_not_given_a_password(
    world: World, mailbox: Mailbox, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("swordfish\n")
    notices = world.notices(email(mailbox, security="starttls", username="tollkey", password_file=str(password)))
    world.keys.create()
    notices.step()
    assert mailbox.mails == []
    problem = world.keys.database.read(lambda tx: tx.execute("SELECT problem FROM key_notices"))[0][0]
    assert "STARTTLS" in problem
    assert "swordfish" not in problem


def test_an_address_that_no_name_server_can_be_asked_for_does_not_stop_the_others(
    world: World, mailbox: Mailbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a signing secret of the host's")
    lost = Webhook(name="lost", url="http://hooks..example/", secret_file=str(secret))
    notices = world.notices(email(mailbox, host="mail..example"), WebhookChannel(lost, world.clock), world.webhook())
    world.keys.create()
    notices.step()
    assert world.types() == ["key.created"]


@pytest.mark.parametrize(
    "about",
    [
        {"sender": "keys"}, {"to": ("a@b.example, c@d.example",)}, {"to": ()}, {"events": ("key.lost",)},
        {"username": "tollkey"}, {"username": "a", "password_file": "b", "security": "none"},
    ],
)  # fmt: skip
def test_settings_of_mail_that_make_no_sense_are_refused(mailbox: Mailbox, about: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        email(mailbox, **about)


def test_settings_of_webhooks_that_make_no_sense_are_refused(world: World, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("whsec_1")
    with pytest.raises(ValueError, match="16 characters"):
        WebhookChannel(Webhook(name="a", url="https://a.example", secret_file=str(short)), world.clock)
    for about in ({"url": "ftp://a.example"}, {"url": "https://a.example:70000"}, {"events": ("key.lost",)}):
        with pytest.raises(ValueError):
            Webhook(**{"name": "a", "url": "https://a.example", "secret_file": str(short), **about})


@contextmanager
def endless(begin: bytes, more: bytes) -> Iterator[int]:
    """A server that begins an answer and never ends it. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(begin)
                try:
                    while not ended.wait(0.02):
                        connection.sendall(more)
                except OSError:
                    cut.set()

        ended, cut = threading.Event(), threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        assert cut.wait(10)  # we hung up, it did not
        ended.set()
        thread.join()


def refused_by(channel: WebhookChannel | MailChannel, world: World) -> str:
    notices = world.notices(channel)
    world.keys.create()
    notices.step()
    rows = world.keys.database.read(lambda tx: tx.execute("SELECT problem FROM key_notices"))
    return str(rows[0][0])


def hook(world: World, port: int, seconds: float) -> WebhookChannel:
    (world.folder / "secret").write_text("a signing secret of the host's")
    webhook = Webhook(name="slow", url=f"http://127.0.0.1:{port}/", secret_file=str(world.folder / "secret"))
    return WebhookChannel(webhook, world.clock, attempt_seconds=seconds)


def test_a_receiver_that_sends_its_headers_byte_by_byte_does_not_hold_up_the_others(world: World) -> None:
    with endless(b"HTTP/1.1 200 OK\r\nx-slow: ", b"a") as port:
        assert refused_by(hook(world, port, 0.1), world) == "timed out"


def test_an_answer_without_end_is_not_read(world: World) -> None:
    with endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 100_000) as port:
        assert refused_by(hook(world, port, 30), world) == ""


@pytest.mark.parametrize("seconds", [0.1, 0])
def test_a_mail_server_that_sends_lines_without_end_is_cut_off(world: World, seconds: float) -> None:
    """With 0 seconds the time is over before there is a connection."""
    with endless(b"", b"220-welcome\r\n") as port:
        slow = Email(
            host="127.0.0.1", port=port, security="none", sender="a@b.example", to=("c@d.example",), events=("*",)
        )
        assert refused_by(MailChannel(slow, attempt_seconds=seconds), world) == "timed out"


def test_a_name_server_that_does_not_answer_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def slow(*_: object, **named: object) -> list[object]:
        answered.wait(30)
        raise socket.gaierror("there is no such host")

    email = Email(
        host="mail.invalid", port=25, security="none", sender="a@b.example", to=("c@d.example",), events=("*",)
    )
    hook(world, 1, 0.05)
    named = Webhook(name="named", url="https://hooks.invalid/", secret_file=str(world.folder / "secret"))
    channels = (
        WebhookChannel(named, world.clock, attempt_seconds=0.05), MailChannel(email, attempt_seconds=0.05),
    )  # fmt: skip
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    for channel in channels:
        with pytest.raises(NotSent, match="timed out"):
            channel.send(Waiting(1, "evt_1", channel.name, "key.expired", b"{}", 1, 0))
    answered.set()
