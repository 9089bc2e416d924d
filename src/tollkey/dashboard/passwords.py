"""Password hashing with argon2id, and the strength check for new passwords. Libraries are imported at first use."""

from __future__ import annotations

import asyncio
from typing import Any

SHORTEST = 10
LONGEST = 256
_WEAKEST_SCORE = 3  # of 0 to 4, as zxcvbn estimates
_LOOKED_AT = 64  # characters that are estimated; the cost grows with the square of the length


class Passwords:
    """Hashes and checks passwords in threads, at most two at a time, which bounds the memory used.

    time_cost: passes of argon2id. memory_kib: its memory, in KiB. The defaults are among those OWASP recommends.
    """

    def __init__(self, time_cost: int = 2, memory_kib: int = 19_456) -> None:
        self._costs: dict[str, Any] = {"time_cost": time_cost, "memory_cost": memory_kib, "parallelism": 1}
        self._turn = asyncio.Semaphore(2)
        self._dummy = ""

    def _hasher(self) -> Any:
        import argon2

        return argon2.PasswordHasher(**self._costs)

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its salt and costs."""
        async with self._turn:
            text: str = await asyncio.to_thread(lambda: self._hasher().hash(password))
            return text

    async def matches(self, hash: str | None, password: str) -> bool:
        """Whether a password matches a hash.

        hash: None for an unknown person; the check then takes as long as for a wrong password.
        """
        if hash is None:
            self._dummy = self._dummy or await self.hash("nobody")
        async with self._turn:
            right = await asyncio.to_thread(self._verify, hash or self._dummy, password[:LONGEST])
            return right and hash is not None

    def _verify(self, hash: str, password: str) -> bool:
        import argon2

        try:
            return bool(self._hasher().verify(hash, password))
        except argon2.exceptions.VerificationError:
            return False

    async def weakness(self, password: str, *own_words: str) -> str:
        """Why a new password is too weak, or "". own_words: the name and email of the person."""
        if len(password) < SHORTEST:
            return f"Use at least {SHORTEST} characters. Four or five unrelated words make a strong password."
        if len(password) > LONGEST:
            return f"Use at most {LONGEST} characters."
        async with self._turn:
            return await asyncio.to_thread(_estimate, password, own_words)


def _estimate(password: str, own_words: tuple[str, ...]) -> str:
    import zxcvbn  # type: ignore[import-untyped]
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    if password.lower() in FREQUENCY_LISTS["passwords"]:
        return "This password appears in lists of leaked passwords. Choose another one."
    words = [part for word in own_words for part in (word, *word.replace("@", " ").replace(".", " ").split())]
    found = zxcvbn.zxcvbn(password[:_LOOKED_AT], user_inputs=[*words, "tollkey", "stripe", "dashboard"])
    if found["score"] >= _WEAKEST_SCORE:
        return ""
    advice = " ".join([found["feedback"]["warning"], *found["feedback"]["suggestions"]]).strip()
    return f"This password is too easy to guess. {advice}".strip()
