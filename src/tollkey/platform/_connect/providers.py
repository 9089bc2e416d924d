"""What connected accounts in live mode need a provider for. In test mode it is simulated; none is built in."""

from __future__ import annotations

from tollkey.wire.live import Capability

VERIFICATION = Capability("verifying connected accounts", "verify an account or the people behind it")
