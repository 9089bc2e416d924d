"""What intents tell checkout sessions: that one of theirs was paid, saved, or refused."""

from __future__ import annotations

from tollkey.wire import Call, Json


def intent_changed(call: Call, intent: Json) -> None:
    """Bring the session of this intent where the intent's state leads; nothing for intents that no session made."""
    if intent.get("_checkout"):
        # Asked for when used: sessions make intents, so neither file can wait for the other to be read first.
        from tollkey.payments.checkout_sessions import _complete

        _complete.follow(call, intent)
