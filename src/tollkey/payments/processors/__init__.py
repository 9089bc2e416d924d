"""Payment processors: a simulator in test mode; in live mode none until a provider is configured.

charge ──Authorization──▶ Processor.authorize ──▶ Verdict            within the transaction (``protocol``)
intent ──asking──▶ attempt ──sending──▶ network ──▶ AttemptEnded     in two transactions (``network``)
"""

from tollkey.payments.processors import (
    answers,
    asking,
    attempts,
    backends,
    banks,
    cards,
    notices,
    protocol,
    serving,
    states,
    vault,
)
from tollkey.payments.processors.protocol import Processor
from tollkey.payments.processors.simulator import Simulator
from tollkey.payments.processors.unconfigured import Unconfigured

__all__ = [
    "answers",
    "asking",
    "attempts",
    "backends",
    "banks",
    "cards",
    "notices",
    "processor_for",
    "protocol",
    "serving",
    "states",
    "vault",
]


def processor_for(livemode: bool) -> Processor:
    """Return the processor that decides within a transaction. Live mode has none: what is not asked of a processor on a
    network (``asking``) is refused there.
    """
    return Unconfigured() if livemode else Simulator()
