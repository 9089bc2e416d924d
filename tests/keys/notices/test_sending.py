from __future__ import annotations

from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

from tests.keys.notices.conftest import Mailbox, World
from tollkey.keys.notices import Email, MailChannel, Webhook, WebhookChannel


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database: how a notice is sent does not depend on it."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


def email(mailbox: Mailbox, **about: Any) -> MailChannel:
    sent = {"host": "127.0.0.1", "port": mailbox.port, "security": "none", "sender": "keys@acme.example"}
    return MailChannel(Email(**{**sent, "to": ("ops@acme.example",), "events": ("*",), **about}))


def test_an_event_is_sent_by_mail(world: World, mailbox: Mailbox) -> None:
    notices = world.notices(email(mailbox))
    key, text = world.keys.create("Nightly", account="alice\r\nBcc: evil@example.com")
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
    notices = world.notices(
        email(mailbox, host="mail..example"), WebhookChannel(lost, world.client, world.clock), world.webhook()
    )
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
        WebhookChannel(Webhook(name="a", url="https://a.example", secret_file=str(short)), world.client, world.clock)
    for about in ({"url": "ftp://a.example"}, {"url": "https://a.example:70000"}, {"events": ("key.lost",)}):
        with pytest.raises(ValueError):
            Webhook(**{"name": "a", "url": "https://a.example", "secret_file": str(short), **about})
