"""What the tests of this room begin with: a configuration, requests, and a processor at a scripted host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.support.iso_host import Host, iso_host
from tollkey.payments.processors.iso8583.config import read
from tollkey.payments.processors.iso8583.processor import Iso8583
from tollkey.payments.processors.network import Authorize, Capture, Method, Refund, Reverse, Void

NOW = 1_767_225_600  # 2026-01-01 00:00:00 UTC
TOKEN = "tok_3Xq9"
CARD = Method("card", TOKEN, exp_month=9, exp_year=2029)


def configuration(port: int = 8583, **more: Any) -> Mapping[str, Any]:
    """A configuration that only waits for short times."""
    link = {"host": "127.0.0.1", "port": port, "tls": False, "answer_seconds": 1, "connect_seconds": 5}
    return {
        "link": {**link, **more.pop("link", {})},
        "merchant": {"terminal": "TERM0001", "merchant": "MERCHANT0000001", "acquirer": "123456", "category": "5999"},
        **more,
    }


def authorize(number: int = 1, amount: int = 1000, currency: str = "usd", **more: Any) -> Authorize:
    """An authorization, with references and trace numbers that its number decides."""
    given = {"method": CARD, "capture": False, **more}
    return Authorize(f"AUTH{number:08d}", number, NOW + number, amount, currency, f"pi_{number}", **given)


def capture(original: Authorize, number: int = 101, amount: int | None = None, **more: Any) -> Capture:
    return Capture(*_about(original, "CAPT", number, amount), original, {"approval": "000001"}, **more)


def void(original: Authorize, number: int = 201, **more: Any) -> Void:
    return Void(*_about(original, "VOID", number, None), original, {"approval": "000001"}, **more)


def refund(original: Authorize, number: int = 301, amount: int | None = None, **more: Any) -> Refund:
    return Refund(*_about(original, "REFU", number, amount), original, {"approval": "000001"}, **more)


def reverse(original: Authorize, number: int = 401, repeats: int = 0) -> Reverse:
    return Reverse(original, number, NOW + number, repeats)


def _about(original: Authorize, kind: str, number: int, amount: int | None) -> tuple[str, int, int, int, str, str]:
    units = original.amount if amount is None else amount
    return f"{kind}{number:08d}", number, NOW + number, units, original.currency, original.object


def trace_of(original: Authorize) -> str:
    """How the scripted host calls an authorization: by its trace number and time."""
    minutes, seconds = divmod(original.at - NOW, 60)
    return f"{original.trace:06d}010100{minutes:02d}{seconds:02d}"


@asynccontextmanager
async def at_a_host(**more: Any) -> AsyncIterator[tuple[Iso8583, Host]]:
    """A processor, and the host that it is connected to."""
    async with iso_host() as host:
        processor = Iso8583(read(configuration(host.port, **more)), lambda: NOW)
        processor.link.timing = replace(processor.link.timing, pauses=(0.02, 0.05))
        try:
            yield processor, host
        finally:
            await processor.close()
