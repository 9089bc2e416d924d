"""Local keys in front of an account at another server, such as one's own Stripe account.

``Gateway`` passes calls on; ``store`` has the upstream accounts and the calls; ``Operations`` every operation of the
API with the permission that a restricted key needs.
"""

from tollkey.upstream.events import Events
from tollkey.upstream.gateway import Gateway
from tollkey.upstream.memory import Upstreams
from tollkey.upstream.operations import Operations
from tollkey.upstream.permissions import FURTHER
from tollkey.upstream.schema import MIGRATIONS, SEALED
from tollkey.upstream.store import Upstream

__all__ = ["FURTHER", "MIGRATIONS", "SEALED", "Events", "Gateway", "Operations", "Upstream", "Upstreams"]
