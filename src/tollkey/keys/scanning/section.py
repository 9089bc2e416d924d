"""The table ``[scanning]`` of ``tollkey.toml``: what a key server does with reports of leaked keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tollkey.keys.limits import LONGEST_ROLL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is done with reports.

    on_leak: see ``Leaks``. grace_seconds: for ``roll``, 1 to 604800. possession: whoever sends the text of a key may
    revoke it. github: GitHub's messages are taken. github_keys_url: where its public keys are, if not at its own API.
    Raises ValueError for a grace out of range, and an address without TLS.
    """

    on_leak: Literal["revoke", "roll", "record"] = "revoke"
    grace_seconds: int = 1
    possession: bool = True
    github: bool = False
    github_keys_url: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.grace_seconds <= LONGEST_ROLL_SECONDS:
            raise ValueError(f"grace_seconds must be 1 to {LONGEST_ROLL_SECONDS}")
        if self.github_keys_url is not None and not self.github_keys_url.startswith("https://"):
            raise ValueError("github_keys_url must be https://…: whoever changes these keys could end yours")
