"""The interface of processors that are reached over a network: what they are asked, and what can come of it.

A call of a network is never made within a transaction. What was asked is stored first (``attempts``), then sent, and
what came of it is stored after that; so a provider needs no memory of its own: every request holds all that a message
is made of, and an inquiry or a reversal holds the request that it is about.

    Authorize │ Verify │ Capture │ Void │ Refund │ Payout │ Contest │ Accept
      ──Processor.send──▶ Approved │ Declined │ Pending │ NotSent │ Unknown
    Inquire ──Processor.inquire──▶ one of these, or NotFound
    Reverse ──Processor.reverse──▶ Approved (it never happened) │ Declined │ NotSent │ Unknown

``NotSent`` and ``Unknown`` are two types on purpose. The first says that not one byte of a message left, so that it may
be sent again; the second that some may have, so that it must be asked about or reversed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

Operation = Literal["authorize", "capture", "void", "refund", "payout", "contest", "accept", "verify"]
#: What a processor answers in its own words, kept for the requests that follow: texts by names that the provider chose.
Data: TypeAlias = Mapping[str, str]
#: Returns UTC epoch seconds.
Clock: TypeAlias = Callable[[], float]
_EMPTY: Final[Data] = MappingProxyType({})


def _nothing() -> Data:
    return _EMPTY


@dataclass(frozen=True, slots=True)
class Features:
    """What a processor can do. What is not named here is refused before anything is stored.

    operations: those that it takes. methods: types of payment methods, such as ``card``. currencies: ISO 4217 codes in
    lower case; empty for all. partial_capture, partial_refund: whether less than the amount may be asked for.
    inquiry: whether ``inquire`` gives answers. reversal: whether ``reverse`` takes back an authorization of unknown
    outcome. repeatable: operations that may be sent again with the same reference after an unknown outcome, since the
    processor then does them once; ``repeats`` of the request says so. notices: whether ``notices`` gives pages.
    raw_numbers: whether it needs the numbers of cards themselves instead of tokens: from a card vault, if the server
    has one, or as tokens in the form of a number.
    """

    operations: frozenset[Operation]
    methods: frozenset[str] = frozenset({"card"})
    currencies: frozenset[str] = frozenset()
    partial_capture: bool = True
    partial_refund: bool = True
    inquiry: bool = True
    reversal: bool = True
    repeatable: frozenset[Operation] = frozenset()
    notices: bool = False
    raw_numbers: bool = False

    def takes(self, operation: Operation, currency: str, method: str | None = None) -> bool:
        """Return whether it takes an operation in a currency. method: a type of payment method, or None for any."""
        if operation not in self.operations or (method is not None and method not in self.methods):
            return False
        return not self.currencies or currency in self.currencies


@dataclass(frozen=True, slots=True)
class Method:
    """What an authorization is charged to.

    token: the processor's own text for it, or the number of the card (``Features.raw_numbers``), never shown or logged.
    brand, last4, exp_month, exp_year: as they were given with the token; None when they were not. cvc: the security
    code, given once and never kept; None when nobody knows it (any more).
    """

    type: str
    token: str = field(repr=False)
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    cvc: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Request:
    """What every request has.

    reference: made by this server, unique, 12 characters of ``0-9A-Z``; the same when it is sent again.
    trace: 1 to 899,999, one after the other, not unique; a provider whose messages need such numbers (STAN) takes those
    of other messages (echo, sign-on, inquiry) from 900,000 to 999,999.
    at: when it was made, UTC epoch seconds; the same when it is sent again. amount: minor units of ``currency``.
    object: the id of the object it is about. repeats: how often it was sent before.
    """

    reference: str
    trace: int
    at: int
    amount: int
    currency: str
    object: str
    repeats: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Authorize(_Request):
    """Reserve an amount, and take it at once if ``capture``.

    off_session: the customer is not present. first_data: of the approved authorization with which the customer
    agreed to payments like this one; empty without one. authenticate: the merchant asks for 3-D Secure.
    return_url: where the customer is to come back to, if the processor sends it away.
    """

    method: Method
    capture: bool
    off_session: bool = False
    statement_descriptor: str | None = None
    first_data: Data = field(default_factory=_nothing)
    authenticate: bool = field(default=False, kw_only=True)
    return_url: str | None = field(default=None, kw_only=True)

    operation: Literal["authorize", "verify"] = field(default="authorize", init=False)


@dataclass(frozen=True, slots=True)
class Verify(Authorize):
    """Ask whether a payment method may be charged later, without moving or holding money: ``amount`` is 0.

    After an unknown outcome it is sent again with the same reference, if nobody can tell.
    """

    operation: Literal["verify"] = field(default="verify", init=False)


@dataclass(frozen=True, slots=True)
class _About(_Request):
    """A request about an approved authorization.

    original: that authorization as it was sent, but for the token of its method, which is empty unless the provider
    needs raw numbers. data: ``Approved.data`` of it.
    """

    original: Authorize
    data: Data


@dataclass(frozen=True, slots=True)
class Capture(_About):
    """Take an authorized amount, or a part of it. last: nothing more will be captured, the rest is released."""

    last: bool = True

    operation: Literal["capture"] = field(default="capture", init=False)


@dataclass(frozen=True, slots=True)
class Void(_About):
    """Release an authorization of which nothing was captured."""

    operation: Literal["void"] = field(default="void", init=False)


@dataclass(frozen=True, slots=True)
class Refund(_About):
    """Give captured money back, all or a part of it."""

    operation: Literal["refund"] = field(default="refund", init=False)


@dataclass(frozen=True, slots=True)
class Payout(_Request):
    """Pay money out to a bank account. destination: what the provider needs of it, by names that it chose."""

    destination: Data
    statement_descriptor: str | None = None

    operation: Literal["payout"] = field(default="payout", init=False)


@dataclass(frozen=True, slots=True)
class Contest(_About):
    """Submit evidence for a dispute. ``Approved``: the processor has it; a notice tells who wins.

    case: as it was told (``Notice.case``), empty for none. evidence: texts by their names in the API
    (``uncategorized_text``, ``shipping_tracking_number`` …); files are not submitted.
    """

    case: str
    evidence: Data = field(repr=False)

    operation: Literal["contest"] = field(default="contest", init=False)


@dataclass(frozen=True, slots=True)
class Accept(_About):
    """Accept a dispute: it is lost. case: as it was told."""

    case: str

    operation: Literal["accept"] = field(default="accept", init=False)


Request: TypeAlias = Authorize | Capture | Void | Refund | Payout | Contest | Accept


@dataclass(frozen=True, slots=True)
class Inquire:
    """Ask what became of a request. trace, at: of this message, as in a request. asked: how often it was asked before.

    A provider whose network has no inquiry says so in its ``Features``, and is never asked.
    """

    original: Request
    trace: int
    at: int
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo an authorization of unknown outcome, whether it has arrived, is on its way or was lost.

    trace, at: of this message, the same when it is sent again. repeats: how often it was sent before.
    """

    original: Authorize
    trace: int
    at: int
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Approved:
    """It was done.

    code: the authorization code, for the receipt. data: what later requests need (``_About.data``); stored as it is, so
    no card data. network_reference: the network's own id of the transaction, if it gave one.
    """

    code: str = ""
    data: Data = field(default_factory=_nothing)
    network_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """It was refused, for certain.

    code: a decline code of the API (``insufficient_funds``, ``expired_card``, ``generic_decline`` …); of a payout a
    failure code (``account_closed`` …); ``authentication_failed`` when the customer was sent to authenticate and
    did not. advice: ``try_again_later``, ``do_not_try_again``, ``confirm_card_data``, or
    None. network_code: what the network itself answered.
    """

    code: str
    advice: str | None = None
    network_code: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """It was taken, and what comes of it is told later by a notice or an inquiry.

    next_action: where the customer has to go (``{"redirect_to_url": "https://…"}``, http on this machine alone), None
    when nobody has to. Anything else makes the outcome unknown.
    """

    next_action: Mapping[str, Any] | None = None
    data: Data = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of it left; it may be sent again. why: for people, without secrets."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been done, or may still be: the answer is missing, cut off or not understood. why: for people."""

    why: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The processor knows no request with this reference. It may still be on its way."""


Outcome: TypeAlias = Approved | Declined | Pending | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a processor tells by itself.

    id: the processor's own, the same when it tells it again. kind:

    - ``result``: the outcome of a request that was pending or unknown; ``outcome`` is that;
    - ``settled``: a line of a settlement: ``amount`` (signed, before fees) reached or left the bank, ``fee`` was kept;
    - ``returned``: money that was paid out came back (``amount`` is positive); ``code`` says why, in failure codes of
      payouts. That it reached the bank is a line of its own;
    - ``disputed``: the customer's bank took the money back (``amount`` is negative); ``code`` is the network's reason;
    - ``dispute_won``: the money of a dispute came back (``amount`` is positive);
    - ``dispute_lost``: it will not come back (``amount`` is 0: it went when it was disputed).

    reference: of the request here; None when the processor names none, or one that is not ours.
    at: UTC epoch seconds. amount, fee: minor units of ``currency``; a fee that is given back is negative.
    case: the processor's own id of a dispute, the same in all notices about it; None if it has none, and then a payment
    has one dispute at a time. due_by: until when evidence is taken, UTC epoch seconds.
    """

    id: str
    kind: Literal["result", "settled", "returned", "disputed", "dispute_won", "dispute_lost"]
    reference: str | None
    at: int
    amount: int = 0
    currency: str = ""
    fee: int = 0
    code: str | None = None
    outcome: Approved | Declined | None = None
    case: str | None = None
    due_by: int | None = None


