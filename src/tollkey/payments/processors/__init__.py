"""Payment processors: a simulator in test mode; in live mode none until a provider is configured.

charge ──Authorization──▶ Processor.authorize ──▶ Verdict
"""

from tollkey.payments.processors import banks, cards, protocol, states
from tollkey.payments.processors.protocol import Processor
from tollkey.payments.processors.simulator import Simulator
from tollkey.payments.processors.unconfigured import Unconfigured

__all__ = ["banks", "cards", "processor_for", "protocol", "states"]


def processor_for(livemode: bool) -> Processor:
    """Return the processor of a mode. No live provider is configured yet, so live charges are refused."""
    return Unconfigured() if livemode else Simulator()
