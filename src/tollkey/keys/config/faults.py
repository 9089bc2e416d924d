"""What is wrong with a configuration, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Place = tuple[str | int, ...]


class Fault(NamedTuple):
    """One fault. place: the names of tables and key, with the number of an element of an array. message: a sentence."""

    place: Place
    message: str

    @property
    def key(self) -> str:
        """The place as a text: ``routes[2].needs``."""
        text = ""
        for part in self.place:
            text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
        return text


class ConfigError(ValueError):
    """A configuration that is not valid. Its text has one line for each fault.

    faults: all of them. file, lines: where they stand; empty for a configuration built in Python.
    """

    def __init__(self, faults: Sequence[Fault], file: str = "", lines: Sequence[int] = ()) -> None:
        self.faults, self.file, self.lines = tuple(faults), file, tuple(lines)
        wheres = [f"{file}:{line}: " for line in lines] if lines else [f"{file}: " if file else ""] * len(faults)
        super().__init__(
            "\n".join(
                f"{where}{fault.key}: {fault.message}" if fault.place else f"{where}{fault.message}"
                for where, fault in zip(wheres, faults, strict=True)
            )
        )


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """Return the end of a sentence about a name that is not known: which one is meant, or which there are."""
    import difflib  # here, so that ``import tollkey.keys`` stays fast

    names = sorted(right)
    close = difflib.get_close_matches(wrong, names, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there {'is' if len(names) == 1 else 'are'} {', '.join(names)}" if names else ""