@dataclass(frozen=True, slots=True)
class Notices:
    """A page of notices, oldest first. cursor: given to the next call; the same as before when there were none."""

    items: tuple[Notice, ...]
    cursor: str


@runtime_checkable
class Processor(Protocol):
    """A processor, reached over a network. Its methods run on the event loop, several at once, each with a deadline.

    No method raises for what a network does: that is an ``Outcome``. A method that was cancelled may have sent its
    message; the caller takes that, and any exception, for ``Unknown``.
    """

    @property
    def features(self) -> Features:
        """What it can do; the same for its whole life."""

    async def send(self, request: Request) -> Outcome:
        """Send a request once, and wait for its answer. Never sends it again by itself."""

    async def inquire(self, request: Inquire) -> Outcome | NotFound:
        """Ask what became of a request. ``Unknown`` and ``NotSent`` say that there was no answer to the question."""

    async def reverse(self, request: Reverse) -> Outcome:
        """Undo an authorization. ``Approved``: it is undone, or never was, and will not be done when it arrives late.

        ``Declined``: the processor will not undo it; a person has to look.
        """

    async def notices(self, cursor: str) -> Notices:
        """Return what it told after a cursor; empty for the first page. Raises OSError when it cannot be asked."""

    async def probe(self) -> str:
        """Check that it can be reached and knows us; return a sentence for people. Raises OSError or ValueError."""

    async def close(self) -> None:
        """Close its connections. Nothing is called after that."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of processor that can be configured by its name.

    title: for people. open: makes a processor of a configuration (the tables of a TOML file) and the server's clock,
    without connecting yet; it raises ValueError with the name of the setting that is missing, unknown or wrong. It is
    called in a running event loop, once an account that uses it, and again when its configuration has changed.
    """

    name: str
    title: str
    open: Callable[[Mapping[str, Any], Clock], Processor]
