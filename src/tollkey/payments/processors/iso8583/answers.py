"""What an answer of the host means for the request that it belongs to."""

from __future__ import annotations

from typing import Final

from tollkey.payments.processors.iso8583 import declines
from tollkey.payments.processors.iso8583.codec import Fields
from tollkey.payments.processors.iso8583.dialect import Dialect, Field
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
    undoes = operation == "reverse"
    if code in dialect.answers["approved"] or (operation == "verify" and code in dialect.answers["verified"]):
        for name in dialect.echoed:
            if name in sent and name in answer and _differs(dialect.fields[name], sent[name], answer[name]):
                return Unknown(f"the host approved something else: field {name} of its {answer['t']} differs")
        approval = answer.get("38", "")
        if not (approval.isascii() and approval.isprintable()):  # no text that a later message could repeat
            return Approved()
        return Approved(approval, {"approval": approval} if approval else {})
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


def _differs(field: Field, sent: str, answered: str) -> bool:
    return field.padded(answered.strip()) != field.padded(sent.strip())
