"""The kinds of objects of this room, and of the payments that its readers take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.terminal.stored import StoredReader
    from tollkey.wire import api

LOCATION: Kind[api.TerminalLocation] = Kind("terminal.location")
CONFIGURATION: Kind[api.TerminalConfiguration] = Kind("terminal.configuration")
CONNECTION_TOKEN: Kind[api.TerminalConnectionToken] = Kind("terminal.connection_token")
READER: Kind[StoredReader] = Kind("terminal.reader")
PAYMENT_INTENT: Kind[StoredPaymentIntent] = Kind("payment_intent")
