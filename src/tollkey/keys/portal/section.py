"""The table ``[portal]`` of ``tollkey.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Where customers reach the portal, and which pages may use its component.

    url: the public URL, ``https://keys.example/portal``. origins: for example ``https://app.example``.
    """

    url: str
    origins: tuple[str, ...] = ()
