"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

EPHEMERAL_KEY_FORGET = Job("ephemeral_key.forget")
SOURCE_EXPIRE = Job("source.expire")
SOURCE_FILL = Job("source.fill")
