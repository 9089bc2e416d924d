"""The scheduled work of this room, by name. The resources say in ``on_due`` what it does."""

from __future__ import annotations

from tollkey.wire.kinds import Job

SOURCE_EXPIRE = Job("source.expire")
SOURCE_FILL = Job("source.fill")
