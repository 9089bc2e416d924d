"""What an answer of the host means for the request that it belongs to."""

from __future__ import annotations

from typing import Final

from tollkey.payments.processors.iso8583 import declines
from tollkey.payments.processors.iso8583.codec import Fields
from tollkey.payments.processors.iso8583.dialect import Dialect
from tollkey.payments.processors.network import Approved, Outcome, Unknown

#: How often an authorization must have been asked to be undone before "not found" is believed: it may be on its way.
_BELIEVED: Final = 2


def outcome(dialect: Dialect, sent: Fields, answer: Fields, operation: str, repeats: int) -> Outcome:
    """Return what came of a message. operation: of the request, or ``reverse``. repeats: how often it was sent before.

    A host that repeats a field differently (a smaller amount, another terminal) was not understood: that is unknown.
    """
    code = answer.get("39", "")
    if not code:
        return Unknown(f"the host's {answer['t']} says nothing (DE 39)")
    altered = [field for field in dialect.echoed if field in sent and _differs(sent[field], answer.get(field))]
    if altered and code in dialect.answers["approved"]:
        return Unknown(f"the host approved something else: field {altered[0]} of its {answer['t']} differs")
    undoes = operation == "reverse"
    if code in dialect.answers["approved"]:
        return Approved(answer.get("38", ""), {"approval": answer["38"]} if answer.get("38") else {})
    if code in dialect.answers["unknown"]:
        return Unknown(f"the host answered {code}")
    if code in dialect.answers["duplicate"]:
        again = repeats > 0 and (undoes or operation in dialect.repeatable)
        return Approved() if again else Unknown(f"the host takes it for a repeat ({code})")
    if undoes and code in dialect.answers["not_found"]:
        if repeats >= _BELIEVED:
            return Approved()
        return Unknown(f"the host does not know it yet ({code}); it may be on its way")
    return declines.declined(code, dialect.declines)


def _differs(sent: str, answered: str | None) -> bool:
    return answered is not None and answered.strip() != sent.strip()
