"""The scheduled work of this room, by name. The resources say in ``on_due`` what it does."""

from __future__ import annotations

from tollkey.wire.kinds import Job

TAX_ID_VERIFY = Job("tax_id.verify")
